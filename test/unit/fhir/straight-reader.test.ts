import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { childrenOf, textOf, type Resource } from '../../../src/fhir/element.ts'
import { readJsonThoroughly, writeJson } from '../../../src/fhir/json.ts'
import { readJsonStraight } from '../../../src/fhir/json-straight.ts'
import { readXmlStraight } from '../../../src/fhir/xml-straight.ts'
import { readXmlThoroughly, writeXml } from '../../../src/fhir/xml.ts'

const bounds = { nesting: 10, elements: 12 }
const stu3 = definitionsOf('STU3')

const json = {
  read: readJsonStraight,
  readThoroughly: readJsonThoroughly,
  write: writeJson,
  before:
    '{"resourceType":"Flag","id":"1","extension":[{"url":"a","valueString":"a"},{"url":"b","valueString":"b"}],"code":{"text":"a"},"status":"active"}',
  second: ['"b","valueString":"b"', '"b","valueString":"c"'],
  status: ',"status":"active"',
  parts: ['"a"', '"b"', '{', '}', ',', '"url"', '"valueString"', ' ', 'x', '\\u0061'],
} as const
const xml = {
  read: readXmlStraight,
  readThoroughly: readXmlThoroughly,
  write: writeXml,
  before:
    '<Flag xmlns="http://hl7.org/fhir"><id value="1"/><extension url="a"><valueString value="a"/></extension><extension url="b"><valueString value="b"/></extension><status value="active"/><code><text value="a"/></code></Flag>',
  second: ['valueString value="b"', 'valueString value="c"'],
  status: '<status value="active"/>',
  parts: ['"a"', '<', '>', '/', '/>', '</', 'url', 'value', ' ', 'x', '&amp;', '&', '<!-- -->', 'code'],
} as const

describe.each([
  ['JSON', json],
  ['XML', xml],
])('what is taken over from another resource in %s', (_format, { read, readThoroughly, write, ...texts }) => {
  const { before, second, status, parts } = texts
  const known = () => read(before, stu3, bounds)!
  const thorough = (text: string) => {
    const parsed = readThoroughly(text, stu3, bounds)
    return parsed.ok ? parsed.value : undefined
  }
  const itemsOf = (resource: Resource | undefined, name: string) => childrenOf(resource!, name)
  const numbers = [...Array(20).keys()]

  test('is what is written alike at the root of the resource; all else is read', () => {
    const like = known()
    const after = read(before.replace(second[0], second[1]), stu3, bounds, like)
    expect(itemsOf(after, 'extension')[0]).toBe(itemsOf(like, 'extension')[0])
    expect(itemsOf(after, 'extension')[1]).not.toBe(itemsOf(like, 'extension')[1])
    expect(itemsOf(after, 'code')[0]).toBe(itemsOf(like, 'code')[0])
    expect(textOf(itemsOf(after, 'extension')[1]!, 'valueString')).toBe('c')
  })

  test('is nothing of a changed copy: it has the text of what it was copied from no more', () => {
    const like = known()
    const code = { ...itemsOf(like, 'code')[0]!, children: new Map() }
    const changed = { ...like, children: new Map([...like.children, ['code', { list: false, items: [code] }]]) }
    const after = read(before, stu3, bounds, changed)
    expect(itemsOf(after, 'code')[0]).not.toBe(code)
    expect(structuredClone(after)).toStrictEqual(thorough(before))
  })

  test.each([
    ['another type', before.replaceAll('Flag', 'Condition').replace(status, ''), 'STU3', bounds],
    ['another FHIR version', before, 'R4', bounds],
    ['another bound of nesting', before, 'STU3', { ...bounds, nesting: 5 }],
  ] as const)('is nothing of a resource with %s', (_what, text, release, bounds) => {
    const like = known()
    const after = read(text, definitionsOf(release), bounds, like)
    expect(after).toBeDefined()
    for (const [name, { items }] of after?.children ?? []) {
      for (const item of items) expect(itemsOf(like, name)).not.toContain(item)
    }
  })

  test('counts as if it were read', () => {
    const needed = numbers.find((elements) => read(before, stu3, { ...bounds, elements }, known()))
    expect(needed).toBe(numbers.find((elements) => read(before, stu3, { ...bounds, elements })))
    // Also by a reader that does not count.
    const like = read(before, stu3, { nesting: bounds.nesting })
    expect(read(before, stu3, { ...bounds, elements: needed! - 1 }, like)).toBeUndefined()
  })

  test('is what reading gives, whatever of it is changed', () => {
    const like = known()
    const isReadAlike = (at: number, cut: number, part: string) => {
      const text = before.slice(0, at) + part + before.slice(at + cut)
      const after = read(text, stu3, bounds, like)
      const plain = thorough(text)
      if (!after || !plain) return after === undefined
      return isDeepStrictEqual(structuredClone(after), plain) && write(after) === write(plain)
    }
    const part = fc.constantFrom<string>(...parts)
    const check = fc.check(fc.property(fc.nat(before.length), fc.nat(12), part, isReadAlike), { numRuns: 2000 })
    expect(check).toMatchObject({ failed: false })
  })
})
