import type { Dispatcher } from 'undici'

/** What undici and the system say of a connection that was closed from the other side; what we abort ourselves has none of them. */
const closed = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/**
 * Sends a GET, and once more where its connection ends before the answer has begun: the server may have closed a kept
 * connection at the moment when it was used. undici sends nothing again by itself. Never for a write: it may have been
 * stored.
 */
export function dispatchRead(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
): void {
  let answered = false
  dispatcher.dispatch(options, {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onResponseStart(controller, status, headerFields, message) {
      answered = true
      handler.onResponseStart?.(controller, status, headerFields, message)
    },
    onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
    onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
    onResponseError(controller, error) {
      const { code } = error as NodeJS.ErrnoException
      if (!answered && closed.has(String(code))) dispatcher.dispatch(options, handler)
      else handler.onResponseError?.(controller, error)
    },
  })
}
