import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Booted, type Settings } from './booted.ts'
import { answersIn, exchangeRaw, type RawAnswer } from './raw-answers.ts'
import { removal, stored } from './records.ts'
import { resource } from './stub-upstream.ts'

const opened: Booted[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((booted) => booted.close()))
})

const get = 'GET /fhir/Flag/1'
const put = 'PUT /fhir/Flag/1'

/** What the answers are, and what reached the upstream, of bytes written to one connection. */
async function exchange(bytes: string, settings: Settings = {}) {
  const booted = await boot({ cache: 'off', ...settings })
  opened.push(booted)
  booted.upstream.answers({ [get]: resource(stored('3'), '3'), [put]: resource(stored('4'), '4') })
  const answers = answersIn(await exchangeRaw(booted.port, bytes))
  const { seen } = booted.upstream
  return {
    statuses: answers.map(({ status }) => status),
    refusals: answers.filter(({ status }) => status >= 400),
    upstream: seen.map(({ method, url }) => `${method} ${url}`),
    seen,
  }
}

function expectOutcomes(refusals: readonly RawAnswer[]) {
  for (const { head, body } of refusals) {
    expect(head).toMatch(/^content-type: application\/fhir\+json/im)
    expect(JSON.parse(body)).toMatchObject({ resourceType: 'OperationOutcome' })
  }
}

const body = JSON.stringify(removal)
const aPut = 'PUT /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\nIf-Match: W/"3"\r\nContent-Type: application/fhir+json\r\n'
const aGet = 'GET /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\n'
const closing = 'Connection: close\r\n'
const length = `Content-Length: ${body.length}\r\n`
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
const chunks = `${chunk(body)}0\r\n\r\n`
/** What an attacker wants to reach the upstream. */
const forbidden = 'DELETE /fhir/Flag/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'
/** Ends a connection that would stay open: it is answered with 405, so everything before it has been read as it was meant. */
const last = `DELETE /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\n${closing}\r\n`

/** All that a request of the gateway's own can have, when the client sent none of the fields that identify it. */
const rebuiltFields = [
  'accept',
  'accept-encoding',
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'host',
  'if-match',
  'prefer',
  'via',
  'x-request-id',
]

describe('a request that is framed in two ways, or not as HTTP says, is refused and reaches the upstream in no part', () => {
  test.each<[string, string]>([
    ['Transfer-Encoding: chunked, identity', `${aPut}Transfer-Encoding: chunked, identity\r\n\r\n${chunks}`],
    ['Transfer-Encoding: identity and a length', `${aPut}Transfer-Encoding: identity\r\n${length}\r\n${body}`],
    [
      'Transfer-Encoding in two lines',
      `${aPut}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
    ],
    [
      'Transfer-Encoding in two lines, one of them empty',
      `${aPut}Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
    ],
    ['Transfer-Encoding: chunked, chunked', `${aPut}Transfer-Encoding: chunked, chunked\r\n\r\n${chunks}`],
    ['Transfer-Encoding with a vertical tab', `${aPut}Transfer-Encoding: \x0bchunked\r\n\r\n${chunks}`],
    ['an empty Transfer-Encoding and a length', `${aPut}Transfer-Encoding:\r\n${length}\r\n${body}`],
    [
      'Transfer-Encoding after a length of nothing',
      `${aPut}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
    ],
    ['Transfer-Encoding on a folded line', `${aPut}X: y\r\n Transfer-Encoding: chunked\r\n\r\n${chunks}`],
    ['Transfer-Encoding whose value is folded', `${aPut}Transfer-Encoding:\r\n chunked\r\n\r\n${chunks}`],
    ['a space before the colon', `${aPut}Transfer-Encoding : chunked\r\n\r\n${chunks}`],
    ['a space before the colon of a length', `${aPut}Content-Length : 0\r\n${length}\r\n${body}`],
    ['Content-Length twice, alike', `${aPut}${length}${length}\r\n${body}`],
    ['a list of lengths', `${aPut}Content-Length: ${body.length}, ${body.length}\r\n\r\n${body}`],
    ['a length with a sign', `${aPut}Content-Length: +${body.length}\r\n\r\n${body}`],
    ['a negative length', `${aPut}Content-Length: -1\r\n\r\n${body}`],
    ['a hexadecimal length', `${aPut}Content-Length: 0x10\r\n\r\n${body}`],
    ['an empty length', `${aPut}Content-Length:\r\n\r\n${body}`],
    ['a length beyond all numbers', `${aPut}Content-Length: 99999999999999999999\r\n\r\n${body}`],
    ['a length in two words', `${aPut}Content-Length: 1 0\r\n\r\n${body}`],
    ['bare LF as line ends', `${aPut}${length}\r\n`.replaceAll('\r\n', '\n') + body],
    ['one bare LF', `${aPut}X: y\nContent-Length: 0\r\n${length}\r\n${body}`],
    ['a bare LF that ends the head', `${aPut}${length}\n${body}`],
    ['a bare CR as a line end', `${aPut}X: y\rTransfer-Encoding: chunked\r\n${length}\r\n${body}`],
    ['a bare CR in a value', `${aPut}X: a\rb\r\n${length}\r\n${body}`],
    ['a null byte in a value', `${aPut}X: a\0b\r\n${length}\r\n${body}`],
    ['a null byte in a name', `${aPut}X\0: a\r\n${length}\r\n${body}`],
    ['a null byte in the target', `${aPut.replace('Flag/1', 'Flag/1\0')}${length}\r\n${body}`],
    ['a null byte before the method', `\0${aPut}${length}\r\n${body}`],
    ['a header field without a name', `${aPut}: a\r\n${length}\r\n${body}`],
    ['a line without a colon', `${aPut}X\r\n${length}\r\n${body}`],
    ['a white space before the first header field', aPut.replace('Host', ' Host') + `${length}\r\n${body}`],
    ['HTTP/0.9', 'GET /STU3/Flag/1\r\n\r\n'],
    ['HTTP/1.2', `${aGet.replace('1.1', '1.2')}\r\n`],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a method in lower case', `${aGet.replace('GET', 'get')}\r\n`],
    ['a tab in the request line', `${aGet.replace(' /', '\t/')}${closing}\r\n`],
    ['the absolute form of a read', `${aGet.replace('/STU3', 'http://x/STU3')}${closing}\r\n`],
    ['the absolute form of the upstream', `${aGet.replace('/STU3', 'http://x/fhir')}${closing}\r\n`],
    ['the authority form', `${aGet.replace('/STU3/Flag/1', 'x:80')}${closing}\r\n`],
    ['a Host with user information', `GET /STU3/Flag/1 HTTP/1.1\r\nHost: a@x\r\n${closing}\r\n`],
    ['HTTP/1.0 without a Host', 'GET /STU3/Flag/1 HTTP/1.0\r\n\r\n'],
  ])('%s', async (_what, bytes) => {
    const { statuses, refusals, upstream } = await exchange(bytes, { timeouts: { requestMs: 500 } })
    expect(upstream).toEqual([])
    expect(statuses).toEqual([400])
    expectOutcomes(refusals)
  })
})

describe('a body whose framing breaks is refused, ends the connection, and reaches the upstream in no part', () => {
  test.each<[string, string]>([
    ['Transfer-Encoding: identity', `${aPut}Transfer-Encoding: identity\r\n\r\n${body}`],
    ['Transfer-Encoding: xchunked', `${aPut}Transfer-Encoding: xchunked\r\n\r\n${chunks}`],
    ['Transfer-Encoding: "chunked"', `${aPut}Transfer-Encoding: "chunked"\r\n\r\n${chunks}`],
    ['a chunk size with 0x', `${aPut}Transfer-Encoding: chunked\r\n\r\n0x${chunks}`],
    ['a chunk size beyond all numbers', `${aPut}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n${body}`],
    ['a negative chunk size', `${aPut}Transfer-Encoding: chunked\r\n\r\n-1\r\n${body}\r\n0\r\n\r\n`],
    ['a chunk longer than its size', `${aPut}Transfer-Encoding: chunked\r\n\r\n2\r\n${body}\r\n0\r\n\r\n`],
    [
      'a chunk that ends with a bare LF',
      `${aPut}Transfer-Encoding: chunked\r\n\r\n${chunk(body).slice(0, -2)}\n0\r\n\r\n`,
    ],
    [
      'a chunk size that ends with a bare LF',
      `${aPut}Transfer-Encoding: chunked\r\n\r\n${chunks.replace('\r\n', '\n')}`,
    ],
    [
      'a chunk extension with a bare LF',
      `${aPut}Transfer-Encoding: chunked\r\n\r\n${chunks.replace('\r\n', ';a\n\r\n')}`,
    ],
    ['white space behind a transfer coding', `${aPut}Transfer-Encoding: chunked \t\r\n\r\n${chunks}`],
  ])('%s', async (_what, bytes) => {
    const { statuses, refusals, upstream } = await exchange(bytes + forbidden)
    expect(upstream).toEqual([])
    expect(statuses).toEqual([400])
    expectOutcomes(refusals)
  })

  test('a body that is shorter than its length is 408, and the rest of the connection is not read', async () => {
    const { statuses, refusals, upstream } = await exchange(
      `${aPut}Content-Length: ${body.length + 500}\r\n\r\n${body}`,
      {
        timeouts: { requestMs: 200 },
      },
    )
    expect(upstream).toEqual([])
    expect(statuses).toEqual([408])
    expectOutcomes(refusals)
  })
})

describe('what may not stand behind a whole request is not answered: that one is, and the connection ends', () => {
  test.each<[string, string, string[]]>([
    ['a body longer than its length, by what is no request', `${aPut}${length}\r\n${body}}}`, [get, put]],
    ['a request behind one that ends the connection', `${aPut}${closing}${length}\r\n${body}`, [get, put]],
    ['a request behind one of HTTP/1.0', `${aGet.replace('1.1', '1.0')}\r\n`, [get]],
    ['CONNECT', `${aPut}${length}\r\n${body}CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n`, [get, put]],
  ])('%s', async (_what, bytes, expected) => {
    const { statuses, upstream } = await exchange(bytes + forbidden)
    expect(upstream).toEqual(expected)
    expect(statuses).toEqual([200])
  })
})

describe('what is refused leaves nothing behind on its connection', () => {
  test.each<[string, string, number[]]>([
    [
      'a body that is not read holds a request',
      `${aPut.replace('If-Match', 'X')}Content-Length: ${forbidden.length}\r\n\r\n${forbidden}${last}`,
      [412, 405],
    ],
    [
      'a chunked body that is not read holds a request',
      `${aPut.replace('If-Match', 'X')}Transfer-Encoding: chunked\r\n\r\n${chunk(forbidden)}0\r\n\r\n${last}`,
      [412, 405],
    ],
    [
      'the body of a DELETE holds a request',
      `DELETE /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\nContent-Length: ${forbidden.length}\r\n\r\n${forbidden}${last}`,
      [405, 405],
    ],
    [
      'the body of a GET holds a request',
      `${aGet}Content-Length: ${forbidden.length}\r\n\r\n${forbidden}${last}`,
      [400, 405],
    ],
    [
      'the chunked body of a GET holds a request',
      `${aGet}Transfer-Encoding: chunked\r\n\r\n${chunk(forbidden)}0\r\n\r\n${last}`,
      [400, 405],
    ],
    [
      'a chunk extension holds a request',
      `DELETE /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0;a="DELETE /fhir/Flag/1 HTTP/1.1"\r\n\r\n${last}`,
      [405, 405],
    ],
    [
      'a forbidden request follows a refused one',
      `DELETE /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\n\r\n${forbidden}${last}`,
      [405, 404, 405],
    ],
    ['TRACE', `TRACE /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\n\r\n${last}`, [405, 405]],
    ['CONNECT with a request behind it', `CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n${forbidden}`, [405]],
    [
      'a length in a name that some servers take for it',
      `DELETE /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\nContent_Length: 500\r\nTransfer_Encoding: chunked\r\n\r\n${last}`,
      [405, 405],
    ],
  ])('%s', async (_what, bytes, expected) => {
    const { statuses, refusals, upstream } = await exchange(bytes)
    expect(upstream).toEqual([])
    expect(statuses).toEqual(expected)
    expectOutcomes(refusals)
  })

  test('an Upgrade to h2c is not followed, and what comes behind it is not read', async () => {
    const upgrade = 'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'
    const { statuses, upstream } = await exchange(
      `DELETE /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n${forbidden}`,
    )
    expect(upstream).toEqual([])
    expect(statuses).toEqual([405])
  })

  test('a target that is too long is 431', async () => {
    const { statuses, refusals, upstream } = await exchange(
      `GET /STU3/Flag?code=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    )
    expect(upstream).toEqual([])
    expect(statuses).toEqual([431])
    expectOutcomes(refusals)
  })
})

describe('what is permitted reaches the upstream once, rebuilt, and nothing of what came with it does', () => {
  const written = [get, put]
  test.each<[string, string, number[], string[]]>([
    [
      'white space before a transfer coding',
      `${aPut}Transfer-Encoding: \t chunked\r\n\r\n${chunks}${last}`,
      [200, 405],
      written,
    ],
    ['HTTP/1.0', `${aGet.replace('1.1', '1.0')}\r\n`, [200], [get]],
    [
      'HTTP/1.0 that is to stay open',
      `${aGet.replace('1.1', '1.0')}Connection: keep-alive\r\n\r\n${last}`,
      [200, 405],
      [get],
    ],
    [
      'HTTP/1.0 with chunks',
      `${aPut.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n${chunks}`,
      [200],
      written,
    ],
    [
      'an Upgrade to h2c with a body',
      `${aPut}Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n${length}\r\n${body}`,
      [200],
      written,
    ],
    [
      'a valid request follows a refused one',
      `DELETE /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\n\r\n${aGet}\r\n${last}`,
      [405, 200, 405],
      [get],
    ],
    [
      'a forbidden request follows a valid one',
      `${aPut}${length}\r\n${body}${forbidden}${last}`,
      [200, 404, 405],
      written,
    ],
    ['a body is longer than its length', `${aPut}${length}\r\n${body}${forbidden}${last}`, [200, 404, 405], written],
    ['Transfer-Encoding: Chunked', `${aPut}Transfer-Encoding: Chunked\r\n\r\n${chunks}${last}`, [200, 405], written],
    [
      'many chunks, with extensions',
      `${aPut}Transfer-Encoding: chunked\r\n\r\n${chunk(body.slice(0, 9)).replace('\r\n', ';a=b\r\n')}${chunk(body.slice(9))}00\r\n\r\n${last}`,
      [200, 405],
      written,
    ],
    [
      'trailer fields',
      `${aPut}Trailer: X-Secret, If-Match\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(body)}0\r\nX-Secret: s\r\nIf-Match: W/"9"\r\n\r\n${last}`,
      [200, 405],
      written,
    ],
    ['an empty line before the request', `\r\n${aPut}${length}\r\n${body}${last}`, [200, 405], written],
    ['two spaces in the request line', `${aGet.replace(' /', '  /')}${closing}\r\n`, [200], [get]],
    ['HTTP/2.0 in a request line', `${aGet.replace('1.1', '2.0')}${closing}\r\n`, [200], [get]],
    [
      'Connection names the precondition',
      `${aPut}Connection: keep-alive, If-Match, Content-Type\r\n${length}\r\n${body}${last}`,
      [200, 405],
      written,
    ],
    [
      'header fields that no allow-list names',
      `${aPut}X-Secret: s\r\nContent_Length: 1\r\nIf_Match: *\r\nX-Forwarded-Host: y\r\nForwarded: host=y\r\nCookie: a=b\r\nTE: trailers\r\n${length}\r\n${body}${last}`,
      [200, 405],
      written,
    ],
  ])('%s', async (_what, bytes, statuses, upstream) => {
    const found = await exchange(bytes)
    expect(found.upstream).toEqual(upstream)
    expect(found.statuses).toEqual(statuses)
    expectOutcomes(found.refusals)
    for (const { method, headers, body } of found.seen) {
      for (const name of Object.keys(headers)) expect(rebuiltFields).toContain(name)
      if (method !== 'PUT') continue
      expect(headers['if-match']).toBe('W/"3"')
      expect(headers['content-length']).toBe(String(Buffer.byteLength(body)))
      expect(JSON.parse(body)).toEqual(removal)
    }
  })

  test('two valid requests are answered in their order', async () => {
    const { statuses, upstream } = await exchange(`${aPut}${length}\r\n${body}${aGet.replace('/1 ', '/2 ')}\r\n${last}`)
    expect([...upstream].sort()).toEqual(['GET /fhir/Flag/1', 'GET /fhir/Flag/2', 'PUT /fhir/Flag/1'])
    // The stub knows no Flag/2.
    expect(statuses).toEqual([200, 599, 405])
  })
})
