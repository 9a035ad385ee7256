import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { dispatchRead } from './dispatch-read.ts'
import { createPool } from './pool.ts'

/** A request as the gateway builds it: nothing of a client's request is in it that nobody read. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Path and query below the origin. */
  readonly path: string
  readonly headerFields: Readonly<Record<string, string>>
  readonly body?: string
  /** The largest body of the answer, in bytes. */
  readonly maxBytes: number
}

/** What became of a request. `sent`: the upstream may have seen it, so a write may have been stored. */
export type UpstreamReply =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headerFields: IncomingHttpHeaders
      readonly body: Buffer
    }
  /** No connection, or one that broke before the answer was whole. */
  | { readonly kind: 'unreachable'; readonly sent: boolean; readonly error: unknown }
  | { readonly kind: 'too-slow'; readonly sent: boolean; readonly error: unknown }
  | { readonly kind: 'too-large'; readonly status: number }
  | Unavailable

/** Not sent, for a reason that passes. */
export interface Unavailable {
  readonly kind: 'unavailable'
  readonly cause: 'upstream-unavailable'
  readonly sent: false
  /** When it is worth trying again. */
  readonly seconds: number
}

/** A request that did not come to a whole answer. */
export type Unanswered = Extract<UpstreamReply, { kind: 'unreachable' | 'too-slow' | 'unavailable' }>

/** Pooled connections to an upstream. No redirect is followed, and nothing but a GET is ever sent twice. */
export interface UpstreamClient {
  send(request: UpstreamRequest): Promise<UpstreamReply>
  /** Sends nothing more, and waits for what was sent. */
  close(): Promise<void>
  /** Gives up what was sent: it ends as unreachable. */
  destroy(): Promise<void>
}

/** Durations in milliseconds. */
export interface UpstreamTimeouts {
  readonly connectMs: number
  /** To the first byte of the answer. */
  readonly firstByteMs: number
  readonly betweenPartsMs: number
  /**
   * For a whole answer: one that comes byte by byte, or after many informational ones, has to end, too. Before, as long for a
   * free connection.
   */
  readonly wholeMs: number
}

export function createUpstreamClient(
  origin: string,
  timeouts: UpstreamTimeouts,
  dispatcher: Dispatcher = createPool(origin, timeouts),
): UpstreamClient {
  return {
    send: (request) => sendOnce(dispatcher, origin, request, timeouts.wholeMs),
    close: () => dispatcher.close(),
    destroy: () => dispatcher.destroy(),
  }
}

function sendOnce(
  dispatcher: Dispatcher,
  origin: string,
  request: UpstreamRequest,
  wholeMs: number,
): Promise<UpstreamReply> {
  return new Promise((resolve) => {
    let late: Error | undefined
    const chunks: Buffer[] = []
    let sent = false
    let size = 0
    let status = 0
    let headerFields: IncomingHttpHeaders = {}
    // Until a connection is free, and from then on: a write is never sent with little time left for its answer.
    let deadline = setTimeout(() => {
      late = lateAnswer()
      resolve({ kind: 'too-slow', sent: false, error: late })
    }, wholeMs)
    const send = request.method === 'GET' ? dispatchRead : dispatch
    send(
      dispatcher,
      {
        origin,
        method: request.method,
        path: request.path,
        headers: request.headerFields,
        body: request.body ?? null,
        // A PUT is idempotent to undici and to HTTP; whether it may be sent again is not undici's to decide.
        idempotent: request.method === 'GET',
      },
      {
        onRequestStart(controller) {
          clearTimeout(deadline)
          if (late) {
            // It has been told that nothing was sent, and nothing has been yet.
            controller.abort(late)
            return
          }
          sent = true
          deadline = setTimeout(() => controller.abort(lateAnswer()), wholeMs)
        },
        onResponseStart(_controller, statusCode, headers) {
          if (statusCode < 200) return
          status = statusCode
          headerFields = headers
        },
        onResponseData(controller, chunk) {
          size += chunk.length
          if (size <= request.maxBytes) {
            chunks.push(chunk)
            return
          }
          resolve({ kind: 'too-large', status })
          controller.abort(new Error('The answer is larger than the bound.'))
        },
        onResponseEnd() {
          clearTimeout(deadline)
          resolve({ kind: 'answered', status, headerFields, body: Buffer.concat(chunks) })
        },
        onResponseError(_controller, error) {
          clearTimeout(deadline)
          resolve({ kind: isTimeout(error) ? 'too-slow' : 'unreachable', sent, error })
        },
      },
    )
  })
}

const dispatch = (
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
): void => void dispatcher.dispatch(options, handler)

/** Made when it is late: an error for each request, with its stack, took a tenth of the time of sending it. */
const lateAnswer = () => Object.assign(new Error('The answer took too long as a whole.'), { code: 'ANSWER_TIMEOUT' })

const timeoutCodes = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
  'ANSWER_TIMEOUT',
])

/** Whether an error says that an upstream took too long. */
export function isTimeout(error: unknown): boolean {
  return timeoutCodes.has(String((error as { code?: unknown }).code))
}
