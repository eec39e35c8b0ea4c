import { z } from 'zod'

const UNITS = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 } as const

/** A size as people write it (`384M`, `1G`, `512K`, plain bytes), read as bytes. */
export const size = z.union([z.number().int().nonnegative(), z.string()]).transform((value, context) => {
  const bytes = parseSize(value)
  if (bytes === undefined) {
    context.addIssue({ code: 'custom', message: 'a size such as 384M or 1G' })
    return z.NEVER
  }
  return bytes
})

export function parseSize(value: string | number): number | undefined {
  if (typeof value === 'number') return value
  const match = /^(\d+)\s*([KMG]?)(?:i?B)?$/i.exec(value.trim())
  if (!match) return undefined
  return Number(match[1]) * UNITS[match[2]!.toUpperCase() as keyof typeof UNITS]
}

export const MIB = UNITS.M

/** Bytes as a person reads them: `384M`, `1.5G`. */
export function formatSize(bytes: number): string {
  for (const unit of ['G', 'M', 'K'] as const) {
    const value = bytes / UNITS[unit]
    if (value >= 1) return `${Number.isInteger(value) ? value : value.toFixed(1)}${unit}`
  }
  return `${bytes}B`
}
