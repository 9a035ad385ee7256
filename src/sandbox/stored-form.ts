import type { Definitions } from '../fhir/definitions.ts'
import { type Children, type Element, type Resource, childrenOf, idOf, textOf } from '../fhir/element.ts'

/** The order that every resource and every element begins with; the rest stays as it was received. */
const firstNames = ['id', 'meta', 'implicitRules', 'language', 'text', 'contained', 'extension', 'modifierExtension']
const namesOfExtension = ['id', 'url', 'extension']

/** What the server itself says of a version. */
export interface Identity {
  readonly id: string
  readonly version: number
  readonly lastUpdated: Date
}

/**
 * A body in the form that HAPI stores: elements that the FHIR version does not define vanish; ids of contained resources
 * lose a leading `#`, their `meta.versionId` and `meta.lastUpdated` vanish, and so does the second of two with the same
 * id; references lose their version.
 */
export function storedForm(resource: Resource): Resource {
  return tidied(resource, false) as Resource
}

/** The resource with this id, version and time; everything else of its `meta` stays. */
export function identified(resource: Resource, identity: Identity, definitions: Definitions): Resource {
  const primitive = (type: string, text: string): Children => ({
    list: false,
    items: [{ type, definition: type, resource: false, value: { kind: 'string', text }, children: new Map() }],
  })
  const meta = metaOf(resource, definitions)
  const metaChildren = new Map<string, Children>([
    ['versionId', primitive('id', String(identity.version))],
    ['lastUpdated', primitive('instant', instantOf(identity.lastUpdated))],
  ])
  for (const name of ['profile', 'security', 'tag', ...meta.children.keys()]) {
    const group = meta.children.get(name)
    if (group && !metaChildren.has(name)) metaChildren.set(name, group)
  }
  const children = new Map(resource.children)
  children.set('id', primitive('id', identity.id))
  children.set('meta', { list: false, items: [{ ...meta, children: inOrder(metaChildren) }] })
  return { ...resource, children: inOrder(children) }
}

/** The resource with the tags and security labels of the version before, which a PUT never drops. */
export function mergedForward(resource: Resource, before: Resource, definitions: Definitions): Resource {
  const meta = metaOf(resource, definitions)
  const children = new Map(meta.children)
  for (const name of ['security', 'tag']) {
    const kept = childrenOf(metaOf(before, definitions), name)
    const sent = childrenOf(meta, name)
    const added = sent.filter((item) => !kept.some((other) => codingKey(other) === codingKey(item)))
    const items = [...kept, ...added]
    if (items.length > 0) children.set(name, { list: true, items })
  }
  if (children.size === 0) return resource
  const merged = new Map(resource.children).set('meta', { list: false, items: [{ ...meta, children }] })
  return { ...resource, children: merged }
}

/** `2026-11-23T10:15:30.123+00:00`, as HAPI writes instants. */
export function instantOf(time: Date): string {
  return time.toISOString().replace('Z', '+00:00')
}

function metaOf(resource: Resource, definitions: Definitions): Element {
  const definition = definitions.child(resource.type, 'meta')!
  return (
    childrenOf(resource, 'meta')[0] ?? {
      type: definition.type,
      definition: definition.definition,
      resource: false,
      value: undefined,
      children: new Map(),
    }
  )
}

function codingKey(coding: Element): string {
  return JSON.stringify([textOf(coding, 'system'), textOf(coding, 'code')])
}

function tidied(element: Element, inside: boolean): Element | undefined {
  const children = new Map<string, Children>()
  for (const [name, group] of element.children) {
    let items = group.items.filter((item) => item.type !== undefined)
    if (inside && element.resource && name === 'id') items = items.map(withoutHash)
    if (inside && element.resource && name === 'meta') items = items.map(withoutVersion)
    const kept = items.map((item) => tidied(item, inside || name === 'contained')).filter((item) => item !== undefined)
    const unique = name === 'contained' && element.resource ? firstOfEachId(kept) : kept
    if (unique.length > 0) children.set(name, { list: group.list, items: unique })
  }
  if (!element.resource && element.value === undefined && children.size === 0) return undefined
  if (element.type === 'Reference') unversion(children)
  return { ...element, children: inOrder(children, element.type === 'Extension' ? namesOfExtension : firstNames) }
}

function withoutHash(id: Element): Element {
  return id.value ? { ...id, value: { ...id.value, text: id.value.text.replace(/^#/, '') } } : id
}

function withoutVersion(meta: Element): Element {
  const children = new Map(meta.children)
  children.delete('versionId')
  children.delete('lastUpdated')
  return { ...meta, children }
}

function firstOfEachId(resources: readonly Element[]): readonly Element[] {
  const seen = new Set<string>()
  return resources.filter((resource) => {
    const id = idOf(resource)
    if (id === undefined) return true
    if (seen.has(id)) return false
    seen.add(id)
    return true
  })
}

function unversion(children: Map<string, Children>): void {
  const group = children.get('reference')
  const value = group?.items[0]?.value
  if (!group || !value?.text.includes('/_history/')) return
  const text = value.text.replace(/\/_history\/[^/]*$/, '')
  children.set('reference', { ...group, items: [{ ...group.items[0]!, value: { ...value, text } }] })
}

function inOrder(
  children: ReadonlyMap<string, Children>,
  first: readonly string[] = firstNames,
): Map<string, Children> {
  const ordered = new Map<string, Children>()
  for (const name of [...first, ...children.keys()]) {
    const group = children.get(name)
    if (group) ordered.set(name, group)
  }
  return ordered
}
