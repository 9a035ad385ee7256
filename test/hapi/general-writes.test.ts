import { expect, inject, it } from 'vitest'
import { describeGeneralWrites, startGeneralGateway } from './general-writes.ts'

describeGeneralWrites('HAPI', () => inject('hapi').R4)

it('$validate passes, and stores nothing', async () => {
  const gateway = await startGeneralGateway(inject('hapi').R4)
  try {
    const answer = await fetch(`${gateway.url}/Observation/$validate`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify({ resourceType: 'Observation', status: 'final', code: { text: 'Potassium' } }),
    })
    expect(answer.status).toBeLessThan(500)
    expect(((await answer.json()) as { resourceType: string }).resourceType).toBe('OperationOutcome')
    expect(answer.headers.get('location')).toBeNull()
  } finally {
    await gateway.close()
  }
})
