import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordedPath } from '../../../../src/audit/decisions/path.ts'
import { definitionsOf } from '../../../../src/fhir/definitions.ts'

const r4 = definitionsOf('R4')

describe('the path of a refusal, as it is recorded,', () => {
  it.each([
    'Flag.code.coding[0].display',
    'Flag.status',
    "Flag.extension('https://a.example/x.y').extension('reason').value.coding[1].code",
    "Patient.identifier.where(system = 'https://a.example').value",
    'List.contained.ofType(Condition).clinicalStatus.coding',
    'Bundle.entry[2].resource.code.text',
    'Bundle.entry[2].request.ifMatch',
    'Bundle.entry[0]',
    'Observation.value.unit',
    'Parameters.parameter[0].part[1].value',
    'Flag.update',
    'system.transaction',
    'Flag',
  ])('keeps %s', (expression) => {
    expect(recordedPath(expression, r4)).toBe(expression)
  })

  it.each([
    ['Flag.JohnSmith', 'Flag.?'],
    ['Flag.code.JohnSmith[3].coding', 'Flag.code.?[3].?'],
    ['JohnSmith.code', '?.?'],
    ['Flag.$find-JohnSmith', 'Flag.?'],
    ['Bundle.entry[2].resource.JohnSmith', 'Bundle.entry[2].resource.?'],
    ['Flag.code.birthDate', 'Flag.code.?'],
  ])('has of %s only what FHIR knows: %s', (expression, path) => {
    expect(recordedPath(expression, r4)).toBe(path)
  })

  it('is bounded', () => {
    expect(recordedPath(`Flag${'.extension[0]'.repeat(1000)}`, r4)).toHaveLength(300)
  })

  it('never holds a name that FHIR does not define, wherever it stands', () => {
    const known = fc.constantFrom('code', 'coding[0]', 'extension[1]', 'contained[0]', 'value', 'text', 'resource')
    const own = fc.stringMatching(/^zz[A-Za-z0-9_]{1,20}$/)
    fc.assert(
      fc.property(fc.array(fc.oneof(known, own), { minLength: 1, maxLength: 8 }), (steps) => {
        expect(recordedPath(['Flag', ...steps].join('.'), r4)).not.toContain('zz')
      }),
    )
  })
})
