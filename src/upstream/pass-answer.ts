import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import { isTimeout } from './client.ts'
import { dispatchRead } from './dispatch-read.ts'
import type { ReadingClients } from './reading-clients.ts'
import type { PassedRead, PassingRead, PassingTimeouts, Streaming } from './pass-through.ts'

/** So much of an answer is gathered before its first byte goes on, in bytes: one that breaks off before is a 502. */
const gatheredBytes = 256 * 1024

/** Who gets the answer. */
export interface ReadingClient {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly others: ReadingClients
}

/**
 * Sends a read to the upstream and its answer to the client, or gathers it.
 * Until a byte has gone on, the response is as it was: then the same read may be sent again.
 */
export function passAnswer(
  dispatcher: Dispatcher,
  origin: string,
  read: PassingRead,
  client: ReadingClient,
  timeouts: PassingTimeouts,
): Promise<PassedRead> {
  return new Promise((resolve) => {
    const passing = new PassingAnswer(read, client, timeouts, resolve)
    if (!passing.begins()) return
    const { path, headerFields } = read
    dispatchRead(dispatcher, { origin, method: 'GET', path, headers: headerFields }, passing)
  })
}

/** A class: 18 functions within one another, made anew for each read, were 4 of the 60 KB of garbage that it leaves. */
class PassingAnswer implements Dispatcher.DispatchHandler {
  readonly #read: PassingRead
  readonly #client: ReadingClient
  readonly #timeouts: PassingTimeouts
  readonly #resolve: (passed: PassedRead) => void
  #upstream: Dispatcher.DispatchController | undefined
  #timer: NodeJS.Timeout | undefined
  #over = false
  #status = 0
  #answered: IncomingHttpHeaders = {}
  #streamed: Streaming | undefined
  #gathered: Buffer[] = []
  #size = 0
  /** As the upstream sent it, as long as it may be told of whole. */
  #sent: Buffer[] | undefined
  #sentSize = 0

  constructor(
    read: PassingRead,
    client: ReadingClient,
    timeouts: PassingTimeouts,
    resolve: (passed: PassedRead) => void,
  ) {
    this.#read = read
    this.#client = client
    this.#timeouts = timeouts
    this.#resolve = resolve
    this.#sent = read.whole && []
  }

  /** Whether it is to be sent at all. */
  begins(): boolean {
    const { req, res, others } = this.#client
    others.begin()
    if (req.destroyed || res.destroyed) {
      this.#settle({ kind: 'client-gone' })
      return false
    }
    res.once('close', this.#gone)
    // A response that waits behind another one of its connection is not told; what is left of its request is.
    req.once('close', this.#gone)
    this.#timer = setTimeout(wholeTooLate, this.#timeouts.wholeMs, this)
    return true
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#upstream = controller
    if (this.#over) controller.abort(new Error('Nobody waits for it any more.'))
    // Every informational answer and every byte starts the other time-outs anew.
    else this.#timer?.refresh()
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, fields: IncomingHttpHeaders): void {
    if (status < 200) return
    this.#status = status
    this.#answered = fields
    this.#streamed = this.#read.streams(status, fields)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const parts = this.#over ? undefined : this.#rewritten(chunk)
    if (!parts) return
    this.#sentSize += chunk.length
    if (this.#sentSize > gatheredBytes) this.#sent = undefined
    this.#sent?.push(chunk)
    if (parts.length === 0) return
    if (this.#client.res.headersSent) {
      this.#write(joined(parts))
      return
    }
    for (const part of parts) {
      this.#gathered.push(part)
      this.#size += part.length
    }
    if (this.#streamed) {
      if (this.#size > gatheredBytes) this.#beginToStream(this.#streamed)
    } else if (this.#size > this.#read.maxBytes) {
      this.#settle({ kind: 'too-large', status: this.#status })
      this.#upstream?.abort(new Error('The answer is larger than the bound.'))
    }
  }

  onResponseEnd(): void {
    if (this.#over || !this.#hasEnded()) return
    const { res } = this.#client
    if (res.headersSent) {
      // The client has it when it has taken the rest: see `finish`.
      res.end()
      this.#limitTaking()
      return
    }
    const body = joined(this.#gathered)
    const status = this.#status
    if (!this.#streamed) {
      this.#settle({ kind: 'answered', status, headerFields: this.#answered, body })
      return
    }
    res.writeHead(status, { ...this.#streamed.headerFields, 'content-length': String(this.#size) })
    res.end(body)
    if (this.#sent) this.#read.whole?.(this.#answered, joined(this.#sent))
    this.#settle({ kind: 'streamed', status, whole: true })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#broke(error)
  }

  /** What the upstream has sent takes too long, or has not come at all. */
  tooLate(sentence: string, clientGone?: true): void {
    const late = Object.assign(new Error(sentence), { code: 'ANSWER_TIMEOUT' })
    this.#broke(late, clientGone)
    this.#upstream?.abort(late)
  }

  wholeTooLate(): void {
    this.tooLate(this.#upstream ? 'The answer took too long as a whole.' : 'No connection became free in time.')
  }

  #settle(passed: PassedRead): void {
    const { req, res, others } = this.#client
    this.#over = true
    others.end(this.#giveUp)
    clearTimeout(this.#timer)
    req.off('close', this.#gone)
    res.off('close', this.#gone)
    this.#resolve(passed)
  }

  #broke(error: unknown, clientGone?: true): void {
    if (this.#over) return
    const { res } = this.#client
    if (!res.headersSent) {
      this.#settle({ kind: isTimeout(error) ? 'too-slow' : 'unreachable', error })
      return
    }
    this.#settle({ kind: 'streamed', status: this.#status, whole: false, error, ...(clientGone && { clientGone }) })
    // A client must not wait for the rest of an answer that never comes.
    res.destroy()
  }

  /** A client that reads nothing at all would keep the connection to the upstream. */
  #limitTaking(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(takenTooLate, this.#timeouts.answerTakenMs, this)
  }

  readonly #gone = (): void => {
    const error = new Error('The client left.')
    const status = this.#status
    this.#settle(
      this.#client.res.headersSent
        ? { kind: 'streamed', status, whole: false, clientGone: true, error }
        : { kind: 'client-gone' },
    )
    this.#upstream?.abort(error)
  }

  /** Lets another have the connection. */
  readonly #giveUp = (): void => this.tooLate('The client reads nothing, and others wait.', true)

  #write(chunk: Buffer): void {
    if (this.#client.res.write(chunk)) return
    this.#upstream!.pause()
    this.#client.others.stalls(this.#giveUp)
    this.#limitTaking()
  }

  /** What comes of a part of the answer; undefined when it cannot be rewritten. */
  #rewritten(chunk: Buffer): readonly Buffer[] | undefined {
    const rewriter = this.#streamed?.rewriter
    if (!rewriter) return [chunk]
    try {
      return rewriter.push(chunk)
    } catch (error) {
      this.#unusable(error as Error)
      return undefined
    }
  }

  #hasEnded(): boolean {
    try {
      this.#streamed?.rewriter?.end()
      return true
    } catch (error) {
      this.#unusable(error as Error)
      return false
    }
  }

  #unusable(error: Error): void {
    if (this.#client.res.headersSent) this.#broke(error)
    else this.#settle({ kind: 'unusable', status: this.#status })
    this.#upstream?.abort(error)
  }

  #beginToStream({ headerFields }: Streaming): void {
    const { res, others } = this.#client
    // How long an answer that streams takes is its client's doing, too.
    clearTimeout(this.#timer)
    res.on('drain', () => {
      if (this.#over) return
      clearTimeout(this.#timer)
      others.takes(this.#giveUp)
      this.#upstream?.resume()
    })
    res.once('finish', () => {
      if (!this.#over) this.#settle({ kind: 'streamed', status: this.#status, whole: true })
    })
    res.writeHead(this.#status, { ...headerFields })
    this.#write(Buffer.concat(this.#gathered))
    this.#gathered = []
    this.#sent = undefined
  }
}

/** Functions that stay the same: made anew, they would be garbage of each read. */
const wholeTooLate = (passing: PassingAnswer) => passing.wholeTooLate()
const takenTooLate = (passing: PassingAnswer) => passing.tooLate('The client reads nothing.', true)

const joined = (parts: readonly Buffer[]) => (parts.length === 1 ? parts[0]! : Buffer.concat(parts))
