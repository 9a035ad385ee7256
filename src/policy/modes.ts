import type { Mode, Part, RuleSet } from './rule.ts'

/** The mode of a rule set, and the ids of the rules in it that have the other one. */
export interface Modes {
  readonly mode: Mode
  readonly others: readonly string[]
}

export function modesOf({ mode, changes, invariants }: RuleSet): Modes {
  const ofPart = (part: Part): (readonly [string, Mode])[] => [
    [part.id, part.mode],
    ...(part.kind === 'replaced' ? [] : part.with.flatMap(ofPart)),
  ]
  const rules = [
    ...changes.flatMap(({ id, forEach, parts }) => [
      ...(forEach?.side === 'appended' ? [[`${id}.${forEach.variable}`, forEach.mode] as const] : []),
      ...parts.flatMap(ofPart),
    ]),
    ...invariants.map((invariant) => [invariant.id, invariant.mode] as const),
  ]
  return { mode, others: rules.flatMap(([id, own]) => (own === mode ? [] : [id])) }
}
