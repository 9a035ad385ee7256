import type { OutcomeIssue } from '../../fhir/operation-outcome.ts'
import type { Restoration } from '../../policy/decision.ts'
import type { Cause, Refusal } from '../../policy/refusal.ts'

/** `Bundle.entry[2]`, counted from 0 as FHIRPath does. */
export const expressionOfEntry = (index: number) => `Bundle.entry[${index}]`

/** A refusal of what one entry asks, told as one of the Bundle: `Observation.status` is `Bundle.entry[2].resource.status`. */
export function refusalOfEntry(index: number, refusal: Refusal): Refusal {
  const { expression, cause } = refusal
  if (expression?.startsWith('Bundle.')) return refusal
  const within =
    expression === undefined ? `${expressionOfEntry(index)}.${partOf(cause)}` : withinEntry(index, expression)
  return { ...refusal, expression: within }
}

/** What was put back of what one entry asks, told as something of the Bundle. */
export function restorationOfEntry(index: number, { count, elements }: Restoration): Restoration {
  return { count, elements: elements.map((one) => ({ ...one, expression: withinEntry(index, one.expression) })) }
}

/** `Observation.status` → `Bundle.entry[2].resource.status` */
const withinEntry = (index: number, expression: string) =>
  expressionOfEntry(index) + expression.replace(/^[A-Za-z]+/, '.resource')

/** What the upstream says of one entry. */
export function issueOfEntry(index: number, issue: OutcomeIssue): OutcomeIssue {
  const { location: _, ...rest } = issue
  return { ...rest, expression: [`${expressionOfEntry(index)}.request.url`] }
}

/** Where an entry says what is refused of it. */
function partOf(cause: Cause): string {
  switch (cause) {
    case 'if-match-missing':
    case 'if-match-malformed':
    case 'version-mismatch':
      return 'request.ifMatch'
    case 'precondition-not-offered':
      return 'request'
    case 'body-malformed':
    case 'body-mismatch':
      return 'resource'
    default:
      return 'request.url'
  }
}
