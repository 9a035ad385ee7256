import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { addressesOf, buildProgram, startProgram } from './program.ts'
import { flag, removal } from './records.ts'

beforeAll(buildProgram, 120_000)
vi.setConfig({ testTimeout: 60_000 })

/** What must not be told, by where it was put in. */
const secrets = {
  'the number of a patient in an id': '9990001112',
  'the query': 'sentinel-query',
  'a header field of the client': 'sentinel-header',
  'a token': 'sentinel-token',
  'what is stored': 'sentinel-stored',
  'what is sent': 'sentinel-sent',
  'what the server says of an error': 'sentinel-internals',
  'a credential of the gateway': 'sentinel-credential',
}
const secret = (of: keyof typeof secrets) => secrets[of]

const number = secret('the number of a patient in an id')
const internals = `Hibernate at store01 ${secret('what the server says of an error')}`
const json = 'application/fhir+json'

/** A server that fails in the way that stands behind the patient's number in an id, when it is asked by the method. */
type Failure = (req: IncomingMessage, res: ServerResponse) => void
const told = (res: ServerResponse, status: number, body: string, headers: Record<string, string> = {}) =>
  void res.writeHead(status, { 'content-type': json, ...headers }).end(body)
const outcomeOf = (diagnostics: string) =>
  JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'processing', diagnostics }] })
/** What a server says of the client's own mistake is told on, but for where it runs. */
const refusal = outcomeOf('Not allowed at http://store01.internal:8080/fhir/Flag.')
const outcome = outcomeOf(internals)
const failures: Readonly<Record<string, Failure>> = {
  well: (_req, res) => told(res, 200, storedAs('well'), { etag: 'W/"3"' }),
  missing: (_req, res) => told(res, 404, refusal, { server: internals, 'x-powered-by': internals }),
  deleted: (_req, res) => told(res, 410, refusal, { server: internals, 'x-powered-by': internals }),
  forbidden: (_req, res) => told(res, 403, refusal, { server: internals, 'x-powered-by': internals }),
  unknown: (_req, res) => told(res, 401, refusal, { server: internals, 'x-powered-by': internals }),
  conflict: (_req, res) => told(res, 409, refusal, { server: internals, 'x-powered-by': internals }),
  broken: (_req, res) => told(res, 500, outcome),
  page: (_req, res) => told(res, 500, `<html>${internals}</html>`, { 'content-type': 'text/html' }),
  trace: (_req, res) => told(res, 503, internals, { 'content-type': 'text/plain', 'x-powered-by': internals }),
  elsewhere: (_req, res) =>
    told(res, 302, internals, { location: `http://store01.internal/${secret('what is stored')}` }),
  garbage: (_req, res) => told(res, 200, `{"resourceType":"Flag","${secret('what is stored')}`, { etag: 'W/"3"' }),
  other: (_req, res) => told(res, 200, storedAs('another'), { etag: 'W/"3"' }),
  twice: (_req, res) => told(res, 200, `{"id":"1",${storedAs('twice').slice(1)}`, { etag: 'W/"3"' }),
  cut: (_req, res) => {
    res.writeHead(200, { 'content-type': json, 'content-length': '5000', etag: 'W/"3"' })
    res.write(storedAs('cut'), () => res.destroy())
  },
  reset: (req) => req.socket.destroy(),
  slow: () => {},
}

const idOf = (name: string) => `${number}-${name}`
const storedAs = (name: string) =>
  JSON.stringify({
    ...flag,
    id: idOf(name),
    meta: { versionId: '3' },
    code: { text: secret('what is stored') },
  })

async function startServer(): Promise<string> {
  const server = createServer((req, res) => {
    req.resume()
    if (req.url === '/fhir/metadata') {
      told(res, 200, '{"resourceType":"CapabilityStatement","fhirVersion":"3.0.2"}')
      return
    }
    const [, name = 'missing', onWrite] = /999\d+-([a-z]+)(?:\.([a-z]+))?/.exec(req.url ?? '') ?? []
    const failure = onWrite !== undefined && req.method !== 'GET' ? failures[onWrite] : failures[name]
    if (onWrite !== undefined && req.method === 'GET') told(res, 200, storedAs(`well.${onWrite}`), { etag: 'W/"3"' })
    else failure!(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Everything that comes back, to the byte. */
async function ask(
  base: string,
  { method, path, headers = {}, body }: Asked,
): Promise<{ status: number; text: string }> {
  const { port, pathname } = new URL(base)
  const sent = request({
    port,
    host: '127.0.0.1',
    method,
    path: `${pathname}${path}`,
    agent: false,
    headers: {
      accept: json,
      authorization: `Bearer ${secret('a token')}`,
      'x-forwarded-for': secret('a header field of the client'),
      'x-own': secret('a header field of the client'),
      cookie: secret('a header field of the client'),
      ...headers,
    },
  })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  let text = `${answer.rawHeaders.join('\n')}\n`
  try {
    for await (const chunk of answer) text += String(chunk)
  } catch {
    text += '(cut off)'
  }
  return { status: answer.statusCode ?? 0, text }
}

const pinned = { 'content-type': json, 'if-match': 'W/"3"' }
const sentFlag = (id: string, changes: object = {}) =>
  JSON.stringify({ ...removal, id, code: { text: secret('what is stored') }, ...changes })
const query = `?patient=${number}&identifier=${secret('the query')}`

function everything(): Asked[] {
  const requests: Asked[] = []
  for (const name of Object.keys(failures)) {
    const path = `/Flag/${idOf(name)}`
    const onWrite = `${number}-well.${name}`
    requests.push(
      { method: 'GET', path },
      { method: 'GET', path: `${path}/_history/3` },
      { method: 'HEAD', path },
      { method: 'GET', path: `/Flag${query}&x=${idOf(name)}` },
      { method: 'PUT', path, headers: pinned, body: sentFlag(idOf(name)) },
      { method: 'PUT', path: `/Flag/${onWrite}`, headers: pinned, body: sentFlag(onWrite) },
    )
  }
  const path = `/Flag/${idOf('well')}`
  const sent = secret('what is sent')
  const bodies = [
    sentFlag(idOf('well'), { code: { text: sent } }),
    sentFlag(idOf('well'), { status: sent }),
    sentFlag(sent),
    sentFlag(idOf('well'), { [sent]: sent }),
    `{"resourceType":"Flag","id":"${sent}`,
    `{"resourceType":"${sent}"}`,
    `<Flag xmlns="http://hl7.org/fhir"><id value="${sent}"/></Flag`,
    sent,
  ]
  for (const body of bodies) {
    requests.push(
      { method: 'PUT', path, headers: pinned, body },
      { method: 'PUT', path, headers: { ...pinned, 'content-type': 'application/fhir+xml' }, body },
      { method: 'PUT', path, headers: { ...pinned, 'content-type': `text/${sent}` }, body },
      { method: 'PUT', path, headers: { ...pinned, 'content-encoding': 'gzip' }, body },
      { method: 'POST', path: '/Flag', headers: { 'content-type': json, 'if-none-exist': `identifier=${sent}` }, body },
      { method: 'POST', path: '', headers: { 'content-type': json }, body },
      { method: 'POST', path: '/$removerarecord', headers: { 'content-type': json }, body },
      { method: 'PATCH', path, headers: { ...pinned, 'content-type': 'application/json-patch+json' }, body },
      { method: 'POST', path: '/Flag/_search', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body },
    )
  }
  return [
    ...requests,
    { method: 'PUT', path: `${path}${query}`, headers: pinned, body: sentFlag(idOf('well')) },
    { method: 'PUT', path: `/Flag${query}`, headers: pinned, body: sentFlag(idOf('well')) },
    { method: 'DELETE', path: `${path}${query}`, headers: { 'if-match': `W/"${sent}"` } },
    { method: 'PUT', path, headers: { ...pinned, 'if-match': sent }, body: sentFlag(idOf('well')) },
    { method: 'GET', path, headers: { 'if-none-match': sent, 'x-request-id': sent, traceparent: sent, origin: sent } },
    { method: 'GET', path: `/Flag/${number};${sent}` },
    { method: 'GET', path: `/../${number}%2f${sent}` },
    { method: 'GET', path: `/${sent}/${number}/${sent}` },
    { method: 'GET', path: `/Flag?_format=${sent}` },
    { method: 'GET', path, headers: { accept: sent, expect: sent } },
    { method: 'OPTIONS', path, headers: { origin: sent, 'access-control-request-method': sent } },
    { method: 'PROPFIND', path },
  ]
}

it('tells neither a client that fails, nor its operator, what stands in records, requests and errors of the server', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'leaks-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'key'), secret('a credential of the gateway'))
  const policy = resolve('config/policies/nhs-reasonable-adjustments-stu3.yaml')
  writeFileSync(
    join(folder, 'gateway.yaml'),
    `bases:
  - path: /STU3
    policy: ${policy}
    cors: { origins: ['https://app.example'] }
    upstream: { breaker: { of-at-least: 1000 }, credentials: { header-field: { name: x-api-key, file: key }, for-anybody: true } }
timeouts: { upstream: 300ms }
decisions: { to: file, file: decisions.ndjson }
`,
  )
  const upstream = await startServer()
  const program = startProgram({ UPSTREAM_URL: upstream, HOST: '127.0.0.1', CONFIG: folder, LOG_LEVEL: 'debug' })
  const { base, admin } = await addressesOf(program)

  const answers = await Promise.all(everything().map(async (asked) => ({ asked, ...(await ask(base, asked)) })))
  const metrics = await (await fetch(`${admin}/metrics`)).text()
  program.signal('SIGTERM')
  const { code, stdout, stderr } = await program.ended
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout.split('\n').filter((line) => line.includes('"msg":"request"')).length).toBe(answers.length)

  for (const [where, text] of Object.entries(secrets)) {
    expect([where, 'log', stdout.includes(text)]).toEqual([where, 'log', false])
    expect([where, 'metrics', metrics.includes(text)]).toEqual([where, 'metrics', false])
  }
  // The id is told there, and in the header fields of what went well.
  const decisions = readFileSync(join(folder, 'decisions.ndjson'), 'utf8').replaceAll(number, '')
  for (const [where, text] of Object.entries(secrets)) expect([where, decisions.includes(text)]).toEqual([where, false])

  const errors = answers.filter(({ status }) => status >= 400)
  expect(errors.length).toBeGreaterThan(100)
  const hidden = [...Object.entries(secrets), ['the server', new URL(upstream).host], ['its host', 'store01']] as const
  const leaks = errors.flatMap(({ asked, status, text }) =>
    hidden.flatMap(([where, secret]) =>
      text.includes(secret)
        ? [`${where}: ${asked.method} ${asked.path} ${status} ${text.slice(text.indexOf('{'))}`]
        : [],
    ),
  )
  expect(leaks).toEqual([])
})
