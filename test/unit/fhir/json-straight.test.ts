import { describe, expect, test } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { readJsonThoroughly, writeJson } from '../../../src/fhir/json.ts'
import { readJsonStraight } from '../../../src/fhir/json-straight.ts'
import { writtenText } from '../../../src/fhir/read-element.ts'
import type { FhirRelease } from '../../../src/fhir/version.ts'

const bounds = { nesting: 10, elements: 12 }
/** Plain, as the thorough reader makes it. */
const straight = (text: string, release: FhirRelease = 'STU3') =>
  structuredClone(readJsonStraight(text, definitionsOf(release), bounds))
const thorough = (text: string, release: FhirRelease = 'STU3') => {
  const read = readJsonThoroughly(text, definitionsOf(release), bounds)
  return read.ok ? read.value : undefined
}
const flag = (members: string) => `{"resourceType":"Flag",${members}}`

// Beside the fuzzer of bodies, which finds no text that only one of the two readers takes; that it is quick is seen only here.
describe('a text with nothing rare in it is read straight, to the tree that the thorough reader makes', () => {
  test.each([
    ['nothing', '{"resourceType":"Flag"}'],
    ['text, lists, objects', flag('"id":"1","code":{"coding":[{"code":"a"},{"code":"b"}],"text":"c"}')],
    ['white space of every kind', ' {\r\n\t"resourceType" : "Flag" ,\n"id":\t"1" , "code" : { "text" : "a" } } \n'],
    ['escapes', flag('"code":{"text":"\\u00e9 \\"\\\\\\/\\b\\n"}').replace('\\b', '')],
    ['an escape in a name', flag('"\\u0069d":"1"')],
    ['other alphabets', flag('"code":{"text":"Ελληνικά 漢字 \u{1f600}"}')],
    ['a choice', flag('"extension":[{"url":"a","valueBoolean":true},{"url":"b","valueDecimal":1.00}]')],
    ['a contained resource', flag('"contained":[{"resourceType":"Condition","id":"c"}],"status":"active"')],
  ])('%s', (_what, text) => {
    const read = straight(text)
    expect(read).toBeDefined()
    expect(read).toStrictEqual(thorough(text))
  })
})

describe('what is rare is left to the thorough reader, which takes it', () => {
  test.each([
    ['a part whose name begins with _', flag('"status":"active","_status":{"id":"a"}')],
    ['an element that FHIR does not define', flag('"colour":"red"')],
    ['a resourceType that does not come first', '{"id":"1","resourceType":"Flag"}'],
  ])('%s', (_what, text) => {
    expect(straight(text)).toBeUndefined()
    expect(thorough(text)).toBeDefined()
  })
})

describe('what is wrong is not read straight', () => {
  const deep = (levels: number) => flag(`${'"extension":[{"url":"a",'.repeat(levels)}"id":"a"${'}]'.repeat(levels)}`)
  test.each([
    ['no JSON', '{"resourceType":"Flag"'],
    ['more text', '{"resourceType":"Flag"}{}'],
    ['a comma too many', flag('"id":"1",')],
    ['a comma behind the resourceType', '{"resourceType":"Flag",}'],
    ['an unknown resource', '{"resourceType":"Sign"}'],
    ['a second resourceType', flag('"resourceType":"Flag"')],
    ['a name twice', flag('"id":"1","id":"1"')],
    ['a name twice, once escaped', flag('"id":"1","\\u0069d":"1"')],
    ['two types of one choice', flag('"extension":[{"url":"a","valueCode":"a","valueString":"a"}]')],
    ['an empty string', flag('"id":""')],
    ['an empty object', flag('"code":{}')],
    ['an empty list', flag('"identifier":[]')],
    ['null', flag('"status":null')],
    ['a null in a list', flag('"meta":{"profile":[null]}')],
    ['a list in a list', flag('"identifier":[[{"id":"a"}]]')],
    ['a list where the element does not repeat', flag('"code":[{"text":"a"}]')],
    ['no list where it repeats', flag('"identifier":{"id":"a"}')],
    ['another kind of value', flag('"status":true')],
    ['a number that is no integer', flag('"extension":[{"url":"a","valueInteger":1.0}]')],
    ['a number that JSON does not have', flag('"extension":[{"url":"a","valueDecimal":01}]')],
    ['a control character', flag('"code":{"text":"a\u0001"}')],
    ['a line feed in a string', flag('"code":{"text":"a\n"}')],
    ['an escaped control character', flag('"code":{"text":"a\\u0001"}')],
    ['half a pair', flag('"code":{"text":"\ud83d"}')],
    ['an escaped half of a pair', flag('"code":{"text":"\\ud83d"}')],
    ['a string without an end', flag('"code":{"text":"a')],
    ['an escape without an end', flag('"code":{"text":"a\\')],
    ['a contained resource without an id', flag('"contained":[{"resourceType":"Flag"}]')],
    ['an id that is none', flag('"id":"a b"')],
    ['more levels than may be', deep(10)],
    ['more elements than may be', flag(`"identifier":[${Array(12).fill('{"value":"a"}').join()}]`)],
    ['a byte order mark', '\ufeff{"resourceType":"Flag"}'],
  ])('%s', (_what, text) => {
    expect(thorough(text)).toBeUndefined()
    expect(straight(text)).toBeUndefined()
  })

  test('the bounds are the same for both', () => {
    for (let levels = 1; levels < 12; levels++) {
      expect(straight(deep(levels))).toStrictEqual(thorough(deep(levels)))
      const many = flag(`"category":{"coding":[${Array(levels).fill('{"code":"a"}').join()}]}`)
      expect(straight(many)).toStrictEqual(thorough(many))
    }
  })
})

test('a resourceType is no element of a resource, also where its type has one of that name; elsewhere it may be', () => {
  const instance = (id: string) => `{"resourceId":"${id}","resourceType":"Flag"}`
  const text = `{"resourceType":"ExampleScenario","status":"draft","instance":[${instance('a')},${instance('b')}]}`
  expect(straight(text, 'R4')).toBeDefined()
  expect(straight(text, 'R4')).toStrictEqual(thorough(text, 'R4'))
})

describe('what is written of an element whose text is known is what is written of one whose text is not', () => {
  test.each([
    ['as it is written', '{"resourceType":"Flag","id":"1","code":{"coding":[{"code":"a"}],"text":"é漢"}}'],
    ['with white space', '{"resourceType":"Flag","code": {"coding":[{ "code":"a"}],"text":"a"}}'],
    ['with white space at its end', '{"resourceType":"Flag","code":{"text":"a" }}'],
    ['with escapes', '{"resourceType":"Flag","code":{"text":"\\u00e9\\/"}}'],
    ['with characters in two halves', '{"resourceType":"Flag","code":{"text":"\u{1f600}"}}'],
    ['with numbers', '{"resourceType":"Flag","extension":[{"url":"a","valueDecimal":-1.00E+2}]}'],
    [
      'with a resource inside',
      '{"resourceType":"Flag","contained":[{"resourceType":"Flag","id":"a"}],"status":"active"}',
    ],
  ])('%s', (_what, text) => {
    const read = readJsonStraight(text, definitionsOf('STU3'), bounds)!
    expect(writeJson(read)).toBe(writeJson(structuredClone(read)))
  })

  test('is not put together again where nothing can be written in another way', () => {
    const text = '{"resourceType":"Flag","code":{"coding":[{"code":"a"}]},"subject": {"reference":"a"}}'
    const { children } = readJsonStraight(text, definitionsOf('STU3'), bounds)!
    const written = (name: string) => writtenText(children.get(name)!.items[0]!, 'json')
    expect(written('code')).toBe('{"coding":[{"code":"a"}]}')
    expect(written('subject')).toBeUndefined()
    expect(writtenText({ ...children.get('code')!.items[0]! }, 'json')).toBeUndefined()
  })
})
