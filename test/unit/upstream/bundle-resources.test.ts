import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mayBe, resourcesInBundle } from '../../../src/upstream/bundle-resources.ts'

const resourcesIn = (text: string) => resourcesInBundle(Buffer.from(text))

describe('the resources in a Bundle', () => {
  it('are those of its entries, each with the very text that it has, whatever stands around them', () => {
    const entry = fc.record(
      { fullUrl: fc.string({ unit: 'grapheme' }), resource: fc.jsonValue() },
      { requiredKeys: [] },
    )
    const bundle = fc.record(
      { type: fc.jsonValue(), entry: fc.array(entry), x: fc.jsonValue() },
      { requiredKeys: ['type'] },
    )
    fc.assert(
      fc.property(bundle, fc.constantFrom(0, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space)
        const expected = (value.entry ?? []).filter((one) => 'resource' in one).map((one) => one.resource)
        const found = resourcesIn(text)
        expect(found.map((one) => JSON.parse(one.bytes.toString()))).toEqual(JSON.parse(JSON.stringify(expected)))
        const urls = (value.entry ?? []).filter((one) => 'resource' in one).map(({ fullUrl }) => fullUrl)
        expect(found.map(({ fullUrl }) => fullUrl)).toEqual(urls)
      }),
    )
  })

  it.each([
    ['{"entry":[{"resource":{"a":"]}\\\\"}},{"resource":"\\"}"}]}', ['{"a":"]}\\\\"}', '"\\"}"']],
    ['{"\\u0065ntry":[{"resource":1}]}', ['1']],
    ['{"entry":[]}', []],
    [' {} ', []],
  ])('%s', (text, expected) => {
    expect(resourcesIn(text).map(({ bytes }) => bytes.toString())).toEqual(expected)
  })

  it.each([
    ['{"entry":[{"resource":{},"fullUrl":"a"}]}', 'a'],
    ['{"entry":[{"fullUrl":"\\u0061","resource":{}}]}', 'a'],
    ['{"entry":[{"resource":{}}]}', undefined],
    ['{"entry":[{"fullUrl":"a","fullUrl":"b","resource":{}}]}', undefined],
    ['{"entry":[{"fullUrl":7,"resource":{}}]}', undefined],
  ])('%s stands at %s', (text, expected) => {
    expect(resourcesIn(text).map(({ fullUrl }) => fullUrl)).toEqual([expected])
  })

  it.each([
    '',
    '[]',
    '{',
    '{"entry":{}}',
    '{"entry":[1]}',
    '{"entry":[{"resource":{}}',
    '{"entry":[{"resource":"a}]}',
    '{} {}',
    '{"a"}',
    '{"entry":[{};]}',
  ])('cannot be told from %s', (text) => {
    expect(() => resourcesIn(text)).toThrow(SyntaxError)
  })
})

describe('a text', () => {
  const version = { id: 'a.b', versionId: '3' }
  it.each([
    ['{"id":"a.b","meta":{"versionId":"3"}}', true],
    ['{"id" : "a.b", "meta": {"versionId": "3"}}', true],
    ['{"id":"acb","meta":{"versionId":"3"}}', false],
    ['{"id":"a.b","meta":{"versionId":"33"}}', false],
    ['{"contained":[{"id":"x"}],"id":"a.b","meta":{"versionId":"3"}}', true],
    ['{"id":"a.b"}', false],
  ])('%s may be the version: %s', (text, expected) => {
    expect(mayBe(Buffer.from(text), version)).toBe(expected)
  })
})
