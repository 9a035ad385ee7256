import { setTimeout } from 'node:timers/promises'
import type { DecisionQueue } from './queue.ts'
import type { DecisionRecord } from './record.ts'

/** What a server said of an event: its HTTP status, or the error for which there is none. */
export type Posted = { readonly status: number } | { readonly error: unknown }

export interface Delivering {
  readonly queue: DecisionQueue
  post(record: DecisionRecord): Promise<Posted>
  /** Keeps a record that the server does not take as it is. */
  setAside(record: DecisionRecord): Promise<void>
  /** Told of each try. */
  tried(result: 'delivered' | 'set-aside' | 'failed', posted: Posted): void
  /** Between two tries after the first failure, in milliseconds; it doubles up to five minutes. */
  readonly retryMs?: number
}

export interface Delivery {
  /** Delivers all that has been pushed by now, up to the first failure and for so many milliseconds at most, and stops. */
  stop(withinMs: number): Promise<void>
}

const longestRetryMs = 5 * 60 * 1000

/** Statuses that say that this very event is not accepted, now and later. Others may be mended on the server, or in gateway.yaml. */
const setAsideFor: ReadonlySet<number> = new Set([400, 409, 412, 413, 422])

/** Delivers what stands in a queue, one after another: what fails is tried again, and nothing overtakes it. */
export function deliver({ queue, post, setAside, tried, retryMs = 1000 }: Delivering): Delivery {
  let wake = () => {}
  let pauseMs = 0
  let stopping = false
  const interrupted = new AbortController()
  queue.onPush(() => wake())

  const tryFirst = async (): Promise<'more' | 'none' | 'failed'> => {
    const line = await queue.first()
    if (!line) return 'none'
    const posted = await post(line.record)
    const status = 'status' in posted ? posted.status : 0
    const isTaken = status >= 200 && status < 300
    if (!isTaken && !setAsideFor.has(status)) {
      tried('failed', posted)
      return 'failed'
    }
    if (!isTaken) await setAside(line.record)
    await queue.delivered(line)
    tried(isTaken ? 'delivered' : 'set-aside', posted)
    return 'more'
  }
  const run = async () => {
    for (;;) {
      // Before the look: what is pushed during it is not missed.
      const pushed = new Promise<void>((resolve) => (wake = resolve))
      // A look that began before the stop may have missed what was pushed since.
      const isLast = stopping
      const found = await tryFirst().catch((error: unknown) => {
        tried('failed', { error })
        return 'failed' as const
      })
      if (stopping && (found === 'failed' || interrupted.signal.aborted)) return
      if (isLast && found === 'none') return
      if (found === 'more') pauseMs = 0
      if (found === 'none') await pushed
      if (found === 'failed') {
        pauseMs = Math.min(pauseMs === 0 ? retryMs : pauseMs * 2, longestRetryMs)
        await Promise.race([setTimeout(pauseMs, undefined, { ref: false }), stopped])
      }
    }
  }
  let stopNow = () => {}
  const stopped = new Promise<void>((resolve) => (stopNow = resolve))
  const running = run()
  return {
    async stop(withinMs) {
      stopping = true
      stopNow()
      wake()
      const late = setTimeout(withinMs, undefined, { ref: false }).then(() => interrupted.abort())
      await Promise.race([running, late])
    },
  }
}
