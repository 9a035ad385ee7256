import type { Definitions } from '../fhir/definitions.ts'
import type { Aligned, Difference } from './align.ts'
import { sliceKeys, type Key, type Path } from './path.ts'

/** FHIRPath of a node, from the resource type on, with index: `Flag.code.coding[0].display`. */
export function expressionOf(node: Aligned, definitions: Definitions): string {
  if (!node.parent) return (node.after ?? node.before)!.type ?? ''
  const name = fhirPathName(node.parent, node.name, definitions)
  const index = node.list ? `[${node.afterIndex >= 0 ? node.afterIndex : node.beforeIndex}]` : ''
  return `${expressionOf(node.parent, definitions)}.${name}${index}`
}

/** FHIRPath of what differs: an element, or the list of which the order or the shape does. */
export function expressionOfDifference(difference: Difference, definitions: Definitions): string {
  const base = expressionOf(difference.node, definitions)
  if (difference.kind !== 'moved' && difference.kind !== 'shape') return base
  return `${base}.${fhirPathName(difference.node, difference.name, definitions)}`
}

/** FHIRPath of what is not there: a path below a node. */
export function absentExpression(scope: Aligned, path: Path, definitions: Definitions): string {
  let text = expressionOf(scope, definitions)
  let definition = (scope.after ?? scope.before)?.definition
  for (const { name, keys, type } of path.steps) {
    const child = definition === undefined ? undefined : definitions.child(definition, name)
    definition = type ?? child?.definition
    text += `.${child?.element ?? name}`
    if (type !== undefined) text += `.ofType(${type})`
    for (const key of keys) text += writeKey(key, name, definition, definitions)
  }
  return text
}

/** FHIRPath names a choice without its type: `value` for FHIR JSON's `valueString`. */
export function fhirPathName(parent: Aligned, name: string, definitions: Definitions): string {
  const definition = (parent.after ?? parent.before)?.definition
  return (definition === undefined ? undefined : definitions.child(definition, name)?.element) ?? name
}

/** FHIRPath has a function for extensions; every other key is a filter. */
function writeKey(
  { names, values, of, system, repeats }: Key,
  item: string,
  definition: string | undefined,
  definitions: Definitions,
): string {
  const text = (value: string) => `'${value.replaceAll(/[\\']/g, '\\$&')}'`
  if (sliceKeys[item] === 'url' && names[0] === 'url') return `(${text(values[0]!)})`
  let at = definition
  let type: string | undefined
  const elements = names.map((name) => {
    const child = at === undefined ? undefined : definitions.child(at, name)
    at = child?.definition
    type = child?.type
    return child?.element ?? name
  })
  const path = elements.join('.')
  if (of !== 'value') {
    const coding = of === 'Coding' ? path : `${path}.coding`
    return `.where(${coding}.where(system = ${text(system!)} and code = ${text(values[0]!)}).exists())`
  }
  const value = type !== undefined && definitions.kindOf(type) !== 'string' ? values[0]! : text(values[0]!)
  return repeats ? `.where(${path}.where($this = ${value}).exists())` : `.where(${path} = ${value})`
}
