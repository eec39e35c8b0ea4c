import type { ProjectPlan } from './plan.js'

const NEED = /^@needs:(.+)$/

/** Why a test with `tags` (`@needs:ssh`) does not run on an image: the features that it needs and the image does not declare. */
export function unmetNeeds(
  { name, features }: ProjectPlan['image'],
  tags: readonly string[],
): string | undefined {
  const needs = tags.flatMap(tag => NEED.exec(tag)?.[1] ?? [])
  const lacking = needs.filter(need => !features.includes(need))
  return lacking.length ? `${name} does not declare ${lacking.join(', ')}` : undefined
}
