import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import { isTimeout } from './client.ts'
import { dispatchRead } from './dispatch-read.ts'
import type { ReadingClients } from './reading-clients.ts'
import type { PassedRead, PassingRead, PassingTimeouts, Streaming } from './pass-through.ts'

/** So much of an answer is gathered before its first byte goes on, in bytes: one that breaks off before is a 502. */
const gatheredBytes = 256 * 1024

/**
 * Sends a read to the upstream and its answer to the client, or gathers it.
 * Until a byte has gone on, the response is as it was: then the same read may be sent again.
 */
export function passAnswer(
  dispatcher: Dispatcher,
  origin: string,
  { path, headerFields, maxBytes, streams, whole }: PassingRead,
  client: { readonly req: IncomingMessage; readonly res: ServerResponse; readonly others: ReadingClients },
  timeouts: PassingTimeouts,
): Promise<PassedRead> {
  const { req, res, others } = client
  return new Promise((resolve) => {
    let upstream: Dispatcher.DispatchController | undefined
    let timer: NodeJS.Timeout | undefined
    let over = false
    let status = 0
    let answered: IncomingHttpHeaders = {}
    let streamed: Streaming | undefined
    let gathered: Buffer[] = []
    let size = 0
    /** As the upstream sent it, as long as it may be told of whole. */
    let sent: Buffer[] | undefined = whole && []
    let sentSize = 0

    const settle = (passed: PassedRead) => {
      over = true
      others.end(giveUp)
      clearTimeout(timer)
      req.off('close', gone)
      res.off('close', gone).off('drain', goOn).off('finish', ended)
      resolve(passed)
    }
    const settleAndAbort = (passed: PassedRead, reason: Error) => {
      settle(passed)
      upstream?.abort(reason)
    }
    const broke = (error: unknown, clientGone?: true) => {
      if (over) return
      if (!res.headersSent) {
        settle({ kind: isTimeout(error) ? 'too-slow' : 'unreachable', error })
        return
      }
      settle({ kind: 'streamed', status, whole: false, error, ...(clientGone && { clientGone }) })
      // A client must not wait for the rest of an answer that never comes.
      res.destroy()
    }
    const tooLate = (sentence: string, clientGone?: true) => {
      const late = Object.assign(new Error(sentence), { code: 'ANSWER_TIMEOUT' })
      broke(late, clientGone)
      upstream?.abort(late)
    }
    /** Gives up when the time is over. */
    const limit = (milliseconds: number, sentence: string, clientGone?: true) => {
      clearTimeout(timer)
      timer = setTimeout(tooLate, milliseconds, sentence, clientGone)
    }
    /** Lets another have the connection. */
    const giveUp = () => tooLate('The client reads nothing, and others wait.', true)

    const gone = () => {
      const error = new Error('The client left.')
      settleAndAbort(
        res.headersSent ? { kind: 'streamed', status, whole: false, clientGone: true, error } : { kind: 'client-gone' },
        error,
      )
    }
    const ended = () => settle({ kind: 'streamed', status, whole: true })
    const goOn = () => {
      clearTimeout(timer)
      others.takes(giveUp)
      upstream?.resume()
    }
    const write = (chunk: Buffer) => {
      if (res.write(chunk)) return
      upstream!.pause()
      others.stalls(giveUp)
      // A client that reads nothing at all would keep the connection to the upstream.
      limit(timeouts.answerTakenMs, 'The client reads nothing.', true)
    }
    /** What comes of a part of the answer; undefined when it cannot be rewritten. */
    const rewritten = (chunk: Buffer): readonly Buffer[] | undefined => {
      const rewriter = streamed?.rewriter
      if (!rewriter) return [chunk]
      try {
        return rewriter.push(chunk)
      } catch (error) {
        unusable(error as Error)
        return undefined
      }
    }
    const hasEnded = (): boolean => {
      try {
        streamed?.rewriter?.end()
        return true
      } catch (error) {
        unusable(error as Error)
        return false
      }
    }
    const unusable = (error: Error) => {
      if (res.headersSent) broke(error)
      else settle({ kind: 'unusable', status })
      upstream?.abort(error)
    }
    const beginToStream = () => {
      // How long an answer that streams takes is its client's doing, too.
      clearTimeout(timer)
      res.on('drain', goOn).once('finish', ended)
      res.writeHead(status, { ...streamed?.headerFields })
      write(Buffer.concat(gathered))
      gathered = []
      sent = undefined
    }

    others.begin()
    if (req.destroyed || res.destroyed) {
      settle({ kind: 'client-gone' })
      return
    }
    res.once('close', gone)
    // A response that waits behind another one of its connection is not told; what is left of its request is.
    req.once('close', gone)
    limit(timeouts.wholeMs, 'No connection became free in time.')
    dispatchRead(
      dispatcher,
      { origin, method: 'GET', path, headers: headerFields },
      {
        onRequestStart(controller) {
          upstream = controller
          if (over) controller.abort(new Error('Nobody waits for it any more.'))
          // Every informational answer and every byte starts the other time-outs anew.
          else limit(timeouts.wholeMs, 'The answer took too long as a whole.')
        },
        onResponseStart(_controller, statusCode, fields) {
          if (statusCode < 200) return
          status = statusCode
          answered = fields
          streamed = streams(status, answered)
        },
        onResponseData(_controller, chunk) {
          const parts = over ? undefined : rewritten(chunk)
          if (!parts) return
          sentSize += chunk.length
          if (sentSize > gatheredBytes) sent = undefined
          sent?.push(chunk)
          if (parts.length === 0) return
          if (res.headersSent) {
            write(joined(parts))
            return
          }
          for (const part of parts) {
            gathered.push(part)
            size += part.length
          }
          if (streamed) {
            if (size > gatheredBytes) beginToStream()
          } else if (size > maxBytes) {
            settleAndAbort({ kind: 'too-large', status }, new Error('The answer is larger than the bound.'))
          }
        },
        onResponseEnd() {
          if (over || !hasEnded()) return
          clearTimeout(timer)
          if (res.headersSent) {
            // The client has it when it has taken the rest: see `finish`.
            res.end()
            limit(timeouts.answerTakenMs, 'The client reads nothing.', true)
            return
          }
          const body = joined(gathered)
          if (streamed) {
            res.writeHead(status, { ...streamed.headerFields, 'content-length': String(size) })
            res.end(body)
            if (sent) whole?.(answered, joined(sent))
            settle({ kind: 'streamed', status, whole: true })
          } else {
            settle({ kind: 'answered', status, headerFields: answered, body })
          }
        },
        onResponseError: (_controller, error) => broke(error),
      },
    )
  })
}

const joined = (parts: readonly Buffer[]) => (parts.length === 1 ? parts[0]! : Buffer.concat(parts))
