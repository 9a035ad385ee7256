import { describe, expect, it } from 'vitest'
import { auditEventOf } from '../../../../src/audit/decisions/audit-event.ts'
import { readResource } from '../../../../src/fhir/body.ts'
import { definitionsOf } from '../../../../src/fhir/definitions.ts'
import { sampleRecord } from './sample.ts'

const refused = sampleRecord({
  caller: { subject: 'nurse-7', client: 'ward', headerFields: { 'x-user': 'n' } },
  bundle: { interaction: 'batch', entry: 2 },
  decision: 'refused',
  outcome: 'failure',
  refusals: [{ cause: 'change-not-permitted', rule: 'Flag.update', path: 'Flag.code' }, { cause: 'too-large' }],
})

describe.each(['STU3', 'R4'] as const)('an AuditEvent in %s', (release) => {
  it.each([
    ['a permitted update', sampleRecord()],
    ['a refused entry', refused],
    ['a request that nobody understood', sampleRecord({ decision: 'refused', outcome: 'failure' })],
  ])('is FHIR of that version, for %s', (_, record) => {
    const text = JSON.stringify(auditEventOf(record, release))
    const read = readResource(Buffer.from(text), 'json', definitionsOf(release), { nesting: 20 })
    expect(read).toMatchObject({ ok: true })
    const unknown = JSON.stringify(read, (_, value: unknown) => (value instanceof Map ? [...value] : value)).includes(
      '"definition":""',
    )
    expect(unknown).toBe(false)
  })
})

it('says who did what to which record, and what came of it', () => {
  expect(auditEventOf(refused, 'R4')).toMatchObject({
    action: 'U',
    recorded: refused.time,
    outcome: '4',
    outcomeDesc: 'refused as removal; failure',
    agent: [{ who: { identifier: { value: 'nurse-7' } }, altId: 'ward', requestor: true }],
    entity: [
      {
        what: { identifier: { value: 'Flag/1' } },
        detail: expect.arrayContaining([
          { type: 'id', valueString: refused.id },
          { type: 'bundle', valueString: 'batch entry 2' },
          { type: 'refusal', valueString: 'Flag.update at Flag.code' },
        ]),
      },
      { what: { identifier: { value: 'p@abc' } } },
    ],
  })
})

it('has details in base64 in STU3', () => {
  const [entity] = (auditEventOf(refused, 'STU3') as { entity: { detail: { type: string; value: string }[] }[] }).entity
  const told = entity!.detail.map(({ type, value }) => `${type}: ${Buffer.from(value, 'base64').toString()}`)
  expect(told).toContain('refusal: Flag.update at Flag.code')
})

it.each([
  ['success', '0'],
  ['failure', '4'],
  ['unknown', '8'],
] as const)('has for the outcome %s the code %s', (outcome, code) => {
  expect(auditEventOf(sampleRecord({ outcome }), 'R4')).toMatchObject({ outcome: code })
})
