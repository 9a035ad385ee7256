import type { Definitions } from '../fhir/definitions.ts'
import type { Aligned } from './align.ts'
import type { Path, Slice } from './path.ts'

/** FHIRPath of a node, from the resource type on, with index: `Flag.code.coding[0].display`. */
export function expressionOf(node: Aligned, definitions: Definitions): string {
  if (!node.parent) return (node.after ?? node.before)!.type ?? ''
  const name = fhirPathName(node.parent, node.name, definitions)
  const index = node.list ? `[${node.afterIndex >= 0 ? node.afterIndex : node.beforeIndex}]` : ''
  return `${expressionOf(node.parent, definitions)}.${name}${index}`
}

/** FHIRPath of what is not there: a path below a node. */
export function absentExpression(scope: Aligned, path: Path, definitions: Definitions): string {
  let text = expressionOf(scope, definitions)
  for (const step of path.steps) {
    text += `.${step.name}${writeSlice(step.slice)}`
    if (step.type !== undefined) text += `.ofType(${step.type})`
  }
  return text.replace(/\.value[A-Z][A-Za-z0-9]*$/, '.value')
}

/** FHIRPath names a choice without its type: `value` for FHIR JSON's `valueString`. */
export function fhirPathName(parent: Aligned, name: string, definitions: Definitions): string {
  const definition = (parent.after ?? parent.before)?.definition
  return (definition === undefined ? undefined : definitions.child(definition, name)?.element) ?? name
}

/** FHIRPath has a function for extensions; for parameters it is a filter. */
function writeSlice(slice: Slice | undefined): string {
  if (!slice) return ''
  const value = slice.values[0]!
  return slice.key === 'url' ? `('${value}')` : `.where(${slice.key} = '${value}')`
}
