import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { type Model, definitionsOf } from '../../../src/fhir/definitions.ts'
import type { FhirRelease } from '../../../src/fhir/version.ts'

const releases: readonly FhirRelease[] = ['STU3', 'R4', 'R5']
const stu3 = definitionsOf('STU3')
const r4 = definitionsOf('R4')

function modelOf(release: FhirRelease): Model {
  return createRequire(import.meta.url)(`fhirpath/fhir-context/${release.toLowerCase()}`) as Model
}

/** Walks a dotted path of the model from its type, as a parser does, and gives what it finds at its end. */
function walk(release: FhirRelease, path: string) {
  const definitions = definitionsOf(release)
  const [type, ...names] = path.split('.')
  let definition = type!
  let child
  for (const name of names) {
    child = definitions.child(definition, name)
    if (!child) return undefined
    definition = child.definition
  }
  return child
}

describe('every element of the model is found where FHIR has it', () => {
  test.each(releases)('%s: each path has its type and repeats as the model says', (release) => {
    const model = modelOf(release)
    const wrong: string[] = []
    for (const [path, type] of Object.entries(model.path2Type)) {
      // A constrained copy of Extension in the model: extensions of ElementDefinition are ordinary ones.
      if (path.startsWith('ElementDefinition.extension.') || /^[a-z][A-Za-z0-9]*\.value$/.test(path)) continue
      const child = walk(release, path)
      const typed = type.startsWith('System.') ? /^(id|uri|string)$/.test(child?.type ?? '') : child?.type === type
      if (!typed || child?.repeats !== (model.path2Repeating[path] ?? false)) wrong.push(path)
    }
    expect(wrong).toEqual([])
  })

  test.each(releases)('%s: content defined elsewhere is found there', (release) => {
    const model = modelOf(release)
    const wrong = Object.entries(model.pathsDefinedElsewhere).filter(
      ([path, target]) => walk(release, path)?.definition !== walk(release, target)?.definition,
    )
    expect(wrong).toEqual([])
  })

  test.each(releases)('%s: each definition that a child names has an id and extensions', (release) => {
    const definitions = definitionsOf(release)
    const wrong = new Set<string>()
    for (const path of Object.keys(modelOf(release).path2Type)) {
      const child = walk(release, path)
      if (!child || definitions.holdsResource(child.type)) continue
      if (!definitions.child(child.definition, 'id') || !definitions.child(child.definition, 'extension')) {
        wrong.add(child.definition)
      }
    }
    expect([...wrong]).toEqual([])
  })
})

test.each([
  ['Flag', 'code', 'CodeableConcept', 'CodeableConcept', false, 'code'],
  ['Flag', 'id', 'id', 'id', false, 'id'],
  ['Flag', 'contained', 'Resource', 'Resource', true, 'contained'],
  ['List', 'entry', 'List.entry', 'BackboneElement', true, 'entry'],
  ['List.entry', 'item', 'Reference', 'Reference', false, 'item'],
  ['List.entry', 'modifierExtension', 'Extension', 'Extension', true, 'modifierExtension'],
  ['Extension', 'valueString', 'string', 'string', false, 'value'],
  ['Extension', 'url', 'uri', 'uri', false, 'url'],
  ['Coding', 'id', 'string', 'string', false, 'id'],
  ['code', 'extension', 'Extension', 'Extension', true, 'extension'],
  ['Parameters.parameter', 'part', 'Parameters.parameter', 'BackboneElement', true, 'part'],
  ['Bundle.entry', 'link', 'Bundle.link', 'BackboneElement', true, 'link'],
  ['Consent.provision', 'provision', 'Consent.provision', 'BackboneElement', true, 'provision'],
  ['Consent', 'provision', 'Consent.provision', 'BackboneElement', false, 'provision'],
  ['SimpleQuantity', 'value', 'decimal', 'decimal', false, 'value'],
  ['Timing', 'repeat', 'Timing.repeat', 'Element', false, 'repeat'],
] as const)('%s.%s is defined', (parent, name, definition, type, repeats, element) => {
  expect(r4.child(parent, name)).toMatchObject({ definition, type, repeats, element })
})

test.each([
  ['R4', 'ExampleScenario.process.step.operation.request', false],
  ['R4', 'SubstanceSpecification.molecularWeight', true],
  ['R5', 'RegulatedAuthorization.case.application', true],
  ['R5', 'SubstanceDefinition.structure.molecularWeight', false],
  ['STU3', 'ImplementationGuide.page.page', true],
  ['STU3', 'TestScript.test.action.assert', false],
] as const)(
  '%s: %s has its own cardinality, not that of the element that defines its content',
  (release, path, repeats) => {
    expect(walk(release, path)?.repeats).toBe(repeats)
  },
)

test.each([
  ['Flag', 'colour'],
  ['Flag', 'constructor'],
  ['constructor', 'name'],
  ['Extension', 'value'],
  ['string', 'value'],
  ['', ''],
])('%s.%s is not defined', (parent, name) => {
  expect(stu3.child(parent, name)).toBeUndefined()
})

test('a resource type is concrete and belongs to the version', () => {
  expect(['Flag', 'Bundle', 'BodySite'].map((type) => stu3.isResource(type))).toEqual([true, true, true])
  expect(['BodySite', 'Resource', 'DomainResource', 'Coding', 'constructor'].filter((t) => r4.isResource(t))).toEqual(
    [],
  )
})

test('primitives and their JSON kinds', () => {
  expect(['code', 'uuid', 'xhtml'].every((type) => stu3.isPrimitive(type))).toBe(true)
  expect(['Coding', 'Flag', '__proto__'].some((type) => stu3.isPrimitive(type))).toBe(false)
  expect(['boolean', 'decimal', 'positiveInt', 'date', 'integer64'].map((type) => r4.kindOf(type))).toEqual([
    'boolean',
    'number',
    'number',
    'string',
    'string',
  ])
})

test('the names of an element are listed, inherited ones included', () => {
  expect(stu3.childNames('Flag')).toEqual(expect.arrayContaining(['id', 'meta', 'contained', 'status', 'code']))
  expect(stu3.childNames('Nothing')).toEqual([])
})

test('a choice is listed with the names that it may be written with', () => {
  expect(stu3.choices('Extension', 'value')).toEqual(expect.arrayContaining(['valueString', 'valueCodeableConcept']))
  expect(stu3.choices('Flag', 'status')).toEqual([])
})

test.each(['STU3', 'R4', 'R5'] as const)(
  '%s: each child says how JSON writes it, when it is a primitive',
  (release) => {
    const { childNames, child, children, isPrimitive, kindOf, resourceTypes } = definitionsOf(release)
    const seen = new Set<string>()
    const visit = (definition: string) => {
      if (seen.has(definition)) return
      seen.add(definition)
      for (const name of childNames(definition)) {
        const found = child(definition, name)!
        expect(found.kind).toBe(isPrimitive(found.type) ? kindOf(found.type) : undefined)
        expect(children(definition)!.get(name)).toBe(found)
        visit(found.definition)
      }
    }
    for (const type of resourceTypes) visit(type)
    expect(seen.size).toBeGreaterThan(500)
  },
)

test.each(['STU3', 'R4', 'R5'] as const)('%s: only a resource and what is its own leads to another one', (release) => {
  const definitions = definitionsOf(release)
  const lead = new Map<string, boolean>()
  /** Whether an element of a definition may hold a resource, at whatever depth. */
  const leads = (definition: string): boolean => {
    const known = lead.get(definition)
    if (known !== undefined) return known
    lead.set(definition, false)
    const found = definitions.childNames(definition).filter((name) => {
      const child = definitions.child(definition, name)!
      return definitions.holdsResource(child.type) || leads(child.definition)
    })
    lead.set(definition, found.length > 0)
    return found.length > 0
  }
  for (const type of definitions.resourceTypes) leads(type)
  const leading = [...lead].filter(([, leads]) => leads).map(([definition]) => definition)
  expect(leading).toEqual(
    expect.arrayContaining(['Bundle', 'Bundle.entry', 'Bundle.entry.response', 'Parameters.parameter']),
  )
  // This is what withoutServerOwned goes by.
  expect(leading.filter((name) => !definitions.isResource(name) && !name.includes('.'))).toEqual([])
})
