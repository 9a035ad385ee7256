import { describe, expect, it } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { writeJson } from '../../../src/fhir/json.ts'
import { readJson } from '../../../src/sandbox/lenient-json.ts'
import { resourceOf } from '../../../src/sandbox/lenient.ts'

const definitions = definitionsOf('STU3')

function written(text: string): string | undefined {
  const resource = resourceOf(readJson(text), definitions)
  return resource && writeJson(resource)
}

describe('A body in JSON is read as laxly as HAPI reads it', () => {
  it.each([
    ['the last of two equal names counts', '"status":"active","status":"inactive"', '"status":"inactive"'],
    ['a list where one is expected gives its first item', '"status":["active","inactive"]', '"status":"active"'],
    ['one item where a list is expected becomes a list', '"identifier":{"value":"1"}', '"identifier":[{"value":"1"}]'],
    [
      'an element that FHIR does not define vanishes',
      '"status":"active","Status":"x","foo":{"a":1}',
      '"status":"active"',
    ],
    ['comments vanish', '"fhir_comments":["x"],"status":"active"', '"status":"active"'],
    ['nulls and empty strings vanish', '"language":null,"code":{"text":""},"status":"active"', '"status":"active"'],
    ['empty objects and lists vanish', '"code":{},"identifier":[],"status":"active"', '"status":"active"'],
    ['a boolean where a string is expected becomes a string', '"language":true', '"language":"true"'],
    ['a number where a string is expected becomes a string', '"language":1.50', '"language":"1.50"'],
    [
      'a decimal keeps its digits',
      '"extension":[{"url":"u","valueDecimal":1.00}]',
      '"extension":[{"url":"u","valueDecimal":1.00}]',
    ],
    [
      'a large integer keeps its digits',
      '"extension":[{"url":"u","valueDecimal":12345678901234567890}]',
      '"extension":[{"url":"u","valueDecimal":12345678901234567890}]',
    ],
    ['digits inside a string stay a string', '"code":{"text":"1.0 \\"2\\" 3"}', '"code":{"text":"1.0 \\"2\\" 3"}'],
    ['strings may stand in single quotes', `"code":{'text':'a "b" \\'c\\' 1'}`, `"code":{"text":"a \\"b\\" 'c' 1"}`],
    ['the twin of a primitive is kept', '"_status":{"id":"s"}', '"_status":{"id":"s"}'],
  ])('%s', (_, sent, stored) => {
    expect(written(`{"resourceType":"Flag",${sent}}`)).toBe(`{"resourceType":"Flag",${stored}}`)
  })

  it.each([
    ['no resource type', '{"id":"1"}'],
    ['an unknown resource type', '{"resourceType":"Flog"}'],
    ['an abstract type', '{"resourceType":"DomainResource"}'],
    ['a list', '[]'],
    ['a scalar', '1'],
  ])('but it is no resource with %s', (_, text) => {
    expect(written(text)).toBeUndefined()
  })

  it('throws a SyntaxError for what is not JSON', () => {
    expect(() => readJson('{"resourceType":')).toThrow(SyntaxError)
  })
})
