import net, { type AddressInfo, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createUpstreamClient } from '../../src/upstream/client.ts'
import { createPool } from '../../src/upstream/pool.ts'
import { bootAndClose } from './booted.ts'
import { jsonHeaders, removal, stored } from './records.ts'

interface Asked {
  readonly method: string
  readonly socket: Socket
}

/** A server that does with each request on a connection as it is told; all it was asked is told. */
async function server(answer: (asked: Asked, ofConnection: number) => string | undefined) {
  const asked: Asked[] = []
  const listening = net.createServer((socket) => {
    let count = 0
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
      if (end < 0 || text.length < end + 4 + length) return
      const one = { method: text.slice(0, text.indexOf(' ')), socket }
      text = ''
      asked.push(one)
      const told = answer(one, ++count)
      if (told !== undefined) socket.write(told)
    })
  })
  await new Promise<void>((resolve) => {
    listening.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => void listening.close())
  return { url: new URL(`http://127.0.0.1:${(listening.address() as AddressInfo).port}/fhir`), asked }
}

const flag = (version: string) => {
  const body = JSON.stringify(stored(version))
  return `HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nETag: W/"${version}"\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** Closes a kept connection when it is used again. */
const closesKept = ({ method, socket }: Asked, ofConnection: number) => {
  if (ofConnection === 1) return flag(method === 'PUT' ? '4' : '3')
  socket.destroy()
  return undefined
}

const update = ['PUT', '/STU3/Flag/1', jsonHeaders('3'), JSON.stringify(removal)] as const

describe('a connection that the server closes before it answers', () => {
  test('costs a read nothing: it is sent once more', async () => {
    const { url, asked } = await server(closesKept)
    const booted = await bootAndClose({ upstreamUrl: url, cache: 'off' })
    for (let i = 0; i < 2; i++) expect((await booted.send('GET', '/STU3/Flag/1')).status).toBe(200)
    expect(asked).toHaveLength(3)
    expect(asked[1]!.socket).toBe(asked[0]!.socket)
  })

  test('costs the version that is read to be judged nothing, and a write that was sent its outcome', async () => {
    let isFirst = true
    const { url, asked } = await server(({ method, socket }) => {
      if (method === 'GET' && !isFirst) return flag('3')
      isFirst = false
      socket.destroy()
      return undefined
    })
    const booted = await bootAndClose({ upstreamUrl: url, cache: 'off' })
    const answer = await booted.send(...update)
    expect(answer.status).toBe(502)
    expect(answer.body).toContain('It is not known whether the change was stored')
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'GET', 'PUT'])
  })

  test('is tried once more, and not again', async () => {
    const { url, asked } = await server(({ socket }) => void socket.destroy())
    const booted = await bootAndClose({ upstreamUrl: url, cache: 'off' })
    expect((await booted.send('GET', '/STU3/Flag/1')).status).toBe(502)
    expect(asked).toHaveLength(2)
    expect((await booted.send(...update)).status).toBe(502)
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'GET'])
  })

  test('is not tried again when the answer has begun', async () => {
    const { url, asked } = await server(({ socket }) => {
      socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\n{')
      return undefined
    })
    const booted = await bootAndClose({ upstreamUrl: url, cache: 'off' })
    expect((await booted.send('GET', '/STU3/Flag/1')).status).toBe(502)
    expect(asked).toHaveLength(1)
  })
})

describe('a request that waits for a free connection', () => {
  test('is given up when the time for the whole is over, and never sent', async () => {
    const { url, asked } = await server(() => undefined)
    const long = 3_600_000
    const timeouts = { connectMs: long, firstByteMs: long, betweenPartsMs: long, wholeMs: long }
    const pool = createPool(url.origin, timeouts)
    const patient = createUpstreamClient(url.origin, timeouts, pool)
    const hasty = createUpstreamClient(url.origin, { ...timeouts, wholeMs: 100 }, pool)
    const request = { path: '/fhir/Flag/1', headerFields: {}, maxBytes: 1000 }
    const reads = Array.from({ length: 64 }, () => patient.send({ ...request, method: 'GET' }))
    expect(await hasty.send({ ...request, method: 'PUT', body: '{}' })).toMatchObject({ kind: 'too-slow', sent: false })
    await vi.waitFor(() => expect(asked).toHaveLength(64))
    for (const { socket } of asked) socket.write(flag('3'))
    for (const read of await Promise.all(reads)) expect(read).toMatchObject({ kind: 'answered' })
    await patient.close()
    expect(asked).toHaveLength(64)
  })
})
