import { PassThrough } from 'node:stream'
import { Counter, Gauge, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { eachLine } from '../../../src/cli/cluster/lines.ts'
import {
  mergedMetrics,
  mergedPolicies,
  mergedReadiness,
  remaining,
  type Told,
} from '../../../src/cli/cluster/merged.ts'
import type { BreakerState } from '../../../src/upstream/breaker.ts'
import { notAskedYet, type Readiness } from '../../../src/upstream/readiness.ts'

const ready = { ready: true } as const
const away = { ready: false, reason: 'The upstream cannot be reached.' } as const

const workers = (...bases: readonly (readonly (Readiness & { readonly breaker?: BreakerState })[])[]): Told[] =>
  bases.map((ofWorker, index) => ({
    worker: index + 1,
    state: {
      readiness: {
        ready: ofWorker.every((base) => base.ready),
        bases: ofWorker.map((base, at) => ({ path: `/${at}`, ...base })),
      },
      policies: { bases: [] },
    },
  }))

describe('the readiness of several workers', () => {
  it.each<[what: string, told: readonly Told[], isReady: boolean]>([
    ['none', [], false],
    ['all are', workers([ready], [ready]), true],
    ['one has found its upstream away', workers([ready], [away]), false],
    ['one has not asked yet', workers([notAskedYet], [ready]), true],
    ['none has asked yet', workers([notAskedYet], [notAskedYet]), false],
    ['one of two bases is not', workers([ready, away], [ready, ready]), false],
  ])('when %s', (_what, told, isReady) => {
    const merged = mergedReadiness(told, false)
    expect(merged.ready).toBe(isReady)
    expect(mergedReadiness(told, true)).toMatchObject({ ready: false, reason: 'The gateway is draining.' })
  })

  it('names the base that is not ready, and why', () => {
    expect(mergedReadiness(workers([ready, away], [ready, ready]), false).bases).toEqual([
      { path: '/0', ready: true },
      { path: '/1', ...away },
    ])
  })

  it.each<[worst: BreakerState, ...others: BreakerState[]]>([
    ['closed', 'closed'],
    ['half-open', 'closed', 'half-open'],
    ['open', 'half-open', 'closed', 'open'],
  ])('tells of a breaker that it is %s, as the worst of them finds', (worst, ...others) => {
    const told = workers(...others.map((breaker) => [{ ...ready, breaker }]))
    expect(mergedReadiness(told, false).bases).toEqual([{ path: '/0', ready: true, breaker: worst }])
    expect(mergedReadiness([...told, ...workers([{ ...away, breaker: 'closed' }])], false).bases).toEqual([
      { path: '/0', ...away, breaker: worst },
    ])
  })
})

describe('the policies of several workers', () => {
  const told = (worker: number, digest: string): Told => {
    const base = {
      path: '/',
      policy: 'p',
      fhirVersion: '4.0.1',
      digest,
      mode: 'enforce',
      rules: 1,
      since: `${worker}`,
    } as const
    return { worker, state: { readiness: { ready: true, bases: [] }, policies: { bases: [base] } } }
  }

  it('are told once when all have the same', () => {
    expect(mergedPolicies([told(1, 'a'), told(2, 'a')])).toMatchObject({ bases: [{ digest: 'a' }] })
  })

  it('are told for each when they differ', () => {
    expect(mergedPolicies([told(1, 'a'), told(2, 'b')])).toMatchObject({
      workers: [
        { worker: 1, bases: [{ digest: 'a' }] },
        { worker: 2, bases: [{ digest: 'b' }] },
      ],
    })
  })
})

describe('the metrics of several workers', () => {
  const process = async (count: number) => {
    const registry = new Registry()
    registry.registerMetric(new Counter({ name: 'done_total', help: 'x', labelNames: ['of'], registers: [] }))
    const counter = registry.getSingleMetric('done_total') as Counter
    counter.inc({ of: 'a' }, count)
    const gauge = new Gauge({ name: 'held', help: 'x', registers: [registry] })
    gauge.set(count)
    return registry.getMetricsAsJSON()
  }

  it('are summed; of one that has ended remains what it had counted', async () => {
    const [first, second] = [await process(2), await process(3)]
    const both = await mergedMetrics([first, second]).metrics()
    expect(both).toContain('done_total{of="a"} 5')
    expect(both).toContain('held 5')
    const past = await remaining(await remaining([], first), first)
    const after = await mergedMetrics([second, past]).metrics()
    expect(after).toContain('done_total{of="a"} 7')
    expect(after).toContain('held 3')
  })
})

describe('what several processes write', () => {
  it('is handed on in whole lines', () => {
    const lines: string[] = []
    const [one, other] = [new PassThrough(), new PassThrough()]
    for (const stream of [one, other]) eachLine(stream, (line) => lines.push(line))
    one.write('{"a":')
    other.write('{"b":1}\n{"c"')
    one.write('"\u2028ä"}\n')
    other.write(':2}\n{"cut')
    other.end()
    return new Promise<void>((resolve) => other.once('close', resolve).resume()).then(() =>
      expect(lines.toSorted()).toEqual(['{"a":"\u2028ä"}\n', '{"b":1}\n', '{"c":2}\n']),
    )
  })
})
