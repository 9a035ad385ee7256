import type { Children, Element, Value } from '../fhir/element.ts'
import type { Aligned, Difference } from './align.ts'

/** What happens to the items of one name. */
interface ListEdit {
  /** Where it stands in after; those that came after the last kept item stay behind all that are kept. */
  readonly added: { readonly index: number; readonly item: Element }[]
  readonly removed: Set<Element>
  /** The kept items of before in the order of after; undefined: their own. */
  order?: readonly Element[]
  /** Of a name that before does not have. */
  list?: boolean
  shape?: boolean
}

interface Edit {
  readonly node: Aligned
  value?: { readonly to: Value | undefined }
  readonly lists: Map<string, ListEdit>
}

/**
 * Applies differences to before. All of them give after, which is how the judge checks itself on every request; some of
 * them give what would have been sent without the others.
 */
export function rebuild(before: Element | undefined, differences: Iterable<Difference>): Element | undefined {
  const edits: Edits = new Map()
  let root = before
  const editOf = (node: Aligned): Edit => {
    const element = node.before!
    let edit = edits.get(element)
    if (!edit) edits.set(element, (edit = { node, lists: new Map() }))
    // An ancestor without edits of its own is on the way to one.
    for (let up = node.parent; up && !edits.has(up.before!); up = up.parent) {
      edits.set(up.before!, { node: up, lists: new Map() })
    }
    return edit
  }
  const listOf = (node: Aligned, name: string): ListEdit => {
    const { lists } = editOf(node)
    let list = lists.get(name)
    if (!list) lists.set(name, (list = { added: [], removed: new Set() }))
    return list
  }
  for (const difference of differences) {
    const { node } = difference
    switch (difference.kind) {
      case 'replaced':
        editOf(node).value = { to: node.after!.value }
        break
      case 'added':
        if (!node.parent) root = node.after
        else {
          const edit = listOf(node.parent, node.name)
          edit.added.push({ index: node.appended ? Infinity : node.afterIndex, item: node.after! })
          edit.list = node.list
        }
        break
      case 'removed':
        if (!node.parent) root = undefined
        else listOf(node.parent, node.name).removed.add(node.before!)
        break
      case 'moved': {
        const kept = node.children.get(difference.name)!.filter((child) => child.before && child.after)
        listOf(node, difference.name).order = kept.map((child) => child.before!)
        break
      }
      case 'shape':
        listOf(node, difference.name).shape = node.after!.children.get(difference.name)!.list
        break
    }
  }
  return root && root === before ? apply(root, edits) : root
}

type Edits = Map<Element, Edit>

function apply(element: Element, edits: Edits): Element {
  const edit = edits.get(element)
  if (!edit) return element
  const children = new Map<string, Children>()
  for (const [name, group] of element.children) {
    const change = edit.lists.get(name)
    if (!change) {
      children.set(name, applyToAll(group, edits))
      continue
    }
    const kept = (change.order ?? group.items).filter((item) => !change.removed.has(item))
    const items = insert(
      kept.map((item) => apply(item, edits)),
      change.added,
    )
    if (items.length > 0) children.set(name, { list: change.shape ?? group.list, items })
  }
  const come = new Map<string, Children>()
  for (const [name, change] of edit.lists) {
    if (!element.children.has(name)) come.set(name, { list: change.list ?? false, items: insert([], change.added) })
  }
  const value = edit.value ? edit.value.to : element.value
  return { ...element, value, children: come.size === 0 ? children : inOrder(children, come, edit.node.after!) }
}

/** The same group where none of its items is edited, which is most of them. */
function applyToAll(group: Children, edits: Edits): Children {
  if (!group.items.some((item) => edits.has(item))) return group
  return { list: group.list, items: group.items.map((item) => apply(item, edits)) }
}

/** What comes stands behind what it stands behind in after: FHIR XML has its elements in an order. */
function inOrder(
  children: ReadonlyMap<string, Children>,
  come: ReadonlyMap<string, Children>,
  after: Element,
): ReadonlyMap<string, Children> {
  const behind = new Map<string | undefined, string[]>()
  let last: string | undefined
  for (const name of after.children.keys()) {
    if (children.has(name)) last = name
    else if (come.has(name)) behind.set(last, [...(behind.get(last) ?? []), name])
  }
  const ordered = new Map<string, Children>()
  const place = (names: readonly string[] = []) => {
    for (const name of names) ordered.set(name, come.get(name)!)
  }
  place(behind.get(undefined))
  for (const [name, group] of children) {
    ordered.set(name, group)
    place(behind.get(name))
  }
  return ordered
}

function insert(items: Element[], added: ListEdit['added']): Element[] {
  if (added.length === 0) return items
  const result: Element[] = []
  const byIndex = [...added].sort((a, b) => a.index - b.index)
  let next = 0
  for (const item of items) {
    while (next < byIndex.length && byIndex[next]!.index <= result.length) result.push(byIndex[next++]!.item)
    result.push(item)
  }
  while (next < byIndex.length) result.push(byIndex[next++]!.item)
  return result
}
