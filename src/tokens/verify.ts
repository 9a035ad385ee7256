import { createHash } from 'node:crypto'
import { errors, jwtVerify, type JWTPayload } from 'jose'
import { LRUCache } from 'lru-cache'
import type { TokenTerms } from '../config/config.ts'
import { grantsOf } from '../fhir/smart-scopes.ts'
import { createKeySet, KeysUnavailable } from './key-set.ts'
import type { Checked, TokenCheck, Verified } from './token-check.ts'

/** The most verified tokens that are remembered: some 10 MiB. */
const maxRemembered = 10_000

/**
 * Checks JSON Web Tokens that are signed (RFC 7519, RFC 9068). To verify a signature takes some 200 µs, more than to judge an
 * update: a token is verified once, and remembered by its hash until it expires, or the keys are others.
 */
export function createVerifier(terms: TokenTerms, fetch?: typeof globalThis.fetch): TokenCheck['check'] {
  let generation = 0
  const remembered = new LRUCache<string, { readonly verified: Verified; readonly until: number }>({
    max: maxRemembered,
  })
  const forget = () => {
    generation++
    remembered.clear()
  }
  const keys = createKeySet(terms.keys, forget, fetch)
  return async (token) => {
    const hash = createHash('sha256').update(token).digest('base64')
    const known = keys.stillHolds() ? remembered.get(hash) : undefined
    if (known && Date.now() < known.until) return { kind: 'verified', verified: known.verified }
    remembered.delete(hash)
    const by = generation
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys.keyFor, {
        algorithms: [...terms.algorithms],
        issuer: terms.issuer,
        audience: [...terms.audience],
        clockTolerance: terms.clockSkewMs / 1000,
        requiredClaims: ['iss', 'aud', 'exp', ...terms.requiredClaims],
      })
      if (!terms.types.includes(typeOf(protectedHeader.typ))) return invalid('It is not of a type that is taken here.')
      const verified = verifiedOf(payload, terms)
      if (by === generation) remembered.set(hash, { verified, until: payload.exp! * 1000 + terms.clockSkewMs })
      return { kind: 'verified', verified }
    } catch (error) {
      return error instanceof KeysUnavailable ? { kind: 'unavailable', error } : refusalOf(error)
    }
  }
}

/** RFC 7515, section 4.1.9: without the `application/` that may be left out, in lower case; `absent` where there is none. */
function typeOf(typ: unknown): string {
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : 'absent'
}

function verifiedOf(payload: JWTPayload, { scopes: scopeTerms }: TokenTerms): Verified {
  const { sub, client_id: clientId, azp, cid } = payload
  const subject = textOf(sub)
  const client = textOf(clientId) ?? textOf(azp) ?? textOf(cid)
  const scopes = scopesOf(payload)
  return {
    caller: { ...(subject !== undefined && { subject }), ...(client !== undefined && { client }) },
    scopes,
    grants: scopeTerms === 'off' ? undefined : grantsOf(scopes, scopeTerms.patient === 'upstream-enforces'),
  }
}

const textOf = (claim: unknown) => (typeof claim === 'string' && claim !== '' ? claim : undefined)

/** RFC 8693, section 4.2, as text; there are issuers that write a list, or call it `scp`. */
function scopesOf({ scope, scp }: JWTPayload): readonly string[] {
  const claim = scope ?? scp
  if (typeof claim === 'string') return claim.split(' ').filter((one) => one !== '')
  return Array.isArray(claim) ? claim.filter((one) => typeof one === 'string') : []
}

const invalid = (sentence: string) => ({ kind: 'refused', cause: 'token-invalid', sentence }) as const

const sentences: Readonly<Record<string, string>> = {
  iss: 'It is from another issuer.',
  aud: 'It is meant for another audience.',
  nbf: 'It is not valid yet.',
}

/** @throws {unknown} what jose does not say of a token */
function refusalOf(error: unknown): Checked {
  if (!(error instanceof errors.JOSEError)) throw error
  if (error instanceof errors.JWTExpired) {
    return { kind: 'refused', cause: 'token-expired', sentence: 'The token has expired; get a new one.' }
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { reason, claim } = error
    // One of `requiredClaims`: the token has not said its name.
    if (reason === 'missing') return invalid(`It lacks the claim \`${claim}\`.`)
    const sentence = reason === 'check_failed' ? sentences[claim] : undefined
    return invalid(sentence ?? 'A claim that it needs is malformed.')
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return invalid('Its algorithm is not one that is taken here.')
  if (error instanceof errors.JWKSNoMatchingKey) return invalid('Its key is not one of the issuer’s.')
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return invalid('It does not say which key of the issuer signed it.')
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalid('Its signature does not hold.')
  return invalid('It is not a signed JSON Web Token.')
}
