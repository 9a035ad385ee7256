import { Pool } from 'undici'
import type { UpstreamTimeouts } from './client.ts'

/** Connections to one upstream that are kept alive; a request waits for one of them when all are in use. */
export function createPool(origin: string, { connectMs, firstByteMs, betweenPartsMs }: UpstreamTimeouts): Pool {
  return new Pool(origin, {
    connections: 64,
    pipelining: 1,
    connect: { timeout: connectMs },
    headersTimeout: firstByteMs,
    bodyTimeout: betweenPartsMs,
  })
}
