import type { Key, Step } from './path.ts'

interface Steps {
  readonly steps: readonly Step[]
}

/** Whether a path selects everything that another one from the same start selects; `within`: or what that lies in. */
export function covers(wide: Steps, narrow: Steps, within?: 'within'): boolean {
  if (within ? wide.steps.length > narrow.steps.length : wide.steps.length !== narrow.steps.length) return false
  return wide.steps.every((step, i) => stepCovers(step, narrow.steps[i]!))
}

function stepCovers(wide: Step, narrow: Step): boolean {
  if (wide.name !== narrow.name || (wide.type !== undefined && wide.type !== narrow.type)) return false
  if (!wide.keys.every((key) => narrow.keys.some((other) => keyCovers(key, other)))) return false
  const { selector } = wide
  if (!selector) return true
  const other = narrow.selector
  return other?.variable === selector.variable && other.names.join('.') === selector.names.join('.')
}

function keyCovers(wide: Key, narrow: Key): boolean {
  if (wide.names.join('.') !== narrow.names.join('.') || wide.system !== narrow.system) return false
  return narrow.values.every((value) => wide.values.includes(value))
}
