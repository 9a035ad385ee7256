import type { Definitions } from '../../src/fhir/definitions.ts'
import {
  childrenOf,
  idOf,
  sameElement,
  withId,
  withoutServerOwned,
  type Element,
  type Resource,
} from '../../src/fhir/element.ts'
import { parseJson, writeJson } from '../../src/fhir/json.ts'
import { applyFhirPathPatch } from '../../src/fhir/patch/fhirpath-patch.ts'
import { applyJsonPatch } from '../../src/fhir/patch/json-patch.ts'
import type { Patched } from '../../src/fhir/patch/patched.ts'
import { applyXmlPatch } from '../../src/fhir/patch/xml-patch.ts'
import { parseXml, writeXml } from '../../src/fhir/xml.ts'
import { fhirPathDifference, xmlDifference } from '../unit/fhir/patch/differences.ts'
import { patchOf } from './json-patch.ts'
import type { JsonObject } from './plain-json.ts'
import type { Random } from './random.ts'

export type Format = 'json' | 'xml'

/** A way to write: how a wish for `after` reaches the judge. Every way to write has to bring it there unchanged. */
export interface Route {
  readonly name: string
  readonly formats: readonly Format[]
  /** After, as it is judged; undefined where the route cannot carry it, or its parser refuses it. */
  after(stored: Resource, before: JsonObject, after: JsonObject, way: Way): Resource | undefined
}

export interface Way {
  readonly format: Format
  readonly definitions: Definitions
  readonly random: Random
}

/** A plain resource as it is read in a format, whole; undefined where the parser refuses it. */
export function read(json: JsonObject, { format, definitions }: Omit<Way, 'random'>): Resource | undefined {
  const fromJson = parseJson(JSON.stringify(json), definitions)
  if (!fromJson.ok) return undefined
  if (format === 'json') return fromJson.value
  const text = asXml(fromJson.value)
  if (text === undefined) return undefined
  const fromXml = parseXml(text, definitions)
  if (!fromXml.ok) throw new Error(`What was read as JSON cannot be read as XML: ${text}`)
  return fromXml.value
}

/** Undefined where XML has no form for it: an `_url` beside a `url` is JSON's alone. */
function asXml(resource: Resource): string | undefined {
  try {
    return writeXml(resource)
  } catch {
    return undefined
  }
}

/** What is sent upstream of a permitted resource, as plain JSON. */
export function sent(resource: Resource, { format, definitions }: Omit<Way, 'random'>): JsonObject {
  if (format === 'json') return JSON.parse(writeJson(resource)) as JsonObject
  const again = parseXml(writeXml(resource), definitions)
  if (!again.ok) throw new Error('What is sent upstream cannot be read.')
  return JSON.parse(writeJson(again.value)) as JsonObject
}

const put: Route = {
  name: 'PUT',
  formats: ['json', 'json', 'xml'],
  after(_stored, _before, after, way) {
    const resource = read(after, way)
    return resource && withoutServerOwned(resource)
  },
}

/** What a patch made, if it could be applied: it must be what was wished. What a patch may not change, a body may at least try. */
function madeBy(patched: Patched, after: JsonObject, way: Way, text: string): Resource | undefined {
  if (!patched.ok) return undefined
  const wished = read(after, way)
  if (!wished || !sameElement(patched.resource, wished)) throw new Error(`The patch makes something else: ${text}`)
  return withoutServerOwned(patched.resource)
}

const jsonPatch: Route = {
  name: 'JSON Patch',
  formats: ['json'],
  after(stored, before, after, way) {
    const text = JSON.stringify(patchOf(way.random, before, after))
    return madeBy(applyJsonPatch(stored, text, way.definitions, { nesting: 100 }), after, way, text)
  },
}

const xmlPatch: Route = {
  name: 'XML Patch',
  formats: ['xml'],
  after(stored, _before, after, way) {
    const wished = read(after, way)
    if (!wished || !isDefined(wished)) return undefined
    const text = xmlDifference(stored, wished)
    return madeBy(applyXmlPatch(stored, text, way.definitions, { nesting: 100 }), after, way, text)
  },
}

const fhirPathPatch: Route = {
  name: 'FHIRPath Patch',
  formats: ['json', 'xml'],
  after(stored, _before, after, way) {
    const wished = read(after, way)
    if (!wished || !isDefined(wished)) return undefined
    const json = (element: Element) => JSON.parse(writeJson(element as Resource)) as JsonObject
    const difference = fhirPathDifference(stored, wished, json, way.definitions) as JsonObject
    const parameters = read(difference, way)
    if (!parameters) return undefined
    const text = JSON.stringify(difference)
    return madeBy(applyFhirPathPatch(stored, parameters, way.definitions, { nesting: 100 }), after, way, text)
  },
}

/** A patch can only speak of what FHIR defines. */
const isDefined = (element: Element): boolean =>
  element.type !== undefined && [...element.children.values()].every(({ items }) => items.every(isDefined))

/** An entry of a Bundle is read with it, and judged by itself. */
const bundle: Route = {
  name: 'Bundle',
  formats: ['json', 'xml'],
  after(_stored, _before, after, way) {
    const request = { method: 'PUT', url: `${String(after['resourceType'])}/${String(after['id'])}` }
    const whole = read({ resourceType: 'Bundle', type: 'transaction', entry: [{ resource: after, request }] }, way)
    const entry = whole && childrenOf(whole, 'entry')[0]
    const resource = entry && childrenOf(entry, 'resource')[0]
    return resource && withoutServerOwned(resource as Resource)
  },
}

/** The body of a conditional update has no id: it gets that of the match. */
const conditional: Route = {
  name: 'conditional update',
  formats: ['json', 'xml'],
  after(stored, _before, after, way) {
    const id = idOf(stored)
    if (id === undefined || after['id'] !== id || '_id' in after) return undefined
    const { id: _id, ...withoutItsId } = after
    const resource = read(withoutItsId, way)
    return resource && withoutServerOwned(withId(resource, id))
  },
}

/** All the ways that are fuzzed; a new way to write is one more of them. */
export const routes: readonly Route[] = [put, put, jsonPatch, xmlPatch, fhirPathPatch, bundle, conditional]
