import type { Occurrence } from '../policy/occurrence.ts'
import type { Operations, Policy, ResourcePolicy } from '../policy/policy.ts'
import type { RuleSet } from '../policy/rule.ts'
import { rulesOf, type Rule } from './rules.ts'
import type { CaseResult } from './run.ts'

/** Which rules of a policy its cases have tried, to both ends. */
export interface Coverage {
  /** How many rules the policy has. */
  readonly rules: number
  /** Those without a case that they permit or without one that they refuse. */
  readonly lacking: readonly Lacking[]
}

export interface Lacking {
  /** As refusals name it; an operation's with the resource type in front. */
  readonly rule: string
  readonly lacks: 'permitted' | 'refused' | 'both'
}

/** What the cases came to that were judged by one rule set. */
interface Tally {
  readonly permitted: Set<string>
  readonly refused: Set<string>
}

/**
 * Counts the cases that came out as expected: a rule is permitted where it was fit in a write that is permitted, with nothing
 * reported, and refused where a refusal names it, or a report. What is lacking of a whole change is not said again of what is inside it.
 */
export function coverageOf(policy: Policy, results: readonly CaseResult[]): Coverage {
  const sections = sectionsOf(policy)
  const tallies = new Map<RuleSet, Tally>()
  for (const { ruleSets } of sections) {
    const tally: Tally = { permitted: new Set(), refused: new Set() }
    for (const ruleSet of ruleSets) tallies.set(ruleSet, tally)
  }
  for (const result of results) {
    const { rules } = result.judged
    const tally = rules && tallies.get(rules)
    if (tally && !result.mismatch) count(result, rules, tally)
  }
  let rules = 0
  const lacking = sections.flatMap(({ prefix, ruleSets }) => {
    const all = rulesOf(ruleSets[0]!)
    rules += all.length
    return lackingOf(all, tallies.get(ruleSets[0]!)!).map((lack) => ({ ...lack, rule: `${prefix}${lack.rule}` }))
  })
  return { rules, lacking }
}

function count({ judged }: CaseResult, rules: RuleSet, tally: Tally): void {
  const { decision, occurrences, rest, held, invariants } = judged
  const refusals = [...(decision.verdict === 'deny' ? decision.refusals : []), ...(decision.reported ?? [])]
  if (refusals.length > 0) {
    for (const { rule } of refusals) if (rule !== undefined) tally.refused.add(rule)
    // Of several parts that have an element go otherwise, one speaks for all.
    const taken = new Set([...rest, ...occurrences.filter(({ complete }) => complete).flatMap(fitsOf)])
    for (const { part, near } of occurrences.flatMap(({ findings }) => findings)) {
      if (near.some((difference) => !taken.has(difference))) tally.refused.add(part.id)
    }
    return
  }
  for (const { change, complete, findings } of occurrences) {
    if (!complete) continue
    tally.permitted.add(change.id)
    for (const { part, fits } of findings) if (fits.length > 0) tally.permitted.add(part.id)
  }
  for (const id of held) tally.permitted.add(id)
  if (rest.size > 0) tally.permitted.add(rules.id)
  for (const { invariant, verdict } of invariants) if (verdict === 'kept') tally.permitted.add(invariant.id)
}

const fitsOf = ({ findings }: Occurrence) => findings.flatMap(({ fits }) => fits)

function lackingOf(rules: readonly Rule[], { permitted, refused }: Tally): Lacking[] {
  const lacking: Lacking[] = []
  const said = { permitted: [] as string[], refused: [] as string[] }
  const isNews = (kind: keyof typeof said, { id, permits }: Rule) => {
    if (said[kind].some((change) => isWithin(id, change))) return false
    if (permits === 'change') said[kind].push(id)
    return true
  }
  for (const rule of rules) {
    const { id, permits, refuses } = rule
    const isRefused =
      refuses === 'never' || refused.has(id) || (refuses === 'within' && [...refused].some((own) => isWithin(own, id)))
    const isPermitted = permits === 'none' || permitted.has(id)
    const lacksPermitted = !isPermitted && isNews('permitted', rule)
    const lacksRefused = !isRefused && isNews('refused', rule)
    if (!lacksPermitted && !lacksRefused) continue
    const lacks = lacksPermitted && lacksRefused ? 'both' : lacksPermitted ? 'permitted' : 'refused'
    lacking.push({ rule: id, lacks })
  }
  return lacking
}

const isWithin = (id: string, outer: string) => id.startsWith(`${outer}.`) || id.startsWith(`${outer}/`)

/** The rule sets of one section of the policy: one, or for `'*'` one for each type that it stands for. */
interface Section {
  readonly prefix: string
  readonly ruleSets: readonly RuleSet[]
}

function sectionsOf({ resources, others, system }: Policy): Section[] {
  const named = [...resources].filter(([type]) => !others.has(type))
  const unnamed = [...resources].filter(([type]) => others.has(type)).map(([, resource]) => resource)
  const groups: readonly (readonly [string, readonly ResourcePolicy[]])[] = [
    ...named.map(([type, resource]) => [type, [resource]] as const),
    ...(unnamed.length > 0 ? [['*', unnamed] as const] : []),
  ]
  return [
    ...ofOperations('', [system.operations]),
    ...groups.flatMap(([name, group]) => [
      ...(['create', 'update', 'delete'] as const).flatMap((code) =>
        section(
          '',
          group.map((resource) => resource[code]),
        ),
      ),
      ...ofOperations(
        `${name}/`,
        group.map(({ operations }) => operations.type),
      ),
      ...ofOperations(
        `${name}/[id]/`,
        group.map(({ operations }) => operations.instance),
      ),
    ]),
  ]
}

/** The types that `'*'` stands for have the same operations. */
function ofOperations(prefix: string, levels: readonly Operations[]): Section[] {
  return [...levels[0]!.keys()].flatMap((name) =>
    section(
      prefix,
      levels.map((level) => level.get(name)?.rules),
    ),
  )
}

function section(prefix: string, ruleSets: readonly (RuleSet | undefined)[]): Section[] {
  const own = ruleSets.filter((ruleSet) => ruleSet !== undefined)
  return own.length > 0 ? [{ prefix, ruleSets: own }] : []
}
