import type { TokenTerms } from '../config/config.ts'
import type { Grants } from '../fhir/smart-scopes.ts'

/** Who calls, as a verified token has it. Both may name a person: they belong into decision records, and into no log. */
export interface Caller {
  /** The claim `sub`. */
  readonly subject?: string
  /** The client that was given the token: `client_id`, `azp` or `cid`. */
  readonly client?: string
}

/** What a verified token says. */
export interface Verified {
  readonly caller: Caller
  readonly scopes: readonly string[]
  /** Undefined: the scopes are not asked. */
  readonly grants: Grants | undefined
}

export type Checked =
  | { readonly kind: 'verified'; readonly verified: Verified }
  /** `sentence`: what is wrong with it, without a word of what stands in it. */
  | { readonly kind: 'refused'; readonly cause: 'token-expired' | 'token-invalid'; readonly sentence: string }
  /** Whether it is good cannot be known. */
  | { readonly kind: 'unavailable'; readonly error: unknown }

/** Checks the tokens of one base. */
export interface TokenCheck {
  readonly terms: TokenTerms
  check(token: string): Promise<Checked>
}

/** What verifies tokens is loaded by who asks for them only: it takes a tenth of a second. */
export function createTokenCheck(terms: TokenTerms): TokenCheck {
  const loading = import('./verify.ts').then(({ createVerifier }) => createVerifier(terms))
  return { terms, check: async (token) => (await loading)(token) }
}
