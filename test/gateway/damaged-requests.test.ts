import net from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { damaged } from '../fuzz/mutate-bytes.ts'
import { mayPass } from '../fuzz/oracle.ts'
import type { JsonObject } from '../fuzz/plain-json.ts'
import { freshSeed, randomOfRun } from '../fuzz/random.ts'
import { boot, type Booted } from './booted.ts'
import { edit, removal, stored } from './records.ts'
import { resource, type Seen } from './stub-upstream.ts'

let booted: Booted
beforeAll(async () => {
  booted = await boot({ timeouts: { requestMs: 300 } })
  const created = { status: 201, headers: { location: `${booted.upstream.url}/Flag/9/_history/1` } }
  booted.upstream.answers({
    GET: resource(stored('3'), '3'),
    PUT: resource(stored('4'), '4'),
    POST: created,
  })
})
afterAll(() => booted.close())

/** Damage to what is ignored leaves a request that is taken. */
const ignored = `X-Ignored: ${'ignored '.repeat(40)}\r\n`
const host = `Host: x\r\n${ignored}`
const json = 'Content-Type: application/fhir+json\r\n'
const close = 'Connection: close\r\n'
const framed = (body: string) => `Content-Length: ${body.length}\r\n\r\n${body}`
const chunked = (body: string) =>
  `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\nX-Trailer: x\r\n\r\n`
const match = 'If-Match: W/"3"\r\n'
const removed = JSON.stringify(removal)
const { id: _id, ...flagWithoutId } = { ...removal, status: 'active', extension: [] as object[] }
const newFlag = JSON.stringify({ ...flagWithoutId, extension: undefined })
const xml = '<Flag xmlns="http://hl7.org/fhir"><id value="1"/><status value="active"/></Flag>'

const requests = [
  `PUT /STU3/Flag/1 HTTP/1.1\r\n${host}${match}${json}${framed(removed)}`,
  `PUT /STU3/Flag/1 HTTP/1.1\r\n${host}${match}${json}${chunked(removed)}`,
  `PUT /STU3/Flag/1 HTTP/1.1\r\n${host}${match}${json}${framed(JSON.stringify(edit))}`,
  `PUT /STU3/Flag/1 HTTP/1.1\r\n${host}${match}Content-Type: application/fhir+xml\r\n${framed(xml)}`,
  `POST /STU3/Flag HTTP/1.1\r\n${host}${json}${framed(newFlag)}`,
  `POST /STU3/Flag/_search HTTP/1.1\r\n${host}Content-Type: application/x-www-form-urlencoded\r\n${framed('status=active')}`,
  `GET /STU3/Flag/1 HTTP/1.1\r\n${host}Authorization: Bearer t\r\n\r\n`,
  `GET /STU3/Flag/1/_history/3 HTTP/1.1\r\n${host}Accept: application/fhir+json\r\n\r\n`,
  `GET /STU3/Flag?patient=1&_format=json HTTP/1.1\r\n${host}If-None-Match: W/"3"\r\n\r\n`,
  `DELETE /STU3/Flag/1 HTTP/1.1\r\n${host}${match}\r\n`,
  `PATCH /STU3/Flag/1 HTTP/1.1\r\n${host}${match}Content-Type: application/json-patch+json\r\n${framed('[]')}`,
]

const tokens = [
  [
    '\r\n',
    '\n',
    '\r',
    '\0',
    ' ',
    '\t',
    ':',
    '/',
    '//',
    '/../',
    '%2f',
    '%46',
    '\\',
    ';',
    '?',
    '&',
    '#',
    '*',
    ',',
    '\x0b',
  ],
  [
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: identity\r\n',
  ],
  ['Connection: close\r\n', 'Connection: If-Match\r\n', 'Upgrade: h2c\r\n', 'Expect: 100-continue\r\n', 'Host: y\r\n'],
  ['If-Match: *\r\n', 'If-Match: W/"4"\r\n', 'X-HTTP-Method-Override: DELETE\r\n', 'Content-Encoding: gzip\r\n'],
  [
    'X-Secret: s\r\n',
    'Cookie: a=b\r\n',
    'Prefer: respond-async\r\n',
    'Range: bytes=0-1\r\n',
    ' HTTP/1.0',
    '0\r\n\r\n',
    ';a=b',
  ],
  ['_method=DELETE', '_format=xml', 'http://x/fhir', 'DELETE', 'PUT', 'HEAD', '$removerarecord', '_search', 'Patient'],
  [
    'DELETE /fhir/Flag/1 HTTP/1.1\r\nHost: x\r\n\r\n',
    'PUT /fhir/Flag/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
  ],
].flat()

const id = '[A-Za-z0-9.-]{1,64}'
const type = '(?:Flag|Consent|List)'
const query = '(?:\\?[\\x21-\\x7e]*)?'
/** The targets that the gateway builds, for each method that it sends. */
const targets: Readonly<Record<string, RegExp>> = {
  GET: new RegExp(
    `^/fhir/(?:metadata|${type}(?:/${id}(?:/_history(?:/${id})?)?)?)${query}$|^/fhir\\?[\\x21-\\x7e]*_getpages`,
  ),
  PUT: new RegExp(`^/fhir/${type}/${id}$`),
  POST: new RegExp(`^/fhir/(?:${type}(?:/_search)?|\\$removerarecord)${query}$`),
}

const rebuiltFields = new Set(
  [
    ['accept', 'accept-encoding', 'accept-language', 'authorization', 'cache-control', 'connection', 'content-length'],
    ['content-type', 'host', 'if-match', 'if-modified-since', 'if-none-match', 'prefer', 'traceparent', 'tracestate'],
    ['user-agent', 'via', 'x-correlation-id', 'x-request-id'],
  ].flat(),
)

/** Why the gateway cannot have built this; undefined when it can. */
function wrongIn({ method, url, headers, body }: Seen): string | undefined {
  const [path = ''] = url.split('?', 1)
  if (!targets[method]?.test(url) || /\/\.\.?(?:\/|$)/.test(path) || url.includes('#'))
    return 'the method or the target'
  const stranger = Object.keys(headers).find((name) => !rebuiltFields.has(name))
  if (stranger !== undefined) return `the header field ${stranger}`
  if (headers.via === undefined) return 'no Via'
  if (method === 'GET') return body === '' ? undefined : 'a body'
  if (headers['content-length'] !== String(Buffer.byteLength(body))) return 'the length'
  if (method === 'POST') return undefined
  if (!/^W\/"[A-Za-z0-9.-]{1,64}"$/.test(headers['if-match'] ?? '')) return 'If-Match'
  if (headers['content-type'] !== 'application/fhir+json;charset=utf-8') return 'the media type: no XML was a removal'
  const sent = JSON.parse(body) as JsonObject
  if (url !== `/fhir/${String(sent['resourceType'])}/${String(sent['id'])}`) return 'another resource in the body'
  return mayPass(stored('3') as unknown as JsonObject, sent) ? undefined : 'a change that the rules forbid'
}

/** All that comes back, until the gateway closes or has answered and is silent. */
function answerTo(bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(booted.port, '127.0.0.1')
    let received = ''
    socket.setEncoding('latin1')
    socket.setTimeout(10_000, () => {
      socket.destroy()
      if (received === '') reject(new Error(`no answer: ${JSON.stringify(bytes.toString('latin1'))}`))
    })
    socket.on('data', (data) => {
      received += String(data)
      socket.setTimeout(500)
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
    socket.write(bytes)
  })
}

test('of damaged requests nothing reaches the upstream but what the gateway builds, and each is answered or cut', async () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? freshSeed())
  console.log(`fuzz: seed ${seed} (FUZZ_SEED repeats it)`)
  const runs = 2000
  let next = 0
  let answered = 0
  const work = async () => {
    while (next < runs) {
      const random = randomOfRun(seed, next++)
      const request = damaged(random, Buffer.from(random.pick(requests), 'latin1'), tokens)
      const last = random.chance(0.8) ? `DELETE /STU3/Flag/1 HTTP/1.1\r\n${host}${close}\r\n` : ''
      const answer = await answerTo(Buffer.concat([request, Buffer.from(last)]))
      if (answer === '') continue
      answered++
      expect(answer).toMatch(/^HTTP\/1\.1 [1-5]\d\d /)
    }
  }
  await Promise.all(Array.from({ length: 40 }, work))
  const { upstream, records } = booted
  const wrong = upstream.seen.flatMap((seen) => {
    const what = wrongIn(seen)
    return what === undefined ? [] : [{ what, ...seen }]
  })
  expect(wrong).toEqual([])
  expect(records.filter(({ status }) => status === 500)).toEqual([])
  expect(answered).toBeGreaterThan(runs / 2)
  expect(upstream.seen.filter(({ method }) => method === 'PUT').length).toBeGreaterThan(10)
  // It still does its work.
  expect((await booted.send('GET', '/STU3/Flag/1')).status).toBe(200)
}, 120_000)
