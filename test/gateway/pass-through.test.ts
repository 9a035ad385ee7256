import http from 'node:http'
import net from 'node:net'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { bootAndClose, type Booted } from './booted.ts'
import { resource } from './stub-upstream.ts'

const json = { 'content-type': 'application/fhir+json' }
const part = Buffer.alloc(64 * 1024, 'x')
/** Far more than the buffers between an upstream and a client hold, in parts. */
const parts = 1000

/** The upstream gives all these parts, as fast as they are taken. Tells how many it has given, and when it is over. */
function answerWithParts(booted: Booted) {
  const given = { parts: 0, over: Promise.resolve(false) }
  booted.upstream.answers({
    GET: (res) => {
      res.writeHead(200, { ...json, 'content-length': String(parts * part.length) })
      const all = function* () {
        for (given.parts = 0; given.parts < parts; given.parts++) yield part
      }
      given.over = pipeline(all, res).then(
        () => true,
        () => false,
      )
    },
  })
  return given
}

const paused = (booted: Booted) =>
  new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get(`${booted.origin}/STU3/Flag/1`, { agent: false }, (res) => resolve(res.pause())).on('error', reject)
  })

/** Until it does not change any more while everything else has its turn. */
async function still(value: () => number): Promise<number> {
  for (let before = -1, same = 0; same < 200; before = value()) {
    await setImmediate()
    same = value() === before ? same + 1 : 0
  }
  return value()
}

test('a client that reads slowly holds the upstream back, and gets everything', async () => {
  const booted = await bootAndClose()
  const given = answerWithParts(booted)
  const res = await paused(booted)
  expect(await still(() => given.parts)).toBeLessThan(parts / 2)
  let size = 0
  for await (const chunk of res) size += (chunk as Buffer).length
  expect(size).toBe(parts * part.length)
  expect(await given.over).toBe(true)
  await booted.recorded(1)
  expect(booted.records).toMatchObject([{ decision: 'relayed', status: 200 }])
})

test('a client that reads nothing does not keep the upstream’s connection for ever', async () => {
  const booted = await bootAndClose({ timeouts: { upstreamMs: 150 } })
  const given = answerWithParts(booted)
  const res = await paused(booted)
  await booted.recorded(1)
  expect(booted.records).toMatchObject([{ decision: 'failed', status: 200 }])
  expect(await given.over).toBe(false)
  await expect(res.toArray()).rejects.toThrow('aborted')
})

test('a client that leaves in the middle of a large answer ends the upstream’s, too', async () => {
  const booted = await bootAndClose()
  const given = answerWithParts(booted)
  const res = await paused(booted)
  res.destroy()
  await booted.recorded(1)
  expect(await given.over).toBe(false)
  expect(booted.records).toMatchObject([{ decision: 'failed', status: 200 }])
})

test('of a client that leaves, the reads that wait behind another one end as well', async () => {
  const booted = await bootAndClose()
  const closed: Promise<void>[] = []
  const both = new Promise<void>((resolve) => {
    booted.upstream.answers({
      GET: (res) => {
        closed.push(new Promise((isClosed) => res.once('close', isClosed)))
        if (closed.length === 2) resolve()
      },
    })
  })
  const client = net.connect(booted.port, '127.0.0.1')
  client.write('GET /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\n\r\nGET /STU3/Flag/2 HTTP/1.1\r\nHost: x\r\n\r\n')
  await both
  client.destroy()
  await Promise.all(closed)
  await booted.recorded(2)
  expect(booted.records).toMatchObject([{ status: 499 }, { status: 499 }])
  expect(booted.gateway.inFlight()).toBe(0)
})

test('a connection to the upstream is used again, but not after the upstream has closed it', async () => {
  const booted = await bootAndClose()
  const sockets = new Set<net.Socket>()
  let closed: Promise<unknown> = Promise.resolve()
  booted.upstream.answers({
    GET: (res, req) => {
      sockets.add(req.socket)
      closed = new Promise((resolve) => req.socket.once('close', resolve))
      res.writeHead(200, json).end('{"resourceType":"Flag"}')
    },
  })
  const read = async () => (await booted.send('GET', '/STU3/Flag/1')).status
  expect([await read(), await read(), sockets.size]).toEqual([200, 200, 1])
  for (const socket of sockets) socket.end()
  await closed
  expect([await read(), sockets.size]).toEqual([200, 2])
})

test('an answer without a length gets one when it has been gathered, and none of its chunks', async () => {
  const booted = await bootAndClose()
  const body = '{"resourceType":"Flag"}'
  booted.upstream.answers({
    GET: (res) => {
      res.writeHead(200, json).write(body.slice(0, 9))
      res.end(body.slice(9))
    },
  })
  const answer = await booted.send('GET', '/STU3/Flag/1')
  expect(answer).toMatchObject({ body, headers: { 'content-length': String(body.length) } })
  expect(answer.headers).not.toHaveProperty('transfer-encoding')
})

test('a query goes upstream as it came', async () => {
  const booted = await bootAndClose()
  booted.upstream.answers({ GET: resource('{"resourceType":"Bundle"}') })
  const query = '?code=%2e%2e/../a//b&x=%41+%20:@!$()*,;[]|{}^`"<>\\'
  expect((await booted.send('GET', `/STU3/Flag${query}`)).status).toBe(200)
  expect(booted.upstream.seen.map(({ url }) => url)).toEqual([`/fhir/Flag${query}`])
})
