import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { check } from '../../../src/cli/check.ts'
import { plain } from '../../../src/cli/colour.ts'
import { loadConfig } from '../../../src/config/load.ts'

const policy = 'policy: p\nfhir: 4.0.1\nsummary: s\nresources: { Flag: { interactions: [read] } }\n'
const sentinel = 'sentinel-4f1c'

/** A folder with a base whose upstream has these settings, and with these files. */
function folderWith(settings: string, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const upstream = `{ url: 'https://fhir.example/r4', ${settings} }`
  const all = {
    'gateway.yaml': `bases:\n  - { path: /r4, policy: p.yaml, upstream: ${upstream} }\n`,
    'p.yaml': policy,
    secret: `${sentinel}\n`,
    ...files,
  }
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text)
  return folder
}

const clientCredentials = (more = '') =>
  `client-credentials: { token-url: 'https://login.example/token', client-id: g, client-secret-file: secret${more} }`
const headerField = 'header-field: { file: secret }'

function credentialsOf(settings: string) {
  const result = loadConfig(folderWith(`credentials: { ${settings}, for-anybody: true }`))
  if (!result.ok) throw new Error(JSON.stringify(result))
  return result.loaded.bases[0]!.access.credentials
}

describe('credentials for an upstream', () => {
  it('are those of each caller, unless others are named', () => {
    const result = loadConfig(folderWith('credentials: callers'))
    expect(result.ok && result.loaded.bases[0]!.access).toEqual({})
  })

  it('are the value of a header field that stands in a file', () => {
    expect(credentialsOf(headerField)).toEqual({ kind: 'header-field', name: 'authorization', value: sentinel })
  })

  it('are the id of a client and a secret that stands in a file', () => {
    expect(credentialsOf(clientCredentials(", scope: 'system/*.rs'"))).toEqual({
      kind: 'client-credentials',
      tokenUrl: 'https://login.example/token',
      clientId: 'g',
      clientSecret: sentinel,
      scope: 'system/*.rs',
    })
  })

  it('are for who has a token without a word more', () => {
    const folder = folderWith(`credentials: { ${headerField} }`)
    const text = `bases:
  - path: /r4
    policy: p.yaml
    upstream: { url: 'https://fhir.example/r4', credentials: { ${headerField} } }
    tokens: { issuer: i, audience: a, jwks: { url: 'https://login.example/jwks' } }
`
    writeFileSync(join(folder, 'gateway.yaml'), text)
    expect(loadConfig(folder).ok).toBe(true)
    writeFileSync(join(folder, 'gateway.yaml'), text.replace('audience: a', 'audience: a, forward: true'))
    expect(loadConfig(folder)).toMatchObject({
      ok: false,
      diagnostics: [
        {
          path: 'bases[0].tokens.forward',
          message: 'The upstream gets the `credentials` of the gateway instead: a caller’s token does not go on to it.',
        },
      ],
    })
  })

  it.each([
    [
      headerField,
      'credentials: The server will not know who calls, and the base asks nobody for a token: add `tokens`, or say `for-anybody: true`.',
    ],
    ['header-field: { file: absent }, for-anybody: true', 'credentials.header-field.file: There is no file'],
    [
      'header-field: { file: secret, name: Host }, for-anybody: true',
      'credentials.header-field.name: Expected the name of a header field that the gateway does not make itself.',
    ],
    [
      'header-field: { file: p.yaml }, for-anybody: true',
      'credentials.header-field.file: Expected one line of visible ASCII characters in `p.yaml`, and nothing else.',
    ],
    [
      `header-field: { value: 'Bearer ${sentinel}' }, for-anybody: true`,
      'credentials.header-field.value: A secret does not stand in gateway.yaml: write it into a file, and name that file here.',
    ],
    [
      `${clientCredentials(`, client-secret: ${sentinel}`)}, for-anybody: true`,
      'credentials.client-credentials.client-secret: A secret does not stand in gateway.yaml: write it into a file, and name that file here.',
    ],
    [
      `${clientCredentials().replace('https:', 'http:')}, for-anybody: true`,
      'credentials.client-credentials.token-url: Expected an https URL without user or fragment (http on loopback only).',
    ],
    [
      `client-credentials: { token-url: 'https://g:${sentinel}@login.example/' }, for-anybody: true`,
      'credentials.client-credentials.token-url: Expected an https URL without user or fragment (http on loopback only).',
    ],
    [
      `${headerField}, ${clientCredentials()}, for-anybody: true`,
      'credentials: Expected either `header-field` or `client-credentials`.',
    ],
    ['for-anybody: true', 'credentials: Expected either `header-field` or `client-credentials`.'],
  ])('are refused as { %s }', (settings, message) => {
    const result = loadConfig(folderWith(`credentials: { ${settings} }`))
    const diagnostics = result.ok || 'mistake' in result ? [] : result.diagnostics
    const told = diagnostics.map(({ path, message: text }) => `${path}: ${text}`).join('\n')
    expect(told).toContain(message)
    expect(told).not.toContain(sentinel)
  })

  it.each([
    `header-field: { value: ${sentinel} }`,
    `header-field: { value: 'Bearer ${sentinel}' }`,
    `header-field: { "value": "Bearer ${sentinel}", file: x }`,
    clientCredentials(`, client-secret: ${sentinel}`),
    `clientcredentials: { client-secret: ${sentinel} }`,
    `header-field: { value: '${sentinel} }`,
  ])('are never printed by check, even where they stand in gateway.yaml: { %s }', (settings) => {
    const { exitCode, text } = check({
      path: folderWith(`credentials: { ${settings} }`),
      packaged: false,
      markdown: false,
      colours: plain,
    })
    expect(exitCode).toBe(1)
    expect(text).toContain('gateway.yaml')
    expect(text).not.toContain(sentinel)
  })
})

describe('TLS with an upstream', () => {
  it.each([
    ['tls: { key: secret }', 'bases[0].upstream.tls.key: It goes with `certificate`, which is missing.'],
    ['tls: { certificate: x }', 'bases[0].upstream.tls.certificate: It goes with `key`, which is missing.'],
    ['tls: { ca: secret }', 'bases[0].upstream.tls.ca: There is no certificate in PEM in `secret`.'],
    ['tls: { server-name: a/b }', 'bases[0].upstream.tls.server-name: Expected a host name.'],
  ])('is refused as %s', (settings, message) => {
    const result = loadConfig(folderWith(settings))
    const diagnostics = result.ok || 'mistake' in result ? [] : result.diagnostics
    expect(diagnostics.map(({ path, message: text }) => `${path}: ${text}`)).toEqual([message])
  })
})
