import type { BenchCase } from './cases.ts'
import type { Generator, Outcome } from './load.ts'
import { expectedOf, type Server, type ServerName, type Stub } from './servers.ts'

/** One measurement of one server. */
export interface Sample extends Omit<Outcome, 'requests' | 'seconds'> {
  readonly requestsPerSecond: number
  /** Microseconds of the server's CPU time for a request; undefined for the stub alone. */
  readonly cpuPerRequest?: number
  /** Requests to the upstream for a request. */
  readonly upstreamPerRequest: number
}

export interface Measuring {
  readonly generator: Generator
  readonly stub: Stub
  readonly seconds: number
}

/** Puts a server under the load of a case. @throws {Error} when it answers wrongly */
export async function measure(
  { generator, stub, seconds }: Measuring,
  server: Server,
  benchCase: BenchCase,
  connections: number,
): Promise<Sample> {
  const { origin } = server
  const expected = expectedOf(server.name as ServerName, benchCase)
  const usage = async () => [await stub.requests(), await server.cpuMicroseconds?.()] as const
  const [upstreamBefore, cpuBefore] = await usage()
  const outcome = await generator.run({ origin, load: benchCase.load, expected, connections, seconds })
  const [upstreamAfter, cpuAfter] = await usage()
  const { p50, p99 } = outcome
  // Of those that are under way at the end, half of the work has been done.
  const worked = outcome.requests + connections / 2
  return {
    requestsPerSecond: outcome.requests / outcome.seconds,
    p50,
    p99,
    upstreamPerRequest: (upstreamAfter - upstreamBefore) / worked,
    ...(cpuBefore !== undefined && cpuAfter !== undefined && { cpuPerRequest: (cpuAfter - cpuBefore) / worked }),
  }
}

/** After so many requests Node has compiled what they use. */
const warmRequests = 15_000

/** The longest warm-up, as a multiple of what is asked for. */
const mostWarmUps = 5

/**
 * The first requests are slower: connections open, and Node compiles what is used often. How many it takes does not depend on the
 * machine, how long they take does: on a slow one the update had 0.17 of http-proxy's throughput after 3 s, and 0.47 after 20.
 */
export async function warm(measuring: Measuring, server: Server, benchCase: BenchCase): Promise<void> {
  const most = hangs(server) ? 1 : mostWarmUps
  let requests = 0
  for (let times = 0; times < most && requests < warmRequests; times++) {
    const { requestsPerSecond } = await measure(measuring, server, benchCase, 32)
    requests += requestsPerSecond * measuring.seconds
  }
}

/**
 * Peers that may answer nothing any more after some runs, and are started again then: http-proxy 1.18.1 goes on with the request
 * of a client that is gone, until no connection to the upstream is left.
 */
export const hangs = ({ name }: Server) =>
  ['http-proxy', 'express', 'http-proxy-middleware', 'hand-written'].includes(name)
