import type { BenchCase } from './cases.ts'
import type { Series } from './compare.ts'
import type { Sample } from './measure.ts'
import { median, medianRatio, spread } from './statistics.ts'
import { fixed, grouped, percent, table } from './table.ts'

/** What all ratios are relative to. */
const measureOfAll = 'http-proxy'

type Quantity = (sample: Sample) => number

const throughput: Quantity = ({ requestsPerSecond }) => requestsPerSecond
/** Turned over, so that more is better here, too. NaN for the stub. */
const requestsPerCpu: Quantity = ({ cpuPerRequest }) => 1 / (cpuPerRequest ?? NaN)

const middle = ({ samples }: Series, quantity: Quantity) => median(samples.map(quantity))

function ratioTo(series: readonly Series[], of: Series, quantity: Quantity): number {
  const other = find(series, measureOfAll, of.connections)
  return other ? medianRatio(of.samples.map(quantity), other.samples.map(quantity)) : NaN
}

const find = (series: readonly Series[], server: string, connections: number) =>
  series.find((one) => one.server === server && one.connections === connections)

/** Everything that was measured of a case. */
export function caseTable(series: readonly Series[]): string {
  const header = ['server', 'clients', 'req/s', '±', '× req/s', 'CPU µs', '× CPU', 'p50 ms', 'p99 ms', 'upstream req']
  const rows = series.map((one) => {
    const alone = find(series, 'stub alone', one.connections) === one
    return [
      one.server,
      String(one.connections),
      grouped(middle(one, throughput)),
      percent(spread(one.samples.map(throughput))),
      alone ? '' : fixed(ratioTo(series, one, throughput), 2),
      fixed(1 / middle(one, requestsPerCpu), 0),
      alone ? '' : fixed(ratioTo(series, one, requestsPerCpu), 2),
      fixed(
        middle(one, ({ p50 }) => p50),
        2,
      ),
      fixed(
        middle(one, ({ p99 }) => p99),
        2,
      ),
      fixed(
        middle(one, ({ upstreamPerRequest }) => upstreamPerRequest),
        2,
      ),
    ]
  })
  return table(header, rows)
}

/** The gateway against http-proxy, a line for each case. */
export function summaryTable(cases: readonly BenchCase[], all: readonly Series[]): string {
  const counts = [...new Set(all.map(({ connections }) => connections))]
  const has = (server: string) => all.some((one) => one.server === server)
  /** What the machine leaves room for. */
  const room = (series: readonly Series[]) => {
    const one = find(series, 'undici', counts.includes(32) ? 32 : counts[0]!)
    return one ? ratioTo(series, one, throughput) : NaN
  }
  const header = [
    'gateway, as a multiple of http-proxy',
    ...counts.map((count) => `req/s, ${count} clients`),
    'wanted',
    ...counts.map((count) => `CPU, ${count} clients`),
    ...(has('undici') ? ['undici alone, req/s'] : []),
    ...(counts.includes(1) ? ['added p50 ms, 1 client'] : []),
    ...(counts.includes(32) ? ['p99 ms, 32 clients', 'http-proxy’s'] : []),
  ]
  const rows = cases.flatMap((benchCase) => {
    const series = all.filter((one) => one.case === benchCase.name)
    const gateway = (count: number) => find(series, 'gateway', count)
    if (!series.some(({ server }) => server === 'gateway')) return []
    const ratio = (count: number, quantity: Quantity) => fixed(ratioTo(series, gateway(count)!, quantity), 2)
    const latency = (server: string, count: number, quantity: Quantity) => {
      const one = find(series, server, count)
      return one ? middle(one, quantity) : NaN
    }
    const p50: Quantity = (sample) => sample.p50
    const p99: Quantity = (sample) => sample.p99
    return [
      [
        benchCase.title,
        ...counts.map((count) => ratio(count, throughput)),
        fixed(benchCase.target, 2),
        ...counts.map((count) => ratio(count, requestsPerCpu)),
        ...(has('undici') ? [fixed(room(series), 2)] : []),
        ...(counts.includes(1) ? [fixed(latency('gateway', 1, p50) - latency('stub alone', 1, p50), 2)] : []),
        ...(counts.includes(32)
          ? [fixed(latency('gateway', 32, p99), 1), fixed(latency(measureOfAll, 32, p99), 1)]
          : []),
      ],
    ]
  })
  return table(header, rows)
}

/** For each case, http-proxy's CPU time for a request divided by the gateway's. */
export function cpuRatios(all: readonly Series[], connections: number): Readonly<Record<string, number>> {
  return byCase(all, 'gateway', connections, (one) => {
    const series = all.filter((other) => other.case === one.case)
    return ratioTo(series, one, requestsPerCpu)
  })
}

/** For each case, the microseconds of CPU time that http-proxy needs for a request. */
export function proxyMicroseconds(all: readonly Series[], connections: number): Readonly<Record<string, number>> {
  return byCase(all, measureOfAll, connections, (one) => 1 / middle(one, requestsPerCpu))
}

function byCase(
  all: readonly Series[],
  server: string,
  connections: number,
  valueOf: (series: Series) => number,
): Readonly<Record<string, number>> {
  const of = all.filter((one) => one.server === server && one.connections === connections)
  return Object.fromEntries(of.map((one) => [one.case, valueOf(one)] as const))
}
