import type { BenchCase } from './cases.ts'
import { NoAnswer, startGenerator } from './load.ts'
import { measure, type Measuring, type Sample } from './measure.ts'
import { startServer, startStub, takesPart, type Server, type ServerName } from './servers.ts'

export interface CompareOptions {
  readonly cases: readonly BenchCase[]
  readonly servers: readonly ServerName[]
  readonly connections: readonly number[]
  readonly rounds: number
  /** Of one measurement. */
  readonly seconds: number
  /** How long each server is under load before, in seconds. */
  readonly warmUp: number
  readonly generator: string | undefined
  /** Another checkout, for `gateway before`. */
  readonly before: string | undefined
}

/** All samples of one server in one case, one for each round. */
export interface Series {
  readonly case: string
  readonly server: string
  readonly connections: number
  readonly samples: readonly Sample[]
}

export interface Comparison {
  readonly generator: string
  readonly rounds: number
  readonly seconds: number
  readonly series: readonly Series[]
}

/**
 * Measures the servers side by side: all that take part in a case run at once, each has its turn in each round, and each
 * round begins with another one.
 * @param tell called with the samples of each case as they are complete
 */
export async function compare(
  options: CompareOptions,
  tell: (benchCase: BenchCase, series: readonly Series[]) => void,
): Promise<Comparison> {
  const { rounds, seconds, warmUp } = options
  const generator = startGenerator(options.generator)
  const stub = await startStub()
  const measuring: Measuring = { generator, stub, seconds }
  const all: Series[] = []
  for (const benchCase of options.cases) {
    const names = options.servers.filter((name) => takesPart(name, benchCase))
    const servers = await Promise.all(names.map((name) => startServer(name, benchCase, stub.origin, options.before)))
    // The first requests are slower: connections open, and Node compiles what is used often.
    const warm = (server: Server) => measure({ ...measuring, seconds: warmUp }, server, benchCase, 32)
    for (const server of servers) await warm(server)
    const another = async (server: Server) => {
      await server.stop()
      const next = await startServer(server.name as ServerName, benchCase, stub.origin, options.before)
      await warm(next)
      return next
    }
    const series: Series[] = []
    for (const connections of options.connections) {
      series.push(...(await inTurns(measuring, benchCase, servers, another, connections, rounds)))
    }
    await Promise.all(servers.map((server) => server.stop()))
    tell(benchCase, series)
    all.push(...series)
  }
  await Promise.all([generator.stop(), stub.stop()])
  return { generator: generator.name, rounds, seconds, series: all }
}

/** Peers that may answer nothing any more, and are started again then. */
const hangs: readonly string[] = ['http-proxy', 'express', 'http-proxy-middleware', 'hand-written']

async function inTurns(
  measuring: Measuring,
  benchCase: BenchCase,
  servers: Server[],
  another: (server: Server) => Promise<Server>,
  connections: number,
  rounds: number,
): Promise<Series[]> {
  const samples = servers.map((): Sample[] => [])
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < servers.length; turn++) {
      const at = (round + turn) % servers.length
      try {
        samples[at]!.push(await measure(measuring, servers[at]!, benchCase, connections))
      } catch (error) {
        // http-proxy 1.18.1 goes on with the request of a client that is gone, until no connection to the upstream is left.
        if (!(error instanceof NoAnswer) || !hangs.includes(servers[at]!.name)) throw error
        servers[at] = await another(servers[at]!)
        samples[at]!.push(await measure(measuring, servers[at], benchCase, connections))
      }
    }
  }
  return servers.map(({ name }, at) => ({ case: benchCase.name, server: name, connections, samples: samples[at]! }))
}
