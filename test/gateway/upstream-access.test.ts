import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { check } from '../../src/cli/check.ts'
import { plain } from '../../src/cli/colour.ts'
import type { UpstreamCredentials, UpstreamTls } from '../../src/config/config.ts'
import { createAuthority, type Authority, type Issued } from '../certificates.ts'
import { bootAndClose, type Booted } from './booted.ts'
import { addressesOf, buildProgram, startProgram } from './program.ts'
import { jsonHeaders, removal, stored } from './records.ts'
import { resource, startStubUpstream, type StubUpstream } from './stub-upstream.ts'

const sentinel = 'sentinel-4f1c'

let authority: Authority
let server: Issued
let gateway: Issued
beforeAll(async () => {
  authority = await createAuthority()
  server = await authority.issue('fhir.example')
  gateway = await authority.issue('gateway')
})

async function stub(tls?: Parameters<typeof startStubUpstream>[0]): Promise<StubUpstream> {
  const upstream = await startStubUpstream(tls)
  onTestFinished(() => upstream.close())
  return upstream
}

const answers = {
  'GET /fhir/Flag/1': resource(stored('3'), '3'),
  'GET /fhir/Flag': resource({ resourceType: 'Bundle' }),
  POST: resource({ resourceType: 'Bundle' }),
  PUT: resource(removal, '4'),
} as const

const remove = (booted: Booted, fields: Readonly<Record<string, string>> = {}) =>
  booted.send('PUT', '/STU3/Flag/1', { ...jsonHeaders('3'), ...fields }, JSON.stringify(removal))

describe('an upstream that speaks TLS and asks who calls', () => {
  const inFront = async (access: (known: UpstreamTls) => UpstreamTls | undefined) => {
    const upstream = await stub({
      cert: server.certificate,
      key: server.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    })
    const authorized: boolean[] = []
    upstream.answers({
      GET: (res, req) => {
        authorized.push((req.socket as TLSSocket).authorized)
        res.writeHead(200, { 'content-type': 'application/fhir+json', etag: 'W/"3"' }).end(JSON.stringify(stored('3')))
      },
      PUT: answers.PUT,
    })
    const tls = access({ authorities: authority.certificate, identity: gateway })
    const booted = await bootAndClose({ upstreamUrl: upstream.url, access: tls ? { tls } : {} })
    return { booted, upstream, authorized }
  }

  test('is shown the gateway’s certificate, by reads and by writes', async () => {
    const { booted, upstream, authorized } = await inFront((tls) => tls)
    expect((await booted.send('GET', '/STU3/Flag/1')).status).toBe(200)
    expect((await remove(booted)).status).toBe(200)
    expect(new Set(authorized)).toEqual(new Set([true]))
    expect(upstream.seen.map(({ method }) => method)).toContain('PUT')
  })

  test.each<[string, (known: UpstreamTls) => UpstreamTls | undefined]>([
    ['its authority is not known', () => undefined],
    ['its name is another', (tls) => ({ ...tls, serverName: 'other.example' })],
    ['the gateway shows nothing', ({ authorities }) => ({ authorities: authorities! })],
  ])('is not spoken with where %s', async (_what, access) => {
    const { booted, upstream } = await inFront(access)
    expect((await booted.send('GET', '/STU3/Flag/1')).status).toBe(502)
    expect((await remove(booted)).status).toBe(502)
    expect(upstream.seen).toEqual([])
  })

  test('may have another name than its host', async () => {
    const { booted } = await inFront((tls) => ({ ...tls, serverName: 'fhir.example' }))
    expect((await booted.send('GET', '/STU3/Flag/1')).status).toBe(200)
  })

  test('is shown another certificate when the config has changed', async () => {
    const { booted, upstream } = await inFront(({ authorities }) => ({ authorities: authorities! }))
    expect((await booted.send('GET', '/STU3/Flag/1')).status).toBe(502)
    const tls = { authorities: authority.certificate, identity: gateway }
    booted.reconfigure({ upstreamUrl: upstream.url, access: { tls } })
    expect((await booted.send('GET', '/STU3/Flag/1')).status).toBe(200)
  })
})

describe('a header field of the gateway’s own', () => {
  const credentials: UpstreamCredentials = { kind: 'header-field', name: 'x-api-key', value: sentinel }

  test('goes with everything that is asked, and the caller’s Authorization with nothing', async () => {
    const booted = await bootAndClose({ access: { credentials } })
    booted.upstream.answers(answers)
    const callers = { authorization: 'Bearer of-the-caller', 'x-api-key': 'of-the-caller' }
    expect((await remove(booted, callers)).status).toBe(200)
    await booted.send('GET', '/STU3/Flag/1', callers)
    await booted.send('GET', '/STU3/Flag', callers)
    const form = { ...callers, 'content-type': 'application/x-www-form-urlencoded' }
    await booted.send('POST', '/STU3/Flag/_search', form, 'patient=1')
    expect(booted.upstream.seen).toHaveLength(5)
    for (const { headers } of booted.upstream.seen) {
      expect(headers['x-api-key']).toBe(sentinel)
      expect(headers).not.toHaveProperty('authorization')
    }
  })

  test('that is refused is no 401 of the caller’s, and nothing is sent again', async () => {
    const booted = await bootAndClose({ access: { credentials }, cache: 'off' })
    const refused = { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
    booted.upstream.answers({ 'GET /fhir/Flag/1': resource(stored('3'), '3'), PUT: refused, 'GET /fhir/Flag': refused })
    const write = await remove(booted)
    const search = await booted.send('GET', '/STU3/Flag')
    for (const { status, headers, body } of [write, search]) {
      expect(status).toBe(502)
      expect(headers).not.toHaveProperty('www-authenticate')
      expect(body).not.toContain(sentinel)
    }
    expect(booted.upstream.seen.filter(({ method }) => method === 'PUT')).toHaveLength(1)
    expect(
      booted.records.map(({ outcomeUnknown, error }) => [outcomeUnknown, (error as { code: string }).code]),
    ).toEqual([
      [undefined, 'CREDENTIALS_REFUSED'],
      [undefined, 'CREDENTIALS_REFUSED'],
    ])
  })
})

describe('tokens of the gateway’s own', () => {
  const issued = (token = sentinel) => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 3600 }),
  })
  const credentialsOf = (issuer: StubUpstream): UpstreamCredentials => ({
    kind: 'client-credentials',
    tokenUrl: new URL('/token', issuer.url).href,
    clientId: 'gateway',
    clientSecret: `${sentinel}-secret`,
    scope: 'system/*.rs',
  })

  test('are asked for once for all that is asked at the same time, and kept', async () => {
    const issuer = await stub()
    issuer.answers({ 'POST /token': issued() })
    const booted = await bootAndClose({ access: { credentials: credentialsOf(issuer) } })
    booted.upstream.answers(answers)
    const reads = Array.from({ length: 5 }, () =>
      booted.send('GET', '/STU3/Flag/1', { authorization: 'Bearer of-the-caller' }),
    )
    for (const { status } of await Promise.all(reads)) expect(status).toBe(200)
    expect((await remove(booted)).status).toBe(200)
    expect(issuer.seen).toMatchObject([{ method: 'POST', url: '/token' }])
    const [{ headers, body }] = issuer.seen as [(typeof issuer.seen)[number]]
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'system/*.rs',
    })
    const basic = Buffer.from(String(headers.authorization).replace('Basic ', ''), 'base64').toString()
    expect(decodeURIComponent(basic)).toBe(`gateway:${sentinel}-secret`)
    expect(new Set(booted.upstream.seen.map((seen) => seen.headers.authorization))).toEqual(
      new Set([`Bearer ${sentinel}`]),
    )
  })

  test.each<[string, Parameters<StubUpstream['answers']>[0]]>([
    [
      'refuses the secret',
      { POST: { status: 401, headers: { 'content-type': 'application/json' }, body: '{"error":"invalid_client"}' } },
    ],
    ['gives no token', { POST: { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' } }],
    ['gives what is no header field', { POST: issued('a\r\nb') }],
    ['gives another kind of token', { POST: { ...issued(), body: '{"access_token":"a","token_type":"mac"}' } }],
    ['leads elsewhere', { POST: { status: 302, headers: { location: 'http://127.0.0.1:1/' } } }],
    ['breaks off', { POST: (res) => res.destroy() }],
  ])('are not to be had where the issuer %s: nothing goes to the upstream', async (_what, table) => {
    const issuer = await stub()
    issuer.answers(table)
    const booted = await bootAndClose({ access: { credentials: credentialsOf(issuer) } })
    booted.upstream.answers(answers)
    for (const answer of [await booted.send('GET', '/STU3/Flag/1'), await remove(booted)]) {
      expect(answer.status).toBe(502)
      expect(answer.body).not.toContain(sentinel)
    }
    expect(booted.upstream.seen).toEqual([])
    expect(booted.records[0]!.error).toMatchObject({ code: 'NO_CREDENTIALS' })
    expect(issuer.seen).toHaveLength(1)
  })
})

describe('the program', () => {
  beforeAll(buildProgram, 120_000)

  const policy = 'policy: p\nfhir: 4.0.1\nsummary: s\nresources: { Flag: { interactions: [read] } }\n'

  test('is ready by its certificate and its credentials, takes new ones, and tells nothing of them', async () => {
    const upstream = await stub({
      cert: server.certificate,
      key: server.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    })
    const good = (value: unknown) => value === `${sentinel}-1` || value === `${sentinel}-2`
    upstream.answers({
      GET: (res, req) => {
        const body =
          req.url === '/fhir/metadata' ? { resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' } : stored('3')
        const type = { 'content-type': 'application/fhir+json' }
        if (good(req.headers['x-api-key'])) res.writeHead(200, type).end(JSON.stringify(body))
        else res.writeHead(401, type).end('{}')
      },
    })
    const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const files = {
      'policy.yaml': policy,
      'ca.pem': authority.certificate,
      'tls.crt': gateway.certificate,
      'tls.key': gateway.key,
      'api.key': `${sentinel}-1\n`,
      'gateway.yaml': `bases:
  - path: /R4
    policy: policy.yaml
    upstream:
      url: ${upstream.url.href}
      tls: { ca: ca.pem, certificate: tls.crt, key: tls.key }
      credentials: { header-field: { name: X-API-Key, file: api.key }, for-anybody: true }
reload: { watch: false }
`,
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const program = startProgram({ CONFIG: folder, HOST: '127.0.0.1', LOG_LEVEL: 'trace' })
    const { base, admin } = await addressesOf(program)
    await program.printed(/"msg":"ready"/)
    expect((await fetch(`${base}/Flag/1`)).status).toBe(200)
    writeFileSync(join(folder, 'api.key'), `${sentinel}-2\n`)
    program.signal('SIGHUP')
    await program.printed(/"msg":"reloaded"/)
    expect((await fetch(`${base}/Flag/1`)).status).toBe(200)
    expect(upstream.seen.at(-1)!.headers['x-api-key']).toBe(`${sentinel}-2`)

    writeFileSync(join(folder, 'api.key'), `${sentinel}\nsecond line\n`)
    program.signal('SIGHUP')
    await program.printed(/"msg":"not reloaded/)
    expect((await fetch(`${base}/Flag/1`)).status).toBe(200)
    const told = await Promise.all(
      ['/policies', '/metrics', '/health/ready'].map(async (path) => (await fetch(admin + path)).text()),
    )
    const checked = check({ path: folder, packaged: false, markdown: false, colours: plain })
    expect(checked.exitCode).toBe(1)
    expect(checked.text).toContain('Expected one line of visible ASCII characters in `api.key`')
    program.signal('SIGTERM')
    const { stdout, stderr } = await program.ended
    expect([...told, checked.text, stdout, stderr].join('\n')).not.toContain(sentinel)
  })
})
