import type { Children, Element, Resource } from '../../fhir/element.ts'

/** One child of an element that the gateway makes; undefined where there is none. */
export type Part = readonly [name: string, children: Children] | undefined

/** The parts that are there, in FHIR's order, which is the order of FHIR XML. */
function childrenFrom(parts: readonly Part[]): ReadonlyMap<string, Children> {
  return new Map(parts.filter((part) => part !== undefined))
}

/** A primitive that is a string in FHIR JSON: `code`, `uri`, `string`, `instant`. */
export function primitive(name: string, type: string, text: string | undefined): Part {
  if (text === undefined) return undefined
  const item = {
    type,
    definition: type,
    resource: false,
    value: { kind: 'string', text },
    children: new Map(),
  } as const
  return [name, { list: false, items: [item] }]
}

export function backbone(name: string, definition: string, ...parts: readonly Part[]): Part {
  return [name, { list: false, items: [backboneItem(definition, parts)] }]
}

export function inner(name: string, resource: Resource | undefined): Part {
  return resource && [name, { list: false, items: [resource] }]
}

/** A Bundle of a type with entries, each given by its parts. */
export function bundleOf(type: string, entries: readonly (readonly Part[])[]): Resource {
  const items = entries.map((parts) => backboneItem('Bundle.entry', parts))
  const entry: Part = items.length > 0 ? ['entry', { list: true, items }] : undefined
  const children = childrenFrom([primitive('type', 'code', type), entry])
  return { type: 'Bundle', definition: 'Bundle', resource: true, value: undefined, children }
}

function backboneItem(definition: string, parts: readonly Part[]): Element {
  return { type: 'BackboneElement', definition, resource: false, value: undefined, children: childrenFrom(parts) }
}
