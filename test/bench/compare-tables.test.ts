import { describe, expect, it } from 'vitest'
import { cases } from './cases.ts'
import { caseTable, cpuRatios, proxyMicroseconds, summaryTable } from './compare-tables.ts'
import type { Series } from './compare.ts'

const series = (server: string, requestsPerSecond: number, cpuPerRequest: number | undefined, p50: number): Series => ({
  case: 'get',
  server,
  connections: 32,
  samples: [0.5, 1, 1.5].map((factor) => ({
    requestsPerSecond: requestsPerSecond * factor,
    p50,
    p99: 10 * p50,
    upstreamPerRequest: 1,
    ...(cpuPerRequest !== undefined && { cpuPerRequest }),
  })),
})

const measured = [
  series('stub alone', 20_000, undefined, 1),
  series('http-proxy', 4000, 200, 6),
  series('gateway', 6000, 100, 4),
]

describe('the tables of a comparison', () => {
  it('tell throughput and CPU time as multiples of http-proxy, and of the stub alone neither', () => {
    const [, , stub, proxy, gateway] = caseTable(measured).split('\n').map(cellsOf)
    expect(stub).toEqual(['stub alone', '32', '20 000', '50 %', '', '', '', '1.00', '10.00', '1.00'])
    expect(proxy).toEqual(['http-proxy', '32', '4 000', '50 %', '1.00', '200', '1.00', '6.00', '60.00', '1.00'])
    expect(gateway).toEqual(['gateway', '32', '6 000', '50 %', '1.50', '100', '2.00', '4.00', '40.00', '1.00'])
  })

  it('sum up each case of the gateway against its target', () => {
    const lines = summaryTable(cases, measured).split('\n').map(cellsOf)
    expect(lines.slice(2)).toEqual([['GET of a Flag, 2.5 KB', '1.50', '1.70', '2.00', '40.0', '60.0']])
  })

  it('tell what undici alone does with the same', () => {
    const lines = summaryTable(cases, [...measured, series('undici', 8000, 90, 3)])
      .split('\n')
      .map(cellsOf)
    expect(lines[0]).toContain('undici alone, req/s')
    expect(lines[2]).toEqual(['GET of a Flag, 2.5 KB', '1.50', '1.70', '2.00', '2.00', '40.0', '60.0'])
  })

  it('give the ratios of CPU time for the record', () => {
    expect(cpuRatios(measured, 32)).toEqual({ get: 2 })
    expect(cpuRatios(measured, 1)).toEqual({})
    expect(proxyMicroseconds(measured, 32)).toEqual({ get: 200 })
  })
})

const cellsOf = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
