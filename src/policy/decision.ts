import type { Refusal } from './refusal.ts'

/** What the judge says of one write. A permit names the changes that it is; a denial names everything that is wrong. */
export type Decision =
  | { readonly verdict: 'permit'; readonly permittedAs: readonly string[] }
  | { readonly verdict: 'deny'; readonly refusals: readonly Refusal[] }

/** The name of a permitted write that changes nothing: PUT is idempotent. */
export const noChange = 'no-change'
