import type { UpstreamCredentials } from '../config/config.ts'

type HeaderFields = Readonly<Record<string, string>>

/** What the gateway shows to an upstream for every request. */
export interface Credentials {
  /**
   * The header fields that hold it.
   * @throws {Error} when there is none to be had; the error names nothing of it
   */
  headerFields(): Promise<HeaderFields>
  /** The upstream answered 401 to these: the next request shows others, where there are any. */
  refused(headerFields: HeaderFields): void
}

/** @param timeoutMs to get a token, in milliseconds */
export function createCredentials(credentials: UpstreamCredentials, timeoutMs: number): Credentials {
  if (credentials.kind === 'client-credentials') {
    return tokensKept(async () => {
      const { requestToken } = await import('./request-token.ts')
      return requestToken(credentials, timeoutMs)
    })
  }
  const headerFields = { [credentials.name]: credentials.value }
  return { headerFields: async () => headerFields, refused() {} }
}

/** A token, and for how long it is good. */
export interface Token {
  readonly token: string
  readonly lifetimeMs: number
}

/** A token is renewed when so much of its lifetime is left, but not before half of it is over. In milliseconds. */
const spareMs = 30_000

/** So long nobody asks again: after there was none to be had, and for another one in the place of one that was refused. */
const pauseMs = 1000
const refusedPauseMs = 10_000

/** Keeps a token until shortly before it expires. Who needs one while it is asked for waits for the same. */
export function tokensKept(request: () => Promise<Token>, now: () => number = Date.now): Credentials {
  let kept: { readonly headerFields: HeaderFields; readonly since: number; readonly until: number } | undefined
  let asking: Promise<HeaderFields> | undefined
  let failed: { readonly error: unknown; readonly until: number } | undefined

  const ask = async () => {
    try {
      const { token, lifetimeMs } = await request()
      const headerFields = { authorization: `Bearer ${token}` }
      kept = { headerFields, since: now(), until: now() + Math.max(lifetimeMs - spareMs, lifetimeMs / 2) }
      return headerFields
    } catch (error) {
      failed = { error, until: now() + pauseMs }
      throw error
    } finally {
      asking = undefined
    }
  }
  return {
    async headerFields() {
      if (kept && now() < kept.until) return kept.headerFields
      if (failed && now() < failed.until) throw failed.error
      return (asking ??= ask())
    },
    refused(headerFields) {
      if (kept?.headerFields === headerFields && now() - kept.since >= refusedPauseMs) kept = undefined
    },
  }
}
