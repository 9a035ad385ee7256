import type { Dispatcher } from 'undici'

type Handler = Dispatcher.DispatchHandler
type Controller = Dispatcher.DispatchController

/** What undici and the system say of a connection that was closed from the other side; what we abort ourselves has none of them. */
const closed = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/**
 * Sends a GET, and once more where its connection ends before the answer has begun: the server may have closed a kept
 * connection at the moment when it was used. undici sends nothing again by itself. Never for a write: it may have been
 * stored.
 */
export function dispatchRead(dispatcher: Dispatcher, options: Dispatcher.DispatchOptions, handler: Handler): void {
  dispatcher.dispatch(options, new FirstTry(dispatcher, options, handler))
}

class FirstTry implements Handler {
  readonly #dispatcher: Dispatcher
  readonly #options: Dispatcher.DispatchOptions
  readonly #handler: Handler
  #answered = false

  constructor(dispatcher: Dispatcher, options: Dispatcher.DispatchOptions, handler: Handler) {
    this.#dispatcher = dispatcher
    this.#options = options
    this.#handler = handler
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#handler.onRequestStart?.(controller, context)
  }

  onResponseStart(...answer: Parameters<NonNullable<Handler['onResponseStart']>>): void {
    this.#answered = true
    this.#handler.onResponseStart?.(...answer)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd(...end: Parameters<NonNullable<Handler['onResponseEnd']>>): void {
    this.#handler.onResponseEnd?.(...end)
  }

  onResponseError(controller: Controller, error: Error): void {
    const { code } = error as NodeJS.ErrnoException
    if (!this.#answered && closed.has(String(code))) this.#dispatcher.dispatch(this.#options, this.#handler)
    else this.#handler.onResponseError?.(controller, error)
  }
}
