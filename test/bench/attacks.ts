import net, { type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { here, startChild, type Child } from './child.ts'
import type { Findings } from './findings.ts'
import { startGateway } from './servers.ts'
import { fixed, grouped, mebibytes, table } from './table.ts'

interface Attack {
  readonly what: string
  readonly connections: number
  /** What the attacker does with a connection. */
  start(socket: Socket): void
}

interface Stood extends Pick<Attack, 'what' | 'connections'> {
  /** The most while it went on, in bytes. */
  readonly rss: number
  /** How long reads of another client took, in milliseconds; of those that were answered with 200. */
  readonly reads: readonly number[]
  /** How many were not. */
  readonly unanswered: number
}

const get = (path: string) => `GET /STU3/${path} HTTP/1.1\r\nHost: a\r\n`
const put = 'PUT /STU3/Flag/1 HTTP/1.1\r\nHost: a\r\nIf-Match: W/"1"\r\nContent-Type: application/fhir+json\r\n'
const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`

const attacks: readonly Attack[] = [
  { what: 'header sections that never end', connections: 10_000, start: (socket) => socket.write(get('Flag/1')) },
  {
    what: 'bodies that stop at 900 KiB',
    connections: 1000,
    start: (socket) => socket.write(`${put}Content-Length: 1000000\r\n\r\n{${' '.repeat(900 * 1024)}`),
  },
  {
    what: 'chunked bodies of 1 GiB',
    connections: 50,
    start(socket) {
      let chunks = 0
      const more = () => {
        while (chunks++ < 16 * 1024 && socket.write(chunk));
      }
      socket.write(`${put}Transfer-Encoding: chunked\r\n\r\n`)
      socket.resume().on('drain', more)
      more()
    },
  },
  {
    what: 'answers without an end, never taken',
    connections: 60,
    start: (socket) => socket.pause().write(`${get('Flag/endless')}\r\n`),
  },
  {
    what: 'answers of 15 MiB, never taken',
    connections: 100,
    start: (socket) => socket.pause().write(`${get('Flag?code=x')}\r\n`),
  },
]

const lastsMs = 8000

/** What clients that mean harm take of the gateway as it is shipped, and what another client notices of them. */
export async function attack(): Promise<Findings> {
  const upstream = startChild({
    role: 'other',
    command: [process.execPath, here('programs/endless-upstream.mjs')],
  })
  const gateway = await startGateway({ basePath: '/STU3', upstream: await upstream.ask<string>('start') })
  const before = await rssOf(gateway.child)
  const stood: Stood[] = []
  for (const one of attacks) stood.push(await stand(one, gateway))
  await gateway.stop()
  await upstream.stop()
  const section = [
    `The shipped config; RSS before is ${mebibytes(before)} MiB. Each attack lasts ${lastsMs / 1000} s, one after another, while another client reads one resource five times a second. What Node has once taken it may keep.`,
    table(
      ['attack', 'connections', 'most RSS MiB', 'read, median ms', 'read, longest ms', 'not answered'],
      stood.map(({ what, connections, rss, reads, unanswered }) => {
        const sorted = [...reads].sort((a, b) => a - b)
        const [median, longest] = [sorted[sorted.length >> 1], sorted.at(-1)]
        return [what, grouped(connections), mebibytes(rss), fixed(median, 0), fixed(longest, 0), grouped(unanswered)]
      }),
    ),
  ].join('\n\n')
  return { heading: 'Attacks', section, data: { before, stood } }
}

async function stand(
  { what, connections, start }: Attack,
  { origin, child }: { readonly origin: string; readonly child: Child },
): Promise<Stood> {
  const { port } = new URL(origin)
  const sockets: Socket[] = []
  for (let at = 0; at < connections; at++) {
    const socket = net.connect(Number(port), '127.0.0.1').on('error', () => {})
    sockets.push(socket)
    start(socket)
    // So that the queue of what is not accepted yet does not overflow.
    if (at % 100 === 99) await setTimeout(5)
  }
  let rss = 0
  let unanswered = 0
  const reads: number[] = []
  for (const until = performance.now() + lastsMs; performance.now() < until; await setTimeout(200)) {
    const started = performance.now()
    const status = await fetch(`${origin}/STU3/Flag/1`).then(
      async (answer) => {
        await answer.arrayBuffer()
        return answer.status
      },
      () => 0,
    )
    if (status === 200) reads.push(performance.now() - started)
    else unanswered++
    rss = Math.max(rss, await rssOf(child))
  }
  for (const socket of sockets) socket.destroy()
  return { what, connections, rss, reads, unanswered }
}

const rssOf = async (child: Child) => (await child.ask<{ readonly rss: number }>('memory')).rss
