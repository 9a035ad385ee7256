/** What stands in the Authorization header field. */
export type Presented =
  /** No credentials, or of another scheme. */
  | { readonly kind: 'none' }
  /** The scheme is Bearer, and what follows is no token. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly token: string }

/** Reads the one line of Authorization, if there is one (RFC 6750, section 2.1; the scheme as RFC 9110, section 11.1). */
export function readBearer(line: string | undefined): Presented {
  const scheme = /^[ \t]*bearer(?=[ \t]|$)/i.exec(line ?? '')
  if (!scheme) return { kind: 'none' }
  const token = /^ +([A-Za-z0-9._~+/-]+=*)[ \t]*$/.exec(line!.slice(scheme[0].length))?.[1]
  return token === undefined ? { kind: 'malformed' } : { kind: 'token', token }
}

/**
 * The WWW-Authenticate header field (RFC 6750, section 3). Without an error code where no token came.
 * @param scopes those that are needed
 */
export function challenge(
  realm: string,
  error?: { readonly code: 'invalid_token' | 'insufficient_scope'; readonly sentence: string },
  scopes: readonly string[] = [],
): string {
  const parameters = [
    ['realm', realm],
    ...(error
      ? [
          ['error', error.code],
          ['error_description', error.sentence],
        ]
      : []),
    ...(scopes.length > 0 ? [['scope', scopes.join(' ')]] : []),
  ]
  return `Bearer ${parameters.map(([name, value]) => `${name}="${plain(value!)}"`).join(', ')}`
}

/** error_description and scope take printable ASCII without quotes and backslashes. */
const plain = (text: string) => text.replaceAll('’', "'").replaceAll(/[^\x20-\x7e]|["\\]/g, '?')
