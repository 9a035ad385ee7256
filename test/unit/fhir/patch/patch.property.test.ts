import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Element, type Resource, sameElement } from '../../../../src/fhir/element.ts'
import { parseJson, writeJson } from '../../../../src/fhir/json.ts'
import { applyFhirPathPatch } from '../../../../src/fhir/patch/fhirpath-patch.ts'
import { applyJsonPatch } from '../../../../src/fhir/patch/json-patch.ts'
import type { Patched } from '../../../../src/fhir/patch/patched.ts'
import { applyXmlPatch } from '../../../../src/fhir/patch/xml-patch.ts'
import { fhirPathDifference, jsonDifference, xmlDifference } from './differences.ts'
import { canonical, naivelyPatched, type Operation } from './naive-json-patch.ts'
import { bounds, outcomeOf, r4, resourceOf } from './read.ts'

const text = fc.constantFrom('a', 'b', '<&>"', "it's", ' ', 'ü\n')
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 3 })
const some = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { requiredKeys: [] }).filter((made) => Object.keys(made).length > 0)
const plainExtension = fc.record({ url: text, valueString: text })
const extension = fc.oneof(plainExtension, fc.record({ url: text, extension: list(plainExtension) }))
const coding = some({ system: text, code: text, userSelected: fc.boolean() })
const concept = some({ coding: list(coding), text })
const choice = fc.constantFrom<object>({}, { deceasedBoolean: true }, { deceasedDateTime: '2026' })
const patient = fc
  .tuple(
    fc.record(
      {
        contained: fc
          .record({ resourceType: fc.constant('Organization'), id: fc.constant('o'), name: text })
          .map((o) => [o]),
        extension: list(extension),
        identifier: list(some({ system: text, value: text, type: concept })),
        active: fc.boolean(),
        name: list(some({ family: text, given: list(text) })),
        gender: text,
        _gender: fc.record({ extension: list(extension) }),
        maritalStatus: concept,
        contact: list(some({ relationship: list(concept), gender: text })),
        link: list(fc.record({ other: fc.record({ reference: text }), type: text })),
        multipleBirthInteger: fc.integer(),
      },
      { requiredKeys: [] },
    ),
    choice,
  )
  .map(([members, deceased]) => ({
    resourceType: 'Patient',
    id: 'a',
    meta: { versionId: '1', lastUpdated: '2026-01-01T00:00:00Z' },
    ...members,
    ...deceased,
  }))

function made(patched: Patched): Resource {
  if (!patched.ok) throw new Error(outcomeOf(patched))
  return patched.resource
}

const asJson = (element: Element) => JSON.parse(writeJson(element as Resource)) as Record<string, unknown>

describe('a patch made of the difference of two resources makes the second of the first', () => {
  test('in JSON Patch', () => {
    fc.assert(
      fc.property(patient, patient, (before, after) => {
        const patch = JSON.stringify(jsonDifference(before, after))
        const result = made(applyJsonPatch(resourceOf(before), patch, r4, bounds))
        expect(sameElement(result, resourceOf(after))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('in XML Patch', () => {
    fc.assert(
      fc.property(patient, patient, (before, after) => {
        const [left, right] = [resourceOf(before), resourceOf(after)]
        const result = made(applyXmlPatch(left, xmlDifference(left, right), r4, bounds))
        expect(sameElement(result, right)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('in FHIRPath Patch', () => {
    fc.assert(
      fc.property(patient, patient, (before, after) => {
        const [left, right] = [resourceOf(before), resourceOf(after)]
        const patch = resourceOf(fhirPathDifference(left, right, asJson))
        expect(sameElement(made(applyFhirPathPatch(left, patch, r4, bounds)), right)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

/** Every pointer into a value. */
function pointersOf(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [at]
  return [at, ...Object.entries(value).flatMap(([name, item]) => pointersOf(item, `${at}/${name}`))]
}

const owned = (json: unknown) => {
  const { resourceType, id, meta } = json as { resourceType: unknown; id: unknown; meta?: Record<string, unknown> }
  return JSON.stringify([resourceType, id, meta?.['versionId'], meta?.['lastUpdated']])
}

/** Why the product and the naive patch cannot both be right. */
function disagreement(before: object, operations: readonly Operation[], result: Patched): string | undefined {
  let expected: unknown
  try {
    expected = naivelyPatched(before, operations)
  } catch {
    return result.ok ? 'applied what does not apply' : undefined
  }
  if (result.ok) {
    if (owned(expected) !== owned(before)) return 'changed what belongs to the server'
    return canonical(asJson(result.resource)) === canonical(expected) ? undefined : 'came to something else'
  }
  if (result.kind === 'malformed') return 'malformed'
  if (outcomeOf(result).includes('belong to the server')) {
    return operations.some(touchesServerOwned) ? undefined : "took something for the server's"
  }
  return parseJson(JSON.stringify(expected), r4, bounds).ok ? 'refused what makes a resource' : undefined
}

function touchesServerOwned({ op, path, from }: Operation): boolean {
  const pattern = /^(?:$|\/id|\/resourceType|\/meta$|\/meta\/versionId|\/meta\/lastUpdated)/
  return op !== 'test' && (pattern.test(path) || (op === 'move' && pattern.test(from ?? '')))
}

test('a JSON Patch comes to what a naive one comes to, or is refused for what belongs to the server or to FHIR', () => {
  const value = fc.oneof(text, fc.boolean(), fc.integer(), fc.constant(null), concept, list(coding), list(text))
  let applied = 0
  fc.assert(
    fc.property(
      patient.chain((before) => {
        const pointer = fc
          .tuple(
            fc.constantFrom(...pointersOf(before)),
            fc.oneof(
              { weight: 4, arbitrary: fc.constant('') },
              fc.constantFrom('/-', '/0', '/1', '/text', '/x', '/__proto__'),
            ),
          )
          .map((parts) => parts.join(''))
        const operation: fc.Arbitrary<Operation> = fc.oneof(
          fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path: pointer, value }),
          fc.record({ op: fc.constant('remove'), path: pointer }),
          fc.record({ op: fc.constantFrom('move', 'copy'), path: pointer, from: pointer }),
        )
        return fc.tuple(fc.constant(before), fc.array(operation, { minLength: 1, maxLength: 3 }))
      }),
      ([before, operations]) => {
        const result = applyJsonPatch(resourceOf(before), JSON.stringify(operations), r4, bounds)
        if (result.ok) applied += 1
        expect(disagreement(before, operations, result)).toBeUndefined()
      },
    ),
    { numRuns: 2000 },
  )
  expect(applied).toBeGreaterThan(100)
})

test('whatever is sent, an XML Patch and a FHIRPath Patch are answered and never throw', () => {
  const before = resourceOf({ resourceType: 'Patient', id: 'a', gender: 'other', name: [{ given: ['a', 'b'] }] })
  const selector = fc
    .array(fc.constantFrom('f:Patient', '/', 'f:name', '[1]', 'f:given', '[2]', '@value', '@', '..', 'x:'))
    .map((parts) => parts.join(''))
  const xml = fc
    .array(
      fc.tuple(fc.constantFrom('add', 'replace', 'remove'), selector, fc.constantFrom('', 'x', '<f:given value="c"/>')),
      { maxLength: 3 },
    )
    .map((made) => made.map(([name, sel, content]) => `<${name} sel="${sel}">${content}</${name}>`).join(''))
  const path = fc
    .array(fc.constantFrom('Patient', '.', 'name', '[0]', 'given', "where(use='a')", "extension('u')", "'", '(', '\\'))
    .map((parts) => parts.join('') || 'a')
  const type = fc.constantFrom('add', 'insert', 'delete', 'replace', 'move')
  fc.assert(
    fc.property(xml, path, type, text, (xml, path, type, name) => {
      const diff = `<diff xmlns:f="http://hl7.org/fhir">${xml}</diff>`
      expect(() => applyXmlPatch(before, diff, r4, bounds)).not.toThrow()
      const part = [
        { name: 'type', valueCode: type },
        { name: 'path', valueString: path },
        ...(type === 'add' ? [{ name: 'name', valueString: name }] : []),
        ...(type === 'insert' ? [{ name: 'index', valueInteger: 0 }] : []),
        ...(type === 'move' ? ['source', 'destination'].map((name) => ({ name, valueInteger: 1 })) : []),
        ...(['add', 'insert', 'replace'].includes(type) ? [{ name: 'value', valueString: name }] : []),
      ]
      const parameters = resourceOf({ resourceType: 'Parameters', parameter: [{ name: 'operation', part }] })
      expect(() => applyFhirPathPatch(before, parameters, r4, bounds)).not.toThrow()
    }),
    { numRuns: 2000 },
  )
})
