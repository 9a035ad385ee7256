import type { Element } from '../fhir/element.ts'
import type { Aligned } from './align.ts'
import type { Effort } from './effort.ts'
import { sliceKeys, type Key, type Step } from './path.ts'

const none: readonly Element[] = []

/** Whether one side of an item has a key's value. */
export function hasKey(item: Element, key: Key): boolean {
  return hasBelow(item, namesToHolder(key), 0, key)
}

function hasBelow(element: Element, names: readonly string[], depth: number, key: Key): boolean {
  const name = names[depth]
  if (name === undefined) return isHolder(element, key)
  for (const item of element.children.get(name)?.items ?? none) if (hasBelow(item, names, depth + 1, key)) return true
  return false
}

/** The elements of an item, on either side, that can have a key's value: those that its names lead to, or their codings. */
export function keyPlaces(item: Aligned, key: Key): readonly Aligned[] {
  return namesToHolder(key).reduce<readonly Aligned[]>(
    (current, name) => current.flatMap((node) => node.childrenNamed(name)),
    [item],
  )
}

/** Whether an element has a key's value: itself, or as a Coding. */
export function isHolder(element: Element, { of, values, system }: Key): boolean {
  if (of === 'value') return element.value !== undefined && values.includes(element.value.text)
  const [itsSystem, itsCode] = codingElements.map((name) => element.children.get(name)?.items[0]?.value?.text)
  return itsSystem === system && itsCode !== undefined && values.includes(itsCode)
}

const codingElements = ['system', 'code'] as const

const namesToHolder = ({ names, of }: Key) => (of === 'CodeableConcept' ? [...names, 'coding'] : names)

/**
 * The values that an item of a step was chosen by, and nothing that rides on them: in a list that FHIR means to be sliced
 * its key, and for each key of the step the first element that has its value.
 */
export function chosenBy(item: Aligned, step: Step | undefined, effort: Effort): Aligned[] {
  const chosen: Aligned[] = []
  const sliced = sliceKeys[item.name]
  const slice = sliced && item.childrenNamed(sliced)[0]
  if (slice) chosen.push(slice)
  for (const key of step?.keys ?? []) {
    const places = keyPlaces(item, key)
    effort.spend(places.length)
    const holder = places.find((place) => isHolder((place.after ?? place.before)!, key))
    if (!holder) continue
    if (key.of === 'value') chosen.push(holder)
    else for (const name of codingElements) chosen.push(...holder.childrenNamed(name))
  }
  return chosen
}

/** Whether a subtree holds these values and nothing else. */
export function holdsOnly(node: Aligned, values: readonly Aligned[]): boolean {
  const { value, resource } = (node.after ?? node.before)!
  if (value === undefined ? resource || node.children.size === 0 : !values.includes(node)) return false
  for (const items of node.children.values()) if (!items.every((item) => holdsOnly(item, values))) return false
  return true
}
