import type { BreakerTerms } from '../config/bounds.ts'

/**
 * `closed`: everything is sent. `open`: nothing is. `half-open`: the pause is over, and one read is sent to see whether the
 * upstream answers again.
 */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** What came of a request: `nothing` says nothing of the upstream, such as a client that left. */
export type Sent = 'answered' | 'failed' | 'nothing'

export interface Breaker {
  state(): BreakerState
  /** Whether a request may be sent, and if not, how many milliseconds are to go until it is worth trying. */
  ask(request: { readonly isRead: boolean }): Permission
}

export type Permission =
  { readonly send: true; settle(sent: Sent): void } | { readonly send: false; readonly waitMs: number }

/** The time is counted in so many parts, of which the oldest is forgotten at a time. */
const parts = 10

/** How long to wait for a probe that is under way, in milliseconds: nobody knows. */
const probeMs = 1000

/**
 * Stops sending to an upstream that fails, and lets one read try whether it has recovered: a write never does, since nobody
 * could tell what became of it.
 * @param now a clock that never goes back, in milliseconds
 * @param onChange called with every state that follows
 */
export function createBreaker(
  terms: BreakerTerms,
  now: () => number,
  onChange: (state: BreakerState) => void,
): Breaker {
  let state: BreakerState = 'closed'
  let counts: { readonly from: number; all: number; failed: number }[] = []
  let pauseEnds = 0
  let probing = false
  /** What was sent before the last change says nothing of what is now. */
  let turn = 0

  const become = (next: BreakerState) => {
    state = next
    turn++
    counts = []
    probing = false
    if (next === 'open') pauseEnds = now() + terms.pauseMs
    onChange(next)
  }
  const count = (failed: boolean) => {
    const at = now()
    while (counts.length > 0 && counts[0]!.from <= at - terms.withinMs) counts.shift()
    let last = counts.at(-1)
    if (!last || last.from <= at - terms.withinMs / parts) {
      last = { from: at, all: 0, failed: 0 }
      counts.push(last)
    }
    last.all++
    if (failed) last.failed++
  }
  const isFailing = () => {
    const all = counts.reduce((sum, part) => sum + part.all, 0)
    const failed = counts.reduce((sum, part) => sum + part.failed, 0)
    return all >= terms.ofAtLeast && failed * 100 >= all * terms.percent
  }

  return {
    state: () => (state === 'open' && now() >= pauseEnds ? 'half-open' : state),
    ask({ isRead }) {
      if (state === 'open' && now() >= pauseEnds) become('half-open')
      const asked = turn
      switch (state) {
        case 'closed':
          return {
            send: true,
            settle(sent) {
              if (asked !== turn || sent === 'nothing') return
              count(sent === 'failed')
              if (sent === 'failed' && isFailing()) become('open')
            },
          }
        case 'open':
          return { send: false, waitMs: pauseEnds - now() }
        case 'half-open':
          if (probing || !isRead) return { send: false, waitMs: probeMs }
          probing = true
          return {
            send: true,
            settle(sent) {
              if (asked !== turn) return
              if (sent === 'nothing') probing = false
              else become(sent === 'failed' ? 'open' : 'closed')
            },
          }
      }
    },
  }
}
