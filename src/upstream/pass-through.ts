import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import httpProxy from 'http-proxy'
import type { Dispatcher } from 'undici'
import type { Unavailable, UpstreamTimeouts } from './client.ts'
import { passAnswer } from './pass-answer.ts'
import { createPool, poolConnections } from './pool.ts'
import { readingClients } from './reading-clients.ts'
import type { JsonRewriter } from './rewrite-json.ts'

/** A read, as the gateway has rebuilt it. Only GETs without a body pass through; a HEAD is sent as its GET. */
export interface PassingRead {
  /** Path and query below the origin, as they are to be sent. */
  readonly path: string
  readonly headerFields: Readonly<Record<string, string>>
  /** The largest answer that is gathered, in bytes. */
  readonly maxBytes: number
  /** How an answer is streamed on as it comes; undefined: it is gathered and returned. */
  streams(status: number, headerFields: IncomingHttpHeaders): Streaming | undefined
  /** Told of an answer that is streamed, as it was sent, when all of it was there before it went on; undefined: nobody is. */
  readonly whole: ((headerFields: IncomingHttpHeaders, body: Buffer) => void) | undefined
}

export interface Streaming {
  readonly headerFields: Readonly<Record<string, string | string[]>>
  /** Undefined: it goes on to the byte. */
  readonly rewriter?: JsonRewriter
}

/** What became of a read. */
export type PassedRead =
  /** The client has the answer, or as much of it as there was: then its connection has been ended. */
  | {
      readonly kind: 'streamed'
      readonly status: number
      readonly whole: boolean
      /** It is not whole because the client left, or read nothing. */
      readonly clientGone?: true
      readonly error?: unknown
    }
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headerFields: IncomingHttpHeaders
      readonly body: Buffer
    }
  | { readonly kind: 'too-large'; readonly status: number }
  /** It cannot be rewritten. */
  | { readonly kind: 'unusable'; readonly status: number }
  | { readonly kind: 'unreachable' | 'too-slow'; readonly error: unknown }
  | Unavailable
  | { readonly kind: 'client-gone' }

/** Durations in milliseconds. */
export interface PassingTimeouts extends UpstreamTimeouts {
  /** For the client to take the next part of an answer that is streamed on. */
  readonly answerTakenMs: number
}

export interface PassThrough {
  send(req: IncomingMessage, res: ServerResponse, read: PassingRead): Promise<PassedRead>
  close(): void
}

/** Proxies reads to one upstream over connections that are kept alive. */
export function createPassThrough(
  target: URL,
  timeouts: PassingTimeouts,
  dispatcher: Dispatcher = createPool(target.origin, timeouts),
): PassThrough {
  const proxy = httpProxy.createProxyServer({ target })
  const clients = readingClients(poolConnections)
  const passing = new WeakMap<IncomingMessage, Passing>()

  // http-proxy sends a request in passes, of which the last, `stream`, pipes between two of Node's own HTTP streams: 722 µs
  // of CPU time for a read, where a dispatch of undici's takes 278. This pass comes before that one and ends the matter. It
  // sends what the gateway has rebuilt: of the client's request nothing is read here.
  proxy.before('web', 'stream', (req, res) => {
    const { read, passed } = passing.get(req)!
    // Left to the garbage collector, the map grew by a thousand entries between two collections, and each took 6 ms.
    passing.delete(req)
    passed(passAnswer(dispatcher, target.origin, read, { req, res, others: clients }, timeouts))
    return true
  })

  return {
    send: (req, res, read) =>
      new Promise((passed) => {
        passing.set(req, { read, passed })
        proxy.web(req, res)
      }),
    close: () => void dispatcher.destroy(),
  }
}

interface Passing {
  readonly read: PassingRead
  passed(passed: Promise<PassedRead>): void
}
