import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itemsOf, membersOf, textIn, wholeOf } from '../../../src/backtest/json-slices.ts'

const cut = (text: string, { start, end }: { start: number; end: number }) => text.slice(start, end)

describe('slicing JSON', () => {
  it('finds the members of an object as they were written', () => {
    const text = ' { "a" : [1.00, "}"], "b":{"c":"\\"{"} ,"d\\n":null } '
    const members = membersOf(text, wholeOf(text))!
    expect([...members].map(([name, slice]) => [name, cut(text, slice)])).toEqual([
      ['a', '[1.00, "}"]'],
      ['b', '{"c":"\\"{"}'],
      ['d\n', 'null'],
    ])
  })

  it('slices every JSON value into what JSON.parse finds in it', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }),
        fc.boolean(),
        (value, pretty) => {
          const text = JSON.stringify(value, null, pretty ? 2 : 0)
          const members = membersOf(text, wholeOf(text))!
          const read = Object.fromEntries([...members].map(([name, slice]) => [name, JSON.parse(cut(text, slice))]))
          expect(JSON.stringify(read)).toBe(JSON.stringify(JSON.parse(text)))
          const list = JSON.stringify(Object.values(value), null, pretty ? 2 : 0)
          expect(itemsOf(list, wholeOf(list))!.map((slice) => JSON.parse(cut(list, slice)))).toEqual(JSON.parse(list))
        },
      ),
    )
  })

  it.each([
    '',
    '[]',
    '{',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a":1 "b":2}',
    '{"a":1}x',
    '{a:1}',
    '{"a":"x}',
    '{"a":[1}',
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
  ])('finds no object in %j', (text) => {
    expect(membersOf(text, wholeOf(text))).toBeUndefined()
  })

  it.each(['', '{}', '[', '[1', '[1,]', '[1 2]', '["]', '[]]'])('finds no list in %j', (text) => {
    expect(itemsOf(text, wholeOf(text))).toBeUndefined()
  })

  it('reads a string, and nothing else', () => {
    expect(textIn('"a\\u00e4"', wholeOf('"a\\u00e4"'))).toBe('aä')
    expect(textIn('1', wholeOf('1'))).toBeUndefined()
    expect(textIn('"\\x"', wholeOf('"\\x"'))).toBeUndefined()
  })
})
