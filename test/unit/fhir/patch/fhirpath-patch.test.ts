import { describe, expect, test } from 'vitest'
import { writeJson } from '../../../../src/fhir/json.ts'
import { applyFhirPathPatch } from '../../../../src/fhir/patch/fhirpath-patch.ts'
import { bounds, outcomeOf, r4, resourceOf } from './read.ts'

const stored = {
  resourceType: 'Patient',
  id: 'a',
  meta: { versionId: '3', lastUpdated: '2026-01-01T00:00:00Z', tag: [{ code: 'x' }] },
  contained: [
    { resourceType: 'Organization', id: 'o', name: 'n' },
    { resourceType: 'Patient', id: 'p', active: true },
  ],
  extension: [
    { url: 'urn:a', valueString: 's' },
    { url: 'urn:b', extension: [{ url: 'c', valueInteger: 1 }] },
  ],
  identifier: [
    { system: 'urn:x', value: '1' },
    { system: 'urn:y', value: "it's" },
  ],
  name: [{ family: 'F', given: ['g', 'h'] }],
  birthDate: '2000-01-01',
  deceasedBoolean: false,
}

type Part = { name: string } & Record<string, unknown>

const code = (valueCode: string): Part => ({ name: 'type', valueCode })
const path = (valueString: string): Part => ({ name: 'path', valueString })
const name = (valueString: string): Part => ({ name: 'name', valueString })
const value = (value: Record<string, unknown>): Part => ({ name: 'value', ...value })
const at = (name: string, valueInteger: number): Part => ({ name, valueInteger })
const operation = (...part: Part[]) => ({ name: 'operation', part })
const change = (changes: object) => ({ ...stored, ...changes })

function apply(parameter: unknown[], resource: unknown = stored) {
  const parameters = resourceOf({ resourceType: 'Parameters', ...(parameter.length > 0 && { parameter }) })
  return applyFhirPathPatch(resourceOf(resource), parameters, r4, bounds)
}

test.each<[string, Part[], object]>([
  [
    'add makes an element',
    [code('add'), path('Patient'), name('gender'), value({ valueCode: 'other' })],
    change({ gender: 'other' }),
  ],
  [
    'add appends to a list',
    [code('add'), path('Patient'), name('identifier'), value({ valueIdentifier: { value: '3' } })],
    change({ identifier: [...stored.identifier, { value: '3' }] }),
  ],
  [
    'add begins a list',
    [
      code('add'),
      path('Patient'),
      name('link'),
      value({
        part: [
          { name: 'other', valueReference: { reference: 'Patient/1' } },
          { name: 'type', valueCode: 'seealso' },
        ],
      }),
    ],
    change({ link: [{ other: { reference: 'Patient/1' }, type: 'seealso' }] }),
  ],
  [
    'add makes a choice of the type of its value',
    [code('add'), path('Patient'), name('multipleBirth'), value({ valueInteger: 2 })],
    change({ multipleBirthInteger: 2 }),
  ],
  [
    'add makes an extension of its parts, also of a primitive',
    [
      code('add'),
      path('Patient.birthDate'),
      name('extension'),
      value({
        part: [
          { name: 'url', valueUri: 'urn:e' },
          { name: 'value', valueString: 's' },
        ],
      }),
    ],
    change({ _birthDate: { extension: [{ url: 'urn:e', valueString: 's' }] } }),
  ],
  [
    'add takes a string for a code, and keeps what stands beside the value',
    [code('add'), path('Patient'), name('gender'), value({ valueString: 'male', _valueString: { id: 'i' } })],
    change({ gender: 'male', _gender: { id: 'i' } }),
  ],
  [
    'add appends a resource',
    [code('add'), path('Patient'), name('contained'), value({ resource: { resourceType: 'Patient', id: 'q' } })],
    change({ contained: [...stored.contained, { resourceType: 'Patient', id: 'q' }] }),
  ],
  [
    'insert puts an item before the one with this index',
    [code('insert'), path('Patient.identifier'), at('index', 1), value({ valueIdentifier: { value: '3' } })],
    change({ identifier: [stored.identifier[0], { value: '3' }, stored.identifier[1]] }),
  ],
  [
    'insert puts an item after the last',
    [code('insert'), path('Patient.name[0].given'), at('index', 2), value({ valueString: 'i' })],
    change({ name: [{ family: 'F', given: ['g', 'h', 'i'] }] }),
  ],
  [
    'insert begins a list',
    [code('insert'), path('Patient.telecom'), at('index', 0), value({ valueContactPoint: { value: '1' } })],
    change({ telecom: [{ value: '1' }] }),
  ],
  [
    'delete takes an item out',
    [code('delete'), path("Patient.identifier.where(system = 'urn:x')")],
    change({ identifier: [stored.identifier[1]] }),
  ],
  ['delete of nothing is no fault', [code('delete'), path('Patient.photo')], stored],
  [
    'a literal may hold what is escaped',
    [code('replace'), path(String.raw`identifier.where(value='it\'s').system`), value({ valueUri: 'urn:z' })],
    change({ identifier: [stored.identifier[0], { system: 'urn:z', value: "it's" }] }),
  ],
  [
    'extension() finds one by its url',
    [code('replace'), path("Patient.extension('urn:b').extension('c').value"), value({ valueString: 't' })],
    change({ extension: [stored.extension[0], { url: 'urn:b', extension: [{ url: 'c', valueString: 't' }] }] }),
  ],
  [
    'a choice may change its type',
    [code('replace'), path('Patient.deceased'), value({ valueDateTime: '2026' })],
    Object.fromEntries(
      Object.entries(stored).map(([key, own]) =>
        key === 'deceasedBoolean' ? ['deceasedDateTime', '2026'] : [key, own],
      ),
    ),
  ],
  [
    'ofType() keeps the elements of a type',
    [code('replace'), path('Patient.deceased.ofType(boolean)'), value({ valueBoolean: true })],
    change({ deceasedBoolean: true }),
  ],
  [
    'ofType() keeps the resources of a type',
    [code('replace'), path('Patient.contained.ofType(Patient).active'), value({ valueBoolean: false })],
    change({ contained: [stored.contained[0], { resourceType: 'Patient', id: 'p', active: false }] }),
  ],
  [
    'move takes an item to another place, counted after it was taken out',
    [code('move'), path('Patient.identifier'), at('source', 0), at('destination', 1)],
    change({ identifier: stored.identifier.toReversed() }),
  ],
  [
    'what is in meta beside the server-owned parts may change',
    [code('delete'), path('Patient.meta.tag')],
    change({ meta: { versionId: '3', lastUpdated: '2026-01-01T00:00:00Z' } }),
  ],
])('%s', (_, parts, after) => {
  const result = apply([operation(...parts)])
  expect(outcomeOf(result)).toBe('applied')
  expect(result.ok && writeJson(result.resource)).toBe(writeJson(resourceOf(after)))
})

test('no operation changes nothing, and later operations see what earlier ones did', () => {
  expect(outcomeOf(apply([]))).toBe('applied')
  const result = apply([
    operation(code('delete'), path('Patient.birthDate')),
    operation(code('add'), path('Patient'), name('birthDate'), value({ valueDate: '2001-02-03' })),
  ])
  expect(result.ok && JSON.parse(writeJson(result.resource))).toEqual(change({ birthDate: '2001-02-03' }))
})

test('numbers keep their digits, whether they were stored or sent', () => {
  const range = (low: string) =>
    `{"resourceType":"Observation","status":"final","code":{"text":"c"},"valueRange":{"low":{"value":1.00},"high":{"value":${low}}}}`
  const parameters = `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Observation.value.high.value"},{"name":"value","valueDecimal":0.10E-7}]}]}`
  const result = applyFhirPathPatch(resourceOf(range('2.50')), resourceOf(parameters), r4, bounds)
  expect(result.ok && writeJson(result.resource)).toBe(range('0.10E-7'))
})

describe('what is no FHIRPath Patch is malformed', () => {
  test.each<[string, unknown, string]>([
    ['a parameter of another name', { name: 'x', valueString: 'a' }, 'named operation'],
    ['no parts', { name: 'operation', valueString: 'a' }, 'type must be'],
    ['no type', operation(path('Patient')), 'type must be'],
    ['an unknown type', operation(code('upsert'), path('Patient')), 'type must be'],
    ['a type of Object.prototype', operation(code('constructor'), path('Patient')), 'type must be'],
    ['no path', operation(code('delete')), 'exactly these parts'],
    ['a path that is no string', operation(code('delete'), { name: 'path', valueInteger: 1 }), 'path must be'],
    ['a part twice', operation(code('delete'), path('Patient.name'), path('Patient.photo')), 'twice'],
    ['a part too many', operation(code('delete'), path('Patient.name'), name('x')), 'exactly these parts'],
    [
      'an unknown part',
      operation(code('delete'), path('Patient.name'), { name: 'toString', valueString: 'a' }),
      'exactly',
    ],
    ['no value', operation(code('replace'), path('Patient.name')), 'exactly these parts'],
    [
      'an index below zero',
      operation(code('insert'), path('a'), at('index', -1), value({ valueString: 'a' })),
      'integer',
    ],
    [
      'a source that is no integer',
      operation(code('move'), path('a'), { name: 'source', valueString: '1' }, at('destination', 1)),
      'integer',
    ],
  ])('%s', (_, parameter, reason) => {
    const outcome = outcomeOf(apply([operation(code('delete'), path('Patient.photo')), parameter]))
    expect(outcome).toMatch(/^malformed: Parameters.parameter\[1\]: Operation \[1\] of the patch: /)
    expect(outcome).toContain(reason)
  })

  test('another resource than Parameters', () => {
    expect(outcomeOf(applyFhirPathPatch(resourceOf(stored), resourceOf(stored), r4, bounds))).toContain('malformed')
  })

  test('too many operations', () => {
    const many = Array.from({ length: 1001 }, () => operation(code('delete'), path('Patient.photo')))
    expect(outcomeOf(apply(many))).toContain('too many operations')
  })
})

describe('what cannot be applied is not applicable', () => {
  const own = 'belong to the server'
  const form = 'Its path must be made of'
  const deleted = (text: string) => [code('delete'), path(text)]
  test.each<[Part[], string]>([
    [deleted('[0]'), form],
    [deleted('Patient.'), form],
    [deleted('.name'), form],
    [deleted('Patient..name'), form],
    [deleted('Patient.name.first()'), form],
    [deleted('Patient.name.repeat(given)'), form],
    [deleted('Patient.name | Patient.photo'), form],
    [deleted("Patient.name.where(family = 'F' or true)"), form],
    [deleted("Patient.name.where(family != 'F')"), form],
    [deleted("Patient.name.where(family = 'F)"), form],
    [deleted(String.raw`Patient.name.where(family = '\x')`), form],
    [deleted('Patient.name[-1]'), form],
    [deleted('Patient.name[0'), form],
    [deleted('%resource.name'), form],
    [deleted('Patient'), 'itself cannot'],
    [deleted('Patient.identifier'), 'more than one'],
    [deleted('Patient.identifier.system'), 'more than one'],
    [deleted('Patient.id'), own],
    [deleted('id'), own],
    [deleted('Patient.meta'), own],
    [deleted('Patient.meta.versionId'), own],
    [deleted('Patient.meta.lastUpdated'), own],
    [[code('replace'), path('Patient'), value({ resource: stored })], 'itself cannot'],
    [[code('replace'), path('Patient.id'), value({ valueId: 'a' })], own],
    [[code('replace'), path('Patient.meta'), value({ valueMeta: { versionId: '4' } })], own],
    [[code('add'), path('Patient.meta'), name('versionId'), value({ valueId: '4' })], own],
    [[code('add'), path('Patient.id'), name('extension'), value({ part: [{ name: 'url', valueUri: 'u' }] })], own],
    [[code('insert'), path('Patient.id'), at('index', 0), value({ valueId: 'b' })], own],
    [[code('add'), path('Patient'), name('birthDate'), value({ valueDate: '2001' })], 'there already'],
    [[code('add'), path('Patient'), name('deceased'), value({ valueDateTime: '2001' })], 'there already'],
    [[code('add'), path('Patient'), name('foo'), value({ valueString: 'a' })], 'defines no element'],
    [[code('add'), path('Patient'), name('__proto__'), value({ valueString: 'a' })], 'defines no element'],
    [[code('add'), path('Patient'), name('multipleBirthInteger'), value({ valueInteger: 1 })], 'defines no element'],
    [[code('add'), path('Patient'), name('multipleBirth'), value({ valueString: '1' })], 'not of the type'],
    [[code('add'), path('Patient'), name('gender'), value({ valueInteger: 1 })], 'not of the type'],
    [[code('add'), path('Patient'), name('maritalStatus'), value({ valueCoding: { code: 'M' } })], 'not of the type'],
    [
      [code('add'), path('Patient'), name('link'), value({ part: [{ name: 'x', valueString: 'a' }] })],
      'defines no element',
    ],
    [
      [
        code('add'),
        path('Patient'),
        name('link'),
        value({
          part: [
            { name: 'type', valueCode: 'a' },
            { name: 'type', valueCode: 'a' },
          ],
        }),
      ],
      'stands twice',
    ],
    [[code('add'), path('Patient'), name('gender'), value({ id: 'a' })], 'one value'],
    [[code('add'), path('Patient.photo'), name('title'), value({ valueString: 'a' })], 'no element'],
    [
      [code('insert'), path('Patient.identifier'), at('index', 3), value({ valueIdentifier: { value: '3' } })],
      'fewer items',
    ],
    [[code('insert'), path('Patient.gender'), at('index', 0), value({ valueCode: 'a' })], 'does not repeat'],
    [[code('insert'), path('Patient.identifier[0]'), at('index', 0), value({ valueCode: 'a' })], 'must end in'],
    [[code('move'), path('Patient.identifier'), at('source', 2), at('destination', 0)], 'fewer items'],
    [[code('move'), path('Patient.identifier'), at('source', 0), at('destination', 2)], 'fewer items'],
    [[code('move'), path('Patient.birthDate'), at('source', 0), at('destination', 0)], 'no list'],
    [[code('replace'), path('Patient.photo'), value({ valueAttachment: { title: 'a' } })], 'no element'],
    [[code('replace'), path(`Patient${'.extension'.repeat(200)}`), value({ valueString: 'a' })], 'too deeply'],
  ])('%j', (parts, reason) => {
    const outcome = outcomeOf(apply([operation(...parts)]))
    expect(outcome).toMatch(/^not-applicable: Parameters.parameter\[0\]: Operation \[0\] of the patch: /)
    expect(outcome).toContain(reason)
  })

  test('what makes the result no resource', () => {
    expect(outcomeOf(apply([operation(...deleted('Patient.contained[0].id'))]))).toContain(
      'Patient.contained[0]: After',
    )
    expect(outcomeOf(apply([operation(...deleted('Patient.meta.tag.code'))]))).toContain('Patient.meta.tag[0]: After')
  })

  test('what grows deeper with every operation', () => {
    const deeper = Array.from({ length: 200 }, (_, i) =>
      operation(
        code('add'),
        path(`Patient.name[0]${'.extension[0]'.repeat(i)}`),
        name('extension'),
        value({
          part: [{ name: 'url', valueUri: 'u' }],
        }),
      ),
    )
    expect(outcomeOf(apply(deeper))).toContain('too deeply')
  })
})
