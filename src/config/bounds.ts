import type { z } from 'zod'
import type { breakerSchema, limitsSchema, timeoutsSchema } from './bounds-schema.ts'
import { longestDuration } from './units.ts'

/** How much is too much. Sizes are bytes. */
export interface Limits {
  /** The largest request body, after inflating. */
  readonly bodyBytes: number
  /** The deepest nesting of a body. */
  readonly nesting: number
  /** The most elements of a body, and of a stored resource that is read to be judged. */
  readonly elements: number
  /** The most entries of a transaction or batch. */
  readonly bundleEntries: number
  /** The largest stored resource that is read to be judged. */
  readonly storedBytes: number
  /** The largest answer whose URLs are rewritten (a Bundle, a CapabilityStatement). */
  readonly rewriteBytes: number
  /** The most refusals that one answer names. */
  readonly refusals: number
  /** The most connections of clients at the same time. */
  readonly connections: number
  /** The most requests that are answered at the same time. */
  readonly inFlight: number
  /** The most that the bodies of all requests take together while they are received and answered. */
  readonly heldBytes: number
  /** How many requests may come from one IP address in a time. */
  readonly rate: 'off' | Rate
  /** How many a client may send that its token names. */
  readonly clientRate: 'off' | Rate
}

export interface Rate {
  readonly requests: number
  readonly perMs: number
}

/** When an upstream counts as failing, so that nothing is sent to it for a while. */
export interface BreakerTerms {
  /** How many of a hundred requests must have failed. */
  readonly percent: number
  /** Of at least so many. */
  readonly ofAtLeast: number
  /** In this time, in milliseconds. */
  readonly withinMs: number
  /** For so long nothing is sent, in milliseconds. */
  readonly pauseMs: number
}

/** How long is too long. All are milliseconds. */
export interface Timeouts {
  /** To receive the header section of a request, and its body. */
  readonly headerSectionMs: number
  readonly bodyMs: number
  /** For the client to take an answer that the gateway holds, or the next part of one that it streams. */
  readonly answerTakenMs: number
  /** How long a connection without a request stays open. */
  readonly idleMs: number
  /** To connect to the upstream. */
  readonly connectMs: number
  /** From the sending of a request to the first byte of the upstream's answer. */
  readonly firstByteMs: number
  /** Between two parts of the upstream's answer. */
  readonly betweenPartsMs: number
  /** For the whole of it, unless it is streamed on to the client. */
  readonly wholeMs: number
  /** After SIGTERM, for who sends requests to learn that they are to go elsewhere. */
  readonly drainDelayMs: number
  /** Then, to let requests in flight end. */
  readonly drainMs: number
}

export function limitsOf(limits: z.output<typeof limitsSchema>): Limits {
  return {
    bodyBytes: limits.body,
    nesting: limits.nesting,
    elements: limits.elements,
    bundleEntries: limits['bundle-entries'],
    storedBytes: limits['stored-resource'],
    rewriteBytes: limits['rewritten-answer'],
    refusals: limits.refusals,
    connections: limits.connections,
    inFlight: limits['in-flight'],
    heldBytes: limits['held-bodies'],
    rate: rateOf(limits.rate),
    clientRate: rateOf(limits['client-rate']),
  }
}

const rateOf = (rate: z.output<typeof limitsSchema>['rate']) =>
  rate === 'off' ? rate : { requests: rate.requests, perMs: rate.per }

export function timeoutsOf(timeouts: z.output<typeof timeoutsSchema>): Timeouts {
  const { request, upstream } = timeouts
  return {
    headerSectionMs: timeouts['header-section'] ?? request,
    bodyMs: timeouts.body ?? request,
    answerTakenMs: timeouts['answer-taken'],
    idleMs: timeouts.idle,
    connectMs: timeouts.connect,
    firstByteMs: timeouts['first-byte'] ?? upstream,
    betweenPartsMs: timeouts['between-parts'] ?? upstream,
    wholeMs: timeouts.whole ?? Math.min(2 * upstream, longestDuration),
    drainDelayMs: timeouts['drain-delay'],
    drainMs: timeouts.drain,
  }
}

export function breakerOf(breaker: Exclude<z.output<typeof breakerSchema>, 'off'>): BreakerTerms {
  return {
    percent: breaker.failed,
    ofAtLeast: breaker['of-at-least'],
    withinMs: breaker.within,
    pauseMs: breaker.pause,
  }
}
