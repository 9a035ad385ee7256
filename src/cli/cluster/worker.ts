import type { Worker } from 'node:cluster'
import type { Settled, Standing } from '../../config/reload.ts'
import type { OperatedGateway } from '../operated.ts'
import { stateEveryMs, type ToPrimary, type ToWorker } from './messages.ts'

/** The place of a worker among the processes that serve together. */
export interface Seat {
  readonly number: number
  readonly sandbox: Standing['sandbox']
  /** What is so in the other processes until they end. */
  readonly settled: Settled
  /** For the hashes in its log. */
  readonly logHashKey: string
  /** Tells the primary what the admin port of a process of its own would say, from now on. */
  serves(port: number, operated: OperatedGateway): void
  /** Tells the primary why this process cannot serve. */
  cannot(mistake: string): Promise<void>
  /** Lets the process end. */
  leave(): void
}

export interface Orders {
  reload(): void
  stop(): void
}

type Start = Extract<ToWorker, { kind: 'start' }>

/** Waits for the primary to say how to start. */
export async function takeSeat(worker: Worker, number: number, orders: Orders): Promise<Seat> {
  const tell = (message: ToPrimary) =>
    new Promise<void>((resolve) => {
      // Without the primary the process ends, whatever became of this.
      if (worker.isConnected()) worker.send(message, undefined, () => resolve())
      else resolve()
    })
  let timer: NodeJS.Timeout | undefined
  let operated: OperatedGateway | undefined
  let begin: (start: Start) => void
  const told = new Promise<Start>((resolve) => void (begin = resolve))
  worker.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'start':
        return begin(message)
      case 'reload':
        return orders.reload()
      case 'stop':
        return orders.stop()
      case 'tell-metrics':
        void operated?.metrics.registry
          .getMetricsAsJSON()
          .then((metrics) => tell({ kind: 'metrics', question: message.question, metrics }))
    }
  })
  await tell({ kind: 'here' })
  const start = await told
  return {
    number,
    sandbox: start.sandbox && { url: new URL(start.sandbox.url), release: start.sandbox.release },
    settled: start.settled,
    logHashKey: start.logHashKey,
    serves(port, serving) {
      operated = serving
      const tellState = () => {
        void tell({ kind: 'state', ...serving.state() })
      }
      tellState()
      timer = setInterval(tellState, stateEveryMs)
      void tell({ kind: 'listening', port })
    },
    cannot: (mistake) => tell({ kind: 'cannot', mistake }),
    leave() {
      clearInterval(timer)
      worker.disconnect()
    },
  }
}
