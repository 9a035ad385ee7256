import cluster, { type Worker } from 'node:cluster'
import type { Log } from '../../audit/log.ts'
import { eachLine } from './lines.ts'
import type { Told } from './merged.ts'
import { remaining } from './merged.ts'
import { stateEveryMs, type MetricsAsJson, type ToPrimary, type ToWorker, type WorkerState } from './messages.ts'

/** Several processes that serve together. One that ends is replaced. */
export interface Pool {
  /** When all of them listen: their port; or why they cannot, for a person. */
  readonly started: Promise<{ readonly port: number } | { readonly mistake: string }>
  /** What those that listen have told last. */
  states(): readonly Told[]
  /** What each of them counts, and what those that have ended had counted. */
  metrics(): Promise<readonly MetricsAsJson[]>
  /** How many have ended that nobody had asked to. */
  ended(): number
  reload(): void
  /** Has all of them let end what is in flight; resolves when the last one is gone. */
  stop(): Promise<void>
}

export interface PoolOptions {
  readonly count: number
  /** The program that each of them runs. */
  readonly program: string
  readonly start: Extract<ToWorker, { kind: 'start' }>
  readonly log: Log
  /** Where the lines go that they write. */
  readonly streams: Readonly<Record<'stdout' | 'stderr', { write(line: string): void }>>
}

/** By which a process knows that it is one of ours. */
export const workerVariable = 'FHIR_GATEWAY_WORKER'

/** Times until a worker that has ended is replaced: doubling from the first to the last, in milliseconds. */
const firstRetryMs = 250
const lastRetryMs = 30_000
/** One that has served for so long ends for another reason than the one before, in milliseconds. */
const settledMs = 60_000
/** A worker that has said nothing for so long is ended, in milliseconds. */
const silentMs = 30_000
/** For so long its metrics are waited for, in milliseconds. */
const metricsMs = 2_000

interface Seat {
  readonly number: number
  worker?: Worker | undefined
  begunAt: number
  /** How many times in a row it was looked whether it lives, and it had said nothing. */
  silence: number
  retryMs: number
  timer?: NodeJS.Timeout
  port?: number | undefined
  state?: WorkerState | undefined
  /** As it told them last. */
  metrics?: MetricsAsJson | undefined
}

export function startPool({ count, program, start, log, streams }: PoolOptions): Pool {
  cluster.setupPrimary({
    exec: program,
    args: ['serve'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  const seats = Array.from({ length: count }, (_, index): Seat => ({
    number: index + 1,
    begunAt: 0,
    silence: 0,
    retryMs: 0,
  }))
  const questions = new Map<number, (seat: Seat) => void>()
  let question = 0
  /** Of those that have ended. One after another: two that end at once would each be added to what was before both. */
  let past: Promise<MetricsAsJson> = Promise.resolve([])
  let ends = 0
  let phase: 'starting' | 'serving' | 'stopping' = 'starting'
  let allGone = () => {}
  let settle: (how: { readonly port: number } | { readonly mistake: string }) => void
  const started = new Promise<{ readonly port: number } | { readonly mistake: string }>(
    (resolve) => void (settle = resolve),
  )

  const send = ({ worker }: Seat, message: ToWorker) => {
    // That it has gone meanwhile is told by its end.
    if (worker?.isConnected()) worker.send(message, undefined, () => {})
  }
  const hear = (seat: Seat, message: ToPrimary) => {
    seat.silence = 0
    switch (message.kind) {
      case 'here':
        // What it was told before, it has not heard. It holds nothing yet that could be lost.
        if (phase === 'stopping') seat.worker?.process.kill('SIGKILL')
        else send(seat, start)
        return
      case 'listening':
        seat.port = message.port
        if (phase === 'starting' && seats.every(({ port }) => port !== undefined)) {
          phase = 'serving'
          settle({ port: message.port })
        }
        return
      case 'cannot':
        if (phase === 'starting') settle({ mistake: message.mistake })
        else log.error({ worker: seat.number, mistake: message.mistake }, 'a worker cannot serve')
        return
      case 'state': {
        const { readiness, policies } = message
        seat.state = { readiness, policies }
        return
      }
      case 'metrics':
        seat.metrics = message.metrics
        questions.get(message.question)?.(seat)
    }
  }
  const fill = (seat: Seat) => {
    const worker = cluster.fork({ [workerVariable]: String(seat.number) })
    Object.assign(seat, { worker, begunAt: performance.now(), silence: 0 })
    for (const name of ['stdout', 'stderr'] as const) {
      eachLine(worker.process[name]!, (line) => streams[name].write(line))
    }
    worker.on('message', (message: ToPrimary) => hear(seat, message))
    worker.on('error', () => {})
    // Not `exit`: what it has written may still be on its way.
    worker.process.once('close', (code, signal) => empty(seat, code, signal))
  }
  const empty = (seat: Seat, code: number | null, signal: string | null) => {
    const { metrics } = seat
    Object.assign(seat, { worker: undefined, port: undefined, state: undefined, metrics: undefined })
    for (const answered of questions.values()) answered(seat)
    if (metrics) past = past.then((before) => remaining(before, metrics))
    if (phase === 'starting') settle({ mistake: `A worker ended before it served (${signal ?? `exit code ${code}`}).` })
    if (phase !== 'serving') {
      if (seats.every(({ worker }) => !worker)) allGone()
      return
    }
    ends++
    const lived = performance.now() - seat.begunAt
    seat.retryMs = lived > settledMs ? firstRetryMs : Math.min(Math.max(2 * seat.retryMs, firstRetryMs), lastRetryMs)
    const { number: worker, retryMs } = seat
    log.error({ worker, code, signal, retryMs }, 'a worker ended, another will take its place')
    seat.timer = setTimeout(() => fill(seat), retryMs)
  }
  const watch = setInterval(() => {
    for (const seat of seats) {
      if (!seat.worker || ++seat.silence * stateEveryMs < silentMs) continue
      seat.silence = 0
      log.error({ worker: seat.number }, 'a worker hangs, and is ended')
      seat.worker.process.kill('SIGKILL')
    }
  }, stateEveryMs)
  for (const seat of seats) fill(seat)

  return {
    started,
    states: () =>
      seats.flatMap(({ number, port, state }) => (port !== undefined && state ? [{ worker: number, state }] : [])),
    async metrics() {
      const asked = ++question
      const open = new Set(seats.filter(({ port }) => port !== undefined))
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, metricsMs)
        const answered = (seat?: Seat) => {
          if (seat) open.delete(seat)
          if (open.size > 0) return
          clearTimeout(late)
          resolve()
        }
        questions.set(asked, answered)
        for (const seat of open) send(seat, { kind: 'tell-metrics', question: asked })
        answered()
      })
      questions.delete(asked)
      return [...seats.flatMap(({ metrics }) => (metrics ? [metrics] : [])), await past]
    },
    ended: () => ends,
    reload() {
      for (const seat of seats) send(seat, { kind: 'reload' })
    },
    async stop() {
      phase = 'stopping'
      const gone = new Promise<void>((resolve) => void (allGone = resolve))
      for (const seat of seats) {
        clearTimeout(seat.timer)
        send(seat, { kind: 'stop' })
      }
      if (seats.some(({ worker }) => worker)) await gone
      clearInterval(watch)
    },
  }
}
