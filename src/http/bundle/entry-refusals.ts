import type { OutcomeIssue } from '../../fhir/operation-outcome.ts'
import type { Cause, Refusal } from '../../policy/refusal.ts'

/** `Bundle.entry[2]`, counted from 0 as FHIRPath does. */
export const expressionOfEntry = (index: number) => `Bundle.entry[${index}]`

/** A refusal of what one entry asks, told as one of the Bundle: `Observation.status` is `Bundle.entry[2].resource.status`. */
export function refusalOfEntry(index: number, refusal: Refusal): Refusal {
  const entry = expressionOfEntry(index)
  const { expression, cause } = refusal
  if (expression?.startsWith('Bundle.')) return refusal
  const within = expression === undefined ? `.${partOf(cause)}` : expression.replace(/^[A-Za-z]+/, '.resource')
  return { ...refusal, expression: entry + within }
}

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
