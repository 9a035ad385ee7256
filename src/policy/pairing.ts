import type { Element } from '../fhir/element.ts'
import type { Comparison } from './comparison.ts'

/** What makes two items of a list partners. Strict: the key alone, in order; else the key, and then equal content first. */
export interface ItemKey {
  readonly of: (item: Element) => string
  readonly strict: boolean
}

/** Index in after → index in before, one to one. */
export type Pairing = Map<number, number>

/**
 * Pairs the items of two lists. Any one-to-one pairing is sound, as long as everything unpaired is added or removed, pairs
 * are descended into and a broken order is a difference: the choice only decides how well a refusal reads, and that a plain
 * insertion is not taken for a change of its neighbours.
 */
export function pairItems(
  before: readonly Element[],
  after: readonly Element[],
  key: ItemKey | undefined,
  comparison: Comparison,
): Pairing {
  const lists: Lists = { before, after, comparison, pairing: new Map() }
  if (!key) {
    pairByContent(lists)
    withinGaps(lists)
  } else {
    const left = groupsOf(before, key)
    for (const [name, right] of groupsOf(after, key)) {
      const same = left.get(name)
      if (!same) continue
      const [restLeft, restRight] = key.strict ? [same, right] : equalEnds(lists, same, right)
      for (let i = 0; i < Math.min(restLeft.length, restRight.length); i++) {
        lists.pairing.set(restRight[i]!, restLeft[i]!)
      }
    }
  }
  return dropUnlike(lists)
}

interface Lists {
  readonly before: readonly Element[]
  readonly after: readonly Element[]
  readonly comparison: Comparison
  readonly pairing: Pairing
}

function groupsOf(items: readonly Element[], key: ItemKey): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  items.forEach((item, i) => {
    const name = key.of(item)
    const group = groups.get(name)
    if (group) group.push(i)
    else groups.set(name, [i])
  })
  return groups
}

const indexes = (items: readonly unknown[]) => items.map((_, i) => i)

/** Pairs the equal items at the start and at the end; gives what is left between. */
function equalEnds(
  { before, after, comparison, pairing }: Lists,
  left: readonly number[],
  right: readonly number[],
): [readonly number[], readonly number[]] {
  const equal = (i: number, j: number) => comparison.same(before[left[i]!]!, after[right[j]!]!)
  let start = 0
  let leftEnd = left.length
  let rightEnd = right.length
  while (start < leftEnd && start < rightEnd && equal(start, start)) {
    pairing.set(right[start]!, left[start]!)
    start++
  }
  while (leftEnd > start && rightEnd > start && equal(leftEnd - 1, rightEnd - 1)) {
    pairing.set(right[--rightEnd]!, left[--leftEnd]!)
  }
  return [left.slice(start, leftEnd), right.slice(start, rightEnd)]
}

/** Equal ends, equal in place, equal anywhere. */
function pairByContent(lists: Lists): void {
  const { before, after, comparison, pairing } = lists
  const [restLeft, restRight] = equalEnds(lists, indexes(before), indexes(after))
  if (restLeft.length === 0 || restRight.length === 0 || (restLeft.length === 1 && restRight.length === 1)) return
  const leftAt = (i: number) => comparison.numberOf(before[i]!)
  const rightAt = (i: number) => comparison.numberOf(after[i]!)
  const open = new Set(restRight)
  const waiting: number[] = []
  for (const i of restLeft) {
    if (open.has(i) && leftAt(i) === rightAt(i)) {
      pairing.set(i, i)
      open.delete(i)
    } else waiting.push(i)
  }
  const byNumber = new Map<number, number[]>()
  for (const i of open) {
    const same = byNumber.get(rightAt(i))
    if (same) same.push(i)
    else byNumber.set(rightAt(i), [i])
  }
  for (const same of byNumber.values()) same.reverse()
  for (const i of waiting) {
    const found = byNumber.get(leftAt(i))?.pop()
    if (found !== undefined) pairing.set(found, i)
  }
}

/** Pairs what is left in order, between the same paired neighbours: an item that was changed in its place. */
function withinGaps({ before, after, pairing }: Lists): void {
  if (pairing.size === before.length || pairing.size === after.length) return
  const afterOf = new Map([...pairing].map(([a, b]) => [b, a] as const))
  const gaps = new Map<number, number[]>()
  let gap = -1
  before.forEach((_, i) => {
    const paired = afterOf.get(i)
    if (paired !== undefined) gap = paired
    else if (gaps.has(gap)) gaps.get(gap)!.push(i)
    else gaps.set(gap, [i])
  })
  gap = -1
  const taken = new Map<number, number>()
  after.forEach((_, i) => {
    if (pairing.has(i)) {
      gap = i
      return
    }
    const next = taken.get(gap) ?? 0
    const candidate = gaps.get(gap)?.[next]
    if (candidate === undefined) return
    taken.set(gap, next + 1)
    pairing.set(i, candidate)
  })
}

/** Resources of two types are never one item. */
export function isOfOneKind(before: Element, after: Element): boolean {
  return before.resource === after.resource && (!before.resource || before.type === after.type)
}

function dropUnlike({ before, after, pairing }: Lists): Pairing {
  for (const [a, b] of pairing) if (!isOfOneKind(before[b]!, after[a]!)) pairing.delete(a)
  return pairing
}

/** The length of the longest strictly increasing run (not necessarily of neighbours) in a list of numbers: n log n. */
export function longestIncreasingRun(numbers: readonly number[]): number {
  const tails: number[] = []
  for (const number of numbers) {
    let low = 0
    let high = tails.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (tails[middle]! < number) low = middle + 1
      else high = middle
    }
    tails[low] = number
  }
  return tails.length
}
