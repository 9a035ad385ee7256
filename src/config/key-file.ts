import { createPublicKey, type JsonWebKey } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'

/** The parameters of a key that are nobody's but the issuer's (RFC 7518, section 6). */
const secretParts = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/** NIST SP 800-131A: what is shorter is broken, or will be. In bits. */
const shortestModulus = 2048

const typeOfAlgorithm: Readonly<Record<string, string>> = { RS: 'RSA', PS: 'RSA', ES: 'EC', Ed: 'OKP' }

/**
 * Reads a JSON Web Key Set (RFC 7517) of public keys, or says why it is none. No message repeats what stands in it.
 * @param algorithms those that are taken: a set that has no key for them could verify nothing
 */
export function readKeySet(
  text: string,
  algorithms: readonly string[],
): { readonly set: JSONWebKeySet } | { readonly mistake: string } {
  const set = parsed(text)
  if (!set) return { mistake: 'It is not a JSON Web Key Set: expected a JSON object with a list of keys in `keys`.' }
  if (set.keys.length === 0) return { mistake: 'It has no keys.' }
  for (const [index, key] of set.keys.entries()) {
    const mistake = mistakeOf(key as unknown as JsonWebKey)
    if (mistake !== undefined) return { mistake: `Its key ${index + 1} ${mistake}` }
  }
  const types = new Set(algorithms.map((name) => typeOfAlgorithm[name.slice(0, 2)]))
  return set.keys.some(({ kty }) => types.has(kty))
    ? { set }
    : { mistake: `It has no key for the algorithms that are taken, ${algorithms.join(', ')}.` }
}

function parsed(text: string): JSONWebKeySet | undefined {
  try {
    const data = JSON.parse(text) as { readonly keys?: unknown } | null
    const keys = data?.keys
    return Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key !== null)
      ? { keys: keys as JSONWebKeySet['keys'] }
      : undefined
  } catch {
    return undefined
  }
}

function mistakeOf(key: JsonWebKey): string | undefined {
  if (key.kty === 'oct') return 'is a shared secret: who can verify with it can sign. Only public keys are taken.'
  if (secretParts.some((part) => part in key)) return 'holds its private part: take it out, and think of it as lost.'
  try {
    const { asymmetricKeyDetails: details } = createPublicKey({ key, format: 'jwk' })
    return (details?.modulusLength ?? shortestModulus) < shortestModulus
      ? `is shorter than ${shortestModulus} bits.`
      : undefined
  } catch {
    return 'is not a public key.'
  }
}
