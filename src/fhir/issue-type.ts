import type { FhirRelease } from './version.ts'

/** https://hl7.org/fhir/STU3/valueset-issue-type.html */
const stu3 = [
  'invalid',
  'structure',
  'required',
  'value',
  'invariant',
  'security',
  'login',
  'unknown',
  'expired',
  'forbidden',
  'suppressed',
  'processing',
  'not-supported',
  'duplicate',
  'not-found',
  'too-long',
  'code-invalid',
  'extension',
  'too-costly',
  'business-rule',
  'conflict',
  'incomplete',
  'transient',
  'lock-error',
  'no-store',
  'exception',
  'timeout',
  'throttled',
  'informational',
] as const

/** Added by https://hl7.org/fhir/R4/valueset-issue-type.html */
const addedInR4 = ['multiple-matches', 'deleted'] as const

/** Added by https://hl7.org/fhir/R5/valueset-issue-type.html */
const addedInR5 = ['limited-filter', 'success'] as const

export type IssueType = (typeof stu3)[number] | (typeof addedInR4)[number] | (typeof addedInR5)[number]

const codes: Readonly<Record<FhirRelease, ReadonlySet<string>>> = {
  STU3: new Set(stu3),
  R4: new Set([...stu3, ...addedInR4]),
  R5: new Set([...stu3, ...addedInR4, ...addedInR5]),
}

/** The issue codes that exist in a FHIR version. */
export function issueTypesOf(release: FhirRelease): ReadonlySet<string> {
  return codes[release]
}
