import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type CryptoKey,
  type FetchImplementation,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
} from 'jose'
import type { KeySource } from '../config/config.ts'

/** The keys of an issuer. */
export interface KeySet {
  /**
   * The key that a token names.
   * @throws {KeysUnavailable} when the keys cannot be had
   * @throws {errors.JOSEError} when the token names none of them
   */
  keyFor(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey>
  /** Whether what was verified until now still counts as far as the keys go. They are asked for anew when they grow old. */
  stillHolds(): boolean
}

/** It is nobody's fault who holds a token. */
export class KeysUnavailable extends Error {
  readonly code = 'KEYS_UNAVAILABLE'
}

/** For the answer with the keys, in milliseconds. */
const answerMs = 5000

/** After an answer with keys that lack the one that a token names, and after one that is none, in milliseconds. */
const cooldownMs = 30_000
const retryMs = 1000

/** The largest answer with keys, in bytes. */
const maxBytes = 256 * 1024

/** What jose says of a token; anything else that is thrown is about the keys. */
const ofToken = [
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
  errors.JOSENotSupported,
  errors.JOSEAlgNotAllowed,
]

/** @param onChange called when the keys are others than before: what they verified counts no more */
export function createKeySet(source: KeySource, onChange: () => void, fetchAnswer: typeof fetch = fetch): KeySet {
  if ('set' in source) {
    const keys = createLocalJWKSet(source.set)
    return { keyFor: (header, token) => telling(keys(header, token)), stillHolds: () => true }
  }
  const { url, maxAgeMs } = source
  const fetched = boundedFetch(fetchAnswer, onChange)
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: answerMs,
    cooldownDuration: Math.min(cooldownMs, maxAgeMs),
    cacheMaxAge: maxAgeMs,
    [customFetch]: fetched.fetch,
  })
  return {
    keyFor: (header, token) => telling(keys(header, token)),
    stillHolds() {
      // Nobody waits for it, and an issuer that is away for a while is not noticed.
      if (keys.fresh && performance.now() > fetched.at() + maxAgeMs / 2 && !keys.reloading)
        keys.reload().catch(() => {})
      return keys.fresh
    },
  }
}

async function telling(key: Promise<CryptoKey>): Promise<CryptoKey> {
  try {
    return await key
  } catch (cause) {
    if (ofToken.some((kind) => cause instanceof kind)) throw cause
    throw new KeysUnavailable('The keys of the issuer cannot be had.', { cause })
  }
}

/** Asks again only some time after a failure: each token that names an unknown key would be a request to the issuer. */
function boundedFetch(fetchAnswer: typeof fetch, onChange: () => void) {
  let failedAt = -Infinity
  let fetchedAt = -Infinity
  let known: string | undefined
  const fetch: FetchImplementation = async (url, options) => {
    if (performance.now() < failedAt + retryMs) throw new KeysUnavailable('The issuer failed a moment ago.')
    try {
      const answer = await fetchAnswer(url, options)
      if (answer.status !== 200) throw new KeysUnavailable(`The issuer answered ${answer.status}.`)
      const text = await boundedText(answer)
      if (known !== undefined && known !== text) onChange()
      known = text
      fetchedAt = performance.now()
      return new Response(text)
    } catch (error) {
      failedAt = performance.now()
      throw error
    }
  }
  return { fetch, at: () => fetchedAt }
}

async function boundedText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > maxBytes) throw new KeysUnavailable('The issuer’s answer is larger than the bound.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
