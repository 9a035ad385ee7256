import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createMetrics } from '../../../src/audit/metrics.ts'
import type { Base } from '../../../src/config/config.ts'

describe('the metrics', () => {
  it('count requests, permits by their name, what was put back, refusals and reports by their rule, and writes whose outcome is not known', async () => {
    const metrics = createMetrics({ inFlight: () => 3, config: () => ({ bases: [] }) })
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
        'fhir_gateway_requests_total{base="/fhir",interaction="update",decision="permitted",status="200"} 1',
        'fhir_gateway_requests_total{base="none",interaction="none",decision="refused",status="400"} 1',
        'fhir_gateway_permits_total{base="/fhir",interaction="update",permitted_as="removal"} 1',
        'fhir_gateway_restorations_total{base="/fhir",interaction="update",restored_by="Flag.update"} 1',
        'fhir_gateway_reported_total{base="/fhir",interaction="update",reported_by="if-match-missing"} 1',
        'fhir_gateway_refusals_total{base="/fhir",interaction="update",refused_by="Flag.update"} 1',
        'fhir_gateway_unknown_outcomes_total 1',
        'fhir_gateway_requests_in_flight 3',
        'fhir_gateway_request_duration_seconds_count{interaction="update"} 3',
      ]),
    )
    expect(text).not.toContain('9000000009')
  })

  it('tell which policies are in force, and nothing of those that were', async () => {
    const policy = (digest: string) => ({ path: '/fhir', policy: { name: 'p', digest } }) as unknown as Base
    let bases = [policy('aa')]
    const metrics = createMetrics({ inFlight: () => 0, config: () => ({ bases }) })
    const told = async (name: string) =>
      (await metrics.text()).split('\n').filter((line) => line.startsWith(`fhir_gateway_${name}`))
    expect(await told('policy_info')).toEqual(['fhir_gateway_policy_info{base="/fhir",policy="p",digest="aa"} 1'])
    bases = [policy('bb')]
    expect(await told('policy_info')).toEqual(['fhir_gateway_policy_info{base="/fhir",policy="p",digest="bb"} 1'])
  })

  it('tell how reloads went, and since when what serves is in force', async () => {
    vi.useFakeTimers({ now: 1000_000 })
    onTestFinished(() => void vi.useRealTimers())
    const metrics = createMetrics({ inFlight: () => 0, config: () => ({ bases: [] }) })
    const told = async () =>
      (await metrics.text()).split('\n').filter((line) => /^fhir_gateway_(?:last_)?reload/.test(line))
    const lines = (applied: number, refused: number, seconds: number, successful: number) => [
      `fhir_gateway_reloads_total{result="applied"} ${applied}`,
      `fhir_gateway_reloads_total{result="refused"} ${refused}`,
      `fhir_gateway_last_reload_success_timestamp_seconds ${seconds}`,
      `fhir_gateway_last_reload_successful ${successful}`,
    ]
    expect(await told()).toEqual(lines(0, 0, 1000, 1))
    vi.setSystemTime(2000_000)
    metrics.reloaded('refused')
    expect(await told()).toEqual(lines(0, 1, 1000, 0))
    metrics.reloaded('applied')
    expect(await told()).toEqual(lines(1, 1, 2000, 1))
  })
})
