import type { ChildDefinition, Definitions } from '../fhir/definitions.ts'
import type { Children, Element, Resource } from '../fhir/element.ts'

/** FHIR JSON as plain values, from a body or from the sandbox itself; what is an Element already stays as it is. */
export type Plain = string | number | boolean | null | undefined | Element | readonly Plain[] | PlainObject

export interface PlainObject {
  readonly [name: string]: Plain
}

/** Stands before a number's digits, so that JSON.parse keeps them: no FHIR string may hold it. */
export const numberMark = '\u0000'

/**
 * Builds a resource as HAPI reads one: the first item where a list is not expected, a list of one where it is; unknown
 * elements, nulls, empty strings and empty objects vanish. Undefined when it is not a resource of the FHIR version.
 */
export function resourceOf(plain: Plain, definitions: Definitions): Resource | undefined {
  if (isElement(plain)) return plain as Resource
  if (!isObject(plain)) return undefined
  const type = plain['resourceType']
  if (typeof type !== 'string' || !definitions.isResource(type)) return undefined
  const children = childrenFrom(plain, type, definitions)
  return { type, definition: type, resource: true, value: undefined, children }
}

function childrenFrom(plain: PlainObject, definition: string, definitions: Definitions): Map<string, Children> {
  const children = new Map<string, Children>()
  for (const key of Object.keys(plain)) {
    const name = key.startsWith('_') ? key.slice(1) : key
    const child = definitions.child(definition, name)
    if (!child || children.has(name)) continue
    const values = listOf(plain[name])
    const twins = listOf(plain[`_${name}`])
    const length = child.repeats ? Math.max(values.length, twins.length) : 1
    const items = Array.from({ length }, (_, i) => elementOf(values[i], twins[i], child, definitions))
    const kept = items.filter((item) => item !== undefined)
    if (kept.length > 0) children.set(name, { list: child.repeats, items: kept })
  }
  return children
}

function elementOf(plain: Plain, twin: Plain, child: ChildDefinition, definitions: Definitions): Element | undefined {
  if (isElement(plain)) return plain
  if (definitions.holdsResource(child.type)) return resourceOf(plain, definitions)
  const primitive = definitions.isPrimitive(child.type)
  const text = primitive ? textOf(plain) : undefined
  const content = primitive ? twin : plain
  const children = isObject(content) ? childrenFrom(content, child.definition, definitions) : new Map()
  if (text === undefined && children.size === 0) return undefined
  return {
    type: child.type,
    definition: child.definition,
    resource: false,
    value: text === undefined ? undefined : { kind: definitions.kindOf(child.type), text },
    children,
  }
}

function textOf(plain: Plain): string | undefined {
  if (typeof plain === 'number' || typeof plain === 'boolean') return String(plain)
  if (typeof plain !== 'string') return undefined
  const text = plain.startsWith(numberMark) ? plain.slice(1) : plain
  return text === '' ? undefined : text
}

function listOf(plain: Plain): readonly Plain[] {
  if (Array.isArray(plain)) return plain
  return plain === undefined ? [] : [plain as Plain]
}

function isObject(plain: Plain): plain is PlainObject {
  return typeof plain === 'object' && plain !== null && !Array.isArray(plain) && !isElement(plain)
}

function isElement(plain: Plain): plain is Element {
  return typeof plain === 'object' && plain !== null && 'children' in plain && plain['children'] instanceof Map
}
