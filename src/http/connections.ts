import type { Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Cause } from '../policy/refusal.ts'
import { sendRaw } from './send.ts'

/** A request that Node's parser refused, so that no request was seen; it has been answered. */
export interface RefusedConnection {
  readonly cause: Cause
  readonly status: number
}

const causesOfCodes: Readonly<Record<string, readonly [Cause, string]>> = {
  HPE_HEADER_OVERFLOW: ['header-too-large', 'The header section of the request is too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['too-large', 'The chunk extensions of the request are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The request did not arrive in time.'],
}
const malformed = ['request-malformed', 'The request is not well-formed HTTP.'] as const

/** Of Node's HTTP parser, about what came; that a client broke off is none. */
export const isParseError = ({ code }: NodeJS.ErrnoException) =>
  code !== undefined && code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE'

const isTlsError = ({ code = '' }: NodeJS.ErrnoException) => /^ERR_(?:SSL|TLS)_|^EPROTO$/.test(code)

/**
 * Gives what Node answers by itself an OperationOutcome: malformed requests, too large header sections, slow clients,
 * CONNECT. Where requests of the same connection are being answered, those are, and then it is closed: an answer of ours
 * in between would be taken for theirs.
 */
export function answerBareConnections(
  server: Server,
  answering: (socket: Duplex) => readonly ServerResponse[],
  refused: (connection: RefusedConnection) => void,
): void {
  const ending = new WeakSet<Duplex>()
  const endAfter = async (socket: Duplex, responses: readonly ServerResponse[]) => {
    if (ending.has(socket)) return
    ending.add(socket)
    await Promise.allSettled(responses.map((res) => finished(res)))
    socket.end(() => socket.destroy())
  }

  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const responses = answering(socket)
    // A handshake that fails has nobody to be answered: what comes in the clear would be no TLS.
    if (error.code === 'ECONNRESET' || isTlsError(error) || (responses.length > 0 && !isParseError(error))) {
      socket.destroy()
      return
    }
    if (responses.length > 0) {
      tellReader(responses, error)
      void endAfter(socket, responses)
      return
    }
    if (ending.has(socket)) return
    const [cause, sentence] = causesOfCodes[error.code ?? ''] ?? malformed
    refused({ cause, status: sendRaw(socket, cause, sentence) })
  })
  server.on('connect', (_req, socket: Duplex) => {
    socket.on('error', () => socket.destroy())
    const responses = answering(socket)
    if (responses.length > 0) {
      void endAfter(socket, responses)
      return
    }
    const status = sendRaw(socket, 'interaction-not-offered', 'This is no tunnel.', { allow: '' })
    refused({ cause: 'interaction-not-offered', status })
  })
}

/** Node tells nobody who reads a body that the rest of it is malformed: without a word of ours it would be waited for. */
function tellReader(responses: readonly ServerResponse[], error: Error): void {
  // The header section may have come with the same bytes, and be read in this very moment.
  setImmediate(() => {
    for (const { req } of responses) {
      if (!req.complete && req.listenerCount('error') > 0) req.emit('error', error)
    }
  })
}
