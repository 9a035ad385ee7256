/** FHIRPath Patch on the element tree. https://hl7.org/fhir/R4/fhirpatch.html */
import type { Definitions } from '../definitions.ts'
import { type Element, type Resource } from '../element.ts'
import { writeJson } from '../json.ts'
import { type Operation, expressionOfOperation, readOperations } from './fhirpath-operations.ts'
import { type NamedValue, valueFrom } from './fhirpath-value.ts'
import {
  NotApplicable,
  type PatchBounds,
  type Patched,
  applyEach,
  isServerOwned,
  malformed,
  readResult,
  sameServerOwned,
  serverOwned,
  tooDeep,
} from './patched.ts'
import {
  type Node,
  type PathStep,
  fhirPathName,
  namesTo,
  nodesAt,
  readPath,
  withElement,
  withGroup,
} from './simple-path.ts'

// The fhirpath package evaluates any expression, but a hostile one without bound; the paths of a patch must lead to one
// element, and those that do are the simple ones.

/**
 * The stored resource after a FHIRPath Patch. All operations are read before any is applied; the stored tree stays as
 * it is.
 * @param parameters the body, already read
 */
export function applyFhirPathPatch(
  stored: Resource,
  parameters: Resource,
  definitions: Definitions,
  bounds: PatchBounds,
): Patched {
  const operations = readOperations(parameters, bounds)
  if (!operations.ok) return malformed(operations.faults)
  const applyOne = (resource: Element, operation: Operation) => {
    const changed = apply(resource, operation, definitions, bounds)
    if (!sameServerOwned(changed, resource)) throw new NotApplicable(serverOwned)
    return changed
  }
  const applied = applyEach<Element, Operation>(stored, operations.value, applyOne, expressionOfOperation)
  return applied.ok ? readResult(writeJson(applied.state as Resource), 'json', definitions, bounds, stored) : applied
}

function apply(resource: Element, operation: Operation, definitions: Definitions, bounds: PatchBounds): Element {
  const steps = readPath(operation.path, resource.type!)
  if (!steps) {
    throw new NotApplicable(
      "Its path must be made of element names, [n], where(name = 'text'), extension('url') and ofType(type).",
    )
  }
  // What one operation adds, another may lead into: without this the tree could become too deep to be written.
  if (steps.length > 2 * bounds.nesting) throw new NotApplicable(tooDeep)
  switch (operation.type) {
    case 'add':
      return add(oneAt(resource, steps, definitions), operation.name, operation.value, definitions)
    case 'insert':
      return insert(resource, steps, operation.index, operation.value, definitions)
    case 'delete': {
      const nodes = nodesAt(resource, steps, definitions)
      return nodes.length === 0 ? resource : remove(only(nodes))
    }
    case 'replace':
      return replace(oneAt(resource, steps, definitions), operation.value, definitions)
    case 'move':
      return move(resource, steps, operation.source, operation.destination, definitions)
  }
}

/** Appends to what repeats, and makes what is not there yet. */
function add(node: Node, name: string, part: Element, definitions: Definitions): Element {
  guard(node, name)
  const value = valueFrom(part, node.element, name, definitions)
  const { key, child, element } = value
  if (child.repeats) {
    const items = node.element.children.get(key)?.items ?? []
    return withGroup(node, key, { list: true, items: [...items, element] })
  }
  for (const other of node.element.children.keys()) {
    if (fhirPathName(node.element, other, definitions) === name) {
      throw new NotApplicable('The element is there already and does not repeat: replace it.')
    }
  }
  return withGroup(node, key, { list: false, items: [element] })
}

function insert(
  resource: Element,
  steps: readonly PathStep[],
  index: number,
  part: Element,
  definitions: Definitions,
): Element {
  const { node, name } = listAt(resource, steps, definitions)
  const { key, child, element } = valueFrom(part, node.element, name, definitions)
  if (!child.repeats) throw new NotApplicable('The element does not repeat.')
  const items = node.element.children.get(key)?.items ?? []
  if (index > items.length) throw new NotApplicable(tooFew)
  return withGroup(node, key, { list: true, items: items.toSpliced(index, 0, element) })
}

function remove(node: Node): Element {
  const parent = parentOf(node)
  const { list, items } = parent.element.children.get(node.name)!
  return withGroup(parent, node.name, { list, items: items.toSpliced(node.index, 1) })
}

function replace(node: Node, part: Element, definitions: Definitions): Element {
  const parent = parentOf(node)
  const name = fhirPathName(parent.element, node.name, definitions)
  const value = valueFrom(part, parent.element, name, definitions)
  return value.key === node.name ? withElement(node, value.element) : renamed(parent, node.name, value)
}

/** A choice that gets a value of another type: it keeps its place. */
function renamed(parent: Node, name: string, { key, element }: NamedValue): Element {
  const children = new Map(
    [...parent.element.children].map(([other, group]) =>
      other === name ? [key, { list: false, items: [element] }] : [other, group],
    ),
  )
  return withElement(parent, { ...parent.element, children })
}

function move(
  resource: Element,
  steps: readonly PathStep[],
  source: number,
  destination: number,
  definitions: Definitions,
): Element {
  const { node, name } = listAt(resource, steps, definitions)
  const group = node.element.children.get(name)
  if (!group?.list) throw new NotApplicable('Its path leads to no list.')
  const { items } = group
  if (source >= items.length || destination >= items.length) throw new NotApplicable(tooFew)
  const moved = items.toSpliced(source, 1).toSpliced(destination, 0, items[source]!)
  return withGroup(node, name, { list: true, items: moved })
}

const tooFew = 'The list has fewer items than the index says.'

/** Where a list stands, which may not be there yet. */
function listAt(
  resource: Element,
  steps: readonly PathStep[],
  definitions: Definitions,
): { readonly node: Node; readonly name: string } {
  const last = steps.at(-1)
  if (last?.kind !== 'child') throw new NotApplicable('Its path must end in the name of a list.')
  const node = oneAt(resource, steps.slice(0, -1), definitions)
  guard(node, last.name)
  return { node, name: last.name }
}

function oneAt(resource: Element, steps: readonly PathStep[], definitions: Definitions): Node {
  const node = only(nodesAt(resource, steps, definitions))
  guard(node)
  return node
}

function only(nodes: readonly Node[]): Node {
  if (nodes.length > 1) throw new NotApplicable('Its path leads to more than one element.')
  if (!nodes[0]) throw new NotApplicable('Its path leads to no element of the resource.')
  return nodes[0]
}

function parentOf(node: Node): Node {
  guard(node)
  if (!node.parent) throw new NotApplicable('The resource itself cannot be replaced or deleted.')
  return node.parent
}

function guard(node: Node, ...more: string[]): void {
  if (isServerOwned([...namesTo(node), ...more])) throw new NotApplicable(serverOwned)
}
