import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { trimmedField } from '../fhir/field-value.ts'
import { isParseError } from './connections.ts'
import type { HeldBodies, HeldBody } from './held-bodies.ts'
import type { Exchange } from './exchange.ts'
import { refuse, type Reply } from './reply.ts'
import type { RequestHead } from './request-head.ts'

export interface BodyBounds {
  /** After inflating, in bytes. */
  readonly maxBytes: number
  /** For the whole body, in milliseconds. */
  readonly maxMs: number
  /** The bodies of other requests, and of all of them together the most bytes. */
  readonly bodies: HeldBodies
  readonly maxHeld: number
}

/** The bounds of a request's body. */
export function bodyBounds({ config, bodies }: Pick<Exchange, 'config' | 'bodies'>): BodyBounds {
  const { limits, timeouts } = config
  return { maxBytes: limits.bodyBytes, maxMs: timeouts.bodyMs, bodies, maxHeld: limits.heldBytes }
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
  const { received, held } = await receive(req, res, bounds)
  switch (received) {
    case 'client-gone':
      return refused({ kind: 'client-gone' })
    case 'too-large':
      return tooLarge()
    case 'malformed':
      return refused(refuse('request-malformed', 'The body is not well-formed HTTP.', { connection: 'close' }))
    case 'too-slow':
      return refused(refuse('request-timeout', 'The body did not arrive in time.', { connection: 'close' }))
    case 'given-up':
      return givenUp()
  }
  if (coding === 'identity') {
    held.received()
    return { ok: true, bytes: received }
  }
  try {
    const bytes = await inflate(received, { maxOutputLength: bounds.maxBytes })
    if (!held.add(bytes.length, bounds.maxHeld)) return givenUp()
    held.received()
    return { ok: true, bytes }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return tooLarge()
    return refused(refuse('body-malformed', 'The body is not what Content-Encoding says: it cannot be inflated.'))
  }
}

const givenUp = () =>
  refused(
    refuse('overloaded', 'The bodies of all requests together are larger than the gateway holds; try again.', {
      connection: 'close',
    }),
  )

const refused = (reply: Reply): ReadBody => ({ ok: false, reply })

type Received = Buffer | 'client-gone' | 'malformed' | 'too-large' | 'too-slow' | 'given-up'

function receive(
  req: IncomingMessage,
  res: ServerResponse,
  bounds: BodyBounds,
): Promise<{ readonly received: Received; readonly held: HeldBody }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const end = (received: Received) => {
      clearTimeout(timer)
      req.off('data', take)
      resolve({ received, held })
    }
    const held = bounds.bodies.receive(() => end('given-up'))
    res.once('close', held.release)
    const take = (chunk: Buffer) => {
      size += chunk.length
      if (size > bounds.maxBytes) return end('too-large')
      chunks.push(chunk)
      held.add(chunk.length, bounds.maxHeld)
    }
    const timer = setTimeout(end, bounds.maxMs, 'too-slow')
    req.on('data', take)
    req.once('end', () => end(Buffer.concat(chunks)))
    req.once('error', (error) => end(isParseError(error) ? 'malformed' : 'client-gone'))
    req.once('close', () => end('client-gone'))
  })
}
