/** Patches, in each of the three forms, that make one resource of another. */
import type { Definitions } from '../../../../src/fhir/definitions.ts'
import type { Children, Element, Resource } from '../../../../src/fhir/element.ts'
import { sameElement } from '../../../../src/fhir/element.ts'
import { writeXml } from '../../../../src/fhir/xml.ts'
import { canonical, type Operation } from './naive-json-patch.ts'
import { r4 } from './read.ts'

export function jsonDifference(before: unknown, after: unknown, path = ''): readonly Operation[] {
  if (canonical(before) === canonical(after)) return []
  if (Array.isArray(before) && Array.isArray(after)) {
    const shared = Math.min(before.length, after.length)
    return [
      ...before.slice(0, shared).flatMap((item, i) => jsonDifference(item, after[i], `${path}/${i}`)),
      ...before.slice(shared).map(() => ({ op: 'remove', path: `${path}/${shared}` })),
      ...after.slice(shared).map((value: unknown) => ({ op: 'add', path: `${path}/-`, value })),
    ]
  }
  if (isObject(before) && isObject(after)) {
    return [
      ...Object.keys(before)
        .filter((name) => !(name in after))
        .map((name) => ({ op: 'remove', path: `${path}/${name}` })),
      ...Object.entries(after).flatMap(([name, value]) =>
        name in before
          ? jsonDifference(before[name], value, `${path}/${name}`)
          : [{ op: 'add', path: `${path}/${name}`, value }],
      ),
    ]
  }
  return [{ op: 'replace', path, value: after }]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The names whose items differ, with the items before and after. */
function differing(before: Resource, after: Resource): [string, readonly Element[], readonly Element[]][] {
  const names = new Set([...before.children.keys(), ...after.children.keys()])
  const items = (children: Children | undefined) => children?.items ?? []
  return [...names]
    .map((name): [string, readonly Element[], readonly Element[]] => [
      name,
      items(before.children.get(name)),
      items(after.children.get(name)),
    ])
    .filter(([, left, right]) => left.length !== right.length || left.some((item, i) => !sameElement(item, right[i]!)))
}

export function xmlDifference(before: Resource, after: Resource): string {
  const { type } = before
  const operations = differing(before, after).flatMap(([name, left, right]) => {
    const removals = left.map(() => `<remove sel="f:${type}/f:${name}[1]"/>`)
    if (right.length === 0) return removals
    const only: Resource = { ...after, children: new Map([[name, { list: true, items: right }]]) }
    const added = writeXml(only).replace(/^<[^>]*>(.*)<[^>]*>$/s, '$1')
    return [...removals, `<add sel="f:${type}" xmlns="http://hl7.org/fhir">${added}</add>`]
  })
  return `<f:diff xmlns:f="http://hl7.org/fhir">${operations.join('').replaceAll(/(<\/?)(add|remove)\b/g, '$1f:$2')}</f:diff>`
}

type Part = Record<string, unknown>

/** A Parameters resource, as a value that JSON can say. */
export function fhirPathDifference(
  before: Resource,
  after: Resource,
  json: (element: Element) => Part,
  definitions: Definitions = r4,
): Part {
  const operations = differing(before, after).flatMap(([key, left, right]) => {
    const name = definitions.child(before.type, key)!.element
    const value = (item: Element) => ({ name: 'value', ...valueOf(item, json, definitions) })
    if (left.length === 1 && right.length === 1) {
      return [[code('replace'), text('path', `${before.type}.${name}`), value(right[0]!)]]
    }
    return [
      ...left.map(() => [code('delete'), text('path', `${before.type}.${name}[0]`)]),
      ...right.map((item) => [code('add'), text('path', before.type), text('name', name), value(item)]),
    ]
  })
  // What is deleted first makes room for a choice of another type.
  const sorted = operations.sort((a, b) => Number(isAdd(a)) - Number(isAdd(b)))
  return {
    resourceType: 'Parameters',
    ...(sorted.length > 0 && { parameter: sorted.map((part) => ({ name: 'operation', part })) }),
  }
}

const code = (valueCode: string): Part => ({ name: 'type', valueCode })
const text = (name: string, valueString: string): Part => ({ name, valueString })
const isAdd = (operation: readonly Part[]) => operation[0]!['valueCode'] === 'add'

function valueOf(item: Element, json: (element: Element) => Part, definitions: Definitions): Part {
  if (item.resource) return { resource: json(item) }
  const key = `value${item.type![0]!.toUpperCase()}${item.type!.slice(1)}`
  if (definitions.child('Parameters.parameter', key)) {
    const { value, ...beside } = json({ ...item, children: new Map([['value', { list: false, items: [item] }]]) })
    return { [key]: value, ...('_value' in beside && { [`_${key}`]: beside['_value'] }) }
  }
  const part = [...item.children].flatMap(([key, { items }]) =>
    items.map((child) => ({
      name: definitions.child(item.definition!, key)!.element,
      ...valueOf(child, json, definitions),
    })),
  )
  return { part }
}
