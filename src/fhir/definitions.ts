/**
 * What a FHIR version says of its elements: type, whether they repeat, how JSON writes them. Read from the model tables
 * of the fhirpath package; https://hl7.org/fhir/STU3/elementdefinition.html has the terms.
 */
import { createRequire } from 'node:module'
import type { FhirRelease } from './version.ts'

/** The JSON kind of a primitive's value. https://hl7.org/fhir/R4/json.html#primitive */
export type ValueKind = 'string' | 'number' | 'boolean'

/** One element that a definition allows. */
export interface ChildDefinition {
  /** Where its own children are defined: `CodeableConcept`, `List.entry`; `Resource` for one that holds a resource. */
  readonly definition: string
  /** Its FHIR type: `code`, `CodeableConcept`, `BackboneElement`. */
  readonly type: string
  readonly repeats: boolean
  /** Its name in FHIRPath: `value` for `valueString`, else the name itself. */
  readonly element: string
  /** How JSON writes its value; undefined where its type is no primitive. */
  readonly kind: ValueKind | undefined
}

/** The tables of one FHIR version. */
export interface Definitions {
  readonly release: FhirRelease
  /** The element `name`, as FHIR JSON and XML write it, of a type or path; undefined where FHIR defines none. */
  child(definition: string, name: string): ChildDefinition | undefined
  /** All of them, by name; undefined for a definition that FHIR does not have. */
  children(definition: string): ReadonlyMap<string, ChildDefinition> | undefined
  /** The names that `child` knows, inherited ones included. */
  childNames(definition: string): readonly string[]
  /** The names that a choice may be written with: `valueString` … for `value`; empty where it is no choice. */
  choices(definition: string, element: string): readonly string[]
  /** A concrete resource type; false for `Resource` and `DomainResource`. */
  isResource(type: string): boolean
  /** All concrete resource types. */
  readonly resourceTypes: ReadonlySet<string>
  isPrimitive(type: string): boolean
  /** How JSON writes the value of a primitive type. */
  kindOf(type: string): ValueKind
  /** True for the type of an element whose content is a whole resource: contained, Bundle.entry.resource … */
  holdsResource(type: string): boolean
  /** Whether a type is another, or one that is derived from it: `Age` is a `Quantity`, `Flag` a `Resource`. */
  isA(type: string, ancestor: string): boolean
}

/** @returns the definitions of a FHIR version; they are read once, at the first call for it. */
export function definitionsOf(release: FhirRelease): Definitions {
  const known = loaded.get(release)
  if (known) return known
  const definitions = build(release, load(models[release]) as Model)
  loaded.set(release, definitions)
  return definitions
}

/** The model tables of a FHIR version as the fhirpath package takes them. */
export function modelOf(release: FhirRelease): unknown {
  return load(models[release])
}

/** The part of the model files that is used here. */
export interface Model {
  readonly path2Type: Readonly<Record<string, string>>
  readonly path2Repeating: Readonly<Record<string, boolean>>
  readonly pathsDefinedElsewhere: Readonly<Record<string, string>>
  readonly type2Parent: Readonly<Record<string, string>>
  readonly choiceTypePaths: Readonly<Record<string, readonly string[]>>
}

const load = createRequire(import.meta.url)
const loaded = new Map<FhirRelease, Definitions>()
const models: Record<FhirRelease, string> = {
  STU3: 'fhirpath/fhir-context/stu3',
  R4: 'fhirpath/fhir-context/r4',
  R5: 'fhirpath/fhir-context/r5',
}

/**
 * Elements whose content is defined elsewhere repeat as their target does, except these. (The model files do not tell:
 * these are all that differ in the StructureDefinitions of the three versions.)
 */
const ownCardinality: Record<FhirRelease, Readonly<Record<string, boolean>>> = {
  STU3: { 'ImplementationGuide.page.page': true },
  R4: {
    'Consent.provision.provision': true,
    'ExampleScenario.process.step.operation.request': false,
    'ExampleScenario.process.step.operation.response': false,
    'ImplementationGuide.definition.page.page': true,
    'MedicinalProductAuthorization.procedure.application': true,
    'SubstanceSpecification.molecularWeight': true,
  },
  R5: {
    'ExampleScenario.process.step.operation.request': false,
    'ExampleScenario.process.step.operation.response': false,
    'ExampleScenario.process.step.process': false,
    'ImplementationGuide.definition.page.page': true,
    'PackagedProductDefinition.packaging.packaging': true,
    'RegulatedAuthorization.case.application': true,
    'SubstanceDefinition.structure.molecularWeight': false,
  },
}

const anonymous: ReadonlySet<string> = new Set(['Element', 'BackboneElement'])
const abstract: ReadonlySet<string> = new Set(['Resource', 'DomainResource', 'CanonicalResource', 'MetadataResource'])
const kinds: ReadonlyMap<string, ValueKind> = new Map([
  ['boolean', 'boolean'],
  ['integer', 'number'],
  ['positiveInt', 'number'],
  ['unsignedInt', 'number'],
  ['decimal', 'number'],
])
const nothing: readonly string[] = []

type Table = ReadonlyMap<string, ChildDefinition>

/** What the model files say of an element by itself. */
type Written = Omit<ChildDefinition, 'kind'>

/** FHIR's primitive types are the ones in lower case. */
const isPrimitiveName = (type: string) => /^[a-z]/.test(type)
const kindOf = (type: string): ValueKind => kinds.get(type) ?? 'string'

function build(release: FhirRelease, model: Model): Definitions {
  const parents = new Map(Object.entries(model.type2Parent))
  const tables = tablesOf(release, model, parents)
  const names = new Map<string, readonly string[]>()
  const choices = new Map(Object.entries(model.choiceTypePaths))
  const resources = new Set([...parents.keys()].filter((type) => isA(parents, type, 'Resource') && !abstract.has(type)))
  const primitives = new Set([...tables.keys(), ...parents.keys()].filter(isPrimitiveName))

  return {
    release,
    child: (definition, name) => tables.get(definition)?.get(name),
    children: (definition) => tables.get(definition),
    childNames(definition) {
      const known = names.get(definition)
      if (known) return known
      const table = tables.get(definition)
      if (!table) return nothing
      const listed = [...table.keys()]
      names.set(definition, listed)
      return listed
    },
    choices(definition, element) {
      for (let at: string | undefined = definition; at !== undefined; at = parents.get(at)) {
        const types = choices.get(`${at}.${element}`)
        if (types) return types.map((type) => element + type)
      }
      return nothing
    },
    isResource: (type) => resources.has(type),
    resourceTypes: resources,
    isPrimitive: (type) => primitives.has(type),
    kindOf,
    holdsResource: (type) => type === 'Resource',
    isA: (type, ancestor) => isA(parents, type, ancestor),
  }
}

/** A table per definition, each with what it inherits. */
function tablesOf(
  release: FhirRelease,
  model: Model,
  parents: ReadonlyMap<string, string>,
): ReadonlyMap<string, Table> {
  const own = new Map<string, Map<string, Written>>()
  const add = (path: string, entry: Omit<Written, 'element'>, element?: string): void => {
    const dot = path.lastIndexOf('.')
    const definition = path.slice(0, dot)
    const name = path.slice(dot + 1)
    let table = own.get(definition)
    if (!table) own.set(definition, (table = new Map()))
    table.set(name, { ...entry, element: element ?? name })
  }
  const choiceNames = new Map<string, string>()
  for (const [path, types] of Object.entries(model.choiceTypePaths)) {
    for (const type of types) choiceNames.set(path + type, path.slice(path.lastIndexOf('.') + 1))
  }
  for (const [path, written] of Object.entries(model.path2Type)) {
    // A primitive's own value is a slot of the element, not a child.
    if (/^[a-z][A-Za-z0-9]*\.value$/.test(path)) continue
    const type = written.startsWith('System.') ? systemType(path, parents) : written
    const definition = anonymous.has(type) ? path : type
    add(path, { definition, type, repeats: model.path2Repeating[path] === true }, choiceNames.get(path))
  }
  for (const [path, target] of Object.entries(model.pathsDefinedElsewhere)) {
    const repeats = ownCardinality[release][path] ?? model.path2Repeating[target] === true
    add(path, { definition: target, type: model.path2Type[target]!, repeats })
  }
  return inherited(own, parents, model)
}

/** The FHIR type behind a FHIRPath system type: only ids and the url of an extension are written that way. */
function systemType(path: string, parents: ReadonlyMap<string, string>): string {
  if (path.endsWith('.url')) return 'uri'
  return isA(parents, path.slice(0, path.lastIndexOf('.')), 'Resource') ? 'id' : 'string'
}

function inherited(
  own: ReadonlyMap<string, ReadonlyMap<string, Written>>,
  parents: ReadonlyMap<string, string>,
  model: Model,
): ReadonlyMap<string, Table> {
  const tables = new Map<string, Table>()
  const withKind = ([name, written]: [string, Written]): [string, ChildDefinition] => {
    const { type } = written
    const isType = own.has(type) || parents.has(type)
    return [name, { ...written, kind: isType && isPrimitiveName(type) ? kindOf(type) : undefined }]
  }
  const complete = (definition: string): Table => {
    const known = tables.get(definition)
    if (known) return known
    const parent = parents.get(definition) ?? (definition.includes('.') ? model.path2Type[definition] : undefined)
    const table = new Map([...(parent ? complete(parent) : []), ...[...(own.get(definition) ?? [])].map(withKind)])
    tables.set(definition, table)
    return table
  }
  for (const definition of [...own.keys(), ...parents.keys()]) complete(definition)
  return tables
}

function isA(parents: ReadonlyMap<string, string>, type: string, ancestor: string): boolean {
  for (let at: string | undefined = type; at !== undefined; at = parents.get(at)) if (at === ancestor) return true
  return false
}
