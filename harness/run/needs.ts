const NEED = /^@needs:(.+)$/

/** Features that a test's tags (`@needs:ssh`) ask of an image. */
export function needsOf(tags: readonly string[]): string[] {
  return tags.flatMap(tag => NEED.exec(tag)?.[1] ?? [])
}
