import type { Selector } from '../policy/path.ts'
import type { Change, Condition, Content, Part, RuleSet } from '../policy/rule.ts'

/** One rule of a rule set, as refusals name it. */
export interface Rule {
  /** `Flag.update.removal.reason/valueString` */
  readonly id: string
  /** What shows that a permitted write was up to it. `rest`: something that no change claims. `none`: nothing, it only refuses. */
  readonly permits: 'change' | 'part' | 'condition' | 'invariant' | 'rest' | 'none'
  /** Which refusals are its own: those that name it, also those that name a rule inside it, or none, since it cannot refuse. */
  readonly refuses: 'itself' | 'within' | 'never'
}

/** All rules of a rule set, each before those inside it. */
export function rulesOf(ruleSet: RuleSet): Rule[] {
  const invariants = ruleSet.invariants.map(({ id }): Rule => ({ id, permits: 'invariant', refuses: 'itself' }))
  return [...ruleSet.changes.flatMap(ofChange), ...ofRest(ruleSet), ...invariants]
}

/** What no change claims is refused by the rule set itself; of a resource that comes or goes whole nothing is unclaimed. */
function ofRest({ id, rest, changes }: RuleSet): Rule[] {
  const isWhole = changes.some(({ parts }) =>
    parts.some((part) => part.kind !== 'replaced' && part.path.root === '$this' && part.path.steps.length === 0),
  )
  if (!rest) return isWhole ? [] : [{ id, permits: 'none', refuses: 'itself' }]
  return [{ id, permits: 'rest', refuses: rest.except.length > 0 || rest.only ? 'itself' : 'never' }]
}

function ofChange(change: Change): Rule[] {
  const { id, forEach, parts } = change
  const own: Rule[] = [{ id, permits: 'change', refuses: 'within' }]
  if (forEach?.side === 'appended') {
    const item = `${id}.${forEach.variable}`
    own.push({ id: item, permits: 'part', refuses: 'within' }, ...ofContent(item, forEach.content))
  }
  return [...own, ...parts.flatMap(ofPart)]
}

function ofPart(part: Part): Rule[] {
  const { id, path, times } = part
  if (part.kind === 'replaced') return [{ id, permits: 'part', refuses: 'itself' }]
  // What may be absent, and a resource that comes or goes whole, is refused for what it holds.
  const canLack = times.min > 0 && path.steps.length > 0
  return [
    { id, permits: 'part', refuses: canLack ? 'itself' : 'within' },
    ...ofContent(id, part.content, path.steps.at(-1)?.selector),
    ...part.with.flatMap(ofPart),
  ]
}

/** @param chosenBy the reference by which the subtree was selected: a condition on that very reference never fails */
function ofContent(id: string, { holds, lacks, oneOf }: Content, chosenBy?: Selector): Rule[] {
  const alternatives = oneOf?.alternatives ?? []
  return [
    ...holds.flatMap((condition) =>
      chosenBy && isChosenBy(condition, chosenBy)
        ? [{ id: `${id}/${condition.id}`, permits: 'condition', refuses: 'never' } as const]
        : ofCondition(id, condition, condition.times.min > 0),
    ),
    ...(oneOf ? [{ id: `${id}/one-of`, permits: 'condition', refuses: 'itself' } as const] : []),
    // The only condition of an alternative is never lacking: without it the alternative is not the one that is there.
    ...alternatives.flatMap((conditions) =>
      conditions.flatMap((condition) => ofCondition(id, condition, condition.times.min > 0 && conditions.length > 1)),
    ),
    ...lacks.map(({ path }): Rule => ({ id: `${id}/lacks ${path.text}`, permits: 'condition', refuses: 'itself' })),
  ]
}

function ofCondition(within: string, { id: name, test, times, path }: Condition, canLack: boolean): Rule[] {
  const id = `${within}/${name}`
  if (test.kind !== 'content') return [{ id, permits: 'condition', refuses: 'itself' }]
  const canBeTooMany = path.repeats && times.max < Infinity
  return [
    { id, permits: 'condition', refuses: canLack || canBeTooMany ? 'itself' : 'never' },
    ...ofContent(id, test.content),
  ]
}

function isChosenBy({ path, test }: Condition, { names, variable }: Selector): boolean {
  if (test.kind !== 'refers' || test.variable !== variable || path.repeats || path.root !== '$this') return false
  return [...path.steps.map((step) => step.name), 'reference'].join('.') === names.join('.')
}
