import { describe, expect, it } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { resourceOf } from '../../../src/sandbox/lenient.ts'
import { hasCriteria, matches, unknownParameters } from '../../../src/sandbox/search.ts'

const flag = resourceOf(
  {
    resourceType: 'Flag',
    id: '7',
    identifier: [{ system: 'urn:i', value: 'x1' }],
    status: 'active',
    category: { coding: [{ system: 'urn:c', code: 'A' }] },
    code: { coding: [{ code: 'bare' }, { system: 'urn:s', code: '42' }] },
    subject: { reference: 'https://demographics.example/STU3/Patient/9000000009' },
  },
  definitionsOf('STU3'),
)!

describe('A search', () => {
  it.each([
    ['', true],
    ['_id=7', true],
    ['_id=8', false],
    ['_id=8,7', true],
    ['status=active', true],
    ['status=inactive', false],
    ['status=active&status=inactive', false],
    ['patient=9000000009', true],
    ['patient=000000009', false],
    ['subject=Patient/9000000009', true],
    ['patient=https://demographics.example/STU3/Patient/9000000009', true],
    ['patient=https://elsewhere.example/STU3/Patient/9000000009', false],
    ['code=42', true],
    ['code=urn:s|42', true],
    ['code=urn:t|42', false],
    ['code=|42', false],
    ['code=|bare', true],
    ['code=urn:s|', true],
    ['code=', false],
    ['category=urn:c|A', true],
    ['category=a', false],
    ['identifier=urn:i|x1', true],
    ['_count=1&_format=xml', true],
  ])('by `%s` finds it: %s', (query, found) => {
    expect(matches(flag, new URLSearchParams(query))).toBe(found)
  })

  it('names the parameters that it does not know', () => {
    expect(unknownParameters(new URLSearchParams('status=active&bogus=1&_count=1'))).toEqual(['bogus'])
  })

  it('has criteria only when something selects', () => {
    expect(hasCriteria(new URLSearchParams('_format=json&bogus=1'))).toBe(false)
    expect(hasCriteria(new URLSearchParams('_id=1'))).toBe(true)
  })
})
