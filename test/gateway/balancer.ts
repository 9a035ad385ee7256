import { EventEmitter, once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

/** One gateway behind the balancer. */
export interface Replica {
  /** Where it takes requests, and where it tells whether it is ready. */
  readonly origin: string
  readonly admin: string
}

/** In front of several gateways, as simple as they come. */
export interface Balancer {
  readonly port: number
  /** Asks a replica for its readiness from now on; resolves when it has been ready for the first time. */
  add(replica: Replica): Promise<void>
  /** Does not ask it any more. */
  remove(replica: Replica): void
  /** Resolves when a replica has answered so many requests. */
  answered(replica: Replica, count: number): Promise<void>
}

const askedEveryMs = 25

/**
 * Sends requests in turns to the replicas whose /health/ready was 200 when it last asked, over connections that it keeps. It
 * sends nothing twice: what a replica does not answer is 502 to the client.
 */
export async function startBalancer(): Promise<Balancer> {
  const agents = new Map<Replica, http.Agent>()
  const ready = new Set<Replica>()
  const answers = new EventEmitter<{ answer: [Replica] }>()
  const counts = new Map<Replica, number>()
  answers.on('answer', (replica) => counts.set(replica, (counts.get(replica) ?? 0) + 1))
  let turn = 0

  const server = http.createServer((req, res) => {
    const [...choices] = ready
    const replica = choices[turn++ % choices.length]
    if (!replica) {
      res.writeHead(503).end('No replica is ready.')
      return
    }
    res.once('finish', () => answers.emit('answer', replica))
    forward(req, res, replica, agents.get(replica)!)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(async () => {
    for (const replica of agents.keys()) remove(replica)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  const remove = (replica: Replica) => {
    ready.delete(replica)
    agents.get(replica)?.destroy()
    agents.delete(replica)
  }
  return {
    port: (server.address() as AddressInfo).port,
    async answered(replica, count) {
      while ((counts.get(replica) ?? 0) < count) await once(answers, 'answer')
    },
    add: (replica) =>
      new Promise((resolve) => {
        agents.set(replica, new http.Agent({ keepAlive: true }))
        const watch = async () => {
          while (agents.has(replica)) {
            const isReady = await fetch(`${replica.admin}/health/ready`).then(
              async (response) => {
                await response.arrayBuffer()
                return response.status === 200
              },
              () => false,
            )
            if (isReady && agents.has(replica)) {
              ready.add(replica)
              resolve()
            } else {
              ready.delete(replica)
            }
            await setTimeout(askedEveryMs)
          }
        }
        void watch()
      }),
    remove,
  }
}

function forward(req: IncomingMessage, res: ServerResponse, { origin }: Replica, agent: http.Agent): void {
  const { method, url, headers } = req
  const { connection: _, ...fields } = headers
  const forwarded = http.request(origin + url!, { method: method!, headers: fields, agent }, (answer) => {
    const { connection: _, 'keep-alive': __, ...answered } = answer.headers
    res.writeHead(answer.statusCode!, answered)
    answer.pipe(res)
    answer.on('error', () => res.destroy())
  })
  forwarded.on('error', (error: NodeJS.ErrnoException) => {
    if (res.headersSent) res.destroy()
    else res.writeHead(502).end(`The replica did not answer: ${error.code ?? error.message}`)
  })
  req.pipe(forwarded)
}
