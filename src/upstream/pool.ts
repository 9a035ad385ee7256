import type { ConnectionOptions } from 'node:tls'
import { Pool } from 'undici'
import type { UpstreamTls } from '../config/config.ts'
import type { UpstreamTimeouts } from './client.ts'

/** The most connections of a pool. */
export const poolConnections = 64

/** Connections to one upstream that are kept alive; a request waits for one of them when all are in use. */
export function createPool(
  origin: string,
  { connectMs, firstByteMs, betweenPartsMs }: UpstreamTimeouts,
  tls?: UpstreamTls,
): Pool {
  return new Pool(origin, {
    connections: poolConnections,
    pipelining: 1,
    connect: { timeout: connectMs, ...connectOptionsOf(tls) },
    headersTimeout: firstByteMs,
    bodyTimeout: betweenPartsMs,
  })
}

/** What of a connection to an upstream is said by `tls`. */
export function connectOptionsOf(
  tls: UpstreamTls | undefined,
): Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername'> {
  if (!tls) return {}
  const { authorities, identity, serverName } = tls
  return {
    ...(authorities !== undefined && { ca: authorities }),
    ...(identity && { cert: identity.certificate, key: identity.key }),
    ...(serverName !== undefined && { servername: serverName }),
  }
}
