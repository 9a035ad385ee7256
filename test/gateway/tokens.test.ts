import { createSecretKey } from 'node:crypto'
import { exportSPKI, generateKeyPair, importJWK, type CryptoKey } from 'jose'
import { describe, expect, test } from 'vitest'
import { bootAndClose, type Answer, type Booted, type Settings } from './booted.ts'
import { audience, inSeconds, issuerName, sentCritical, signed, startIssuer, type Issuer } from './issuer.ts'
import { jsonHeaders, removal, stored } from './records.ts'
import { resource } from './stub-upstream.ts'

const issues = (answer: Answer) => (JSON.parse(answer.body) as { issue: { code: string; diagnostics: string }[] }).issue
const challengeOf = (answer: Answer) => String(answer.headers['www-authenticate'])

async function bootWith(issuer: Issuer, settings: Settings = {}): Promise<Booted> {
  const booted = await bootAndClose({ tokens: issuer.terms, ...settings })
  booted.upstream.answers({
    GET: resource(stored('3'), '3'),
    PUT: resource(stored('4'), '4'),
    'GET /fhir/metadata': resource({ resourceType: 'CapabilityStatement', status: 'active', fhirVersion: '3.0.2' }),
  })
  return booted
}

const read = (booted: Booted, authorization?: string) =>
  booted.send('GET', '/STU3/Flag/1', authorization === undefined ? {} : { authorization })

const sentinel = 'sentinel-7f3a'

/** Tokens that are refused, and what is said of them. */
const bad: readonly (readonly [string, (issuer: Issuer) => Promise<string> | string, RegExp])[] = [
  ['of another issuer', (issuer) => issuer.token({ iss: 'https://other.example' }), /another issuer/],
  ['of an issuer with a slash more', (issuer) => issuer.token({ iss: `${issuerName}/` }), /another issuer/],
  ['of no issuer', (issuer) => issuer.token({ iss: undefined }), /lacks the claim `iss`/],
  ['for another audience', (issuer) => issuer.token({ aud: 'https://fhir.example/R4' }), /another audience/],
  ['for no audience', (issuer) => issuer.token({ aud: undefined }), /lacks the claim `aud`/],
  ['that never expires', (issuer) => issuer.token({ exp: undefined }), /lacks the claim `exp`/],
  ['that expires by a text', (issuer) => issuer.token({ exp: 'never' as never }), /claim that it needs is malformed/],
  ['that is not valid yet', (issuer) => issuer.token({ nbf: inSeconds(90) }), /not valid yet/],
  ['of another type', (issuer) => issuer.token({}, { typ: 'logout+jwt' }), /not of a type/],
  ['signed by somebody else under a key id of the issuer', async () => forged('ES256', { kid: 'k1' }), /signature/],
  [
    'signed by somebody else with another algorithm',
    async () => forged('RS256', { kid: 'k1' }),
    /not one of the issuer/,
  ],
  ['signed with an algorithm that is not pinned', async () => forged('PS256', { kid: 'k1' }), /algorithm/],
  ['with a key that nobody knows', async () => forged('ES256', { kid: sentinel }), /not one of the issuer/],
  ['with its own key in it', embedded, /signature/],
  [
    'that says where its key is',
    async () => forged('ES256', { kid: 'k1', jku: 'http://127.0.0.1:1/jwks' }),
    /signature/,
  ],
  [
    'that says where its certificate is',
    async () => forged('ES256', { kid: 'k1', x5u: 'http://127.0.0.1:1/c' }),
    /signature/,
  ],
  [
    'that asks for an extension',
    (issuer) => issuer.token({}, { crit: [sentCritical], [sentCritical]: 1 }),
    /not a signed/,
  ],
  ['without a signature', (issuer) => unsigned(issuer, 'none'), /algorithm/],
  ['without a signature, in other letters', (issuer) => unsigned(issuer, 'nOnE'), /algorithm/],
  ['signed with the public key as a shared secret', hs256, /algorithm/],
  ['with its signature cut off', async (issuer) => (await issuer.token()).replace(/[^.]*$/, ''), /signature|signed/],
  ['with other claims under its signature', tampered, /signature/],
  ['that is no token', () => `${sentinel}.garbage.x`, /not a signed/],
  ['that is one word', () => sentinel, /not a signed/],
  ['in five parts', () => 'a.b.c.d.e', /not a signed/],
  ['in two words', () => `${sentinel} x`, /not one token/],
  ['with a comma', () => `${sentinel},x`, /not one token/],
  ['of nothing', () => '', /not one token/],
]

async function forged(alg: string, header: Readonly<Record<string, unknown>>): Promise<string> {
  const { privateKey } = await generateKeyPair(alg)
  return signed(privateKey, { sub: sentinel }, { alg, ...header })
}

async function embedded(): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await crypto.subtle.exportKey('jwk', publicKey)
  return signed(privateKey, { sub: sentinel }, { kid: 'k1', jwk })
}

const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

async function unsigned(issuer: Issuer, alg: string): Promise<string> {
  const [, claims] = (await issuer.token()).split('.')
  return `${segment({ alg, typ: 'at+jwt', kid: 'k1' })}.${claims}.`
}

async function hs256({ publicKey }: Issuer): Promise<string> {
  const pem = await exportSPKI((await importJWK(publicKey, 'ES256')) as CryptoKey)
  return signed(createSecretKey(Buffer.from(pem)) as never, {}, { alg: 'HS256', kid: 'k1' })
}

async function tampered(issuer: Issuer): Promise<string> {
  const [header, claims, signature] = (await issuer.token()).split('.')
  const changed = { ...(JSON.parse(Buffer.from(claims!, 'base64url').toString()) as object), sub: sentinel }
  return `${header}.${segment(changed)}.${signature}`
}

describe('a bearer token', () => {
  test.each(bad)('%s is refused', async (_, make, sentence) => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer)
    const token = await make(issuer)
    const answer = await read(booted, `Bearer ${token}`)
    expect(answer.status).toBe(401)
    expect(issues(answer)).toMatchObject([{ code: 'unknown', diagnostics: expect.stringMatching(sentence) }])
    expect(challengeOf(answer)).toMatch(/^Bearer realm="\/STU3", error="invalid_token", error_description="[^"]+"$/)
    expect(booted.upstream.seen).toEqual([])
    expect(booted.records).toMatchObject([{ decision: 'refused', refusedBy: ['token-invalid'], status: 401 }])
    expect(JSON.stringify([booted.records, answer.headers]) + answer.body).not.toContain(sentinel)
  })

  test('that is good is taken, whatever letters the scheme is written in, and goes on to the upstream', async () => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer)
    const token = await issuer.token({ aud: ['https://elsewhere.example', audience] })
    for (const scheme of ['Bearer', 'bearer', 'BEARER '])
      expect((await read(booted, `${scheme} ${token}`)).status).toBe(200)
    expect(booted.upstream.seen.map(({ headers }) => headers.authorization)).toEqual(
      ['Bearer', 'bearer', 'BEARER '].map((scheme) => `${scheme} ${token}`),
    )
    expect(issuer.asked()).toBe(1)
  })

  test('that has expired is refused as such', async () => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer)
    const answer = await read(booted, `Bearer ${await issuer.token({ exp: inSeconds(-60) })}`)
    expect(answer.status).toBe(401)
    expect(issues(answer)).toMatchObject([{ code: 'expired' }])
    expect(challengeOf(answer)).toContain('error="invalid_token"')
  })

  test('may be from a clock that is a little off', async () => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer)
    for (const claims of [{ exp: inSeconds(-20) }, { nbf: inSeconds(20) }]) {
      expect((await read(booted, `Bearer ${await issuer.token(claims)}`)).status).toBe(200)
    }
  })

  test('must have the claims that the config names', async () => {
    const issuer = await startIssuer({ requiredClaims: ['client_id'] })
    const booted = await bootWith(issuer)
    expect((await read(booted, `Bearer ${await issuer.token()}`)).status).toBe(200)
    const lacking = await read(booted, `Bearer ${await issuer.token({ client_id: undefined })}`)
    expect(lacking.status).toBe(401)
    expect(JSON.stringify(lacking.body)).toContain('It lacks the claim `client_id`.')
  })

  test('of 100 KB is refused before it is looked at', async () => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer)
    const answer = await booted.raw(
      `GET /STU3/Flag/1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${'a'.repeat(100_000)}\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 431 /)
    expect(booted.upstream.seen).toEqual([])
  })

  test('without one the answer says what is wanted, and no error', async () => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer)
    for (const authorization of [undefined, 'Basic YTpi', 'Bearerabc']) {
      const answer = await read(booted, authorization)
      expect(answer.status).toBe(401)
      expect(challengeOf(answer)).toBe('Bearer realm="/STU3"')
      expect(issues(answer)).toMatchObject([{ code: 'login' }])
    }
    expect(booted.upstream.seen).toEqual([])
  })

  test.each([
    ['in two header fields', 'GET', '/STU3/Flag/1', ['Authorization: Bearer a', 'Authorization: Bearer b'], ''],
    ['in the query', 'GET', '/STU3/Flag?access_token=TOKEN', ['Authorization: Bearer TOKEN'], ''],
    ['in the query, percent-encoded', 'GET', '/STU3/Flag?access%5ftoken=TOKEN', ['Authorization: Bearer TOKEN'], ''],
    [
      'in a form',
      'POST',
      '/STU3/Flag/_search',
      ['Authorization: Bearer TOKEN', 'Content-Type: application/x-www-form-urlencoded'],
      'access_token=TOKEN',
    ],
  ])('%s is refused', async (_, method, target, fields, form) => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer)
    const token = await issuer.token()
    const body = form.replace('TOKEN', token)
    const head = [
      `${method} ${target} HTTP/1.1`,
      'Host: a',
      'Connection: close',
      ...fields,
      `Content-Length: ${body.length}`,
    ]
    const answer = await booted.raw(`${head.join('\r\n').replaceAll('TOKEN', token)}\r\n\r\n${body}`)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).not.toContain(token)
    expect(booted.upstream.seen).toEqual([])
  })

  test('is looked at before the body is read', async () => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer)
    const head = [
      'PUT /STU3/Flag/1 HTTP/1.1',
      'Host: a',
      'Content-Type: application/fhir+json',
      'If-Match: W/"3"',
      'Expect: 100-continue',
      'Content-Length: 100',
    ]
    const answer = await booted.raw(`${head.join('\r\n')}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
  })

  test('is needed for a write, and nothing is sent without one', async () => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer)
    const put = (headers = {}) =>
      booted.send('PUT', '/STU3/Flag/1', { ...jsonHeaders('3'), ...headers }, JSON.stringify(removal))
    expect((await put()).status).toBe(401)
    expect(booted.upstream.seen).toEqual([])
    expect((await put({ authorization: `Bearer ${await issuer.token()}` })).status).toBe(200)
    expect(booted.upstream.seen.map(({ method }) => method)).toEqual(['GET', 'PUT'])
  })

  test('is not needed for /metadata', async () => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer)
    expect((await booted.send('GET', '/STU3/metadata')).status).toBe(200)
    expect(issuer.asked()).toBe(0)
  })

  test('stays here where the upstream is not to see it', async () => {
    const issuer = await startIssuer({ forwarded: false })
    const booted = await bootWith(issuer)
    const headers = { ...jsonHeaders('3'), authorization: `Bearer ${await issuer.token()}` }
    expect((await booted.send('PUT', '/STU3/Flag/1', headers, JSON.stringify(removal))).status).toBe(200)
    expect((await read(booted, headers.authorization)).status).toBe(200)
    expect(booted.upstream.seen).toHaveLength(3)
    for (const { headers } of booted.upstream.seen) expect(headers).not.toHaveProperty('authorization')
  })
})

describe('the keys of the issuer', () => {
  test('that cannot be had let nothing pass, and nobody is told that a token is bad', async () => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer)
    for (const status of [0, 500]) {
      issuer.answers(status)
      const answer = await read(booted, `Bearer ${await issuer.token()}`)
      expect(answer.status).toBe(503)
      expect(answer.headers).toHaveProperty('retry-after')
      expect(answer.headers).not.toHaveProperty('www-authenticate')
      expect(issues(answer)).toMatchObject([{ code: 'transient' }])
    }
    // What failed a moment ago is not asked for again at once.
    expect(issuer.asked()).toBe(1)
    expect(booted.upstream.seen).toEqual([])
    expect(booted.records).toMatchObject([
      { decision: 'failed', refusedBy: ['keys-unavailable'], error: { code: 'KEYS_UNAVAILABLE' } },
      { decision: 'failed' },
    ])
  })

  test('stay known when the config is read again', async () => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer)
    const token = `Bearer ${await issuer.token()}`
    await read(booted, token)
    booted.reconfigure({ tokens: issuer.terms })
    expect((await read(booted, token)).status).toBe(200)
    expect(issuer.asked()).toBe(1)
    booted.reconfigure({ tokens: { ...issuer.terms, audience: ['https://other.example'] } })
    expect((await read(booted, token)).status).toBe(401)
  })
})

describe('the rate of a client', () => {
  const clientRate = { requests: 2, perMs: 3_600_000 }

  test('counts the requests of one client, whoever uses it, and not those of another', async () => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer, { limits: { clientRate } })
    const ask = async (claims: Readonly<Record<string, string | undefined>>) => {
      const { status } = await read(booted, `Bearer ${await issuer.token(claims)}`)
      return status
    }
    expect([await ask({ sub: 'user-1' }), await ask({ sub: 'user-2' }), await ask({ sub: 'user-3' })]).toEqual([
      200, 200, 429,
    ])
    expect(await ask({ client_id: 'app-2' })).toBe(200)
    const withoutClient = { client_id: undefined }
    const statuses = [await ask(withoutClient), await ask(withoutClient), await ask(withoutClient)]
    expect(statuses).toEqual([200, 200, 429])
    expect(await ask({ ...withoutClient, sub: 'app-1' })).toBe(200)
    expect(booted.upstream.seen).toHaveLength(6)
    expect(booted.records.at(3)).toMatchObject({ status: 200 })
  })

  test('is not used up by who has no token of the client’s', async () => {
    const issuer = await startIssuer()
    const booted = await bootWith(issuer, { limits: { clientRate } })
    for (let i = 0; i < 5; i++) expect((await read(booted, 'Bearer x.y.z')).status).toBe(401)
    expect((await read(booted, `Bearer ${await issuer.token()}`)).status).toBe(200)
  })
})
