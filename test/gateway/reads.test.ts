import { gzipSync } from 'node:zlib'
import http, { type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { bootAndClose } from './booted.ts'
import { outcome, resource, type StubAnswer } from './stub-upstream.ts'

const get = 'GET /fhir/Flag/1'
const json = { 'content-type': 'application/fhir+json;charset=UTF-8' }

describe('a read', () => {
  test('is passed on and its content passed back to the byte', async () => {
    const booted = await bootAndClose()
    const { href, host } = booted.upstream.url
    const body = `{ "resourceType":"Flag","id":"1","n":1.00,"subject":{"reference":"${href}/Patient/1"} }`
    booted.upstream.answers({
      [get]: {
        status: 200,
        headers: {
          ...json,
          etag: 'W/"3"',
          'last-modified': 'Mon, 02 Mar 2026 09:30:00 GMT',
          'content-location': `${href}/Flag/1/_history/3`,
          'x-powered-by': 'stub',
          'set-cookie': 'a=b',
        },
        body,
      },
    })
    const answer = await booted.send('GET', '/STU3/Flag/1', {
      authorization: 'Bearer token',
      'if-none-match': 'W/"2"',
      cookie: 'a=b',
      'x-forwarded-for': '1.2.3.4',
      prefer: 'respond-async, handling=strict',
      connection: 'keep-alive, x-hop',
      'x-hop': '1',
    })
    expect(answer).toMatchObject({
      status: 200,
      body,
      headers: { etag: 'W/"3"', 'content-location': `${booted.origin}/STU3/Flag/1/_history/3` },
    })
    for (const name of ['x-powered-by', 'set-cookie']) expect(answer.headers).not.toHaveProperty(name)
    const seen = booted.upstream.seen[0]!
    expect(seen.headers).toMatchObject({
      host,
      authorization: 'Bearer token',
      'if-none-match': 'W/"2"',
      accept: 'application/fhir+json',
      prefer: 'handling=strict',
      via: '1.1 fhir-policy-gateway',
    })
    for (const name of ['cookie', 'x-forwarded-for', 'x-hop', 'transfer-encoding']) {
      expect(seen.headers).not.toHaveProperty(name)
    }
    expect(booted.records).toMatchObject([
      { interaction: 'read', type: 'Flag', id: '1', decision: 'relayed', status: 200, upstreamStatus: 200 },
    ])
  })

  test('in gzip stays in gzip', async () => {
    const booted = await bootAndClose()
    const body = gzipSync('{"resourceType":"Flag"}')
    booted.upstream.answers({ [get]: { status: 200, headers: { ...json, 'content-encoding': 'gzip' }, body } })
    const answer = await booted.send('GET', '/STU3/Flag/1', { 'accept-encoding': 'br, gzip;q=0.5' })
    expect(booted.upstream.seen[0]!.headers['accept-encoding']).toBe('gzip')
    expect(answer.headers['content-encoding']).toBe('gzip')
  })

  test('of a version that the client has gives 304', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: { status: 304, headers: { etag: 'W/"3"' } } })
    const answer = await booted.send('GET', '/STU3/Flag/1', { 'if-none-match': 'W/"3"' })
    expect(answer).toMatchObject({ status: 304, body: '', headers: { etag: 'W/"3"' } })
  })

  test('by HEAD is its GET without the body', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: resource('{"resourceType":"Flag"}', '3') })
    const answer = await booted.send('HEAD', '/STU3/Flag/1')
    expect(answer).toMatchObject({ status: 200, body: '', headers: { etag: 'W/"3"' } })
    expect(booted.upstream.seen[0]!.method).toBe('GET')
    const refused = await booted.send('HEAD', '/STU3/Flag/1/')
    expect(refused).toMatchObject({ status: 400, body: '', headers: { 'content-type': /json/ } })
  })

  test.each([404, 410])(
    'that finds %i has the policy’s code first and the upstream’s words behind it',
    async (status) => {
      const booted = await bootAndClose()
      booted.upstream.answers({ [get]: outcome(status, 'HAPI-2001: not known') })
      const answer = await booted.send('GET', '/STU3/Flag/1')
      expect(answer.status).toBe(status)
      expect(JSON.parse(answer.body)).toMatchObject({
        issue: [
          { code: 'not-found', details: { coding: [{ code: 'RESOURCE_NOT_FOUND' }] } },
          { diagnostics: 'HAPI-2001: not known' },
        ],
      })
    },
  )

  test.each<[string, StubAnswer]>([
    ['a page of HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: '<a href="http://hapi/">' }],
    ['no media type', { status: 200, body: 'x' }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
    ['an unknown content coding', { status: 200, headers: { ...json, 'content-encoding': 'br' }, body: 'x' }],
  ])('that is answered with %s does not come through', async (_what, told) => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: told })
    const answer = await booted.send('GET', '/STU3/Flag/1')
    expect(answer.status).toBe(502)
    expect(answer.headers).not.toHaveProperty('location')
    expect(answer.body).not.toContain('hapi')
  })

  test('an error page becomes an OperationOutcome in the format that was asked for', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({
      [get]: { status: 503, headers: { 'content-type': 'text/html', 'retry-after': '7' }, body: '<h1>' },
    })
    const answer = await booted.send('GET', '/STU3/Flag/1', { accept: 'application/fhir+xml' })
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('7')
    expect(answer.body).toContain('<code value="transient"/>')
  })

  test.each([
    ['/STU3/Flag/1?_format=html/json', '*/*'],
    ['/STU3/Flag/1', 'text/html'],
    ['/STU3/Flag/1', 'text/turtle'],
  ])('%s that asks for %s is not acceptable', async (target, accept) => {
    const booted = await bootAndClose()
    expect((await booted.send('GET', target, { accept })).status).toBe(406)
    expect(booted.upstream.seen).toEqual([])
  })

  test.each(['if-match', 'if-unmodified-since'])('with %s is refused, since nobody evaluates it', async (name) => {
    const booted = await bootAndClose()
    expect((await booted.send('GET', '/STU3/Flag/1', { [name]: 'W/"1"' })).status).toBe(412)
    expect(booted.upstream.seen).toEqual([])
  })
})

describe('what a server makes up', () => {
  const bundle = (base: string) =>
    `{"resourceType":"Bundle","link":[{"relation":"next","url":"${base}?_getpages=a&_count=2"}],` +
    `"entry":[{"fullUrl":"${base}/Flag/1","resource":{"resourceType":"Flag","url":"http://x","n":1.0}}]}`

  test.each([
    ['GET', '/Flag?patient=1&status=active'],
    ['GET', '/Flag/1/_history'],
    ['GET', '?_getpages=a&_count=2'],
  ])('%s [base]%s has the gateway’s base', async (method, below) => {
    const booted = await bootAndClose({ publicUrl: new URL('https://ours.example') })
    const { href } = booted.upstream.url
    booted.upstream.answers({
      GET: { status: 200, headers: { ...json, link: `<${href}/Flag?a=b>; rel="next"` }, body: bundle(href) },
    })
    const answer = await booted.send(method, `/STU3${below}`, { 'accept-encoding': 'gzip' })
    expect(answer.status).toBe(200)
    expect(answer.body).toBe(bundle('https://ours.example/STU3'))
    expect(answer.headers['link']).toBe('<https://ours.example/STU3/Flag?a=b>; rel="next"')
    expect(booted.upstream.seen[0]).toMatchObject({ url: `/fhir${below}`, headers: { 'accept-encoding': 'identity' } })
  })

  test('without a public URL the gateway’s base comes from Host', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ GET: { status: 200, headers: json, body: bundle(booted.upstream.url.href) } })
    const answer = await booted.send('GET', '/STU3/Flag', { host: 'gateway.example:81' })
    expect(answer.body).toBe(bundle('http://gateway.example:81/STU3'))
  })

  test('that is larger than the bound is refused', async () => {
    const booted = await bootAndClose({ limits: { rewriteBytes: 100 } })
    const headers = { 'content-type': 'application/fhir+xml' }
    booted.upstream.answers({ GET: { status: 200, headers, body: `<Bundle><!--${'x'.repeat(100)}--></Bundle>` } })
    const answer = await booted.send('GET', '/STU3/Flag', { accept: 'application/fhir+xml' })
    expect(answer.status).toBe(502)
    expect(answer.body).toContain('_count')
  })

  test.each(['{"resourceType":"Bundle"', '{"resourceType":"Bundle","link":[}', '', 'no'])(
    'that is broken is refused: %j',
    async (body) => {
      const booted = await bootAndClose()
      booted.upstream.answers({ GET: { status: 200, headers: json, body } })
      expect((await booted.send('GET', '/STU3/Flag')).status).toBe(502)
      expect(booted.records).toMatchObject([{ decision: 'failed', refusedBy: ['upstream-unusable'], status: 502 }])
    },
  )

  /** A search page of so many entries, in parts that end anywhere. */
  function* page(base: string, entries: number, end = ']}') {
    yield Buffer.from(`{"resourceType":"Bundle","link":[{"relation":"next","url":"${base}?_getpages=a"}],"entry":[`)
    const narrative = 'é'.repeat(5000)
    for (let at = 0; at < entries; at++) {
      const flag = `{"resourceType":"Flag","id":"f${at}","text":"${narrative}","url":"http://127.0.0.1/fhir"}`
      const entry = Buffer.from(`${at === 0 ? '' : ','}{"fullUrl":"${base}/Flag/f${at}","resource":${flag}}`)
      yield entry.subarray(0, at % entry.length)
      yield entry.subarray(at % entry.length)
    }
    yield Buffer.from(end)
  }

  test('may be as large as the server likes in JSON: it is rewritten as it comes', async () => {
    const booted = await bootAndClose({ limits: { rewriteBytes: 1024 } })
    const { href } = booted.upstream.url
    booted.upstream.answers({ GET: (res) => void pipeline(page(href, 2000), res.writeHead(200, json)) })
    const answer = await booted.send('GET', '/STU3/Flag')
    expect(answer.body === Buffer.concat([...page(`${booted.origin}/STU3`, 2000)]).toString()).toBe(true)
    expect(answer.headers).not.toHaveProperty('content-length')
    expect(booted.records).toMatchObject([{ decision: 'relayed', status: 200, upstreamStatus: 200 }])
  })

  test('that turns out to be broken when much of it has gone on ends the client’s connection', async () => {
    const booted = await bootAndClose()
    const { href } = booted.upstream.url
    booted.upstream.answers({ GET: (res) => void pipeline(page(href, 200, '}]'), res.writeHead(200, json)) })
    await expect(booted.send('GET', '/STU3/Flag')).rejects.toThrow(/aborted|hang up|ECONNRESET/)
    await booted.recorded(1)
    expect(booted.records).toMatchObject([{ decision: 'failed', status: 200 }])
  })

  test('has the request id, as every answer has', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ GET: { status: 200, headers: json, body: '{"resourceType":"Flag"}' } })
    const id = '3d2b8a6e-0d0e-4a52-9d3c-2f6f2b1c5a77'
    for (const target of ['/STU3/Flag/1', '/STU3/Flag']) {
      expect((await booted.send('GET', target, { 'x-request-id': id })).headers['x-request-id']).toBe(id)
    }
  })
})

describe('a search by POST', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' }

  test('has its form read and written anew', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ POST: { status: 200, headers: json, body: '{"resourceType":"Bundle"}' } })
    const answer = await booted.send('POST', '/STU3/Flag/_search', form, 'patient=9000000009&name=a+b%26c')
    expect(answer.status).toBe(200)
    expect(booted.upstream.seen[0]).toMatchObject({
      method: 'POST',
      url: '/fhir/Flag/_search',
      body: 'patient=9000000009&name=a%20b%26c',
    })
    expect(booted.records).toMatchObject([{ interaction: 'search-type', decision: 'relayed' }])
  })

  test.each([
    ['a=%zz', 400],
    ['a=b c', 400],
    ['_method=PUT', 400],
    ['_format=json&_format=xml', 400],
    ['_format=html/json', 406],
  ])('with the form %j is refused', async (body, status) => {
    const booted = await bootAndClose()
    expect((await booted.send('POST', '/STU3/Flag/_search', form, body)).status).toBe(status)
    expect(booted.upstream.seen).toEqual([])
  })

  test('with another body is refused', async () => {
    const booted = await bootAndClose()
    const answer = await booted.send('POST', '/STU3/Flag/_search', json, '{}')
    expect([answer.status, answer.headers['accept']]).toEqual([415, 'application/x-www-form-urlencoded'])
  })
})

describe('a read that fails', () => {
  test('an upstream that is not there gives 502', async () => {
    const booted = await bootAndClose({ upstreamUrl: new URL('http://127.0.0.1:1/fhir') })
    const answer = await booted.send('GET', '/STU3/Flag/1')
    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.body)).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'transient' }] })
    expect(booted.records).toMatchObject([{ decision: 'failed', refusedBy: ['upstream-unreachable'] }])
  })

  test.each([
    ['a read', '/STU3/Flag/1'],
    ['a search', '/STU3/Flag'],
  ])('an upstream that keeps silent gives %s a 504', async (_what, target) => {
    const booted = await bootAndClose({ timeouts: { upstreamMs: 150 } })
    booted.upstream.answers({ GET: () => {} })
    const answer = await booted.send('GET', target)
    expect(answer.status).toBe(504)
    expect(answer.headers['content-type']).toContain('application/fhir+json')
  })

  test.each([
    ['dies', 502, (res: ServerResponse) => void res.destroy()],
    ['falls silent', 504, () => {}],
  ])('an upstream that %s in mid-body gives %d, never half an answer', async (_what, status, then) => {
    const booted = await bootAndClose({ timeouts: { upstreamMs: 150 } })
    booted.upstream.answers({
      [get]: (res) => {
        res.writeHead(200, { ...json, 'content-length': '100' })
        res.write('{"resourceType"', () => then(res))
      },
    })
    const answer = await booted.send('GET', '/STU3/Flag/1')
    expect([answer.status, (JSON.parse(answer.body) as { resourceType: string }).resourceType]).toEqual([
      status,
      'OperationOutcome',
    ])
    expect(booted.records).toMatchObject([{ decision: 'failed', status }])
  })

  /** More than is gathered before the first byte goes on to the client. */
  const large = Buffer.alloc(400 * 1024, 'x')

  test('a large answer is streamed on as it comes', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: { status: 200, headers: json, body: large } })
    const answer = await booted.send('GET', '/STU3/Flag/1')
    expect([answer.status, answer.body === large.toString()]).toEqual([200, true])
  })

  test.each([
    ['dies', (res: ServerResponse) => void res.destroy()],
    ['falls silent', () => {}],
  ])('an upstream that %s in a large answer ends the client’s, instead of leaving it waiting', async (_what, then) => {
    const booted = await bootAndClose({ timeouts: { upstreamMs: 150 } })
    booted.upstream.answers({
      [get]: (res) => {
        res.writeHead(200, { ...json, 'content-length': String(2 * large.length) })
        res.write(large, () => then(res))
      },
    })
    await expect(booted.send('GET', '/STU3/Flag/1')).rejects.toThrow(/aborted|hang up|ECONNRESET/)
    await booted.recorded(1)
    expect(booted.records).toMatchObject([{ decision: 'failed', status: 200 }])
  })

  test.each([
    ['a read', '/STU3/Flag/1'],
    ['a search', '/STU3/Flag'],
  ])('an upstream that switches protocols gives %s a 502', async (_what, target) => {
    const booted = await bootAndClose()
    booted.upstream.answers({
      GET: (res) => {
        res.socket!.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
      },
    })
    expect((await booted.send('GET', target)).status).toBe(502)
  })

  test.each<[string, (res: ServerResponse) => void]>([
    ['informational answers without an end', (res) => res.writeProcessing()],
    ['a body that drips', (res) => (res.headersSent ? res.write(' ') : res.writeHead(200, json))],
  ])('an upstream that gives %s gives a search a 504', async (_what, part) => {
    const booted = await bootAndClose({ timeouts: { upstreamMs: 150 } })
    booted.upstream.answers({
      GET: (res) => {
        const timer = setInterval(part, 10, res)
        res.once('close', () => clearInterval(timer))
      },
    })
    expect((await booted.send('GET', '/STU3/Flag')).status).toBe(504)
  })

  test('half a Bundle gives 502', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({
      GET: (res) => {
        res.writeHead(200, { ...json, 'content-length': '100' })
        res.write('{', () => res.destroy())
      },
    })
    expect((await booted.send('GET', '/STU3/Flag')).status).toBe(502)
  })

  test.each(['/STU3/Flag/1', '/STU3/Flag'])(
    'a client that goes away ends the upstream’s request, too: %s',
    async (target) => {
      const booted = await bootAndClose()
      const ended = new Promise<void>((resolve) => {
        booted.upstream.answers({
          GET: (res) => {
            res.once('close', resolve)
            client.destroy()
          },
        })
      })
      const client = http.get(`${booted.origin}${target}`, { agent: false })
      client.on('error', () => {})
      await ended
      await booted.recorded(1)
      expect(booted.records).toMatchObject([{ decision: 'failed', status: 499 }])
      expect(booted.gateway.inFlight()).toBe(0)
    },
  )
})
