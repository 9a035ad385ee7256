import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import net, { type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bootAndClose, type Booted } from './booted.ts'
import { resource } from './stub-upstream.ts'

const flag = resource('{"resourceType":"Flag","id":"1","status":"active"}')

const read = (booted: Booted, headers = {}) => booted.send('GET', '/STU3/Flag/1', headers)

/** Has the upstream hold its answer to the next read, and gives it when the read has arrived. */
function held(booted: Booted): Promise<ServerResponse> {
  return new Promise((resolve) => booted.upstream.answers({ GET: (res) => resolve(res) }))
}

const answer = (res: ServerResponse) =>
  res.writeHead(200, { 'content-type': 'application/fhir+json' }).end('{"resourceType":"Flag","id":"1"}')

/** A connection of the test's own, as the client and as the gateway have it. */
async function connect(booted: Booted): Promise<{ readonly client: Socket; readonly server: Socket }> {
  const accepted = once(booted.gateway.server, 'connection') as Promise<[Socket]>
  const client = net.connect(booted.port, '127.0.0.1')
  client.on('error', () => {})
  onTestFinished(() => void client.destroy())
  const [server] = await accepted
  return { client, server }
}

const codesOf = (body: string) => (JSON.parse(body) as { issue: { code: string }[] }).issue.map(({ code }) => code)

describe('too many requests at the same time', () => {
  test('are answered with 503 and Retry-After until one has ended', async () => {
    const booted = await bootAndClose({ limits: { inFlight: 1 } })
    const arrived = held(booted)
    const first = read(booted)
    const response = await arrived
    const id = '3d2b8a6e-0d0e-4a52-9d3c-2f6f2b1c5a77'
    const second = await read(booted, { 'x-request-id': id })
    expect(second.status).toBe(503)
    expect(second.headers).toMatchObject({ 'retry-after': '1', 'x-request-id': id })
    expect(codesOf(second.body)).toEqual(['throttled'])
    expect(booted.records).toMatchObject([{ refusedBy: ['overloaded'], status: 503 }])
    expect(booted.upstream.seen).toHaveLength(1)
    answer(response)
    expect((await first).status).toBe(200)
    booted.upstream.answers({ GET: flag })
    expect((await read(booted)).status).toBe(200)
  })
})

describe('a client that sends more requests than it may', () => {
  const rate = { requests: 2, perMs: 3_600_000 }

  test('is answered with 429 and told when it may again', async () => {
    const booted = await bootAndClose({ limits: { rate } })
    booted.upstream.answers({ GET: flag })
    expect([(await read(booted)).status, (await read(booted)).status]).toEqual([200, 200])
    const third = await read(booted)
    expect(third.status).toBe(429)
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(3500)
    expect(Number(third.headers['retry-after'])).toBeLessThanOrEqual(3600)
    expect(codesOf(third.body)).toEqual(['throttled'])
    expect(booted.records.at(-1)).toMatchObject({ refusedBy: ['too-many-requests'], status: 429 })
    expect(booted.upstream.seen).toHaveLength(2)
  })

  test('is counted whatever it asks for', async () => {
    const booted = await bootAndClose({ limits: { rate } })
    await booted.send('DELETE', '/nowhere')
    await booted.send('GET', '/STU3//Flag')
    expect((await read(booted)).status).toBe(429)
  })

  test('keeps its count when another config with the same rate is taken, and loses it with another rate', async () => {
    const booted = await bootAndClose({ limits: { rate } })
    booted.upstream.answers({ GET: flag })
    await read(booted)
    await read(booted)
    booted.reconfigure({ limits: { rate: { ...rate } }, cache: 'off' })
    expect((await read(booted)).status).toBe(429)
    booted.reconfigure({ limits: { rate: { ...rate, requests: 3 } } })
    expect((await read(booted)).status).toBe(200)
    booted.reconfigure({ limits: { rate: 'off' } })
    expect((await read(booted)).status).toBe(200)
  })
})

describe('connections', () => {
  test('beyond the most are closed at once', async () => {
    const booted = await bootAndClose({ limits: { connections: 1 } })
    const { client } = await connect(booted)
    expect(await booted.raw()).toBe('')
    client.destroy()
  })

  test('that no request uses are closed when their time is over', async () => {
    const booted = await bootAndClose({ timeouts: { idleMs: 100 } })
    booted.upstream.answers({ GET: flag })
    expect(await booted.raw('GET /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('a client that does not take its answer', () => {
  test('loses its connection when the time for it is over', async () => {
    const booted = await bootAndClose({
      limits: { rewriteBytes: 64 * 1024 ** 2 },
      timeouts: { answerTakenMs: 100, upstreamMs: 60_000, drainMs: 60_000 },
    })
    // More than the system keeps for a connection.
    const entry = { resource: { resourceType: 'Flag', code: { text: 'x'.repeat(32 * 1024 ** 2) } } }
    booted.upstream.answers({ GET: resource({ resourceType: 'Bundle', type: 'searchset', entry: [entry] }) })
    const { client, server } = await connect(booted)
    client.pause()
    client.write('GET /STU3/Flag?code=x HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(server, 'close')
    expect(server.bytesWritten).toBeGreaterThan(0)
    expect(booted.gateway.inFlight()).toBe(0)
  })

  test('that takes it in time keeps the connection', async () => {
    const booted = await bootAndClose({ timeouts: { answerTakenMs: 1 } })
    booted.upstream.answers({ GET: flag })
    const request = 'GET /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\n'
    const raw = await booted.raw(`${request}\r\n`, `${request}Connection: close\r\n\r\n`)
    expect(raw.match(/HTTP\/1\.1 200 /g)).toHaveLength(2)
  })
})

describe('the time to send', () => {
  const put = 'PUT /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\nIf-Match: W/"1"\r\nContent-Type: application/fhir+json\r\n'

  test.each([
    ['a header section is its own', put, { headerSectionMs: 100, bodyMs: 60_000 }],
    ['a body is its own', `${put}Content-Length: 10\r\n\r\n{`, { headerSectionMs: 60_000, bodyMs: 100 }],
  ])('%s', async (_what, bytes, timeouts) => {
    const booted = await bootAndClose({ timeouts })
    expect(await booted.raw(bytes)).toMatch(/^HTTP\/1\.1 408 /)
    expect(booted.records).toMatchObject([{ refusedBy: ['request-timeout'], status: 408 }])
  })
})

describe('leaving', () => {
  test('has each connection end with its next answer, and takes requests until it drains', async () => {
    const booted = await bootAndClose({ timeouts: { drainDelayMs: 1 } })
    const arrived = held(booted)
    const before = booted.raw('GET /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\n\r\n')
    const response = await arrived
    const left = booted.gateway.leave()
    booted.upstream.answers({ GET: flag })
    const during = await booted.raw('GET /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\n\r\n')
    answer(response)
    await left
    const after = await booted.raw('GET /STU3/Flag?x=1 HTTP/1.1\r\nHost: x\r\n\r\n')
    for (const raw of [await before, during, after]) expect(raw).toMatch(/^connection: close\r$/im)
    expect([await before, during].map((raw) => /^HTTP\/1\.1 (\d+)/.exec(raw)?.[1])).toEqual(['200', '200'])
    await booted.gateway.drain()
    await expect(read(booted)).rejects.toThrow('ECONNREFUSED')
  })
})

describe('bodies that together are more than is held', () => {
  const head = (length: number) =>
    `POST /STU3/Flag HTTP/1.1\r\nHost: a\r\nContent-Type: application/fhir+json\r\nContent-Length: ${length}\r\n\r\n`

  test('end the one that has been coming for the longest time, with 503, and the others go on', async () => {
    const booted = await bootAndClose({ limits: { heldBytes: 1000 } })
    const slow = await connect(booted)
    const answered = once(slow.client, 'data') as Promise<[Buffer]>
    const received = once(slow.server, 'data')
    slow.client.write(head(900) + ' '.repeat(700))
    await received
    const { status } = await booted.send(
      'POST',
      '/STU3/Flag',
      { 'content-type': 'application/fhir+json' },
      ' '.repeat(600),
    )
    expect(status).toBe(400)
    const [bytes] = await answered
    expect(bytes.toString()).toMatch(/^HTTP\/1\.1 503 /)
    expect(bytes.toString()).toContain('"throttled"')
    expect(booted.records).toMatchObject([{ status: 503, refusedBy: ['overloaded'] }, { status: 400 }])
    expect(booted.upstream.seen).toEqual([])
  })

  test('are counted as they are after inflating', async () => {
    const booted = await bootAndClose({ limits: { heldBytes: 1000 } })
    const type = { 'content-type': 'application/fhir+json' }
    const zipped = await booted.send(
      'POST',
      '/STU3/Flag',
      { ...type, 'content-encoding': 'gzip' },
      gzipSync(' '.repeat(1200)),
    )
    expect(zipped.status).toBe(503)
    const { status } = await booted.send('POST', '/STU3/Flag', type, ' '.repeat(900))
    expect(status).toBe(400)
  })

  test('count no longer when they have been answered', async () => {
    const booted = await bootAndClose({ limits: { heldBytes: 1000 } })
    for (let i = 0; i < 5; i++) {
      const { status } = await booted.send(
        'POST',
        '/STU3/Flag',
        { 'content-type': 'application/fhir+json' },
        ' '.repeat(900),
      )
      expect(status).toBe(400)
    }
  })
})
