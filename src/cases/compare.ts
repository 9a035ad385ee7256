import type { Expected, ExpectedRefusal } from './case.ts'
import type { Outcome, SeenRefusal } from './run.ts'

/** How an outcome differs from what a case expects. */
export interface Mismatch {
  /** Each in a few words: `permitted as removal`, `refused`. */
  readonly expected: string
  readonly got: string
  readonly details: readonly Detail[]
}

export type Detail =
  | { readonly kind: 'missing'; readonly text: string }
  | { readonly kind: 'unexpected'; readonly text: string; readonly says?: string }
  /** The same refusal but for some features. */
  | { readonly kind: 'differing'; readonly text: string; readonly features: readonly DifferingFeature[] }

export interface DifferingFeature {
  readonly name: keyof ExpectedRefusal
  readonly expected: string
  readonly got: string
}

/** Undefined when the outcome is exactly what is expected; the order of names, paths and refusals does not count. */
export function compare(expected: Expected, outcome: Outcome): Mismatch | undefined {
  const details = [...verdictDetails(expected, outcome), ...reportedDetails(expected, outcome)]
  if (details.length === 0 && expected.kind === outcome.kind) return undefined
  return { expected: tellExpected(expected), got: tellOutcome(outcome), details }
}

function verdictDetails(expected: Expected, outcome: Outcome): Detail[] {
  if (expected.kind === 'permit' && outcome.kind === 'permit') {
    return [
      ...setDetails(expected.names, outcome.names, 'permitted as '),
      ...setDetails(expected.restored, outcome.restored, 'restored: '),
    ]
  }
  return refusalDetails(refusalsOf(expected), refusalsOf(outcome))
}

function reportedDetails(expected: Expected, outcome: Outcome): Detail[] {
  return refusalDetails(expected.reported, outcome.reported).map((detail) => ({
    ...detail,
    text: `reported: ${detail.text}`,
  }))
}

function refusalsOf<Refusal>(
  of: { readonly kind: 'permit' } | { readonly kind: 'refuse'; readonly refusals: readonly Refusal[] },
): readonly Refusal[] {
  return of.kind === 'refuse' ? of.refusals : []
}

function tellExpected(expected: Expected): string {
  return expected.kind === 'permit' ? tellPermit(expected.names, expected.restored) : 'refused'
}

export function tellOutcome(outcome: Outcome): string {
  return outcome.kind === 'permit' ? tellPermit(outcome.names, outcome.restored) : 'refused'
}

function tellPermit(names: readonly string[], restored: readonly string[]): string {
  const as = names.length === 0 ? 'permitted' : `permitted as ${names.join(', ')}`
  return restored.length === 0 ? as : `${as}, restoring ${restored.join(', ')}`
}

function setDetails(expected: readonly string[], got: readonly string[], prefix: string): Detail[] {
  const missing = expected.filter((name) => !got.includes(name))
  const unexpected = got.filter((name) => !expected.includes(name))
  return [
    ...missing.map((name): Detail => ({ kind: 'missing', text: `${prefix}${name}` })),
    ...unexpected.map((name): Detail => ({ kind: 'unexpected', text: `${prefix}${name}` })),
  ]
}

function refusalDetails(expected: readonly ExpectedRefusal[], seen: readonly SeenRefusal[]): Detail[] {
  const pairs = pairing(expected, seen)
  const lacking = expected.filter((_, i) => !pairs.has(i))
  const paired = new Set(pairs.values())
  const left = seen.filter((_, i) => !paired.has(i))
  const details: Detail[] = []
  for (const wanted of lacking) {
    // The one that is most alike, if it is the same rule or the same element.
    const [closest] = left
      .map((refusal) => ({ refusal, differing: differing(wanted, refusal) }))
      .filter(({ refusal }) => isAbout(wanted, refusal))
      .sort((a, b) => a.differing.length - b.differing.length)
    if (closest) {
      left.splice(left.indexOf(closest.refusal), 1)
      details.push({ kind: 'differing', text: tellSeen(closest.refusal), features: closest.differing })
    } else details.push(missingRefusal(wanted))
  }
  return [...details, ...left.map(unexpectedRefusal)]
}

/** Pairs as many as possible, each expected refusal with one that has all its features (Kuhn's algorithm). */
function pairing(expected: readonly ExpectedRefusal[], seen: readonly SeenRefusal[]): Map<number, number> {
  const expectedOf = new Map<number, number>()
  const place = (wanted: number, tried: Set<number>): boolean =>
    seen.some((refusal, i) => {
      if (tried.has(i) || differing(expected[wanted]!, refusal).length > 0) return false
      tried.add(i)
      const holder = expectedOf.get(i)
      if (holder !== undefined && !place(holder, tried)) return false
      expectedOf.set(i, wanted)
      return true
    })
  expected.forEach((_, i) => place(i, new Set()))
  return new Map([...expectedOf].map(([i, wanted]) => [wanted, i]))
}

const isAbout = (wanted: ExpectedRefusal, refusal: SeenRefusal) =>
  (wanted.at !== undefined && wanted.at === refusal.at) || (wanted.rule !== undefined && wanted.rule === refusal.rule)

function differing(wanted: ExpectedRefusal, refusal: SeenRefusal): DifferingFeature[] {
  const features = ['rule', 'at', 'status', 'code', 'issue', 'cause'] as const
  const found = features.flatMap((name): DifferingFeature[] => {
    const value = wanted[name]
    return value === undefined || value === refusal[name]
      ? []
      : [{ name, expected: String(value), got: refusal[name] === undefined ? 'none' : String(refusal[name]) }]
  })
  const { says } = wanted
  const told = [refusal.text, refusal.diagnostics].filter((text) => text !== undefined)
  if (says === undefined || told.some((text) => text.includes(says))) return found
  return [...found, { name: 'says', expected: says, got: told.join(' ') }]
}

function missingRefusal(wanted: ExpectedRefusal): Detail {
  const { at, rule, status, code, issue, cause, says } = wanted
  const features = [status, code, issue, cause].filter((feature) => feature !== undefined).join(' ')
  const parts = [
    features,
    ...(at === undefined ? [] : [`at ${at}`]),
    ...(rule === undefined ? [] : [`by ${rule}`]),
    ...(says === undefined ? [] : [`saying “${says}”`]),
  ]
  return { kind: 'missing', text: parts.filter((part) => part !== '').join(' ') }
}

function unexpectedRefusal(refusal: SeenRefusal): Detail {
  return { kind: 'unexpected', text: tellSeen(refusal), says: refusal.diagnostics }
}

/** `403 FORBIDDEN_UPDATE at Flag.status by Flag.update.removal.status` */
function tellSeen({ status, code, issue, at, rule, cause }: SeenRefusal): string {
  const by = rule === undefined ? `(${cause})` : `by ${rule}`
  return `${status} ${code ?? issue}${at === undefined ? '' : ` at ${at}`} ${by}`
}
