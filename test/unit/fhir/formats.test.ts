import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Definitions, definitionsOf } from '../../../src/fhir/definitions.ts'
import { type Children, type Element, type Resource, sameElement } from '../../../src/fhir/element.ts'
import type { Parsed } from '../../../src/fhir/fault.ts'
import { parseJson, writeJson } from '../../../src/fhir/json.ts'
import { unspeakableAt } from '../../../src/fhir/unicode.ts'
import { parseXml, writeXml } from '../../../src/fhir/xml.ts'

const xhtml = 'http://www.w3.org/1999/xhtml'

const text = fc
  .oneof(fc.string({ minLength: 1, unit: 'binary' }), fc.constantFrom('<', '&amp;', ']]>', '\t', '\n', '\r\n', ' a '))
  .filter((value) => unspeakableAt(value) < 0)
const integer = fc.integer().map(String)
const decimal = fc.oneof(integer, fc.constantFrom('1.00', '-0', '1e400', '12345678901234567890', '0.10E-7'))
const id = fc.string({ minLength: 1, maxLength: 64, unit: fc.constantFrom(...'aZ09-.') })

/** Any element of FHIR's own definitions, down to some depth. */
function elementOf(definitions: Definitions, definition: string, type: string, depth: number): fc.Arbitrary<Element> {
  if (type === 'xhtml') {
    const div = fc.constantFrom(
      `<div xmlns="${xhtml}">a<br/>&amp;</div>`,
      `<div xmlns="${xhtml}"><p class="&lt;"></p></div>`,
    )
    return div.map((text) => element(type, definition, 'string', text, new Map()))
  }
  const children = childrenOf(definitions, definition, depth)
  if (!definitions.isPrimitive(type)) {
    return children
      .filter((map) => map.size > 0)
      .map((map) => ({ type, definition, resource: false, value: undefined, children: map }))
  }
  const kind = definitions.kindOf(type)
  const value =
    kind === 'boolean'
      ? fc.constantFrom('true', 'false')
      : kind === 'string'
        ? type === 'id'
          ? id
          : text
        : type === 'decimal'
          ? decimal
          : integer
  return fc
    .tuple(fc.option(value, { nil: undefined, freq: 5 }), fc.oneof({ weight: 4, arbitrary: noChildren }, children))
    .filter(([value, map]) => value !== undefined || map.size > 0)
    .map(([value, map]) => element(type, definition, kind, value, map))
}

const noChildren = fc.constant<ReadonlyMap<string, Children>>(new Map())

function element(
  type: string,
  definition: string,
  kind: 'string' | 'number' | 'boolean',
  value: string | undefined,
  children: ReadonlyMap<string, Children>,
): Element {
  return { type, definition, resource: false, value: value === undefined ? undefined : { kind, text: value }, children }
}

function childrenOf(definitions: Definitions, definition: string, depth: number) {
  if (depth === 0) return noChildren
  const names = definitions.childNames(definition).filter((name) => {
    const child = definitions.child(definition, name)!
    if (definitions.holdsResource(child.type)) return false
    // At the last level only what can end there.
    return depth > 1 || definitions.isPrimitive(child.type)
  })
  // Of a choice one type at most.
  const one = { maxLength: 4, selector: (name: string) => definitions.child(definition, name)!.element }
  const pairs = fc.uniqueArray(fc.constantFrom(...names), one).chain((chosen) =>
    fc.tuple(
      ...chosen.map((name) => {
        const child = definitions.child(definition, name)!
        // In XML the id of an element and the url of an extension are attributes: a value and nothing else.
        const plain = (name === 'id' && child.type === 'string') || (definition === 'Extension' && name === 'url')
        const item: fc.Arbitrary<Element> = plain
          ? text.map((value) => element(child.type, child.definition, 'string', value, new Map()))
          : name === 'id'
            ? id.map((value) => element(child.type, child.definition, 'string', value, new Map()))
            : elementOf(definitions, child.definition, child.type, depth - 1)
        const items = fc.array(item, { minLength: 1, maxLength: child.repeats ? 3 : 1 })
        return items.map((items): [string, Children] => [name, { list: child.repeats, items }])
      }),
    ),
  )
  return pairs.map((pairs): ReadonlyMap<string, Children> => new Map(pairs))
}

function resourceOf(definitions: Definitions, types: readonly string[]): fc.Arbitrary<Resource> {
  const bare = fc.constantFrom(...types).chain((type) =>
    childrenOf(definitions, type, 3).map((children): Resource => ({
      type,
      definition: type,
      resource: true,
      value: undefined,
      children,
    })),
  )
  const contained = fc.uniqueArray(fc.tuple(id, bare), { maxLength: 2, selector: ([id]) => id }).map((pairs) =>
    pairs.map(([id, resource]): Resource => {
      const own = { list: false, items: [element('id', 'id', 'string', id, new Map())] }
      return { ...resource, children: new Map([...resource.children, ['id', own]]) }
    }),
  )
  return fc.tuple(bare, contained).map(([resource, items]) => {
    if (items.length === 0) return resource
    return { ...resource, children: new Map([...resource.children, ['contained', { list: true, items }]]) }
  })
}

function value<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
  return parsed.value
}

describe.each(['STU3', 'R4', 'R5'] as const)('any resource of FHIR %s', (release) => {
  const definitions = definitionsOf(release)
  const resource = resourceOf(definitions, ['Flag', 'Consent', 'Condition', 'List', 'Observation', 'Questionnaire'])

  test('survives FHIR JSON', () => {
    fc.assert(
      fc.property(resource, (tree) => {
        const read = value(parseJson(writeJson(tree), definitions))
        expect(sameElement(read, tree)).toBe(true)
        expect(writeJson(read)).toBe(writeJson(tree))
      }),
    )
  })

  test('survives FHIR XML', () => {
    fc.assert(
      fc.property(resource, (tree) => {
        const read = value(parseXml(writeXml(tree), definitions))
        expect(sameElement(read, tree)).toBe(true)
        expect(writeXml(read)).toBe(writeXml(tree))
      }),
    )
  })

  test('is the same tree from either format', () => {
    fc.assert(
      fc.property(resource, (tree) => {
        const fromXml = value(parseXml(writeXml(tree), definitions))
        const fromJson = value(parseJson(writeJson(fromXml), definitions))
        expect(fromJson).toEqual(fromXml)
      }),
    )
  })
})

test('whatever is sent, the readers answer and never throw', () => {
  const definitions = definitionsOf('STU3')
  const json = fc.array(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"resourceType"',
      '"Flag"',
      '"_id"',
      '"id"',
      'null',
      '1',
      '"contained"',
    ),
  )
  const xml = fc.array(
    fc.constantFrom(
      '<Flag xmlns="http://hl7.org/fhir">',
      '</Flag>',
      '<id value="a"/>',
      '<contained>',
      '</contained>',
      '<text>',
      '</text>',
      `<div xmlns="${xhtml}">`,
      '</div>',
      'a',
      '<![CDATA[a]]>',
      '<x xmlns="urn:x">',
      '</x>',
      '<code>',
      '</code>',
    ),
  )
  fc.assert(
    fc.property(json, xml, (a, b) => {
      expect(() => parseJson(a.join(''), definitions)).not.toThrow()
      expect(() => parseXml(b.join(''), definitions)).not.toThrow()
    }),
    { numRuns: 2000 },
  )
})

test('any JSON below a resource type is read or refused, and what is read is written back equal', () => {
  const definitions = definitionsOf('STU3')
  const key = fc.constantFrom('id', '_id', 'code', 'text', 'status', '_status', 'foo', '_foo', 'extension', 'contained')
  const scalar = fc.constantFrom<unknown>(null, true, 1, 'a', '')
  const { any } = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'medium' },
      scalar,
      fc.array(tie('any'), { maxLength: 2 }),
      fc.dictionary(key, tie('any'), { maxKeys: 3 }),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(key, any), (members) => {
      const sent = { resourceType: 'Flag', ...members }
      const read = parseJson(JSON.stringify(sent), definitions)
      if (!read.ok) return
      expect(JSON.parse(writeJson(read.value))).toEqual(sent)
    }),
    { numRuns: 2000 },
  )
})

describe('the number of elements', () => {
  const r4 = definitionsOf('R4')
  const patient = {
    resourceType: 'Patient',
    id: 'p',
    contained: [{ resourceType: 'Organization', id: 'o', name: 'x' }],
    active: true,
    _active: { id: 'a', extension: [{ url: 'https://a.example', valueString: 'x' }] },
    name: [{ given: ['a', 'b'], _given: [null, { id: 'g' }] }],
  }
  const json = JSON.stringify(patient)
  const xml = writeXml(value(parseJson(json, r4)))

  // id, contained with two, active with an id and an extension of two, name with two, of which one has an id.
  const elements = 13

  test('is bounded, the same in both formats', () => {
    for (const read of [parseJson(json, r4, { nesting: 10, elements }), parseXml(xml, r4, { nesting: 10, elements })]) {
      expect(read).toMatchObject({ ok: true })
    }
    for (const fewer of [elements - 1, 1]) {
      const bounds = { nesting: 10, elements: fewer }
      for (const read of [parseJson(json, r4, bounds), parseXml(xml, r4, bounds)]) {
        const sentence = expect.stringMatching(/^It has more than \d+ /)
        expect(read).toMatchObject({ ok: false, faults: [{ sentence, tooLarge: true }] })
      }
    }
  })

  test('of a text is bounded before it has been read', () => {
    const bounds = { nesting: 10, elements: 100 }
    const unfinished = `{"resourceType":"Patient","name":[{"given":[${'"a",'.repeat(300)}`
    expect(parseJson(unfinished, r4, bounds)).toMatchObject({ faults: [{ tooLarge: true }] })
    const narrative = `<Patient xmlns="http://hl7.org/fhir"><text><div xmlns="${xhtml}">${'<br/>'.repeat(300)}`
    expect(parseXml(narrative, r4, bounds)).toMatchObject({ faults: [{ tooLarge: true }] })
  })
})
