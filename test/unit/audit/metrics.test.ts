import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { AggregatorRegistry } from 'prom-client'
import { definitions, type MetricDefinition } from '../../../src/audit/metric-definitions.ts'
import { createMetrics, type Measured, type Metrics } from '../../../src/audit/metrics.ts'
import { mostCombinations } from '../../../src/audit/tally.ts'
import type { Base } from '../../../src/config/config.ts'

const metricsOf = (measured: Partial<Measured> = {}) =>
  createMetrics({
    inFlight: () => 0,
    config: () => ({ bases: [] }),
    storedVersions: () => [],
    breakers: () => [],
    upstreams: () => [],
    certificates: () => [],
    ...measured,
  })

/** The lines of the gateway's own metrics that begin with a name. */
const lines = async (metrics: Metrics, name = '') =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(`fhir_gateway_${name}`))

/** A base whose policy names Flag, and says the same of all other types. */
const base = {
  path: '/fhir',
  policy: {
    name: 'p',
    digest: 'aa',
    resources: new Map(['Flag', 'Patient'].map((type) => [type, {}])),
    others: new Set(['Patient']),
  },
} as unknown as Base

describe('the metrics', () => {
  it('count requests, permits by their name, what was put back, refusals and reports by their rule, and writes whose outcome is not known', async () => {
    const metrics = metricsOf({ inFlight: () => 3, config: () => ({ bases: [base] }) })
    const common = { requestId: 'r', base: '/fhir', interaction: 'update', type: 'Flag', id: '9000000009' } as const
    metrics.record({
      ...common,
      decision: 'permitted',
      permittedAs: ['removal', 'removal'],
      restoredBy: ['Flag.update'],
      reported: ['if-match-missing'],
      status: 200,
      milliseconds: 7,
    })
    metrics.record({
      ...common,
      decision: 'refused',
      refusedBy: ['Flag.update', 'Flag.update'],
      status: 403,
      milliseconds: 2,
    })
    metrics.record({ ...common, decision: 'failed', status: 504, milliseconds: 30_000, outcomeUnknown: true })
    metrics.record({ ...common, decision: 'failed', refusedBy: ['fault'], status: 500, milliseconds: 1 })
    metrics.record({
      requestId: 'r',
      decision: 'refused',
      refusedBy: ['request-malformed'],
      status: 400,
      milliseconds: 1,
    })

    const text = await metrics.text()
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        'fhir_gateway_requests_total{base="/fhir",interaction="update",type="Flag",decision="permitted",status="200"} 1',
        'fhir_gateway_requests_total{base="none",interaction="none",type="none",decision="refused",status="400"} 1',
        'fhir_gateway_permits_total{base="/fhir",interaction="update",type="Flag",permitted_as="removal"} 1',
        'fhir_gateway_restorations_total{base="/fhir",interaction="update",type="Flag",restored_by="Flag.update"} 1',
        'fhir_gateway_reported_total{base="/fhir",interaction="update",type="Flag",reported_by="if-match-missing"} 1',
        'fhir_gateway_refusals_total{base="/fhir",interaction="update",type="Flag",refused_by="Flag.update"} 1',
        'fhir_gateway_unknown_outcomes_total 1',
        'fhir_gateway_faults_total 1',
        'fhir_gateway_requests_in_flight 3',
        'fhir_gateway_request_duration_seconds_count{base="/fhir",interaction="update"} 4',
      ]),
    )
    expect(text).not.toContain('9000000009')
  })

  it('tell which policies are in force, and nothing of those that were', async () => {
    const policy = (digest: string) => ({ path: '/fhir', policy: { name: 'p', digest } }) as unknown as Base
    let bases = [policy('aa')]
    const metrics = metricsOf({ config: () => ({ bases }) })
    expect(await lines(metrics, 'policy_info')).toEqual([
      'fhir_gateway_policy_info{base="/fhir",policy="p",digest="aa"} 1',
    ])
    bases = [policy('bb')]
    expect(await lines(metrics, 'policy_info')).toEqual([
      'fhir_gateway_policy_info{base="/fhir",policy="p",digest="bb"} 1',
    ])
  })

  it('tell how reloads went, and since when what serves is in force', async () => {
    vi.useFakeTimers({ now: 1000_000 })
    onTestFinished(() => void vi.useRealTimers())
    const metrics = metricsOf()
    const told = async () => (await lines(metrics)).filter((line) => /_(?:last_)?reload/.test(line))
    const expected = (applied: number, refused: number, seconds: number, successful: number) => [
      `fhir_gateway_reloads_total{result="applied"} ${applied}`,
      `fhir_gateway_reloads_total{result="refused"} ${refused}`,
      `fhir_gateway_last_reload_success_timestamp_seconds ${seconds}`,
      `fhir_gateway_last_reload_successful ${successful}`,
    ]
    expect(await told()).toEqual(expected(0, 0, 1000, 1))
    vi.setSystemTime(2000_000)
    metrics.reloaded('refused')
    expect(await told()).toEqual(expected(0, 1, 1000, 0))
    metrics.reloaded('applied')
    expect(await told()).toEqual(expected(1, 1, 2000, 1))
  })

  it('tell of AuditEvents from the start what there is to count, so that an alert sees the first failure', async () => {
    const metrics = metricsOf()
    const told = () => lines(metrics, 'audit_events')
    const expected = (failed: number) => [
      'fhir_gateway_audit_events_total{result="delivered"} 0',
      `fhir_gateway_audit_events_total{result="failed"} ${failed}`,
      'fhir_gateway_audit_events_total{result="set-aside"} 0',
    ]
    expect(await told()).toEqual(expected(0))
    metrics.auditEvent('failed')
    expect(await told()).toEqual(expected(1))
  })

  it('tell of upstreams how long they took, what failed and whether they are ready', async () => {
    const upstreams = [
      { path: '/fhir', ready: true },
      { path: '/r4', ready: false },
    ]
    const metrics = metricsOf({ upstreams: () => upstreams })
    metrics.upstream({ base: '/fhir', kind: 'read', milliseconds: 3 })
    metrics.upstream({ base: '/fhir', kind: 'read', milliseconds: 40_000, failure: 'too-slow' })
    metrics.upstream({ base: '/fhir', kind: 'write', milliseconds: 5, failure: 'server-error' })
    const told = await lines(metrics, 'upstream')
    expect(told).toEqual(
      expect.arrayContaining([
        'fhir_gateway_upstream_request_duration_seconds_bucket{le="0.0025",base="/fhir",kind="read"} 0',
        'fhir_gateway_upstream_request_duration_seconds_bucket{le="0.005",base="/fhir",kind="read"} 1',
        'fhir_gateway_upstream_request_duration_seconds_bucket{le="30",base="/fhir",kind="read"} 1',
        'fhir_gateway_upstream_request_duration_seconds_bucket{le="+Inf",base="/fhir",kind="read"} 2',
        'fhir_gateway_upstream_request_duration_seconds_sum{base="/fhir",kind="read"} 40.003',
        'fhir_gateway_upstream_request_duration_seconds_count{base="/fhir",kind="read"} 2',
        'fhir_gateway_upstream_errors_total{base="/fhir",kind="read",reason="too-slow"} 1',
        'fhir_gateway_upstream_errors_total{base="/fhir",kind="write",reason="server-error"} 1',
        'fhir_gateway_upstream_ready{base="/fhir"} 1',
        'fhir_gateway_upstream_ready{base="/r4"} 0',
      ]),
    )
  })

  it('tell of the cache what was found in it, what it holds and what left it', async () => {
    const metrics = metricsOf({ storedVersions: () => [{ base: '/fhir', entries: 2, bytes: 4096 }] })
    for (const event of ['hit', 'miss', 'hit', 'evicted'] as const) metrics.cache('/fhir', event)
    expect(await lines(metrics, 'stored_version')).toEqual([
      'fhir_gateway_stored_version_lookups_total{base="/fhir",result="hit"} 2',
      'fhir_gateway_stored_version_lookups_total{base="/fhir",result="miss"} 1',
      'fhir_gateway_stored_version_evictions_total{base="/fhir"} 1',
      'fhir_gateway_stored_versions{base="/fhir"} 2',
      'fhir_gateway_stored_version_bytes{base="/fhir"} 4096',
    ])
  })

  it('tell when the certificate that clients are shown expires', async () => {
    const metrics = metricsOf({ certificates: () => [{ use: 'listener', expires: 1_900_000_000_000 }] })
    expect(await lines(metrics, 'certificate')).toEqual([
      'fhir_gateway_certificate_expiry_timestamp_seconds{use="listener"} 1900000000',
    ])
    expect(await lines(metricsOf(), 'certificate')).toEqual([])
  })

  it('name a resource type only where the policy does', async () => {
    const metrics = metricsOf({ config: () => ({ bases: [base] }) })
    const common = { requestId: 'r', interaction: 'read', decision: 'relayed', status: 200, milliseconds: 1 } as const
    for (const type of ['Flag', 'Patient', 'Account', 'Basic']) metrics.record({ ...common, base: '/fhir', type })
    metrics.record({ ...common, base: '/of-a-config-that-is-over', type: 'Flag' })
    metrics.record({ ...common, base: '/fhir' })
    expect((await lines(metrics, 'requests_total')).map((line) => /type="(\w+)".* (\d)/.exec(line)!.slice(1))).toEqual([
      ['Flag', '1'],
      ['other', '3'],
      ['other', '1'],
      ['none', '1'],
    ])
  })

  it('count what comes after very many combinations of labels as other', async () => {
    const metrics = metricsOf()
    const refused = { requestId: 'r', decision: 'refused', status: 400, milliseconds: 1 } as const
    for (let rule = 0; rule < mostCombinations + 10; rule++) metrics.record({ ...refused, refusedBy: [`rule ${rule}`] })
    const told = await lines(metrics, 'refusals_total')
    expect(told).toHaveLength(mostCombinations + 1)
    expect(told.at(-1)).toBe(
      'fhir_gateway_refusals_total{base="other",interaction="other",type="other",refused_by="other"} 10',
    )
  })

  it('are those that are defined, with their labels, and no others', async () => {
    const told = (await metricsOf().registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('fhir_gateway_'))
    expect(told.map(({ name, type, help, aggregator }) => ({ name, type, help, aggregator })).toSorted(byName)).toEqual(
      Object.entries<MetricDefinition>(definitions)
        // The process above the workers tells of them.
        .filter(([name]) => !name.startsWith('fhir_gateway_worker'))
        .map(([name, { kind, help, aggregator }]) => ({ name, type: kind, help, aggregator: aggregator ?? 'sum' }))
        .toSorted(byName),
    )
  })

  it('of several processes become one: counts and histograms are added, the worst of what is yes or no is told', async () => {
    const workers = [true, false].map((ready, index) => {
      const metrics = metricsOf({ inFlight: () => index + 1, upstreams: () => [{ path: '/fhir', ready }] })
      metrics.record({ requestId: 'r', decision: 'refused', refusedBy: ['gone'], status: 410, milliseconds: 4 })
      metrics.upstream({ base: '/fhir', kind: 'read', milliseconds: 4 })
      metrics.reloaded(ready ? 'applied' : 'refused')
      return metrics.registry.getMetricsAsJSON()
    })
    const told = (await AggregatorRegistry.aggregate(await Promise.all(workers)).metrics()).split('\n')
    expect(told).toEqual(
      expect.arrayContaining([
        'fhir_gateway_requests_total{base="none",interaction="none",type="none",decision="refused",status="410"} 2',
        'fhir_gateway_upstream_request_duration_seconds_bucket{le="0.005",base="/fhir",kind="read"} 2',
        'fhir_gateway_upstream_request_duration_seconds_count{base="/fhir",kind="read"} 2',
        'fhir_gateway_requests_in_flight 3',
        'fhir_gateway_upstream_ready{base="/fhir"} 0',
        'fhir_gateway_last_reload_successful 0',
      ]),
    )
  })
})

const byName = (one: { readonly name: string }, other: { readonly name: string }) => one.name.localeCompare(other.name)
