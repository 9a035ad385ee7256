/** The element tree to FHIR JSON. */
import type { Children, Element, Resource } from './element.ts'

/**
 * Writes a resource as FHIR JSON, without white space. Names keep their order, `_x` follows `x`, numbers keep their
 * digits. A list of primitives of which none has a value is written as nulls beside its `_x`.
 * @throws Error for a tree that no FHIR JSON can say: several items where the element is no list.
 */
export function writeJson(resource: Resource): string {
  return object(resource)
}

/** Writes one element, for showing it: its value, or the object that it is. What hangs on a value is left out. */
export function writeElement(element: Element): string {
  return element.value ? valueText(element) : object(element)
}

function object(element: Element): string {
  const members: string[] = []
  if (element.resource) members.push(`"resourceType":${JSON.stringify(element.type)}`)
  for (const [name, group] of element.children) members.push(member(name, group))
  return `{${members.join(',')}}`
}

function member(name: string, group: Children): string {
  if (!group.list && group.items.length !== 1) throw new Error('An element that is no list must have one item.')
  if (!group.items.some(isPrimitive)) return `"${name}":${shaped(group, group.items.map(object))}`
  const values = group.items.map((item) => (isPrimitive(item) ? valueText(item) : object(item)))
  const twins = group.items.map((item) => (isPrimitive(item) && item.children.size > 0 ? object(item) : 'null'))
  const both: string[] = []
  if (group.list || values[0] !== 'null') both.push(`"${name}":${shaped(group, values)}`)
  if (twins.some((twin) => twin !== 'null')) both.push(`"_${name}":${shaped(group, twins)}`)
  return both.join(',')
}

function shaped(group: Children, items: readonly string[]): string {
  return group.list ? `[${items.join(',')}]` : items[0]!
}

/** FHIR's primitive types are the ones in lower case; of an undefined element only its value tells. */
function isPrimitive(element: Element): boolean {
  return element.value !== undefined || (element.type !== undefined && !element.resource && /^[a-z]/.test(element.type))
}

function valueText({ value }: Element): string {
  if (!value) return 'null'
  return value.kind === 'string' ? JSON.stringify(value.text) : value.text
}
