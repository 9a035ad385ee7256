import type { Definitions } from '../../src/fhir/definitions.ts'
import { sameElement, withoutServerOwned, type Resource } from '../../src/fhir/element.ts'
import { parseJson, writeJson } from '../../src/fhir/json.ts'
import { applyJsonPatch } from '../../src/fhir/patch/json-patch.ts'
import { parseXml, writeXml } from '../../src/fhir/xml.ts'
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

const jsonPatch: Route = {
  name: 'JSON Patch',
  formats: ['json'],
  after(stored, before, after, way) {
    const text = JSON.stringify(patchOf(way.random, before, after))
    const patched = applyJsonPatch(stored, text, way.definitions, { nesting: 100 })
    const wished = read(after, way)
    // What belongs to the server, and the id, are no patch's to change; a body may at least try.
    if (!patched.ok) return undefined
    if (!wished || !sameElement(patched.resource, wished)) throw new Error(`The patch makes something else: ${text}`)
    return withoutServerOwned(patched.resource)
  },
}

/** All the ways that are fuzzed; a new way to write is one more of them. */
export const routes: readonly Route[] = [put, put, jsonPatch]
