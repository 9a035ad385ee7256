import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Json, isList, isObject, parseJsonText } from '../../../src/fhir/json-text.ts'

/** What JSON.parse would give. */
function plain(json: Json): unknown {
  if (isObject(json)) return Object.fromEntries([...json].map(([name, value]) => [name, plain(value)]))
  if (isList(json)) return json.map(plain)
  if (json !== null && typeof json === 'object') return Number(json.text)
  return json
}

test('whatever JSON.stringify writes is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      const json = parseJsonText(text, 1000)
      // oxlint-disable-next-line no-control-regex
      if (!json.ok) return /\\u(00[01]|fff|d[89a-f])|[\ufffe\uffff\ud800-\udfff]|__proto__/i.test(text)
      expect(plain(json.value)).toEqual(JSON.parse(text))
      return true
    }),
  )
})

test('what JSON.parse refuses is refused', () => {
  const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '"a"', '1', '-', '.', 'e', 'true', 'null', ' ', '\\')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = pieces.join('')
      if (!parseJsonText(text, 100).ok) return
      expect(() => JSON.parse(text) as unknown).not.toThrow()
    }),
    { numRuns: 2000 },
  )
})

test.each(['1.00', '1e400', '12345678901234567890', '-0', '0.10E-5', '1e+0'])('%s keeps its digits', (text) => {
  expect(parseJsonText(text, 1)).toEqual({ ok: true, value: { kind: 'number', text } })
})

test.each([
  [String.raw`"\"\\\/\b\f"`],
  [String.raw`"\ud83d"`],
  [String.raw`"\ude00\ud83d"`],
  [String.raw`"\u0000"`],
  [String.raw`"\uffff"`],
  ['"\ud83d"'],
  ['"\ud83d\\ude00"'],
  ['"\u0001"'],
])('%j holds a character that FHIR does not allow', (text) => {
  expect(parseJsonText(text, 1)).toMatchObject({ ok: false })
})

test('escapes are undone', () => {
  expect(parseJsonText(String.raw`"a\"\\\/\n\r\t\u00e9\ud83d\ude00b"`, 1)).toEqual({
    ok: true,
    value: 'a"\\/\n\r\té😀b',
  })
})

describe('a name twice in one object', () => {
  test.each([
    '{"a":1,"a":1}',
    String.raw`{"a":1,"\u0061":2}`,
    '{"b":[{"a":1,"a":2}]}',
    '{"__proto__":1,"__proto__":2}',
  ])('%s is refused', (text) => {
    expect(parseJsonText(text, 9)).toEqual({
      ok: false,
      faults: [{ sentence: expect.stringContaining('twice') as string }],
    })
  })

  test('in two objects it is not', () => {
    expect(parseJsonText('[{"a":1},{"a":1}]', 9)).toMatchObject({ ok: true })
  })
})

test('__proto__ and constructor are names like others', () => {
  const json = parseJsonText('{"__proto__":{"a":1},"constructor":2}', 9)
  expect(json.ok && isObject(json.value) && [...json.value.keys()]).toEqual(['__proto__', 'constructor'])
  expect(({} as Record<string, unknown>)['a']).toBeUndefined()
})

test.each([
  ['', 'ends too early'],
  ['{', 'ends too early'],
  ['{"a":1', 'ends too early'],
  ['"abc', 'ends too early'],
  ['{} {}', 'followed by more'],
  ['{}\u00a0', 'followed by more'],
  ['\ufeff{}', 'not JSON'],
  ["{'a':1}", 'not JSON'],
  ['{a:1}', 'not JSON'],
  ['{"a":1,}', 'not JSON'],
  ['[1,]', 'not JSON'],
  ['[1 2]', 'not JSON'],
  ['01', 'followed by more'],
  ['+1', 'not JSON'],
  ['.5', 'not JSON'],
  ['1.', 'followed by more'],
  ['NaN', 'not JSON'],
  ['Infinity', 'not JSON'],
  ['truey', 'followed by more'],
  ['True', 'not JSON'],
  ['// c\n{}', 'not JSON'],
  ['{"a":1}// c', 'followed by more'],
  ['"a\nb"', 'not JSON'],
  [String.raw`"\x41"`, 'not JSON'],
  [String.raw`"\u00g0"`, 'not JSON'],
  [String.raw`"\u{41}"`, 'not JSON'],
])('%j is refused', (text, sentence) => {
  expect(parseJsonText(text, 9)).toEqual({
    ok: false,
    faults: [{ sentence: expect.stringContaining(sentence) as string }],
  })
})

test('a fault says where it stands and not what stands there', () => {
  const json = parseJsonText('{\n  "a": secret\n}', 9)
  expect(json).toEqual({ ok: false, faults: [{ sentence: 'The body is not JSON. (line 2, column 8)' }] })
})

test.each(['[', '{"a":'])('a MiB of %j is refused without harm', (piece) => {
  expect(parseJsonText(piece.repeat(2 ** 20 / piece.length), 200)).toMatchObject({ ok: false })
})

test('brackets may be nested up to the bound', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  expect(parseJsonText(nested(20), 20).ok).toBe(true)
  expect(parseJsonText(nested(21), 20).ok).toBe(false)
  expect(parseJsonText(`[${'[[]],'.repeat(100)}[]]`, 3).ok).toBe(true)
})
