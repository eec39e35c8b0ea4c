/** Stages of a boot in their order, each known by the first console line that shows it was reached. */
export const STAGES: readonly { name: string; pattern: RegExp }[] = [
  { name: 'firmware', pattern: /SeaBIOS \(version|UEFI firmware|BdsDxe:|iPXE \(http/ },
  { name: 'boot-loader', pattern: /GNU GRUB|U-Boot \d{4}\.|SYSLINUX / },
  { name: 'hypervisor', pattern: /Xen version \d|\(XEN\) / },
  { name: 'kernel', pattern: /Linux version \d|Booting Linux on physical CPU/ },
  { name: 'init', pattern: /Run \/\S+ as init process|systemd\[1\]: |init started: BusyBox|Welcome to .+!/ },
  { name: 'login', pattern: /\blogin: ?$/ },
]

/** How far a boot has come, by the names in {@link STAGES}; -1 for a name that is none. */
export function stageOrder(name: string): number {
  return STAGES.findIndex(stage => stage.name === name)
}
