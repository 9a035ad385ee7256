/** FHIR JSON to the element tree. https://hl7.org/fhir/STU3/json.html, https://hl7.org/fhir/R4/json.html */
import type { ChildDefinition, Definitions } from './definitions.ts'
import type { Children, Element, Resource, Value } from './element.ts'
import { type Parsed, parsed } from './fault.ts'
import { readJsonStraight } from './json-straight.ts'
import { type Json, type JsonObject, isList, isObject, parseJsonText } from './json-text.ts'
import {
  type Bounds,
  type Place,
  TreeReader,
  checkResource,
  collect,
  defaultBounds,
  isElementName,
  lexicalFault,
  noChildren,
  valuesBound,
} from './reading.ts'

export { writeJson } from './json-write.ts'

/**
 * Reads a resource from FHIR JSON, strictly: whatever two parsers could take differently is refused, all faults at once
 * (but a text that is no JSON has one). An element that the FHIR version does not define is kept, with its subtree.
 * @param like a resource that is much the same: of what is written alike, the elements are taken over
 */
export function parseJson(
  text: string,
  definitions: Definitions,
  bounds: Bounds = defaultBounds,
  like?: Resource,
): Parsed<Resource> {
  const straight = readJsonStraight(text, definitions, bounds, like)
  return straight ? parsed(straight) : readJsonThoroughly(text, definitions, bounds)
}

/** The same, and every text: what is wrong with one is found here. */
export function readJsonThoroughly(text: string, definitions: Definitions, bounds: Bounds): Parsed<Resource> {
  // Each element takes at most two brackets: its list's and its own.
  const json = parseJsonText(text, 2 * bounds.nesting, valuesBound(bounds))
  if (!json.ok) return json
  return collect((faults) => {
    if (!isObject(json.value)) return faults.stop('The body is not a resource: a FHIR resource is a JSON object.')
    return new JsonTreeReader(definitions, bounds, faults).resource(json.value, undefined, 1)
  }, bounds.elements)
}

const booleans = { true: { kind: 'boolean', text: 'true' }, false: { kind: 'boolean', text: 'false' } } as const

class JsonTreeReader extends TreeReader {
  resource(json: JsonObject, at: Place | undefined, depth: number): Resource | undefined {
    const type = json.get('resourceType')
    if (typeof type !== 'string') {
      this.faults.add(at, 'A resource needs a resourceType.')
      return undefined
    }
    if (!this.definitions.isResource(type)) {
      this.faults.add(at, `This resourceType does not exist in FHIR ${this.definitions.release}.`)
      return undefined
    }
    const place = at ?? { parent: undefined, name: type, index: undefined }
    const children = this.members(json, type, true, place, depth)
    const resource: Resource = { type, definition: type, resource: true, value: undefined, children }
    checkResource(resource, place, this.faults)
    return resource
  }

  members(
    json: JsonObject,
    definition: string | undefined,
    resource: boolean,
    place: Place,
    depth: number,
  ): ReadonlyMap<string, Children> {
    const children = new Map<string, Children>()
    const twins = hasTwins(json)
    let chosen: Set<string> | undefined
    for (const [key, written] of json) {
      if (resource && key === 'resourceType') continue
      const twinOnly = key.charCodeAt(0) === 0x5f
      const name = twinOnly ? key.slice(1) : key
      if (twinOnly && json.has(name) && !(resource && name === 'resourceType')) continue
      const child = definition === undefined ? undefined : this.definitions.child(definition, name)
      if (child) chosen = this.choose(chosen, child, name, place)
      else if (!this.mayBeKept(name, place)) continue
      const value = twinOnly ? undefined : written
      const twin = twinOnly ? written : twins ? json.get(`_${name}`) : undefined
      const group = this.group(name, child, value, twin, place, depth + 1)
      if (group) children.set(name, group)
    }
    return children
  }

  /** An element that FHIR does not define is kept for the judge to compare, if it can be an element at all. */
  mayBeKept(name: string, place: Place): boolean {
    if (name === 'resourceType') {
      this.faults.add(place, 'resourceType may only stand in a resource, without _resourceType beside it.')
      return false
    }
    if (!isElementName(name)) {
      this.faults.add(place, 'This holds a name that no FHIR element can have.')
      return false
    }
    return true
  }

  /** `value` and `twin` are what stands at `name` and at `_name`; one of them may be absent. */
  group(
    name: string,
    child: ChildDefinition | undefined,
    value: Json | undefined,
    twin: Json | undefined,
    parent: Place,
    depth: number,
  ): Children | undefined {
    const element = child?.element ?? name
    const one: Place = { parent, name: element, index: undefined }
    if (depth > this.bounds.nesting) {
      this.faults.add(one, 'The resource is nested too deeply.')
      return undefined
    }
    const list = child ? child.repeats : isList(value) || (value === undefined && isList(twin))
    if (!list) {
      if (isList(value) || isList(twin)) {
        this.faults.add(one, 'This element does not repeat: it is written without a list.')
        return undefined
      }
      if (value === null || twin === null) {
        this.faults.add(one, 'null may only stand in a list, where the other half of a primitive has an item.')
        return undefined
      }
      const item = this.item(child, value, twin, one, depth)
      return item && { list, items: [item] }
    }
    if ((value !== undefined && !isList(value)) || (twin !== undefined && !isList(twin))) {
      this.faults.add(one, 'This element repeats: it is written as a list.')
      return undefined
    }
    const length = value?.length ?? twin?.length ?? 0
    if (length === 0) {
      this.faults.add(one, 'A list may not be empty: leave it out.')
      return undefined
    }
    if (value && twin && value.length !== twin.length) {
      this.faults.add(one, `This list and its _${name} must have the same number of items.`)
      return undefined
    }
    if (twin?.every((half) => half === null)) {
      this.faults.add(one, 'A list may not hold nothing but nulls: leave it out.')
      return undefined
    }
    const items: Element[] = []
    for (let index = 0; index < length; index++) {
      const place: Place = { parent, name: element, index }
      const item = this.item(child, value?.[index] ?? undefined, twin?.[index] ?? undefined, place, depth)
      // A refused item leaves a stub, so that later faults name the right index; the tree is not used then.
      items.push(item ?? stub)
    }
    return { list, items }
  }

  item(
    child: ChildDefinition | undefined,
    value: Json | undefined,
    twin: Json | undefined,
    place: Place,
    depth: number,
  ): Element | undefined {
    this.faults.element()
    if (isList(value) || isList(twin)) return this.refuse(place, 'A list may not stand in a list.')
    if (!child) return this.undefinedItem(value, twin, place, depth)
    if (this.definitions.isPrimitive(child.type)) return this.primitive(child, value, twin, place, depth)
    if (twin !== undefined) return this.refuse(place, 'Only a primitive may have a part whose name begins with _.')
    if (value === undefined) return this.refuse(place, 'null may only stand for an absent half of a primitive.')
    if (!isObject(value)) return this.refuse(place, `This must be an object: its type is ${child.type}.`)
    if (this.definitions.holdsResource(child.type)) return this.resource(value, place, depth)
    if (value.size === 0) return this.refuse(place, 'An element may not be empty: leave it out.')
    const children = this.members(value, child.definition, false, place, depth)
    return { type: child.type, definition: child.definition, resource: false, value: undefined, children }
  }

  primitive(
    child: ChildDefinition,
    json: Json | undefined,
    twin: Json | undefined,
    place: Place,
    depth: number,
  ): Element | undefined {
    const { type, definition } = child
    if (json === undefined && twin === undefined) {
      return this.refuse(place, 'null may only stand for an absent half of a primitive.')
    }
    let value: Value | undefined
    if (json !== undefined) {
      value = valueOf(json)
      const kind = this.definitions.kindOf(type)
      if (value?.kind !== kind) return this.refuse(place, `This must be a JSON ${kind}: its type is ${type}.`)
      const fault = value.text === '' ? emptyString : lexicalFault(this.definitions, type, value.text)
      if (fault !== undefined) return this.refuse(place, fault)
    }
    if (twin !== undefined && type === 'xhtml') return this.refuse(place, 'A narrative has no part beside its text.')
    const children = this.twin(twin, definition, place, depth)
    return children && { type, definition, resource: false, value, children }
  }

  undefinedItem(json: Json | undefined, twin: Json | undefined, place: Place, depth: number): Element | undefined {
    const shell = { type: undefined, definition: undefined, resource: false }
    if (isObject(json)) {
      if (twin !== undefined) return this.refuse(place, 'Only a primitive may have a part whose name begins with _.')
      if (json.size === 0) return this.refuse(place, 'An element may not be empty: leave it out.')
      return { ...shell, value: undefined, children: this.members(json, undefined, false, place, depth) }
    }
    // Without a value nothing tells that it is a primitive: what has children only is an object.
    const value = valueOf(json)
    if (!value) return this.refuse(place, `FHIR ${this.definitions.release} does not define this, so it needs a value.`)
    if (value.text === '') return this.refuse(place, emptyString)
    const children = this.twin(twin, undefined, place, depth)
    return children && { ...shell, value, children }
  }

  twin(
    twin: Json | undefined,
    definition: string | undefined,
    place: Place,
    depth: number,
  ): ReadonlyMap<string, Children> | undefined {
    if (twin === undefined) return noChildren
    if (!isObject(twin) || twin.size === 0) {
      return this.refuse(place, 'The part whose name begins with _ must be an object that is not empty.')
    }
    return this.members(twin, definition, false, place, depth)
  }

  refuse(place: Place, sentence: string): undefined {
    this.faults.add(place, sentence)
  }
}

/** Most objects have none: then no name needs to be looked up twice. */
function hasTwins(json: JsonObject): boolean {
  for (const key of json.keys()) if (key.charCodeAt(0) === 0x5f) return true
  return false
}

const stub: Element = {
  type: undefined,
  definition: undefined,
  resource: false,
  value: undefined,
  children: noChildren,
}

const emptyString = 'A string may not be empty: leave the element out.'

function valueOf(json: Json | undefined): Value | undefined {
  switch (typeof json) {
    case 'string':
      return { kind: 'string', text: json }
    case 'boolean':
      return json ? booleans.true : booleans.false
    case 'object':
      return json !== null && 'kind' in json ? json : undefined
    default:
      return undefined
  }
}
