import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls, { type SecureVersion, type TLSSocket } from 'node:tls'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createAuthority, type Authority, type Issued } from '../certificates.ts'
import { addressesOf, buildProgram, startProgram, type Program } from './program.ts'
import { stored } from './records.ts'
import { resource, startStubUpstream } from './stub-upstream.ts'

beforeAll(buildProgram, 120_000)

let authority: Authority
let first: Issued
let second: Issued
beforeAll(async () => {
  authority = await createAuthority()
  first = await authority.issue('first.example')
  second = await authority.issue('second.example')
})

const policy = `policy: reading\nfhir: 4.0.1\nsummary: s\nresources: { Flag: { interactions: [read, search-type] } }\n`

interface Served {
  readonly program: Program
  readonly base: string
  readonly admin: string
  readonly port: number
  readonly folder: string
  /** Puts files in the place of those before. */
  write(files: Readonly<Record<string, string>>): void
  /** Has the program read its files, and waits until it has said what came of it. */
  hangUp(): Promise<Record<string, unknown>>
}

/** The program behind TLS, with these settings of `listener.tls` beside certificate and key. */
async function serve(settings = '', files: Readonly<Record<string, string>> = {}): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  const upstream = await startStubUpstream()
  onTestFinished(async () => {
    await upstream.close()
    rmSync(folder, { recursive: true })
  })
  upstream.answers({
    'GET /fhir/metadata': resource({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' }),
    'GET /fhir/Flag/1': resource(stored('3'), '3'),
    'GET /fhir/Flag': resource({ resourceType: 'Bundle', entry: [{ fullUrl: `${upstream.url.href}/Flag/1` }] }),
  })
  const write = (texts: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(texts)) {
      writeFileSync(join(folder, 'next'), text)
      renameSync(join(folder, 'next'), join(folder, name))
    }
  }
  const base = `{ path: /R4, policy: policy.yaml, upstream: { url: '${upstream.url.href}' } }`
  write({
    'policy.yaml': policy,
    'tls.crt': first.certificate,
    'tls.key': first.key,
    'gateway.yaml': `bases: [${base}]\nlistener:\n  tls:\n    certificate: tls.crt\n    key: tls.key\n${settings}\nreload: { watch: false }\n`,
    ...files,
  })
  const program = startProgram({ CONFIG: folder, HOST: '127.0.0.1' })
  const { base: url, admin } = await addressesOf(program)
  await program.printed(/"msg":"ready"/)
  const reloads = () => program.stdout().match(/"msg":"(?:not )?reloaded.*$/gm)?.length ?? 0
  return {
    program,
    base: url,
    admin,
    port: Number(new URL(url).port),
    folder,
    write,
    async hangUp() {
      const before = reloads()
      program.signal('SIGHUP')
      await program.printed(new RegExp(`(?:"msg":"(?:not )?reloaded[^]*?){${before + 1}}`))
      const lines = program.stdout().split('\n')
      return JSON.parse(lines.findLast((line) => /"msg":"(?:not )?reloaded/.test(line))!) as Record<string, unknown>
    },
  }
}

interface Client {
  readonly socket: TLSSocket
  /** Whom the gateway says that it is. */
  readonly name: string
  get(path?: string): Promise<{ readonly status: number; readonly body: string }>
}

/** A client with one connection, which it keeps. */
async function connect({ port }: Served, options: tls.ConnectionOptions = {}): Promise<Client> {
  const socket = tls.connect({ port, host: '127.0.0.1', ca: authority.certificate, ...options })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
  agent.createConnection = () => socket
  return {
    socket,
    name: String(socket.getPeerCertificate().subject?.CN),
    get: (path = '/R4/Flag/1') =>
      new Promise((resolve, reject) => {
        const req = https.get({ host: '127.0.0.1', port, path, agent }, (res) => {
          let body = ''
          res.setEncoding('utf8').on('data', (text: string) => void (body += text))
          res.on('end', () => resolve({ status: res.statusCode!, body }))
        })
        req.on('error', reject)
      }),
  }
}

/** The code of the error with which a connection or the first request on it ends. */
const failureOf = (served: Served, options: tls.ConnectionOptions) =>
  connect(served, options)
    .then((client) => client.get())
    .then(({ status }) => String(status))
    .catch((error: unknown) => String((error as NodeJS.ErrnoException).code))

describe('a listener with a certificate', () => {
  it('has the metrics tell when its certificate expires', async () => {
    const { admin } = await serve()
    const text = await (await fetch(`${admin}/metrics`)).text()
    const [, seconds] = /^fhir_gateway_certificate_expiry_timestamp_seconds\{use="listener"\} (\d+)$/m.exec(text)!
    expect(Number(seconds) * 1000).toBe(Date.parse(new X509Certificate(first.certificate).validTo))
  })

  it('speaks HTTPS, and gives its own URLs in it; the admin port stays plain', async () => {
    const served = await serve()
    expect(served.base).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/R4$/)
    const client = await connect(served)
    expect(client.name).toBe('first.example')
    expect((await client.get()).status).toBe(200)
    expect((await client.get('/R4/Flag')).body).toContain(`"${served.base}/Flag/1"`)
    expect((await fetch(`${served.admin}/health/ready`)).status).toBe(200)
  })

  it('takes a new certificate for new connections, and drops none of the old', async () => {
    const served = await serve()
    const old = await connect(served)
    await old.get()
    served.write({ 'tls.crt': second.certificate, 'tls.key': second.key })
    expect(await served.hangUp()).toMatchObject({ level: 'info', msg: 'reloaded' })
    expect((await connect(served)).name).toBe('second.example')
    expect((await old.get()).status).toBe(200)
    expect(old.socket.destroyed).toBe(false)
  })

  it('goes on with the old one when the new one is broken, and tells what is wrong but nothing of the key', async () => {
    const served = await serve()
    served.write({ 'tls.key': second.key })
    const refused = await served.hangUp()
    expect(refused).toMatchObject({ level: 'error', msg: 'not reloaded: what was in force stays in force' })
    expect(refused['mistakes']).toEqual([
      {
        file: expect.stringMatching(/gateway\.yaml$/),
        line: 5,
        column: 10,
        path: 'listener.tls.key',
        message: 'The key does not belong to the first certificate in `tls.crt`.',
      },
    ])
    const between = await connect(served)
    expect(between.name).toBe('first.example')
    await between.get()
    served.write({ 'tls.crt': second.certificate })
    expect(await served.hangUp()).toMatchObject({ msg: 'reloaded' })
    const last = await connect(served)
    expect(last.name).toBe('second.example')
    await last.get()
    served.program.signal('SIGTERM')
    const { stdout, stderr, code } = await served.program.ended
    expect(code).toBe(0)
    for (const line of [...first.key.split('\n'), ...second.key.split('\n')].filter((text) => text.length > 30)) {
      expect(stdout + stderr).not.toContain(line)
    }
  })

  it('serves with a certificate that has expired, and says so', async () => {
    const expired = await authority.issue('late.example', [-10, -2])
    const served = await serve('', { 'tls.crt': expired.certificate, 'tls.key': expired.key })
    const [line] = await served.program.printed(/^.*"msg":"serving all the same".*$/m)
    expect(JSON.parse(line)).toMatchObject({
      level: 'warn',
      doubts: [{ line: 4, message: expect.stringMatching(/^The certificate in `tls\.crt` expired on /) }],
    })
    expect(await failureOf(served, {})).toBe('CERT_HAS_EXPIRED')
    expect(await failureOf(served, { rejectUnauthorized: false })).toBe('200')
  })

  it('needs a restart to speak plain HTTP again', async () => {
    const served = await serve()
    const base = `{ path: /R4, policy: policy.yaml, upstream: { url: 'http://127.0.0.1:1/fhir' } }`
    served.write({ 'gateway.yaml': `bases: [${base}]\nreload: { watch: false }\n` })
    expect(await served.hangUp()).toMatchObject({
      mistakes: [{ message: 'This needs a restart: `listener.tls` is switched on or off.' }],
    })
    expect((await (await connect(served)).get()).status).toBe(200)
  })

  it.each<[string, string, SecureVersion, string]>([
    ['TLS 1.2', '', 'TLSv1.2', '200'],
    ['TLS 1.1 not', '', 'TLSv1.1', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'],
    [
      'TLS 1.2 not where 1.3 is the least',
      '    minimum-version: TLSv1.3',
      'TLSv1.2',
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    ],
  ])('speaks %s', async (_what, settings, version, outcome) => {
    const served = await serve(settings)
    const options = { minVersion: 'TLSv1.1', maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } as const
    expect(await failureOf(served, options)).toBe(outcome)
  })

  it('answers nothing in the clear, and serves others as before', async () => {
    const served = await serve()
    const socket = net.connect(served.port, '127.0.0.1')
    let text = ''
    socket.on('data', (bytes) => void (text += bytes.toString('latin1')))
    socket.on('error', () => {})
    socket.write('GET /R4/Flag/1 HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'close')
    expect(text).not.toContain('HTTP/1.1')
    expect((await (await connect(served)).get()).status).toBe(200)
    expect(served.program.stdout()).not.toContain('"refusedBy"')
  })
})

describe('a listener with the authorities of its clients', () => {
  const settings = '    client-ca: clients.pem'

  it('serves who shows a certificate of theirs, and nobody else', async () => {
    const clients = await createAuthority('clients')
    const served = await serve(settings, { 'clients.pem': clients.certificate })
    const { certificate, key } = await clients.issue('an app')
    const own = await authority.issue('a stranger')
    expect(await failureOf(served, { cert: certificate, key })).toBe('200')
    expect(await failureOf(served, { cert: own.certificate, key: own.key })).not.toBe('200')
    expect(await failureOf(served, {})).not.toBe('200')
  })

  it('takes other authorities for new connections, also where a client resumes an old session', async () => {
    const [clients, others] = [await createAuthority('clients'), await createAuthority('others')]
    const served = await serve(settings, { 'clients.pem': clients.certificate })
    const { certificate: cert, key } = await clients.issue('an app')
    const client = await connect(served, { cert, key })
    const [session] = (await once(client.socket, 'session')) as [Buffer]
    const resumed = await connect(served, { cert, key, session })
    expect(resumed.socket.isSessionReused()).toBe(true)
    expect((await resumed.get()).status).toBe(200)
    served.write({ 'clients.pem': others.certificate })
    expect(await served.hangUp()).toMatchObject({ msg: 'reloaded' })
    expect(await failureOf(served, { cert, key, session })).not.toBe('200')
    expect((await client.get()).status).toBe(200)
  })
})
