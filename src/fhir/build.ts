/** Elements that the gateway makes up itself, and those that it takes from others with something changed. */
import type { Definitions } from './definitions.ts'
import { childrenOf, type Children, type Element } from './element.ts'

/**
 * One primitive, as FHIR defines it at `definition`.`name`.
 * @throws Error where the FHIR version defines no such element
 */
export function value(definitions: Definitions, definition: string, name: string, text: string): Children {
  const child = childAt(definitions, definition, name)
  const own = { kind: definitions.kindOf(child.type), text }
  return { list: child.repeats, items: [{ ...shell(child), value: own, children: new Map() }] }
}

/**
 * One element that has others, as FHIR defines it at `definition`.`name`.
 * @param children in the order of FHIR XML
 * @throws Error where the FHIR version defines no such element
 */
export function complex(
  definitions: Definitions,
  definition: string,
  name: string,
  children: Readonly<Record<string, Children>>,
): Children {
  const child = childAt(definitions, definition, name)
  const own = new Map(Object.entries(children))
  return { list: child.repeats, items: [{ ...shell(child), value: undefined, children: own }] }
}

function childAt(definitions: Definitions, definition: string, name: string) {
  const child = definitions.child(definition, name)
  if (!child) throw new Error(`FHIR ${definitions.release} does not define ${definition}.${name}.`)
  return child
}

const shell = ({ type, definition }: { readonly type: string; readonly definition: string }) => ({
  type,
  definition,
  resource: false,
})

/** The children of one name that are kept; undefined when none are. */
export function keptWhere(element: Element, name: string, keeps: (item: Element) => boolean): Children | undefined {
  const items = childrenOf(element, name).filter(keeps)
  return items.length === 0 ? undefined : { list: element.children.get(name)!.list, items }
}

/**
 * The same element with other children under some names; undefined takes them away.
 * @param order the names that it may have, in the order of FHIR XML: what is not among them goes
 */
export function withChildren<T extends Element>(
  element: T,
  changes: Readonly<Record<string, Children | undefined>>,
  order: readonly string[],
): T {
  const children = new Map<string, Children>()
  for (const name of order) {
    const own = name in changes ? changes[name] : element.children.get(name)
    if (own && own.items.length > 0) children.set(name, own)
  }
  return { ...element, children }
}

/** The same element with other texts in the place of its strings, at any depth. */
export function withTexts<T extends Element>(element: T, textOf: (text: string) => string): T {
  const { value: own, children } = element
  return {
    ...element,
    value: own?.kind === 'string' ? { ...own, text: textOf(own.text) } : own,
    children: new Map(
      [...children].map(([name, { list, items }]) => [
        name,
        { list, items: items.map((item) => withTexts(item, textOf)) },
      ]),
    ),
  }
}
