import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../../src/audit/metrics.ts'

describe('the metrics', () => {
  it('count requests, permits by their name, what was put back, refusals and reports by their rule, and writes whose outcome is not known', async () => {
    const metrics = createMetrics(() => 3)
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
})
