import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readKeySet } from '../../../src/config/key-file.ts'
import { loadConfig, withUpstream, type Loaded } from '../../../src/config/load.ts'

const upstream = new URL('http://upstream.example/fhir')

const policy = 'policy: p\nfhir: 4.0.1\nresources: { Flag: { interactions: [read] } }\n'

const keyOf = (type: 'ec' | 'rsa', bits = 2048) => {
  const { publicKey, privateKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: bits })
  return { publicJwk: publicKey.export({ format: 'jwk' }), privateJwk: privateKey.export({ format: 'jwk' }) }
}

const { publicJwk, privateJwk } = keyOf('ec')
const setOf = (...keys: object[]) => JSON.stringify({ keys })

/** Loads a config whose only base has these tokens, in YAML's flow style. */
function load(tokens: string, files: Readonly<Record<string, string>> = {}): Loaded {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const all = {
    'p.yaml': policy,
    'gateway.yaml': `bases: [{ path: /r4, policy: p.yaml, tokens: ${tokens} }]`,
    ...files,
  }
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text)
  return loadConfig(folder)
}

const needed = "issuer: 'https://login.example', audience: fhir"
const jwks = "jwks: { url: 'https://login.example/jwks' }"

describe('the tokens of a base', () => {
  it('are not asked for without the setting, nor where it is off', () => {
    for (const loaded of [load('off'), load('off, upstream: {}')]) {
      expect(loaded.ok && withUpstream(loaded.loaded, upstream).bases[0]).not.toHaveProperty('tokens')
    }
  })

  it('have careful settings where nothing is said', () => {
    const loaded = load(`{ ${needed}, ${jwks} }`)
    expect(loaded.ok && withUpstream(loaded.loaded, upstream).bases[0]!.tokens).toEqual({
      issuer: 'https://login.example',
      audience: ['fhir'],
      keys: { url: 'https://login.example/jwks', maxAgeMs: 600_000 },
      algorithms: ['RS256', 'RS384', 'ES256', 'ES384'],
      types: ['at+jwt', 'jwt'],
      clockSkewMs: 30_000,
      requiredClaims: [],
      forwarded: true,
      scopes: { patient: 'grant-nothing', operations: new Map() },
    })
  })

  it('may name what operations need', () => {
    const loaded = load(`{ ${needed}, ${jwks}, operation-scopes: { $close: [Flag.ru, '*.s'] } }`)
    expect(loaded.ok && loaded.loaded.bases[0]!.tokens!.scopes).toEqual({
      patient: 'grant-nothing',
      operations: new Map([
        [
          'close',
          [
            { type: 'Flag', action: 'r' },
            { type: 'Flag', action: 'u' },
            { type: '*', action: 's' },
          ],
        ],
      ]),
    })
  })

  it.each([
    [`{ ${needed} }`, 'bases[0].tokens.jwks', /mapping/],
    [`{ audience: fhir, ${jwks} }`, 'bases[0].tokens', /issuer/],
    [`{ issuer: i, ${jwks} }`, 'bases[0].tokens.audience', /audience/],
    [`{ issuer: i, audience: [], ${jwks} }`, 'bases[0].tokens.audience', /./],
    [`{ ${needed}, jwks: { url: 'http://login.example/jwks' } }`, 'bases[0].tokens.jwks.url', /https URL/],
    [`{ ${needed}, jwks: { url: 'http://127.0.0.1.example/jwks' } }`, 'bases[0].tokens.jwks.url', /https URL/],
    [`{ ${needed}, jwks: { url: 'https://u:p@login.example/jwks' } }`, 'bases[0].tokens.jwks.url', /without user/],
    [`{ ${needed}, jwks: { url: 'file:///jwks' } }`, 'bases[0].tokens.jwks.url', /https URL/],
    [`{ ${needed}, ${jwks}, algorithms: [HS256] }`, 'bases[0].tokens.algorithms[0]', /one of `RS256`/],
    [`{ ${needed}, ${jwks}, algorithms: [none] }`, 'bases[0].tokens.algorithms[0]', /one of `RS256`/],
    [`{ ${needed}, ${jwks}, algorithms: [] }`, 'bases[0].tokens.algorithms', /./],
    [`{ ${needed}, ${jwks}, types: [application/at+jwt] }`, 'bases[0].tokens.types[0]', /without `application/],
    [`{ ${needed}, ${jwks}, operation-scopes: { $a: [Flag.ur] } }`, 'bases[0].tokens.operation-scopes.$a[0]', /order/],
    [
      `{ ${needed}, ${jwks}, operation-scopes: { $a: [user/Flag.u] } }`,
      'bases[0].tokens.operation-scopes.$a[0]',
      /Flag/,
    ],
    [`{ ${needed}, ${jwks}, scope: smart }`, 'bases[0].tokens.scope', /Did you mean `scopes`/],
    [`{ ${needed}, jwks: { file: none.json } }`, 'bases[0].tokens.jwks.file', /^There is no file/],
    [
      `{ ${needed}, jwks: { file: keys.json } }`,
      'bases[0].tokens.jwks.file',
      /keys\.json` cannot be used\. It has no keys\./,
    ],
  ])('are not %s', (tokens, path, message) => {
    const loaded = load(tokens, { 'keys.json': setOf() })
    expect(loaded).toMatchObject({ ok: false, diagnostics: [{ path, message: expect.stringMatching(message) }] })
  })

  it('are verified with the keys of a file, which stands beside gateway.yaml', () => {
    const loaded = load(`{ ${needed}, jwks: { file: keys.json } }`, { 'keys.json': setOf(publicJwk) })
    expect(loaded.ok && loaded.loaded.bases[0]!.tokens!.keys).toEqual({ set: { keys: [publicJwk] } })
  })

  it('are verified with keys from loopback without TLS', () => {
    for (const host of ['localhost:8081', '127.0.0.1', '[::1]:1']) {
      expect(load(`{ ${needed}, jwks: { url: 'http://${host}/jwks' } }`)).toMatchObject({ ok: true })
    }
  })
})

describe('a file with keys', () => {
  it.each([
    ['x', /not a JSON Web Key Set/],
    ['null', /not a JSON Web Key Set/],
    ['[]', /not a JSON Web Key Set/],
    ['{ "keys": {} }', /not a JSON Web Key Set/],
    ['{ "keys": [5] }', /not a JSON Web Key Set/],
    [setOf(), /no keys/],
    [setOf(publicJwk, { kty: 'oct', k: 'AAAA' }), /key 2 is a shared secret/],
    [setOf(privateJwk), /key 1 holds its private part/],
    [setOf({ ...publicJwk, x: 'AAAA' }), /key 1 is not a public key/],
    [setOf({ kty: 'EC' }), /key 1 is not a public key/],
    [setOf(keyOf('rsa', 1024).publicJwk), /shorter than 2048 bits/],
    [setOf(keyOf('rsa').publicJwk), /no key for the algorithms that are taken, ES256\./],
  ])('is not %s', (text, mistake) => {
    const read = readKeySet(text, ['ES256'])
    expect('mistake' in read && read.mistake).toMatch(mistake)
  })

  it('tells nothing of what stands in it', () => {
    const read = readKeySet(setOf({ ...privateJwk, kid: 'sentinel' }), ['ES256'])
    expect(JSON.stringify(read)).not.toMatch(new RegExp(`sentinel|${privateJwk.d}`))
  })
})
