import type { Resource } from '../fhir/element.ts'
import type { Refusal } from './refusal.ts'

/** What the judge says of one write. A permit names the changes that it is; a denial names everything that is wrong. */
export type Decision = Permit | { readonly verdict: 'deny'; readonly refusals: readonly Refusal[] }

export interface Permit {
  readonly verdict: 'permit'
  readonly permittedAs: readonly string[]
  /** What may be sent: the resource that was judged. Undefined for a delete. */
  readonly after: Resource | undefined
}

/** The name of a permitted write that changes nothing: PUT is idempotent. */
export const noChange = 'no-change'
