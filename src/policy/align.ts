import { sameValue, type Children, type Element } from '../fhir/element.ts'
import { longestIncreasingRun, pairItems, type ItemKey, type Pairing } from './pairing.ts'

/**
 * Before and after laid over each other: one node for each pair of elements, and for each element that stands on one side
 * only. Everything the judge says of a write, it says of these nodes.
 */
export interface Aligned {
  readonly name: string
  readonly before: Element | undefined
  readonly after: Element | undefined
  readonly parent: Aligned | undefined
  /** Index among the items of its name, on each side; -1 where it does not stand. */
  readonly beforeIndex: number
  readonly afterIndex: number
  /** The element repeats: its FHIRPath has an index. */
  readonly list: boolean
  /** Added after the last item that was kept. */
  readonly appended: boolean
  /** By name; the items of after in their order, then the removed ones. */
  readonly children: ReadonlyMap<string, readonly Aligned[]>
  /** The difference that this node is, if it is one. */
  difference: Difference | undefined
}

/** Differences are maximal and disjoint; before and all of them rebuild after. */
export type Difference =
  | { readonly kind: 'added' | 'removed'; readonly node: Aligned }
  /** The value slot: of a pair; a subtree that comes or goes is added or removed. */
  | { readonly kind: 'replaced'; readonly node: Aligned }
  /** The kept items of one name stand in another order. One a list. */
  | { readonly kind: 'moved'; readonly node: Aligned; readonly name: string }
  /** A list became a single item or the reverse; also a type that changed. Never claimable. */
  | { readonly kind: 'shape'; readonly node: Aligned; readonly name: string }

export interface Alignment {
  readonly root: Aligned
  readonly differences: readonly Difference[]
}

/** List definition (`List.entry`) → the names from an item down to the value by which its items are paired. */
export type MatchKeys = ReadonlyMap<string, readonly string[]>

/** Lays after over before. Create has no before. Linear in size, but for the longest run of kept items (n log n). */
export function align(before: Element | undefined, after: Element, match: MatchKeys): Alignment {
  const differences: Difference[] = []
  const structure = structures()
  const root = node('', before, after, undefined, 0, 0, false, false)
  return { root, differences }

  function node(
    name: string,
    before: Element | undefined,
    after: Element | undefined,
    parent: Aligned | undefined,
    beforeIndex: number,
    afterIndex: number,
    list: boolean,
    appended: boolean,
  ): Aligned {
    const children = new Map<string, readonly Aligned[]>()
    const made: Aligned = {
      name,
      before,
      after,
      parent,
      beforeIndex,
      afterIndex,
      list,
      appended,
      children,
      difference: undefined,
    }
    if (before && after) {
      if (!sameValue(before.value, after.value)) differ(made, { kind: 'replaced', node: made })
    } else if (!parent || (parent.before && parent.after)) {
      differ(made, { kind: after ? 'added' : 'removed', node: made })
    }
    const names = new Set([...(after?.children.keys() ?? []), ...(before?.children.keys() ?? [])])
    for (const childName of names) {
      children.set(childName, items(made, childName, before?.children.get(childName), after?.children.get(childName)))
    }
    return made
  }

  function differ(at: Aligned, difference: Difference): void {
    at.difference = difference
    differences.push(difference)
  }

  function items(parent: Aligned, name: string, left: Children | undefined, right: Children | undefined): Aligned[] {
    const list = (right ?? left)!.list
    const a = right?.items ?? []
    const b = left?.items ?? []
    if (left && right && left.list !== right.list) differences.push({ kind: 'shape', node: parent, name })
    const pairing: Pairing = left && right ? pairItems(b, a, keyOf(parent, name, match), structure) : new Map()
    let lastKept = -1
    for (const kept of pairing.keys()) lastKept = Math.max(lastKept, kept)
    if (pairing.size > 1) {
      const order = [...pairing].sort(([, x], [, y]) => x - y).map(([afterIndex]) => afterIndex)
      if (longestIncreasingRun(order) < order.length) differences.push({ kind: 'moved', node: parent, name })
    }
    const nodes = a.map((item, i) => {
      const from = pairing.get(i)
      return from === undefined
        ? node(name, undefined, item, parent, -1, i, list, i > lastKept)
        : node(name, b[from], item, parent, from, i, list, false)
    })
    if (b.length > pairing.size) {
      const kept = new Set(pairing.values())
      b.forEach((item, i) => {
        if (!kept.has(i)) nodes.push(node(name, item, undefined, parent, i, -1, list, false))
      })
    }
    return nodes
  }
}

const byTypeAndId: ItemKey = {
  of: (item) => `${item.type}/${item.children.get('id')?.items[0]?.value?.text}`,
  strict: true,
}
const byUrl: ItemKey = { of: (item) => rawText(item, ['url']), strict: false }

function keyOf(parent: Aligned, name: string, match: MatchKeys): ItemKey | undefined {
  if (name === 'contained') return byTypeAndId
  if (name === 'extension' || name === 'modifierExtension') return byUrl
  if (match.size === 0) return undefined
  const names = match.get(`${(parent.after ?? parent.before)?.definition}.${name}`)
  return names && { of: (item) => rawText(item, names), strict: true }
}

function rawText(item: Element, names: readonly string[]): string {
  let current: Element | undefined = item
  for (const name of names) current = current?.children.get(name)?.items[0]
  return current?.value ? `${current.value.kind}:${current.value.text}` : ''
}

/** Numbers for structures: two elements have the same number exactly when they are equal. Lives as long as one judgement. */
function structures(): (element: Element) => number {
  const numbers = new Map<string, number>()
  const seen = new Map<Element, number>()
  const numberOf = (element: Element): number => {
    const known = seen.get(element)
    if (known !== undefined) return known
    const { value, children } = element
    let text = `${element.resource ? `${element.type}` : ''}\u0000${value ? `${value.kind}:${value.text}` : ''}\u0000`
    for (const name of [...children.keys()].sort()) {
      const group = children.get(name)!
      text += `${name}${group.list ? '*' : ''}=${group.items.map(numberOf).join(',')};`
    }
    let number = numbers.get(text)
    if (number === undefined) {
      number = numbers.size
      numbers.set(text, number)
    }
    seen.set(element, number)
    return number
  }
  return numberOf
}
