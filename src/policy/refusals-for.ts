import type { Difference } from './align.ts'
import type { Flaw } from './content.ts'
import { expressionOfDifference } from './expression.ts'
import type { InvariantFindings } from './invariants.ts'
import type { Judgement } from './judgement.ts'
import { isSound, type Finding, type Occurrence } from './occurrence.ts'
import type { Refusal } from './refusal.ts'
import type { RuleSet } from './rule.ts'

/** What is refused, and what would be if the rules that say so were enforced. */
export interface Refusals {
  readonly enforced: readonly Refusal[]
  readonly reported: readonly Refusal[]
}

/** One refusal per cause: what a begun change lacks, what is nearly allowed, everything that nobody claims, broken invariants. */
export function refusalsFor(
  rules: RuleSet,
  occurrences: readonly Occurrence[],
  unclaimed: Set<Difference>,
  disputed: readonly Difference[],
  { findings, tookTooLong }: InvariantFindings,
  judgement: Judgement,
): Refusals {
  // Each within a bound of its own: what is reported never takes the place of what is refused.
  const said = { enforce: new Said(judgement.maxFlaws), report: new Said(judgement.maxFlaws) }
  const isOpen = (difference: Difference) => unclaimed.has(difference)
  const contested = contestedIn(occurrences)
  /** What is right but for what parts in report mode ask of it belongs to an excused occurrence, unless others speak of it. */
  const excuse = ({ findings }: Occurrence) => {
    for (const { fits, flawed, near } of findings) {
      for (const fit of fits) unclaimed.delete(fit)
      for (const held of [...flawed, ...near]) if (!contested.has(held)) unclaimed.delete(held)
    }
  }

  const begun = occurrences
    .filter((occurrence) => occurrence.begun && !occurrence.complete)
    .map((occurrence) => ({ occurrence, fits: occurrence.findings.reduce((sum, { fits }) => sum + fits.length, 0) }))
    .sort((a, b) => Number(b.occurrence.excused) - Number(a.occurrence.excused) || b.fits - a.fits)
  for (const { occurrence } of begun) {
    const held = heldBy(occurrence)
    if (!held.some(isOpen)) continue
    const wrong = occurrence.findings.filter((finding) => !isSound(finding))
    // Where only parts in report mode speak, and still it is not excused, what it holds is claimed by nobody.
    const ownModes = occurrence.excused || wrong.some(({ part }) => part.mode === 'enforce')
    for (const finding of wrong) sayAll(finding, said[ownModes ? finding.part.mode : rules.mode])
    if (occurrence.excused) excuse(occurrence)
    else for (const difference of held) unclaimed.delete(difference)
  }

  for (const occurrence of occurrences) {
    const { complete, excused, findings } = occurrence
    if (occurrence.begun || complete) continue
    const nearly = findings.filter(({ near }) => near.some(isOpen))
    for (const { part, near, nearFlaws } of nearly) {
      const mode = excused || part.mode === 'enforce' ? part.mode : rules.mode
      for (const flaw of nearFlaws) said[mode].say(flaw)
      for (const held of near) if (!excused || !contested.has(held)) unclaimed.delete(held)
    }
    // In a rule set that is itself in report mode, what it touches besides is reported as what nobody claims.
    if (!excused || rules.mode === 'report') continue
    if (nearly.length === 0 && heldBy(occurrence).some(isOpen)) {
      for (const finding of findings) sayAll(finding, said.report)
    }
    excuse(occurrence)
  }

  // One of these at least is said.
  const { say } = said[rules.mode]
  for (const difference of first(unclaimed, judgement.maxFlaws)) say(plainFlaw(difference, rules, judgement))
  for (const difference of first(disputed, judgement.maxFlaws)) {
    say({ ...plainFlaw(difference, rules, judgement), what: 'is claimed by two changes of the policy at once' })
  }
  for (const { invariant, flaw } of findings) if (flaw) said[invariant.mode].say(flaw)
  for (const mode of tookTooLong) said[mode].refusals.push(invariantsTooLarge)
  return { enforced: said.enforce.refusals, reported: said.report.refusals }
}

const invariantsTooLarge: Refusal = {
  cause: 'too-large',
  diagnostics: 'The rules for the resource as a whole take too long on so large a resource.',
}

/** What occurrences that are not excused hold, where they speak of it in the words of an enforced part. */
function contestedIn(occurrences: readonly Occurrence[]): ReadonlySet<Difference> {
  const contested = new Set<Difference>()
  for (const occurrence of occurrences) {
    if (occurrence.complete || occurrence.excused) continue
    if (occurrence.begun) for (const held of heldBy(occurrence)) contested.add(held)
    for (const { part, near } of occurrence.findings) {
      if (part.mode === 'enforce') for (const held of near) contested.add(held)
    }
  }
  return contested
}

/** All differences that an occurrence touches. */
export const heldBy = ({ findings }: Occurrence): readonly Difference[] =>
  findings.flatMap(({ fits, flawed, near }) => [...fits, ...flawed, ...near])

function sayAll({ flaws, nearFlaws, lacking }: Finding, { say }: Said): void {
  flaws.forEach(say)
  nearFlaws.forEach(say)
  if (lacking && nearFlaws.length === 0) say(lacking)
}

/** Refusals, each once and within a bound. */
class Said {
  readonly refusals: Refusal[] = []
  readonly #most: number
  readonly #said = new Set<string>()
  readonly #statuses = new Set<number | undefined>()

  constructor(most: number) {
    this.#most = most
  }

  /** Beyond the bound only what would be answered with another status, since the answer's status is chosen among all. */
  readonly say = (flaw: Flaw): void => {
    const status = flaw.malformed ? undefined : flaw.otherwise.answer?.status
    if (this.refusals.length >= this.#most && this.#statuses.has(status)) return
    const key = `${flaw.rule} ${flaw.expression} ${flaw.what}`
    if (this.#said.has(key)) return
    this.#said.add(key)
    this.#statuses.add(status)
    this.refusals.push(refusalOf(flaw))
  }
}

/** What is wrong with a difference that nobody claims. */
export function plainFlaw(difference: Difference, rules: RuleSet, judgement: Judgement): Flaw {
  const expression = expressionOfDifference(difference, judgement.definitions)
  return { rule: rules.id, otherwise: rules.otherwise, expression, what: whatDiffers[difference.kind] }
}

/** The first of some differences: to write the paths of all would take as long as a body is large. */
export const first = (differences: Iterable<Difference>, count: number) => [...differences].slice(0, count)

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
