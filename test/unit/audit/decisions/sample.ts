import type { DecisionRecord } from '../../../../src/audit/decisions/record.ts'

/** A decision record of a permitted update, with some of it as a test wants it. */
export function sampleRecord(changes: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    id: '00000000-0000-4000-8000-000000000001',
    time: '2026-11-25T09:30:00.123Z',
    requestId: '00000000-0000-4000-8000-000000000002',
    base: '/R4',
    fhirVersion: '4.0.1',
    policy: 'p',
    policyDigest: 'abc',
    caller: {},
    interaction: 'update',
    resource: { type: 'Flag', id: '1', versionJudged: '3', versionWritten: '4' },
    decision: 'permitted',
    permittedAs: ['removal'],
    outcome: 'success',
    status: 200,
    upstreamStatus: 200,
    ...changes,
  }
}

/** Ids that can be told apart. */
export const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
