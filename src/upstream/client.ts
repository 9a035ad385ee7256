import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
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

/** One pooled connection to an upstream. It follows no redirect and sends nothing twice. */
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
  /** For a whole answer: one that comes byte by byte, or after many informational ones, has to end, too. */
  readonly wholeMs: number
}

export function createUpstreamClient(
  origin: string,
  timeouts: UpstreamTimeouts,
  dispatcher: Dispatcher = createPool(origin, timeouts),
): UpstreamClient {
  return {
    send: (request) => dispatch(dispatcher, origin, request, timeouts.wholeMs),
    close: () => dispatcher.close(),
    destroy: () => dispatcher.destroy(),
  }
}

function dispatch(
  dispatcher: Dispatcher,
  origin: string,
  request: UpstreamRequest,
  wholeMs: number,
): Promise<UpstreamReply> {
  return new Promise((resolve) => {
    let deadline: NodeJS.Timeout | undefined
    const chunks: Buffer[] = []
    let sent = false
    let size = 0
    let status = 0
    let headerFields: IncomingHttpHeaders = {}
    dispatcher.dispatch(
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
          sent = true
          // A GET may be started twice: undici sends it again when a kept connection turns out to be closed.
          clearTimeout(deadline)
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
