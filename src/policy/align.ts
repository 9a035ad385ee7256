import { sameValue, type Children, type Element } from '../fhir/element.ts'
import { Comparison } from './comparison.ts'
import { isOfOneKind, longestIncreasingRun, pairItems, type ItemKey, type Pairing } from './pairing.ts'

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
  /** The children of one name: the others need not be laid over each other for them. */
  childrenNamed(name: string): readonly Aligned[]
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

/** Lays after over before. A create has no before, a delete no after. Linear in size, but for the longest run of kept items (n log n). */
export function align(before: Element | undefined, after: Element | undefined, match: MatchKeys): Alignment {
  const differences: Difference[] = []
  const shared: Shared = { differences, match, comparison: new Comparison() }
  const root = new AlignedNode(shared, '', before, after, undefined, 0, 0, false, false)
  root.compare()
  return { root, differences }
}

interface Shared {
  readonly differences: Difference[]
  readonly match: MatchKeys
  readonly comparison: Comparison
}

/** Where nothing differs below a node, its children are laid over each other only when somebody asks for them. */
class AlignedNode implements Aligned {
  readonly name: string
  readonly before: Element | undefined
  readonly after: Element | undefined
  readonly parent: AlignedNode | undefined
  readonly beforeIndex: number
  readonly afterIndex: number
  readonly list: boolean
  readonly appended: boolean
  difference: Difference | undefined = undefined
  readonly #shared: Shared
  #children: ReadonlyMap<string, readonly AlignedNode[]> | undefined = undefined
  /** Those that somebody has asked for by their name, until all are there. */
  #named: Map<string, readonly AlignedNode[]> | undefined = undefined

  constructor(
    shared: Shared,
    name: string,
    before: Element | undefined,
    after: Element | undefined,
    parent: AlignedNode | undefined,
    beforeIndex: number,
    afterIndex: number,
    list: boolean,
    appended: boolean,
  ) {
    this.#shared = shared
    this.name = name
    this.before = before
    this.after = after
    this.parent = parent
    this.beforeIndex = beforeIndex
    this.afterIndex = afterIndex
    this.list = list
    this.appended = appended
  }

  get children(): ReadonlyMap<string, readonly AlignedNode[]> {
    return (this.#children ??= this.#align())
  }

  childrenNamed(name: string): readonly AlignedNode[] {
    if (this.#children) return this.#children.get(name) ?? none
    const known = this.#named?.get(name)
    if (known) return known
    const left = this.before?.children.get(name)
    const right = this.after?.children.get(name)
    if (!left && !right) return none
    const items = this.#items(name, left, right)
    this.#named = (this.#named ?? new Map<string, readonly AlignedNode[]>()).set(name, items)
    return items
  }

  /** Finds the differences at and below this node. */
  compare(): void {
    const { before, after, parent } = this
    if (before && after) {
      if (this.#shared.comparison.same(before, after)) return
      if (!sameValue(before.value, after.value)) this.#differ({ kind: 'replaced', node: this })
      // In most names nothing differs: those are laid over each other when somebody asks for them.
      for (const [name, right] of after.children) {
        const left = before.children.get(name)
        if (!left || !this.#shared.comparison.sameItems(left, right)) this.#compareItems(name)
      }
      for (const name of before.children.keys()) if (!after.children.has(name)) this.#compareItems(name)
    } else if (!parent || (parent.before && parent.after)) {
      this.#differ({ kind: after ? 'added' : 'removed', node: this })
    }
  }

  #compareItems(name: string): void {
    for (const item of this.childrenNamed(name)) item.compare()
  }

  #differ(difference: Difference): void {
    if (difference.kind !== 'moved' && difference.kind !== 'shape') this.difference = difference
    this.#shared.differences.push(difference)
  }

  #align(): ReadonlyMap<string, readonly AlignedNode[]> {
    const { before, after } = this
    if (isLeaf(before) && isLeaf(after)) return childless
    const children = new Map<string, readonly AlignedNode[]>()
    const named = this.#named
    if (after) {
      for (const [name, group] of after.children) {
        children.set(name, named?.get(name) ?? this.#items(name, before?.children.get(name), group))
      }
    }
    if (before) {
      for (const [name, group] of before.children) {
        if (!children.has(name)) children.set(name, named?.get(name) ?? this.#items(name, group, undefined))
      }
    }
    return children
  }

  #items(name: string, left: Children | undefined, right: Children | undefined): AlignedNode[] {
    const list = (right ?? left)!.list
    const made = (before: Element | undefined, after: Element | undefined, i: number, j: number, appended: boolean) =>
      new AlignedNode(this.#shared, name, before, after, this, i, j, list, appended)
    if (!left) return right!.items.map((item, i) => made(undefined, item, -1, i, true))
    if (!right) return left.items.map((item, i) => made(item, undefined, i, -1, false))

    const a = right.items
    const b = left.items
    const { comparison, match } = this.#shared
    if (left.list !== right.list) this.#differ({ kind: 'shape', node: this, name })
    const mayStay = left.list === right.list && a.length === b.length
    const inPlace = () => a.map((item, i) => made(b[i], item, i, i, false))
    // Equal lists are paired in place, whatever their key is: that most lists of an update are equal makes this worth seeing.
    if (mayStay && comparison.sameItems(left, right)) return inPlace()
    const key = keyOf(this, name, match)
    // So are those with the same keys in the same order: a change of one item leaves the others where they are.
    if (mayStay && key && a.every((item, i) => isPartner(b[i]!, item, key, comparison))) return inPlace()
    const pairing: Pairing = pairItems(b, a, key, comparison)
    let lastKept = -1
    for (const kept of pairing.keys()) lastKept = Math.max(lastKept, kept)
    if (pairing.size > 1) {
      const order = [...pairing].sort(([, x], [, y]) => x - y).map(([afterIndex]) => afterIndex)
      if (longestIncreasingRun(order) < order.length) this.#differ({ kind: 'moved', node: this, name })
    }
    const nodes = a.map((item, i) => {
      const from = pairing.get(i)
      return from === undefined ? made(undefined, item, -1, i, i > lastKept) : made(b[from], item, from, i, false)
    })
    if (b.length > pairing.size) {
      const kept = new Set(pairing.values())
      b.forEach((item, i) => {
        if (!kept.has(i)) nodes.push(made(item, undefined, i, -1, false))
      })
    }
    return nodes
  }
}

const none: readonly AlignedNode[] = []
const childless: ReadonlyMap<string, readonly AlignedNode[]> = new Map()

const isLeaf = (element: Element | undefined) => element === undefined || element.children.size === 0

function isPartner(before: Element, after: Element, { of }: ItemKey, comparison: Comparison): boolean {
  return comparison.same(before, after) || (isOfOneKind(before, after) && of(before) === of(after))
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
