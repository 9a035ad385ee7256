import { sameElement, type Resource } from '../fhir/element.ts'
import { align, type Alignment, type Difference } from './align.ts'
import type { Flaw } from './content.ts'
import { noChange, type Decision } from './decision.ts'
import { expressionOfDifference } from './expression.ts'
import { Effort, TooMuchEffort } from './effort.ts'
import type { Judgement } from './judgement.ts'
import { occurrencesOf, type Occurrence } from './occurrence.ts'
import type { Policy } from './policy.ts'
import type { RequestFacts } from './request-facts.ts'
import { rebuild } from './rebuild.ts'
import type { Refusal } from './refusal.ts'
import { permittedByRest } from './rest.ts'
import type { RuleSet } from './rule.ts'
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
  /** The differences that no change claims and `rest` permits. */
  readonly rest: ReadonlySet<Difference>
  /** The ids of the conditions that were tried on something and held. */
  readonly held: ReadonlySet<string>
}

const nothingFound: Omit<Judged, 'decision' | 'rules'> = {
  differences: [],
  occurrences: [],
  rest: new Set(),
  held: new Set(),
}

/** As `judge`, and tells what the decision was made of. */
export function judgeWithFindings(policy: Policy, write: Write, surroundings: Surroundings): Judged {
  const rules = policy.resources.get(write.type)?.[write.interaction]
  if (rules) return judgeBy(rules, policy, write, surroundings)
  const diagnostics = `The policy has no rules for ${write.interaction} of ${write.type}.`
  return { ...nothingFound, rules, decision: deny([{ cause: 'interaction-not-offered', diagnostics }]) }
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
    return { ...nothingFound, rules, decision: deny([{ cause: 'too-large', diagnostics }]) }
  }
}

function judgeWithin(
  rules: RuleSet,
  policy: Policy,
  { before, after }: Pick<Write, 'before' | 'after'>,
  surroundings: Surroundings,
): Judged {
  const alignment = align(before, after, rules.match)
  verify(alignment, before, after)
  const { differences } = alignment
  if (differences.length === 0)
    return { ...nothingFound, rules, decision: { verdict: 'permit', permittedAs: [noChange], after } }
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
  if (rules.rest && unclaimed.size > 0) {
    const permitted = permittedByRest(rules.rest, unclaimed, alignment.root, judgement)
    // What belongs to a change that is not complete is that change's to speak of.
    for (const { begun, complete: whole, findings } of occurrences) {
      if (!begun || whole) continue
      for (const { fits, flawed } of findings) for (const own of [...fits, ...flawed]) permitted.delete(own)
    }
    for (const difference of permitted) unclaimed.delete(difference)
    if (permitted.size > 0) names.push(rules.rest.permitAs)
    rest = permitted
  }
  const decision: Decision =
    unclaimed.size === 0 && disputed.length === 0
      ? { verdict: 'permit', permittedAs: [...new Set(names)], after }
      : deny(refusalsFor(rules, occurrences, unclaimed, disputed, judgement))
  return { decision, rules, differences, occurrences, rest, held }
}

function deny(refusals: readonly Refusal[]): Decision {
  return { verdict: 'deny', refusals }
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

/** One refusal per cause: what a begun change lacks, then what is nearly allowed, then everything that nobody claims. */
function refusalsFor(
  rules: RuleSet,
  occurrences: readonly Occurrence[],
  unclaimed: Set<Difference>,
  disputed: readonly Difference[],
  judgement: Judgement,
): Refusal[] {
  const refusals: Refusal[] = []
  const said = new Set<string>()
  const statuses = new Set<number | undefined>()
  /** Beyond the bound only what would be answered with another status, since the answer's status is chosen among all. */
  const say = (flaw: Flaw) => {
    const status = flaw.malformed ? undefined : flaw.otherwise.answer?.status
    if (refusals.length >= judgement.maxFlaws && statuses.has(status)) return
    const key = `${flaw.rule} ${flaw.expression} ${flaw.what}`
    if (said.has(key)) return
    said.add(key)
    statuses.add(status)
    refusals.push(refusalOf(flaw))
  }

  const fitsOf = (occurrence: Occurrence) => occurrence.findings.reduce((sum, finding) => sum + finding.fits.length, 0)
  const begun = occurrences
    .filter((occurrence) => occurrence.begun && !occurrence.complete)
    .map((occurrence) => ({ occurrence, fits: fitsOf(occurrence) }))
    .sort((a, b) => b.fits - a.fits)
  for (const { occurrence } of begun) {
    const held = occurrence.findings.flatMap(({ fits, flawed, near }) => [...fits, ...flawed, ...near])
    if (!held.some((difference) => unclaimed.has(difference))) continue
    for (const { flaws, nearFlaws, lacking } of occurrence.findings) {
      flaws.forEach(say)
      nearFlaws.forEach(say)
      if (lacking && nearFlaws.length === 0) say(lacking)
    }
    for (const difference of held) unclaimed.delete(difference)
  }

  for (const occurrence of occurrences) {
    if (occurrence.begun || occurrence.complete) continue
    for (const { near, nearFlaws } of occurrence.findings) {
      if (!near.some((difference) => unclaimed.has(difference))) continue
      nearFlaws.forEach(say)
      for (const difference of near) unclaimed.delete(difference)
    }
  }

  // One of these at least is said; to write the paths of all would take as long as a body is large.
  const first = (differences: Iterable<Difference>) => [...differences].slice(0, judgement.maxFlaws)
  for (const difference of first(unclaimed)) say(plainFlaw(difference, rules, judgement))
  for (const difference of first(disputed)) {
    say({ ...plainFlaw(difference, rules, judgement), what: 'is claimed by two changes of the policy at once' })
  }
  return refusals
}

function plainFlaw(difference: Difference, rules: RuleSet, judgement: Judgement): Flaw {
  const expression = expressionOfDifference(difference, judgement.definitions)
  return { rule: rules.id, otherwise: rules.otherwise, expression, what: whatDiffers[difference.kind] }
}

const whatDiffers = {
  added: 'was added',
  removed: 'was removed',
  replaced: 'differs from the stored version',
  moved: 'stands in another order than in the stored version',
  shape: 'has another shape than in the stored version',
} as const satisfies Record<Difference['kind'], string>

/** What a client is told of a flaw. */
export function refusalOf(flaw: Flaw): Refusal {
  const { rule, expression, what, otherwise, malformed } = flaw
  return {
    cause: malformed ? 'body-malformed' : 'change-not-permitted',
    rule,
    expression,
    diagnostics: malformed
      ? `${expression} ${what}: a server would drop it without a word. Leave it out.`
      : `${expression} ${what}. ${otherwise.help ?? otherwise.say}`.trim(),
    ...(otherwise.answer && !malformed ? { answer: { text: otherwise.say, ...otherwise.answer } } : {}),
  }
}
