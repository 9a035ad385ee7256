import net from 'node:net'
import { describe, expect, test } from 'vitest'
import { bootAndClose } from './booted.ts'
import { jsonHeaders, removal, stored } from './records.ts'
import { resource } from './stub-upstream.ts'

const close = 'Host: x\r\nConnection: close\r\n'
const outcomeOf = (raw: string) => JSON.parse(raw.slice(raw.indexOf('\r\n\r\n') + 4)) as { resourceType: string }
const statusOf = (raw: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(raw)?.[1])

describe('what is not an open interaction is refused and never passed on', () => {
  test.each([
    ['DELETE', '/Flag/1', 'GET, HEAD, PUT'],
    ['PATCH', '/Flag/1', 'GET, HEAD, PUT'],
    ['OPTIONS', '/Flag/1', 'GET, HEAD, PUT'],
    ['POST', '/Flag/1', 'GET, HEAD, PUT'],
    ['PROPFIND', '/Flag/1', 'GET, HEAD, PUT'],
    ['PUT', '/Flag?_id=1', 'GET, HEAD, POST'],
    ['DELETE', '/Flag', 'GET, HEAD, POST'],
    ['PUT', '/Flag/1/_history/1', 'GET, HEAD'],
    ['GET', '/Flag/_search', 'POST'],
    ['POST', '', ''],
    ['GET', '', ''],
    ['GET', '/Patient/1', ''],
    ['GET', '/Flag/1/x', ''],
    ['POST', '/Flag/$validate', ''],
  ])('%s [base]%s is 405 with Allow: %j', async (method, below, allow) => {
    const booted = await bootAndClose()
    const answer = await booted.send(method, `/STU3${below}`)
    expect(answer.status).toBe(405)
    expect(answer.headers['allow']).toBe(allow)
    expect(answer.body).toContain('NOT_IMPLEMENTED')
    expect(booted.upstream.seen).toEqual([])
    expect(booted.records).toMatchObject([{ decision: 'refused', refusedBy: ['interaction-not-offered'], status: 405 }])
  })

  test.each(['/', '/x', '/STU3x/Flag/1', '/stu3/Flag/1', '/metadata'])(
    '%s is 404 and names the bases',
    async (target) => {
      const booted = await bootAndClose()
      const answer = await booted.send('GET', target)
      expect(answer.status).toBe(404)
      expect(answer.body).toContain('/STU3.')
      expect(booted.upstream.seen).toEqual([])
    },
  )

  test.each([
    '//STU3/Flag/1',
    '/STU3//Flag/1',
    '/STU3/Flag/1/',
    '/STU3/Flag/../Flag/1',
    '/STU3/%46lag/1',
    '/STU3/..\\Flag/1',
    '/STU3/Flag;a/1',
    '/STU3/Flag/1#x',
    'http://x/STU3/Flag/1',
    '*',
    '/STU3/Flag/1?x=1',
    '/STU3/Flag/1?_method=GET',
  ])('a PUT to %s is 400, also as Express sees it', async (target) => {
    const booted = await bootAndClose()
    const raw = await booted.raw(`PUT ${target} HTTP/1.1\r\n${close}If-Match: W/"1"\r\nContent-Length: 0\r\n\r\n`)
    expect(statusOf(raw)).toBe(400)
    expect(outcomeOf(raw).resourceType).toBe('OperationOutcome')
    expect(booted.upstream.seen).toEqual([])
    expect(booted.records).toHaveLength(1)
  })
})

describe('header fields that could be read in two ways are refused', () => {
  test.each([
    ['no Host', 'Connection: close\r\n'],
    ['two Hosts', `Host: y\r\n${close}`],
    ['a Host with a path', 'Host: x/y\r\nConnection: close\r\n'],
    ['two Content-Types', `${close}Content-Type: application/fhir+json\r\nContent-Type: text/plain\r\n`],
    ['two Authorizations', `${close}Authorization: a\r\nAuthorization: b\r\n`],
    ['a method override', `${close}X-HTTP-Method-Override: DELETE\r\n`],
    ['another method override', `${close}X-Method-Override: PUT\r\n`],
    ['a transfer coding', `${close}Transfer-Encoding: gzip, chunked\r\n`],
    ['a body on a GET', `${close}Content-Length: 2\r\n`],
    ['a chunked body on a GET', `${close}Transfer-Encoding: chunked\r\n`],
  ])('%s', async (_what, fields) => {
    const booted = await bootAndClose()
    booted.upstream.answers({ GET: resource('{"resourceType":"Flag"}') })
    const raw = await booted.raw(`GET /STU3/Flag/1 HTTP/1.1\r\n${fields}\r\n`)
    expect(statusOf(raw)).toBe(400)
    expect(outcomeOf(raw).resourceType).toBe('OperationOutcome')
    expect(booted.upstream.seen).toEqual([])
  })

  test('Content-Length: 0 on a GET is no body', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ GET: resource('{"resourceType":"Flag"}') })
    expect((await booted.send('GET', '/STU3/Flag/1', { 'content-length': '0' })).status).toBe(200)
    expect(booted.upstream.seen[0]!.headers).not.toHaveProperty('content-length')
  })

  test.each([
    ['a malformed chunk of a PUT', 'PUT', 'chunked', ['zz\r\n']],
    ['a malformed chunk of a PUT, which comes later', 'PUT', 'chunked', ['1\r\n{\r\n', 'zz\r\n']],
    ['a malformed chunk of a POST', 'POST', 'chunked', ['zz\r\n']],
    ['a malformed chunk of a GET', 'GET', 'chunked', ['zz\r\n']],
    ['an unknown transfer coding of a PUT', 'PUT', 'gzip', ['zz\r\n']],
  ])('%s is answered once, with 400', async (_what, method, coding, body) => {
    const booted = await bootAndClose()
    const target = method === 'POST' ? '/STU3/Flag' : '/STU3/Flag/1'
    const version = method === 'PUT' ? 'If-Match: W/"3"\r\n' : ''
    const fields = `Host: x\r\nContent-Type: application/fhir+json\r\n${version}Transfer-Encoding: ${coding}\r\n`
    const raw = await booted.raw(`${method} ${target} HTTP/1.1\r\n${fields}\r\n${body[0]}`, ...body.slice(1))
    expect(statusOf(raw)).toBe(400)
    expect(outcomeOf(raw).resourceType).toBe('OperationOutcome')
    expect(raw.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(booted.upstream.seen).toEqual([])
    expect(booted.records).toMatchObject([{ decision: 'refused', status: 400 }])
  })

  test.each([
    ['A CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['What is no HTTP', 'zz\r\n\r\n'],
  ])(
    '%s behind a PUT that is under way is not taken for its answer: that one comes, and the end',
    async (_what, behind) => {
      const booted = await bootAndClose()
      const body = JSON.stringify(removal)
      const fields = Object.entries({ host: 'a', ...jsonHeaders('3'), 'content-length': String(body.length) })
      const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      let socket: net.Socket | undefined
      booted.upstream.answers({
        GET: resource(stored('3'), '3'),
        PUT: (res) => {
          const answer = () => res.writeHead(200, { 'content-type': 'application/fhir+json' }).end(body)
          // What a later connection asks has been answered: the gateway has read this by then.
          socket!.write(behind, () => void booted.send('GET', '/STU3/Flag/2').then(answer, answer))
        },
      })
      const raw = await new Promise<string>((resolve) => {
        let text = ''
        socket = net.connect(booted.port, '127.0.0.1')
        socket.on('data', (chunk) => (text += String(chunk)))
        socket.on('error', () => {})
        socket.on('close', () => resolve(text))
        socket.write(`PUT /STU3/Flag/1 HTTP/1.1\r\n${head}\r\n${body}`)
      })
      expect(statusOf(raw)).toBe(200)
      expect(raw.endsWith(body)).toBe(true)
      expect(raw.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    },
  )

  test('a smuggled request behind a chunked DELETE is not sent on', async () => {
    const booted = await bootAndClose()
    const inner = 'PUT /fhir/Flag/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'
    const chunk = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`
    const raw = await booted.raw(`DELETE /STU3/Flag/1 HTTP/1.1\r\n${close}Transfer-Encoding: chunked\r\n\r\n${chunk}`)
    expect(statusOf(raw)).toBe(405)
    expect(booted.upstream.seen).toEqual([])
  })

  test('an Upgrade is not followed', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ GET: resource('{"resourceType":"Flag"}') })
    const raw = await booted.raw(
      'GET /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\nConnection: close, upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
    expect(statusOf(raw)).toBe(200)
    expect(booted.upstream.seen[0]!.headers).not.toHaveProperty('upgrade')
  })
})

describe('what Node answers by itself has an OperationOutcome', () => {
  test.each([
    ['not HTTP', 'hello\r\n\r\n', 400],
    ['a space in the target', `GET /STU3/Flag/1 x HTTP/1.1\r\n${close}\r\n`, 400],
    ['two lengths', `PUT /STU3/Flag/1 HTTP/1.1\r\n${close}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    [
      'a length and chunks',
      `PUT /STU3/Flag/1 HTTP/1.1\r\n${close}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a folded header field', `GET /STU3/Flag/1 HTTP/1.1\r\n${close}A: b\r\n c: d\r\n\r\n`, 400],
    ['too many header fields', `GET /STU3/Flag/1 HTTP/1.1\r\n${close}A: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n', 405],
  ])('%s', async (_what, request, status) => {
    const booted = await bootAndClose()
    const raw = await booted.raw(request)
    expect(statusOf(raw)).toBe(status)
    expect(outcomeOf(raw).resourceType).toBe('OperationOutcome')
    expect(booted.upstream.seen).toEqual([])
    expect(booted.records).toMatchObject([{ decision: 'refused', status }])
  })

  test('a header section that does not end is 408', async () => {
    const booted = await bootAndClose({ timeouts: { requestMs: 150 } })
    const raw = await booted.raw('GET /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\n')
    expect(statusOf(raw)).toBe(408)
  })

  test('a body that does not come is 408', async () => {
    const booted = await bootAndClose({ timeouts: { requestMs: 150 } })
    const fields = 'Host: x\r\nIf-Match: W/"1"\r\nContent-Type: application/fhir+json\r\nContent-Length: 10\r\n'
    const raw = await booted.raw(`PUT /STU3/Flag/1 HTTP/1.1\r\n${fields}\r\n{`)
    expect(statusOf(raw)).toBe(408)
    expect(booted.records).toMatchObject([{ refusedBy: ['request-timeout'], status: 408 }])
  })

  test('a body that breaks off is recorded once', async () => {
    const booted = await bootAndClose()
    const socket = net.connect(booted.port, '127.0.0.1')
    const fields = 'Host: x\r\nIf-Match: W/"1"\r\nContent-Type: application/fhir+json\r\nContent-Length: 10\r\n'
    socket.write(`PUT /STU3/Flag/1 HTTP/1.1\r\n${fields}Expect: 100-continue\r\n\r\n`)
    // The gateway reads the body now.
    socket.once('data', () => socket.destroy())
    await booted.recorded(1)
    expect(booted.records).toMatchObject([{ decision: 'failed', status: 499 }])
    expect(booted.upstream.seen).toEqual([])
  })
})

describe('an expectation', () => {
  const body = JSON.stringify(removal)
  const put = `PUT /STU3/Flag/1 HTTP/1.1\r\n${close}Content-Type: application/fhir+json\r\nContent-Length: ${body.length}\r\n`

  test('100-continue is honoured for a body that will be read', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ GET: resource(stored('3'), '3'), PUT: resource(stored('4'), '4') })
    const raw = await booted.raw(`${put}If-Match: W/"3"\r\nExpect: 100-continue\r\n\r\n`, body)
    expect(raw).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
  })

  test('100-continue is not given where the body is not wanted, and the connection ends', async () => {
    const booted = await bootAndClose()
    const raw = await booted.raw(`${put.replace('close', 'keep-alive')}Expect: 100-continue\r\n\r\n`)
    expect(statusOf(raw)).toBe(412)
    expect(raw).toMatch(/connection: close/i)
  })

  test.each(['200-maybe', '100-continue, x'])('%s is 417', async (expectation) => {
    const booted = await bootAndClose()
    const raw = await booted.raw(`${put}If-Match: W/"3"\r\nExpect: ${expectation}\r\n\r\n`, body)
    expect(statusOf(raw)).toBe(417)
    expect(booted.upstream.seen).toEqual([])
  })
})

test('a client’s request id is recorded if it is a UUID, and goes upstream in any case', async () => {
  const booted = await bootAndClose()
  booted.upstream.answers({ GET: resource('{"resourceType":"Flag"}') })
  const id = '3d2b8a6e-0d0e-4a52-9d3c-2f6f2b1c5a77'
  await booted.send('GET', '/STU3/Flag/1', { 'x-request-id': id })
  await booted.send('GET', '/STU3/Flag/1', { 'x-request-id': '9000000009' })
  expect(booted.records[0]!.requestId).toBe(id)
  expect(booted.records[1]!.requestId).not.toBe('9000000009')
  expect(booted.upstream.seen.map(({ headers }) => headers['x-request-id'])).toEqual([id, '9000000009'])
})

test('configured header fields go upstream, but none that the gateway sets itself', async () => {
  const booted = await bootAndClose({ forwardHeaderFields: ['x-role', 'if-match', 'content-type', 'host'] })
  booted.upstream.answers({ GET: resource('{"resourceType":"Flag"}') })
  await booted.send('GET', '/STU3/Flag/1', { 'x-role': 'nurse', 'content-type': 'text/plain' })
  expect(booted.upstream.seen[0]!.headers).toMatchObject({ 'x-role': 'nurse', host: booted.upstream.url.host })
  expect(booted.upstream.seen[0]!.headers).not.toHaveProperty('content-type')
})

describe('draining', () => {
  test('lets what is in flight end and takes no more', async () => {
    const booted = await bootAndClose()
    let finish = () => {}
    const arrived = new Promise<void>((resolve) => {
      booted.upstream.answers({
        GET: resource(stored('3'), '3'),
        PUT: (res) => {
          const body = '{"resourceType":"Flag","id":"1"}'
          finish = () => res.writeHead(200, { 'content-type': 'application/fhir+json' }).end(body)
          resolve()
        },
      })
    })
    const answer = booted.send('PUT', '/STU3/Flag/1', jsonHeaders('3'), JSON.stringify(removal))
    await arrived
    expect(booted.gateway.inFlight()).toBe(1)
    const drained = booted.gateway.drain()
    await expect(booted.send('GET', '/STU3/Flag/1')).rejects.toThrow('ECONNREFUSED')
    finish()
    expect((await answer).status).toBe(200)
    await drained
    expect(booted.gateway.inFlight()).toBe(0)
  })

  test('is bounded', async () => {
    const booted = await bootAndClose({ timeouts: { drainMs: 100 } })
    const arrived = new Promise<void>((resolve) => {
      booted.upstream.answers({ GET: () => resolve() })
    })
    const answer = booted.send('GET', '/STU3/Flag/1').catch((error: Error) => error.message)
    await arrived
    await booted.gateway.drain()
    expect(await answer).toMatch(/hang up|ECONNRESET/)
  })
})
