/**
 * One element tree for FHIR JSON and FHIR XML: names, order and values as written, nothing lost.
 * Everything after parsing judges this tree and does not know which format it came from.
 */

/** A primitive's value. `text` is what was written (numbers keep their digits); a narrative's is its XHTML. */
export interface Value {
  readonly kind: 'string' | 'number' | 'boolean'
  readonly text: string
}

/** The items of one element name. `list` is true where FHIR says that the element repeats (a JSON array). */
export interface Children {
  readonly list: boolean
  readonly items: readonly Element[]
}

/** One element. `x` and `_x` of FHIR JSON are one Element: its value and its children are separate slots. */
export interface Element {
  /**
   * Its FHIR type: `code`, `CodeableConcept`, `BackboneElement`; the resource type for a resource.
   * Undefined where the FHIR version does not define the element.
   */
  readonly type: string | undefined
  /** Where its children are defined: `Flag`, `CodeableConcept`, `List.entry`. Undefined where type is. */
  readonly definition: string | undefined
  /** True for a resource: the root, or one that stands inside another (contained, Bundle.entry.resource …). */
  readonly resource: boolean
  readonly value: Value | undefined
  readonly children: ReadonlyMap<string, Children>
}

/** A resource: an Element whose type is its resource type. */
export interface Resource extends Element {
  readonly type: string
  readonly definition: string
  readonly resource: true
}

const none: readonly Element[] = []

/** The items named `name`, in order; empty when there are none. */
export function childrenOf(element: Element, name: string): readonly Element[] {
  return element.children.get(name)?.items ?? none
}

/** The value text of the first item named `name`. */
export function textOf(element: Element, name: string): string | undefined {
  return childrenOf(element, name)[0]?.value?.text
}

/** The resource's own id, as written. */
export function idOf(resource: Element): string | undefined {
  return textOf(resource, 'id')
}

/** `meta.versionId`, as written. */
export function versionIdOf(resource: Element): string | undefined {
  const meta = childrenOf(resource, 'meta')[0]
  return meta && textOf(meta, 'versionId')
}

export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.kind === b.kind && a.text === b.text)
}

/** Deep equality. The order of different names does not count, the order of the items of one name does. */
export function sameElement(a: Element, b: Element): boolean {
  if (a === b) return true
  if (a.resource !== b.resource || (a.resource && a.type !== b.type)) return false
  if (!sameValue(a.value, b.value) || a.children.size !== b.children.size) return false
  for (const [name, left] of a.children) {
    const right = b.children.get(name)
    if (!right || right.list !== left.list || right.items.length !== left.items.length) return false
    for (let i = 0; i < left.items.length; i++) {
      if (!sameElement(left.items[i]!, right.items[i]!)) return false
    }
  }
  return true
}

/**
 * The same resource without what belongs to the server: the value slots of `meta.versionId` and `meta.lastUpdated`,
 * also in the resources inside it. Only the values go (an extension on them stays); an emptied `meta` goes, too.
 */
export function withoutServerOwned(resource: Resource): Resource {
  return strip(resource) as Resource
}

const serverOwned = new Set(['versionId', 'lastUpdated'])

function strip(element: Element): Element {
  let children: Map<string, Children> | undefined
  for (const [name, group] of element.children) {
    const items =
      element.resource && name === 'meta' ? stripped(group.items, stripMeta) : stripped(group.items, stripInner)
    if (items === group.items) continue
    children ??= new Map(element.children)
    if (items.length === 0) children.delete(name)
    else children.set(name, { list: group.list, items })
  }
  return children ? { ...element, children } : element
}

/**
 * Only a resource and the parts that are its own (`Bundle.entry`) hold another one; no data type does. Most elements are of one,
 * and need not be gone through.
 */
const mayHoldResource = ({ resource, definition }: Element) => resource || definition?.includes('.') === true

const stripInner = (item: Element) => (mayHoldResource(item) ? strip(item) : item)

/** The same list where nothing is taken from any of its items. */
function stripped(items: readonly Element[], strip: (item: Element) => Element | undefined): readonly Element[] {
  let kept: Element[] | undefined
  for (let at = 0; at < items.length; at++) {
    const item = items[at]!
    const left = strip(item)
    if (left !== item) kept ??= items.slice(0, at)
    if (left) kept?.push(left)
  }
  return kept ?? items
}

function stripMeta(meta: Element): Element | undefined {
  const children = new Map<string, Children>()
  let changed = false
  for (const [name, group] of meta.children) {
    if (!serverOwned.has(name)) {
      children.set(name, group)
      continue
    }
    const items = group.items
      .map((item) => (item.value ? { ...item, value: undefined } : item))
      .filter((item) => item.children.size > 0)
    changed ||= group.items.some((item) => item.value)
    if (items.length > 0) children.set(name, { list: group.list, items })
  }
  if (!changed) return meta
  return children.size > 0 || meta.value ? { ...meta, children } : undefined
}

/** A create's id is the server's to give: FHIR has it ignore the one that was sent, so that one is not sent on. */
export function withoutId(resource: Resource): Resource {
  if (!resource.children.has('id')) return resource
  const children = new Map(resource.children)
  children.delete('id')
  return { ...resource, children }
}

/** A body of a conditional update need not have an id; what is sent on has the one that was found. */
export function withId(resource: Resource, id: string): Resource {
  if (resource.children.has('id')) return resource
  const value = { kind: 'string', text: id } as const
  const element = { type: 'id', definition: 'id', resource: false, value, children: new Map() }
  const children = new Map([['id', { list: false, items: [element] }], ...resource.children])
  return { ...resource, children }
}
