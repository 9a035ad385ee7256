import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { TokenTerms } from '../../../src/config/config.ts'
import { createVerifier } from '../../../src/tokens/verify.ts'

const start = new Date('2026-03-02T09:30:00Z').getTime()

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: start })
  onTestFinished(() => void vi.useRealTimers())
})

const terms = {
  issuer: 'https://login.example',
  audience: ['fhir'],
  keys: { url: 'https://login.example/jwks', maxAgeMs: 600_000 },
  algorithms: ['ES256'],
  types: ['at+jwt', 'absent'],
  clockSkewMs: 30_000,
  requiredClaims: [],
  forwarded: true,
  scopes: 'off',
} as const satisfies TokenTerms

interface Key {
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

async function newKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid } }
}

const tokenOf = ({ privateKey, jwk }: Key, claims: Readonly<Record<string, unknown>> = {}) =>
  new SignJWT({ iss: 'https://login.example', aud: 'fhir', exp: start / 1000 + 3600, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid!, typ: 'at+jwt' })
    .sign(privateKey)

/** A verifier in front of an issuer with these keys, which a test may change. */
function verifierOf(...keys: Key[]) {
  const issuer = { keys, status: 200, asked: 0 }
  const check = createVerifier(terms, async () => {
    issuer.asked++
    return new Response(JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) }), { status: issuer.status })
  })
  return { issuer, kindOf: async (token: string) => (await check(token)).kind, check }
}

const pass = (seconds: number) => void vi.setSystemTime(Date.now() + seconds * 1000)

/** Both clocks. */
const wait = (seconds: number) => void vi.advanceTimersByTime(seconds * 1000)

describe('a token that has been verified', () => {
  it('is verified once, until it expires', async () => {
    const key = await newKey('a')
    const { kindOf } = verifierOf(key)
    const token = await tokenOf(key, { exp: start / 1000 + 60 })
    const verify = vi.spyOn(crypto.subtle, 'verify')
    onTestFinished(() => verify.mockRestore())
    expect([await kindOf(token), await kindOf(token)]).toEqual(['verified', 'verified'])
    expect(verify).toHaveBeenCalledTimes(1)
    pass(89)
    expect(await kindOf(token)).toBe('verified')
    pass(1)
    expect(await kindOf(token)).toBe('refused')
  })

  it('is verified anew when its key is not published any more', async () => {
    const [old, next] = [await newKey('a'), await newKey('b')]
    const { kindOf, issuer } = verifierOf(old)
    const token = await tokenOf(old)
    expect(await kindOf(token)).toBe('verified')
    issuer.keys = [next]
    wait(601)
    expect(await kindOf(token)).toBe('refused')
  })

  it('does not stand when the keys are too old and cannot be had anew', async () => {
    const key = await newKey('a')
    const { kindOf, issuer } = verifierOf(key)
    const token = await tokenOf(key)
    expect(await kindOf(token)).toBe('verified')
    issuer.status = 500
    wait(599)
    expect(await kindOf(token)).toBe('verified')
    wait(2)
    expect(await kindOf(token)).toBe('unavailable')
  })
})

describe('the keys of an issuer', () => {
  it('are asked for once when a token names an unknown one, and again after half a minute only', async () => {
    const [old, next, stranger] = [await newKey('a'), await newKey('b'), await newKey('c')]
    const { kindOf, issuer } = verifierOf(old)
    expect(await kindOf(await tokenOf(old))).toBe('verified')
    issuer.keys = [old, next]
    wait(31)
    expect(await kindOf(await tokenOf(next))).toBe('verified')
    expect(issuer.asked).toBe(2)
    for (let i = 0; i < 5; i++) expect(await kindOf(await tokenOf(stranger, { jti: String(i) }))).toBe('refused')
    expect(issuer.asked).toBe(2)
    wait(31)
    for (let i = 0; i < 5; i++) expect(await kindOf(await tokenOf(stranger, { jti: String(i) }))).toBe('refused')
    expect(issuer.asked).toBe(3)
  })

  it('are not asked for at once again when that failed', async () => {
    const key = await newKey('a')
    const { kindOf, issuer } = verifierOf(key)
    issuer.status = 500
    const token = await tokenOf(key)
    expect([await kindOf(token), await kindOf(token)]).toEqual(['unavailable', 'unavailable'])
    expect(issuer.asked).toBe(1)
    issuer.status = 200
    wait(1)
    expect(await kindOf(token)).toBe('verified')
  })

  it('are asked for before they are too old, and nobody waits for that', async () => {
    const key = await newKey('a')
    const { kindOf, issuer } = verifierOf(key)
    const token = await tokenOf(key)
    await kindOf(token)
    wait(301)
    expect(await kindOf(token)).toBe('verified')
    await vi.waitFor(() => expect(issuer.asked).toBe(2))
    wait(400)
    expect(await kindOf(token)).toBe('verified')
  })

  it.each([
    ['no JSON', 'x'],
    ['no key set', '{}'],
    ['larger than the bound', JSON.stringify({ keys: [], padding: 'x'.repeat(300_000) })],
  ])('that come as %s let nothing pass', async (_, text) => {
    const key = await newKey('a')
    const check = createVerifier(terms, async () => new Response(text))
    expect((await check(await tokenOf(key))).kind).toBe('unavailable')
  })

  it('of which a token names none, and several would do, verify nothing', async () => {
    const [one, other] = [await newKey('a'), await newKey('b')]
    const { check } = verifierOf(one, other)
    const token = await new SignJWT({ iss: 'https://login.example', aud: 'fhir', exp: start / 1000 + 60 })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(one.privateKey)
    expect(await check(token)).toMatchObject({ kind: 'refused', sentence: expect.stringMatching(/which key/) })
  })

  it('may stand in a file', async () => {
    const key = await newKey('a')
    const check = createVerifier({ ...terms, keys: { set: { keys: [key.jwk] } } }, () => {
      throw new Error('Nobody is to be asked.')
    })
    expect((await check(await tokenOf(key))).kind).toBe('verified')
    expect((await check(await tokenOf(await newKey('a')))).kind).toBe('refused')
  })
})

describe('who calls', () => {
  it.each([
    [{}, {}],
    [
      { sub: 'u', client_id: 'c', azp: 'z' },
      { subject: 'u', client: 'c' },
    ],
    [
      { sub: 'u', azp: 'z', cid: 'd' },
      { subject: 'u', client: 'z' },
    ],
    [{ cid: 'd' }, { client: 'd' }],
    [{ sub: '', client_id: 5 }, {}],
  ])('%j is %j', async (claims, caller) => {
    const key = await newKey('a')
    const { check } = verifierOf(key)
    // `sub` must be a text in every token that jose makes.
    expect(await check(await tokenOf(key, claims))).toMatchObject({ kind: 'verified', verified: { caller } })
  })

  it.each([
    [{ scope: 'openid  user/Flag.read' }, ['openid', 'user/Flag.read']],
    [{ scope: ['a', 5, 'b'] }, ['a', 'b']],
    [{ scp: 'a b' }, ['a', 'b']],
    [{ scope: 'a', scp: 'b' }, ['a']],
    [{ scope: 5 }, []],
    [{}, []],
  ])('has the scopes of %j', async (claims, scopes) => {
    const key = await newKey('a')
    const { check } = verifierOf(key)
    expect(await check(await tokenOf(key, claims))).toMatchObject({ verified: { scopes, grants: undefined } })
  })
})
