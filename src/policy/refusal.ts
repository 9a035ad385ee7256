import type { IssueType } from '../fhir/issue-type.ts'
import type { OutcomeCoding } from '../fhir/operation-outcome.ts'
import type { FhirRelease } from '../fhir/version.ts'

/** How a refusal is answered: HTTP status, OperationOutcome issue code, and the policy's own code and text. */
export interface Answer {
  /** HTTP status, 400 to 599. */
  readonly status: number
  /** OperationOutcome.issue.code */
  readonly issue: IssueType
  /** A code of the policy's own coding system, for OperationOutcome.issue.details.coding. */
  readonly code?: string
  /** What follows it there: codings of other systems. */
  readonly codings?: readonly OutcomeCoding[]
  /** One sentence, for OperationOutcome.issue.details.text. */
  readonly text?: string
}

/**
 * Everything for which the gateway itself refuses a request, with FHIR's own answer to it
 * (https://hl7.org/fhir/R4/http.html). A policy file may set another answer for each of them, under `answers`.
 */
export const causes = {
  'request-malformed': { status: 400, issue: 'invalid' },
  'body-malformed': { status: 400, issue: 'structure' },
  'body-mismatch': { status: 400, issue: 'invalid' },
  'token-missing': { status: 401, issue: 'login' },
  'token-expired': { status: 401, issue: 'expired' },
  // As FHIR has it: the user could not be authenticated.
  'token-invalid': { status: 401, issue: 'unknown' },
  'scope-missing': { status: 403, issue: 'forbidden' },
  'not-found': { status: 404, issue: 'not-found' },
  'header-field-missing': { status: 400, issue: 'required' },
  'header-field-malformed': { status: 400, issue: 'value' },
  'interaction-not-offered': { status: 405, issue: 'not-supported' },
  'request-timeout': { status: 408, issue: 'timeout' },
  'version-mismatch': { status: 412, issue: 'conflict' },
  gone: { status: 410, issue: 'deleted' },
  'if-match-missing': { status: 412, issue: 'required' },
  'if-match-malformed': { status: 412, issue: 'invalid' },
  'multiple-matches': { status: 412, issue: 'multiple-matches' },
  'precondition-not-offered': { status: 412, issue: 'not-supported' },
  'too-large': { status: 413, issue: 'too-long' },
  'media-type': { status: 415, issue: 'not-supported' },
  expectation: { status: 417, issue: 'not-supported' },
  'change-not-permitted': { status: 422, issue: 'business-rule' },
  'patch-not-applicable': { status: 422, issue: 'processing' },
  'too-many-requests': { status: 429, issue: 'throttled' },
  'header-too-large': { status: 431, issue: 'too-long' },
  fault: { status: 500, issue: 'exception' },
  'upstream-unreachable': { status: 502, issue: 'transient' },
  'upstream-unusable': { status: 502, issue: 'exception' },
  'keys-unavailable': { status: 503, issue: 'transient' },
  overloaded: { status: 503, issue: 'throttled' },
  'upstream-unavailable': { status: 503, issue: 'transient' },
  draining: { status: 503, issue: 'transient' },
  'not-recorded': { status: 503, issue: 'transient' },
  'upstream-too-slow': { status: 504, issue: 'timeout' },
} as const satisfies Record<string, Answer>

export type Cause = keyof typeof causes

/** FHIR's own answers where the version decides: STU3 has no issue code `deleted` and answers a version mismatch with 409. */
const stu3Answers: Partial<Record<Cause, Answer>> = {
  'version-mismatch': { status: 409, issue: 'conflict' },
  gone: { status: 410, issue: 'not-found' },
  'multiple-matches': { status: 412, issue: 'duplicate' },
}

/** One thing that is wrong with a request. A refused request has all of them. */
export interface Refusal {
  readonly cause: Cause
  /** The rule of the policy that refused: `Flag.update.removal/reason-and-comment`. */
  readonly rule?: string
  /** FHIRPath of the element concerned, with index. */
  readonly expression?: string
  /** One sentence for a client developer: what is wrong with which element, what is allowed. No record content. */
  readonly diagnostics: string
  /** The rule's own answer; without it the policy's, else FHIR's, for the cause. */
  readonly answer?: Answer
  /** The OAuth scopes that are missing. */
  readonly scopes?: readonly string[]
}

/** The answer to a refusal: the rule's own, else the policy's for its cause, else FHIR's for its cause. */
export function answerTo(
  refusal: Pick<Refusal, 'cause' | 'answer'>,
  answers: ReadonlyMap<Cause, Answer>,
  release: FhirRelease,
): Answer {
  return (
    refusal.answer ??
    answers.get(refusal.cause) ??
    (release === 'STU3' ? stu3Answers[refusal.cause] : undefined) ??
    causes[refusal.cause]
  )
}
