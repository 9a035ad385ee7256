/** The value that an operation of a FHIRPath Patch brings. https://hl7.org/fhir/R4/fhirpatch.html */
import type { ChildDefinition, Definitions } from '../definitions.ts'
import { type Children, type Element, childrenOf, textOf } from '../element.ts'
import { NotApplicable } from './patched.ts'

/** A value, and the name under which FHIR JSON writes it: `valueString`. */
export interface NamedValue {
  readonly key: string
  readonly child: ChildDefinition
  readonly element: Element
}

/**
 * The element `name` (in FHIRPath: `value` for `valueString`) of a parent, from the part that carries its value: as
 * value[x], as a resource, or, where no value[x] has its type, as parts that are its children.
 * @throws NotApplicable when the parent has no such element, or the value is not of its type
 */
export function valueFrom(part: Element, parent: Element, name: string, definitions: Definitions): NamedValue {
  return build(part, parent.definition, name, definitions)
}

function build(part: Element, parent: string | undefined, name: string, definitions: Definitions): NamedValue {
  const candidates = candidatesFor(parent, name, definitions)
  if (candidates.length === 0) throw new NotApplicable('FHIR defines no element with this name there.')
  const values: Element[] = []
  for (const [key, group] of part.children) {
    if (definitions.child(part.definition!, key)?.element === 'value') values.push(...group.items)
  }
  const resources = childrenOf(part, 'resource')
  const parts = childrenOf(part, 'part')
  if (values.length + resources.length + Math.min(parts.length, 1) !== 1) {
    throw new NotApplicable('The part value must hold one value, one resource, or parts.')
  }
  for (const { key, child } of candidates) {
    const choice = candidates.length > 1
    const element = values[0]
      ? ofType(values[0], child, choice, definitions)
      : resources[0]
        ? definitions.holdsResource(child.type) && resources[0]
        : !choice && fromParts(parts, child, definitions)
    if (element) return { key, child, element }
  }
  throw new NotApplicable('The value is not of the type that FHIR gives this element.')
}

interface Candidate {
  readonly key: string
  readonly child: ChildDefinition
}

/** The ways in which an element may be written: one, or one for each type of a choice. */
function candidatesFor(parent: string | undefined, name: string, definitions: Definitions): readonly Candidate[] {
  if (parent === undefined) return []
  return [name, ...definitions.choices(parent, name)].flatMap((key) => {
    const child = definitions.child(parent, key)
    return child?.element === name ? [{ key, child }] : []
  })
}

/** The value as an element of this type; a string may stand for a code, an integer for a decimal, and so on. */
function ofType(
  value: Element,
  child: ChildDefinition,
  choice: boolean,
  definitions: Definitions,
): Element | undefined {
  const { type } = value
  if (type === child.type) return value
  if (choice || !definitions.isPrimitive(type!) || !definitions.isPrimitive(child.type)) return undefined
  if (definitions.kindOf(type!) !== definitions.kindOf(child.type)) return undefined
  return { ...value, type: child.type, definition: child.definition }
}

function fromParts(
  parts: readonly Element[],
  { type, definition }: ChildDefinition,
  definitions: Definitions,
): Element | undefined {
  if (definitions.isPrimitive(type) || definitions.holdsResource(type)) return undefined
  const children = new Map<string, Children>()
  const items = new Map<string, Element[]>()
  for (const part of parts) {
    const { key, child, element } = build(part, definition, textOf(part, 'name') ?? '', definitions)
    const before = items.get(key)
    if (before) before.push(element)
    else items.set(key, [element])
    if (!child.repeats && before) throw new NotApplicable('A part of the value stands twice, but does not repeat.')
    children.set(key, { list: child.repeats, items: items.get(key)! })
  }
  return { type, definition, resource: false, value: undefined, children }
}
