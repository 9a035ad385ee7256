import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { trimmedField } from '../fhir/field-value.ts'
import { isParseError } from './connections.ts'
import { refuse, type Reply } from './reply.ts'
import type { RequestHead } from './request-head.ts'

export interface BodyBounds {
  /** After inflating, in bytes. */
  readonly maxBytes: number
  /** For the whole body, in milliseconds. */
  readonly maxMs: number
}

export type ReadBody = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly reply: Reply }

const inflate = promisify(gunzip)

/** Reads the body of a request, identity or gzip, within bounds. */
export async function readBody(
  head: RequestHead,
  req: IncomingMessage,
  res: ServerResponse,
  bounds: BodyBounds,
): Promise<ReadBody> {
  const coding = trimmedField(head.fieldLines('content-encoding')[0] ?? 'identity').toLowerCase()
  if (coding !== 'identity' && coding !== 'gzip' && coding !== 'x-gzip') {
    const sentence = 'Content-Encoding is not one that is offered: send the body as it is, or in gzip.'
    return refused(refuse('media-type', sentence, { 'accept-encoding': 'gzip' }))
  }
  const tooLarge = () => refused(refuse('too-large', `The body is larger than ${bounds.maxBytes} bytes.`))
  if (Number(head.headerFields['content-length'] ?? 0) > bounds.maxBytes) return tooLarge()

  // A client that asked whether it may send its body waits for this.
  if (head.headerFields.expect !== undefined && req.httpVersionMinor >= 1) res.writeContinue()
  const received = await receive(req, bounds)
  switch (received) {
    case 'client-gone':
      return refused({ kind: 'client-gone' })
    case 'too-large':
      return tooLarge()
    case 'malformed':
      return refused(refuse('request-malformed', 'The body is not well-formed HTTP.', { connection: 'close' }))
    case 'too-slow':
      return refused(refuse('request-timeout', 'The body did not arrive in time.', { connection: 'close' }))
  }
  if (coding === 'identity') return { ok: true, bytes: received }
  try {
    return { ok: true, bytes: await inflate(received, { maxOutputLength: bounds.maxBytes }) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return tooLarge()
    return refused(refuse('body-malformed', 'The body is not what Content-Encoding says: it cannot be inflated.'))
  }
}

const refused = (reply: Reply): ReadBody => ({ ok: false, reply })

type Received = Buffer | 'client-gone' | 'malformed' | 'too-large' | 'too-slow'

function receive(req: IncomingMessage, bounds: BodyBounds): Promise<Received> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const end = (received: Received) => {
      clearTimeout(timer)
      req.off('data', take)
      resolve(received)
    }
    const take = (chunk: Buffer) => {
      size += chunk.length
      if (size > bounds.maxBytes) end('too-large')
      else chunks.push(chunk)
    }
    const timer = setTimeout(end, bounds.maxMs, 'too-slow')
    req.on('data', take)
    req.once('end', () => end(Buffer.concat(chunks)))
    req.once('error', (error) => end(isParseError(error) ? 'malformed' : 'client-gone'))
    req.once('close', () => end('client-gone'))
  })
}
