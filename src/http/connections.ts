import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
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

/**
 * Gives what Node answers by itself an OperationOutcome: malformed requests, too large header sections, slow clients,
 * CONNECT. Where a request of the same connection is being answered, the connection is ended without a word.
 */
export function answerBareConnections(
  server: Server,
  isAnswering: (socket: Duplex) => boolean,
  refused: (connection: RefusedConnection) => void,
): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || isAnswering(socket)) {
      socket.destroy()
      return
    }
    const [cause, sentence] = causesOfCodes[error.code ?? ''] ?? malformed
    refused({ cause, status: sendRaw(socket, cause, sentence) })
  })
  server.on('connect', (_req, socket: Duplex) => {
    socket.on('error', () => socket.destroy())
    const status = sendRaw(socket, 'interaction-not-offered', 'This is no tunnel.', { allow: '' })
    refused({ cause: 'interaction-not-offered', status })
  })
}
