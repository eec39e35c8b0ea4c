const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  return crc >>> 0
})

/** The check sum that POSIX `cksum` prints. */
export function cksum(bytes: Uint8Array): number {
  let crc = 0
  for (let i = 0; i < bytes.length; i++) crc = step(crc, bytes[i]!)
  // POSIX: the length follows the bytes, lowest byte first, without leading zeros.
  for (let length = bytes.length; length > 0; length = Math.floor(length / 256)) crc = step(crc, length % 256)
  return ~crc >>> 0
}

function step(crc: number, byte: number): number {
  return ((crc << 8) ^ TABLE[((crc >>> 24) ^ byte) & 0xff]!) >>> 0
}
