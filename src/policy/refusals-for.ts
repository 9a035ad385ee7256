import type { Difference } from './align.ts'
import type { Flaw } from './content.ts'
import { expressionOfDifference } from './expression.ts'
import type { Judgement } from './judgement.ts'
import type { Occurrence } from './occurrence.ts'
import type { Refusal } from './refusal.ts'
import type { RuleSet } from './rule.ts'

/** One refusal per cause: what a begun change lacks, what is nearly allowed, everything that nobody claims, broken invariants. */
export function refusalsFor(
  rules: RuleSet,
  occurrences: readonly Occurrence[],
  unclaimed: Set<Difference>,
  disputed: readonly Difference[],
  broken: readonly Flaw[],
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

  // One of these at least is said.
  for (const difference of first(unclaimed, judgement.maxFlaws)) say(plainFlaw(difference, rules, judgement))
  for (const difference of first(disputed, judgement.maxFlaws)) {
    say({ ...plainFlaw(difference, rules, judgement), what: 'is claimed by two changes of the policy at once' })
  }
  broken.forEach(say)
  return refusals
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
