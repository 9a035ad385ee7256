import type { Element } from '../fhir/element.ts'

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
  structureOf: (element: Element) => number,
): Pairing {
  const pairing: Pairing = new Map()
  if (!key) {
    pairByContent(
      indexes(before),
      indexes(after),
      (i) => structureOf(before[i]!),
      (i) => structureOf(after[i]!),
      pairing,
    )
    withinGaps(before, after, pairing)
    return dropUnlike(before, after, pairing)
  }
  const groups = new Map<string, number[]>()
  before.forEach((item, i) => {
    const group = groups.get(key.of(item))
    if (group) group.push(i)
    else groups.set(key.of(item), [i])
  })
  const afterGroups = new Map<string, number[]>()
  after.forEach((item, i) => {
    const group = afterGroups.get(key.of(item))
    if (group) group.push(i)
    else afterGroups.set(key.of(item), [i])
  })
  for (const [groupKey, right] of afterGroups) {
    const left = groups.get(groupKey)
    if (!left) continue
    if (key.strict) inOrder(left, right, pairing)
    else {
      const [restLeft, restRight] = equalEnds(
        left,
        right,
        (i) => structureOf(before[i]!),
        (i) => structureOf(after[i]!),
        pairing,
      )
      inOrder(restLeft, restRight, pairing)
    }
  }
  return dropUnlike(before, after, pairing)
}

type StructureAt = (index: number) => number

const indexes = (items: readonly unknown[]) => items.map((_, i) => i)

function inOrder(left: readonly number[], right: readonly number[], pairing: Pairing): void {
  for (let i = 0; i < Math.min(left.length, right.length); i++) pairing.set(right[i]!, left[i]!)
}

/** Pairs the equal items at the start and at the end; gives what is left between. */
function equalEnds(
  left: readonly number[],
  right: readonly number[],
  leftAt: StructureAt,
  rightAt: StructureAt,
  pairing: Pairing,
): [number[], number[]] {
  let start = 0
  let leftEnd = left.length
  let rightEnd = right.length
  while (start < leftEnd && start < rightEnd && leftAt(left[start]!) === rightAt(right[start]!)) {
    pairing.set(right[start]!, left[start]!)
    start++
  }
  while (leftEnd > start && rightEnd > start && leftAt(left[leftEnd - 1]!) === rightAt(right[rightEnd - 1]!)) {
    pairing.set(right[--rightEnd]!, left[--leftEnd]!)
  }
  return [left.slice(start, leftEnd), right.slice(start, rightEnd)]
}

/** Equal ends, equal in place, equal anywhere. */
function pairByContent(
  left: readonly number[],
  right: readonly number[],
  leftAt: StructureAt,
  rightAt: StructureAt,
  pairing: Pairing,
): void {
  const [restLeft, restRight] = equalEnds(left, right, leftAt, rightAt, pairing)
  const open = new Set(restRight)
  const waiting: number[] = []
  for (const i of restLeft) {
    if (open.has(i) && leftAt(i) === rightAt(i)) {
      pairing.set(i, i)
      open.delete(i)
    } else waiting.push(i)
  }
  const byStructure = new Map<number, number[]>()
  for (const i of open) {
    const same = byStructure.get(rightAt(i))
    if (same) same.push(i)
    else byStructure.set(rightAt(i), [i])
  }
  for (const same of byStructure.values()) same.reverse()
  for (const i of waiting) {
    const found = byStructure.get(leftAt(i))?.pop()
    if (found !== undefined) pairing.set(found, i)
  }
}

/** Pairs what is left in order, between the same paired neighbours: an item that was changed in its place. */
function withinGaps(before: readonly Element[], after: readonly Element[], pairing: Pairing): void {
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
function dropUnlike(before: readonly Element[], after: readonly Element[], pairing: Pairing): Pairing {
  for (const [a, b] of pairing) {
    const left = before[b]!
    const right = after[a]!
    if (left.resource !== right.resource || (left.resource && left.type !== right.type)) pairing.delete(a)
  }
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
