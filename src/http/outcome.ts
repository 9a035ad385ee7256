import { mediaTypeOf, type Asked, type Format } from '../fhir/media-type.ts'
import { writeOperationOutcome, type OutcomeIssue } from '../fhir/operation-outcome.ts'
import type { Policy } from '../policy/policy.ts'
import { answerTo, type Refusal } from '../policy/refusal.ts'

/** What a policy says of its answers. */
export type Terms = Pick<Policy, 'answers' | 'precedence' | 'outcome' | 'release'>

/** FHIR's own answers, where no policy is concerned: outside of every base, before a request is understood. */
export const plainTerms: Terms = { answers: new Map(), precedence: [], outcome: {}, release: 'R4' }

/** The OperationOutcome.issue of a refusal. */
export function issueOf(refusal: Refusal, terms: Terms): OutcomeIssue {
  const { issue, code, codings = [], text } = answerTo(refusal, terms.answers, terms.release)
  const { codes } = terms.outcome
  const display = code === undefined ? undefined : codes?.display.get(code)
  const own =
    codes && code !== undefined ? { system: codes.system, code, ...(display !== undefined && { display }) } : undefined
  const coding = [...(own ? [own] : []), ...codings]
  return {
    severity: 'error',
    code: issue,
    ...((coding.length > 0 || text !== undefined) && {
      details: { ...(coding.length > 0 && { coding }), ...(text !== undefined && { text }) },
    }),
    diagnostics: refusal.diagnostics,
    ...(refusal.expression !== undefined && { expression: [refusal.expression] }),
  }
}

/** The HTTP status of several refusals: the first of the policy's precedence that one of them has, else the first's own. */
export function statusOf(refusals: readonly Refusal[], terms: Terms): number {
  const statuses = refusals.map((refusal) => answerTo(refusal, terms.answers, terms.release).status)
  return terms.precedence.find((status) => statuses.includes(status)) ?? statuses[0] ?? 500
}

/** The issues of refusals, at most `limit`, and how many more there are. */
export function issuesOfRefusals(refusals: readonly Refusal[], terms: Terms, limit: number): readonly OutcomeIssue[] {
  const issues = refusals.slice(0, limit).map((refusal) => issueOf(refusal, terms))
  const more = refusals.length - issues.length
  if (more === 0) return issues
  return [...issues, { severity: 'information', code: 'informational', diagnostics: `${more} more are not listed.` }]
}

/** An answer that holds an OperationOutcome. */
export interface OutcomeAnswer {
  readonly headerFields: Readonly<Record<string, string>>
  readonly body: string
}

/** JSON, unless the client asks for XML. It depends on the Accept header field and may never be stored. */
export function outcomeAnswer(issues: readonly OutcomeIssue[], terms: Terms, asked: Asked): OutcomeAnswer {
  const format: Format = asked === 'xml' ? 'xml' : 'json'
  const { profile } = terms.outcome
  return {
    headerFields: {
      'content-type': `${mediaTypeOf[format]};charset=utf-8`,
      'cache-control': 'no-store',
      vary: 'Accept',
    },
    body: writeOperationOutcome({ ...(profile !== undefined && { profile }), issues }, format),
  }
}
