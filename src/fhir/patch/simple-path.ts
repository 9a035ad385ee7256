/**
 * The paths of a FHIRPath Patch, restricted to what can be found without evaluating:
 *
 *     Flag.code.coding[0].display · identifier.where(system = 'https://…').value · extension('https://…')
 *     Observation.value.ofType(Quantity).unit · contained.where(id = 'a')
 */
import type { Definitions } from '../definitions.ts'
import { type Children, type Element, childrenOf } from '../element.ts'

export type PathStep =
  | { readonly kind: 'child'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  /** Only the items that have exactly one child with this name, with this text. */
  | { readonly kind: 'where'; readonly name: string; readonly text: string }
  | { readonly kind: 'ofType'; readonly type: string }

/** An element and the way to it. */
export interface Node {
  readonly element: Element
  /** Undefined for the resource itself. */
  readonly parent: Node | undefined
  /** Its name as FHIR JSON writes it: `valueString`; the resource type for the resource itself. */
  readonly name: string
  /** Its place among the items of that name. */
  readonly index: number
}

const literal = String.raw`'((?:[^'\\]|\\.)*)'`
const named = [
  String.raw`where\(\s*([A-Za-z]\w*)\s*=\s*${literal}\s*\)`,
  String.raw`extension\(\s*${literal}\s*\)`,
  String.raw`ofType\(\s*(?:FHIR\.)?([A-Za-z]+)\s*\)`,
  String.raw`([A-Za-z]\w*)(?![\w(])`,
].join('|')
const pattern = new RegExp(String.raw`\[\s*(\d{1,9})\s*\]|(?:^|\.)\s*(?:${named})\s*`, 'y')

/** The steps from the resource down, without its type; undefined when the path is not of this form. */
export function readPath(text: string, resourceType: string): readonly PathStep[] | undefined {
  if (!/^[A-Za-z]/.test(text)) return undefined
  const steps: PathStep[] = []
  pattern.lastIndex = 0
  while (pattern.lastIndex < text.length) {
    const begins = pattern.lastIndex === 0
    const found = pattern.exec(text)
    if (!found) return undefined
    const [, index, whereName, whereLiteral, url, type, name] = found
    if (name !== undefined) {
      if (!begins || name !== resourceType) steps.push({ kind: 'child', name })
    } else if (type !== undefined) {
      steps.push({ kind: 'ofType', type })
    } else if (index !== undefined) {
      steps.push({ kind: 'index', index: Number(index) })
    } else {
      const value = unescaped(whereLiteral ?? url ?? '')
      if (value === undefined) return undefined
      if (url !== undefined) steps.push({ kind: 'child', name: 'extension' })
      steps.push({ kind: 'where', name: whereName ?? 'url', text: value })
    }
  }
  return steps
}

/** https://hl7.org/fhirpath/N1/#string */
function unescaped(text: string): string | undefined {
  let fault = false
  const value = text.replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, hex: string | undefined, letter: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    fault ||= !Object.hasOwn(escapes, letter)
    return escapes[letter] ?? ''
  })
  return fault ? undefined : value
}

const escapes: Readonly<Record<string, string>> = {
  "'": "'",
  '"': '"',
  '`': '`',
  '\\': '\\',
  '/': '/',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** Everything that the steps lead to, in order. */
export function nodesAt(resource: Element, steps: readonly PathStep[], definitions: Definitions): readonly Node[] {
  const root: Node = { element: resource, parent: undefined, name: resource.type!, index: 0 }
  let nodes: readonly Node[] = [root]
  for (const [i, step] of steps.entries()) {
    const next = steps[i + 1]
    if (step.kind === 'index') nodes = nodes.slice(step.index, step.index + 1)
    else if (step.kind !== 'child') nodes = nodes.filter(({ element }) => passes(element, step))
    // The next step is asked at once, so that a long list does not become as many nodes first.
    else nodes = nodes.flatMap((node) => childNodes(node, step.name, definitions, next))
  }
  return nodes
}

/** False where a step leaves an element out by itself; true for every other step. */
function passes(element: Element, step: PathStep | undefined): boolean {
  if (step?.kind === 'ofType') return element.type === step.type
  if (step?.kind !== 'where') return true
  const values = childrenOf(element, step.name)
  return values.length === 1 && values[0]!.value?.kind === 'string' && values[0]!.value.text === step.text
}

function childNodes(parent: Node, name: string, definitions: Definitions, next: PathStep | undefined): readonly Node[] {
  const nodes: Node[] = []
  for (const [key, { items }] of parent.element.children) {
    if (fhirPathName(parent.element, key, definitions) !== name) continue
    for (let index = 0; index < items.length; index++) {
      const element = items[index]!
      if (passes(element, next)) nodes.push({ element, parent, name: key, index })
    }
  }
  return nodes
}

/** What FHIRPath calls a child: `value` for `valueString`. */
export function fhirPathName({ definition }: Element, key: string, definitions: Definitions): string {
  return (definition === undefined ? undefined : definitions.child(definition, key)?.element) ?? key
}

/** The names from the resource down to a node. */
export function namesTo(node: Node): readonly string[] {
  return node.parent ? [...namesTo(node.parent), node.name] : []
}

/** The resource with another element in the place of this one; what was there is not changed. */
export function withElement(node: Node, element: Element): Element {
  const { parent, name, index } = node
  if (!parent) return element
  const { list, items } = parent.element.children.get(name)!
  return withGroup(parent, name, { list, items: items.with(index, element) })
}

/** The resource with other items of one name in this node; without that name when there are none. */
export function withGroup(node: Node, name: string, group: Children): Element {
  const children = new Map(node.element.children)
  if (group.items.length === 0) children.delete(name)
  else children.set(name, group)
  return withElement(node, { ...node.element, children })
}
