import { sameElement, type Resource } from '../fhir/element.ts'
import { align, type Aligned, type Alignment, type Difference } from './align.ts'
import { noChange, reportOnly, type Decision, type Permit } from './decision.ts'
import { Effort, TooMuchEffort } from './effort.ts'
import { findingsOfInvariants, type InvariantFinding } from './invariants.ts'
import type { Judgement } from './judgement.ts'
import { isEnforced, occurrencesOf, type Occurrence } from './occurrence.ts'
import type { Policy } from './policy.ts'
import type { RequestFacts } from './request-facts.ts'
import { rebuild } from './rebuild.ts'
import type { Refusal } from './refusal.ts'
import { first, heldBy, plainFlaw, refusalsFor, type Refusals } from './refusals-for.ts'
import { takenByRest } from './rest.ts'
import { restorable } from './restore.ts'
import type { Change, Mode, Rest, RuleSet } from './rule.ts'
import { Selection } from './select.ts'

/** One write, brought to the two values that are judged. Create is after without before, delete is before without after. */
export interface Write {
  readonly interaction: 'create' | 'update' | 'delete'
  readonly type: string
  readonly before: Resource | undefined
  readonly after: Resource | undefined
}

/** What the judge must know of its surroundings. */
export interface Surroundings {
  /** Absolute FHIR bases (without trailing slash) under which references name this server's resources, beside the policy's own. */
  readonly bases: readonly string[]
  /** The most refusals to give. */
  readonly maxRefusals: number
  /** What rules may ask about the request itself. */
  readonly request: RequestFacts
}

/**
 * Judges the stored resource against the sent one with the compiled policy. Pure and synchronous; gives all refusals at once.
 * Both must have gone through `withoutServerOwned`.
 * @throws {Error} when the judge finds itself inconsistent: nothing may be sent then.
 */
export function judge(policy: Policy, write: Write, surroundings: Surroundings): Decision {
  return judgeWithFindings(policy, write, surroundings).decision
}

/** A decision together with what it was made of: for those who explain it, and for those who ask which rules were tried. */
export interface Judged {
  readonly decision: Decision
  /** By which it was judged; undefined where the policy has none for the interaction. */
  readonly rules: RuleSet | undefined
  readonly differences: readonly Difference[]
  /** Every change of the rules with every binding, and what each of its parts found. */
  readonly occurrences: readonly Occurrence[]
  /** The differences that no change claims, and `rest` permits or puts back. */
  readonly rest: ReadonlySet<Difference>
  /** The ids of the conditions that were tried on something and held. */
  readonly held: ReadonlySet<string>
  /** What became of each invariant, up to one that took too long; none when nothing differs. */
  readonly invariants: readonly InvariantFinding[]
}

/** What is found where no rule is asked. */
export const nothingFound: Omit<Judged, 'decision' | 'rules'> = {
  differences: [],
  occurrences: [],
  rest: new Set(),
  held: new Set(),
  invariants: [],
}

/** As `judge`, and tells what the decision was made of. */
export function judgeWithFindings(policy: Policy, write: Write, surroundings: Surroundings): Judged {
  const rules = policy.resources.get(write.type)?.[write.interaction]
  if (rules) return judgeBy(rules, policy, write, surroundings)
  const diagnostics = `The policy has no rules for ${write.interaction} of ${write.type}.`
  const decision = refuseBy(policy.mode, { cause: 'interaction-not-offered', diagnostics }, write.after)
  return { ...nothingFound, rules, decision }
}

/** Judges the Parameters of an operation, as something that comes, by the operation's own rules. */
export function judgeOperation(
  rules: RuleSet,
  policy: Policy,
  parameters: Resource,
  surroundings: Surroundings,
): Decision {
  return judgeOperationWithFindings(rules, policy, parameters, surroundings).decision
}

/** As `judgeOperation`, and tells what the decision was made of. */
export function judgeOperationWithFindings(
  rules: RuleSet,
  policy: Policy,
  parameters: Resource,
  surroundings: Surroundings,
): Judged {
  return judgeBy(rules, policy, { before: undefined, after: parameters }, surroundings)
}

/** A List of 3,000 removals takes some 200,000. */
const maxSteps = 3_000_000

function judgeBy(
  rules: RuleSet,
  policy: Policy,
  write: Pick<Write, 'before' | 'after'>,
  surroundings: Surroundings,
): Judged {
  try {
    return judgeWithin(rules, policy, write, surroundings)
  } catch (error) {
    if (!(error instanceof TooMuchEffort)) throw error
    const diagnostics = 'This change is too intricate to be judged at once; make it in several smaller ones.'
    const mode = enforcesSome(rules) ? 'enforce' : rules.mode
    return { ...nothingFound, rules, decision: refuseBy(mode, { cause: 'too-large', diagnostics }, write.after) }
  }
}

function judgeWithin(
  rules: RuleSet,
  policy: Policy,
  { before, after }: Pick<Write, 'before' | 'after'>,
  surroundings: Surroundings,
  isRestored = false,
): Judged {
  const alignment = align(before, after, rules.match)
  verify(alignment, before, after)
  const { differences } = alignment
  // When all was put back, the invariants still have their say: whether an update may come to nothing is theirs to tell.
  if (differences.length === 0 && !(isRestored && rules.invariants.length > 0))
    return { rules, decision: { verdict: 'permit', permittedAs: [noChange], after }, ...nothingFound }
  const effort = new Effort(maxSteps)
  const held = new Set<string>()
  const judgement: Judgement = {
    definitions: policy.definitions,
    selection: new Selection([...policy.bases, ...surroundings.bases], effort),
    effort,
    maxFlaws: surroundings.maxRefusals,
    held,
  }
  const occurrences = rules.changes.flatMap((change) => occurrencesOf(change, alignment.root, judgement))
  const complete = occurrences.filter((occurrence) => occurrence.complete)
  const claims = claimsOf(complete)
  const unclaimed = new Set(differences.filter((difference) => !claims.has(difference)))
  const disputed = differences.filter((difference) => (claims.get(difference) ?? 0) > 1)
  const names = complete.map((occurrence) => occurrence.change.name)
  let rest: ReadonlySet<Difference> = nothingFound.rest
  /** When the rest is put back, it is what then is left that decides. */
  let restored: Pick<Judged, 'decision' | 'invariants'> | undefined
  // In report mode nothing is put back: what would be is reported, as what nobody claims.
  if (rules.rest && unclaimed.size > 0 && !(rules.rest.kind === 'restore' && rules.mode === 'report')) {
    const left = leftToRest(rules.rest, unclaimed, alignment.root, occurrences, judgement)
    if (rules.rest.kind === 'restore') {
      const excused = excusedOf(occurrences, unclaimed, left)
      const keeping = new Set([...claims.keys(), ...excused])
      const kept = rebuild(before, keeping) as Resource
      rest = restorable(left, keeping, kept, policy.definitions)
      if (rest.size + excused.size === unclaimed.size && disputed.length === 0) {
        const own = judgeWithin({ ...rules, rest: undefined }, policy, { before, after: kept }, surroundings, true)
        // Without what is put back it may be another change, which is not permitted: then it is refused as it was sent.
        if (own.decision.verdict === 'permit')
          restored = { ...own, decision: withRestored(own.decision, rules.rest, rest, rules, judgement) }
        else if (own.decision.refusals.every(({ rule, cause }) => isInvariant(rules, rule) || cause === 'too-large'))
          restored = own
        else rest = nothingFound.rest
      }
    } else {
      rest = left
      if (rest.size > 0) names.push(rules.rest.name)
    }
    for (const difference of rest) unclaimed.delete(difference)
  }
  const found = { rules, differences, occurrences, rest, held }
  if (restored) return { ...found, decision: restored.decision, invariants: restored.invariants }
  const write = { before, after, root: alignment.root }
  const invariants = findingsOfInvariants(rules.invariants, write, judgement, surroundings.request)
  const { findings, tookTooLong } = invariants
  const areKept = tookTooLong.size === 0 && findings.every(({ flaw }) => flaw === undefined)
  const permittedAs = [...new Set(names)]
  const decision: Decision =
    unclaimed.size === 0 && disputed.length === 0 && areKept
      ? { verdict: 'permit', permittedAs, after }
      : decisionFor(refusalsFor(rules, occurrences, unclaimed, disputed, invariants, judgement), permittedAs, after)
  return { decision, invariants: findings, ...found }
}

const isInvariant = (rules: RuleSet, id: string | undefined) =>
  rules.invariants.some((invariant) => invariant.id === id)

/** Refused is what an enforced rule refuses; what only others would is permitted, and reported. */
function decisionFor(
  { enforced, reported }: Refusals,
  names: readonly string[],
  after: Resource | undefined,
): Decision {
  const told = reported.length > 0 ? { reported } : {}
  if (enforced.length > 0) return { verdict: 'deny', refusals: enforced, ...told }
  if (reported.length === 0) throw new Error('Something is not permitted, and nothing says why.')
  return { verdict: 'permit', permittedAs: [...new Set([...names, reportOnly])], after, reported }
}

/** What changes claim that are complete but for what is only reported, of that which nothing else is to become of. */
function excusedOf(
  occurrences: readonly Occurrence[],
  unclaimed: ReadonlySet<Difference>,
  left: ReadonlySet<Difference>,
): ReadonlySet<Difference> {
  const held = occurrences.filter(({ excused }) => excused).flatMap(heldBy)
  return new Set(held.filter((difference) => unclaimed.has(difference) && !left.has(difference)))
}

/** What `rest` may have: what belongs to a change that is not complete is that change's to speak of. */
function leftToRest(
  rest: Rest,
  unclaimed: Iterable<Difference>,
  root: Aligned,
  occurrences: readonly Occurrence[],
  judgement: Judgement,
): ReadonlySet<Difference> {
  const left = takenByRest(rest, unclaimed, root, judgement)
  for (const { begun, complete, findings } of occurrences) {
    if (complete) continue
    for (const { fits, flawed, near } of findings) {
      if (begun) for (const own of [...fits, ...flawed]) left.delete(own)
      if (rest.kind === 'restore') for (const own of near) left.delete(own)
    }
  }
  return left
}

/** A permit of what was left when the rest was put back. */
function withRestored(
  permit: Permit,
  rest: Rest,
  restored: ReadonlySet<Difference>,
  rules: RuleSet,
  judgement: Judgement,
): Permit {
  const names = permit.permittedAs.filter((name) => name !== noChange)
  const elements = first(restored, judgement.maxFlaws).map((difference) => {
    const { rule, expression, what } = plainFlaw(difference, rules, judgement)
    return { rule, expression, diagnostics: `${expression} ${what}: what is stored was kept.` }
  })
  return {
    ...permit,
    permittedAs: [...new Set([...names, rest.name])],
    restoration: { count: restored.size, elements },
  }
}

function refuseBy(mode: Mode, refusal: Refusal, after: Resource | undefined): Decision {
  const refusals = mode === 'enforce' ? { enforced: [refusal], reported: [] } : { enforced: [], reported: [refusal] }
  return decisionFor(refusals, [], after)
}

/** Whether one of the rules is enforced, whatever the mode of the rule set. */
function enforcesSome({ changes, invariants }: RuleSet): boolean {
  const isEnforcedItem = ({ forEach }: Change) => forEach?.side === 'appended' && forEach.mode === 'enforce'
  return (
    invariants.some(({ mode }) => mode === 'enforce') ||
    changes.some((change) => isEnforcedItem(change) || change.parts.some(isEnforced))
  )
}

/** Before and all differences must give after: a difference that was not seen could otherwise pass unjudged. */
function verify(alignment: Alignment, before: Resource | undefined, after: Resource | undefined): void {
  const rebuilt = rebuild(before, alignment.differences)
  const same = rebuilt && after ? sameElement(rebuilt, after) : rebuilt === after
  if (!same) throw new Error('The differences do not account for the whole change.')
}

function claimsOf(complete: readonly Occurrence[]): Map<Difference, number> {
  const claims = new Map<Difference, number>()
  for (const { findings } of complete) {
    for (const { fits } of findings) for (const fit of fits) claims.set(fit, (claims.get(fit) ?? 0) + 1)
  }
  return claims
}
