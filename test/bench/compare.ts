import type { BenchCase } from './cases.ts'
import { NoAnswer, startGenerator } from './load.ts'
import { hangs, measure, warm, type Measuring, type Sample } from './measure.ts'
import { startServer, startStub, takesPart, type Server, type ServerName } from './servers.ts'

export interface CompareOptions {
  readonly cases: readonly BenchCase[]
  readonly servers: readonly ServerName[]
  readonly connections: readonly number[]
  readonly rounds: number
  /** Of one measurement. */
  readonly seconds: number
  /** How long each server is under load before, in seconds; longer where it answers slowly, see `warm`. */
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
  const all: Series[] = []
  for (const benchCase of options.cases) {
    const measuring: Measuring = { generator, stub, seconds: Math.max(seconds, benchCase.leastSeconds ?? 0) }
    const names = options.servers.filter((name) => takesPart(name, benchCase))
    const servers = await Promise.all(names.map((name) => startServer(name, benchCase, stub.origin, options.before)))
    const warmed = (server: Server) => warm({ ...measuring, seconds: warmUp }, server, benchCase)
    for (const server of servers) await warmed(server)
    const another = async (server: Server) => {
      await server.stop()
      const next = await startServer(server.name as ServerName, benchCase, stub.origin, options.before)
      await warmed(next)
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

/** Of a peer that answers nothing in time. */
const nothing: Sample = { requestsPerSecond: NaN, p50: NaN, p99: NaN, upstreamPerRequest: NaN }

/** A wrong answer ends the benchmark all the same. */
function ofNoAnswer(error: unknown): Sample {
  if (error instanceof NoAnswer) return nothing
  throw error
}

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
        if (!hangs(servers[at]!)) throw error
        servers[at] = await another(servers[at]!)
        samples[at]!.push(await measure(measuring, servers[at], benchCase, connections).catch(ofNoAnswer))
      }
    }
  }
  return servers.map(({ name }, at) => ({ case: benchCase.name, server: name, connections, samples: samples[at]! }))
}
