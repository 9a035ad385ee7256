import type { Element } from '../fhir/element.ts'
import type { Aligned } from './align.ts'
import type { Bindings } from './bindings.ts'
import type { Effort } from './effort.ts'
import { hasKey, isHolder, keyPlaces } from './key.ts'
import type { Key, Path, Selector, Step } from './path.ts'
import { namesOf, normalReference } from './reference.ts'

const nothing: readonly Aligned[] = []

/** The items in which a reference has a text. */
type References = ReadonlyMap<string, readonly Aligned[]>

/** Where a path leads: a node, or a place where nothing stands on either side. */
export interface Place {
  readonly node: Aligned | undefined
  readonly parent: Aligned
  readonly name: string
}

/** Finds what paths select in one alignment. References are looked up in an index, so that many items stay linear. */
export class Selection {
  readonly #bases: readonly string[]
  readonly #effort: Effort
  /** Of each parent those of the few selectors that a policy has for it. */
  readonly #indexes = new Map<Aligned, { name: string; names: readonly string[]; references: References }[]>()
  readonly #names = new Map<readonly Aligned[], ReadonlySet<string>>()
  /** What lives as long as this judgement is collected with it: weak maps cost the collector a third of a List's time. */
  readonly #namesOf = new Map<Aligned, readonly string[]>()
  readonly #keyed = new Map<Key, Map<Element, boolean>>()

  /** @param bases absolute FHIR bases (without trailing slash) under which references name this server's resources */
  constructor(bases: readonly string[], effort: Effort) {
    this.#bases = bases
    this.#effort = effort
  }

  /**
   * The nodes that a path selects: those of after in their order, then removed ones. An item is selected when what its
   * step asks for is so on either side.
   */
  nodes(path: Path, bindings: Bindings): readonly Aligned[] {
    return this.#nodesAt(path, path.steps.length, bindings)
  }

  /** What the first steps of a path select. */
  #nodesAt(path: Path, steps: number, bindings: Bindings): readonly Aligned[] {
    let current: readonly Aligned[] = bindings.get(path.root) ?? nothing
    for (let i = 0; i < steps; i++) {
      const step = path.steps[i]!
      current =
        current.length === 1
          ? this.#step(current[0]!, step, bindings)
          : current.flatMap((node) => this.#step(node, step, bindings))
    }
    return current
  }

  /** As `nodes`, but where the last element is absent on both sides that place counts, too. */
  places(path: Path, bindings: Bindings): readonly Place[] {
    const last = path.steps.at(-1)
    if (!last) return this.nodes(path, bindings).map((node) => ({ node, parent: node, name: '' }))
    const { name } = last
    const places: Place[] = []
    for (const parent of this.#nodesAt(path, path.steps.length - 1, bindings)) {
      const found = this.#step(parent, last, bindings)
      for (const node of found) places.push({ node, parent, name })
      if (found.length === 0) places.push({ node: undefined, parent, name })
    }
    return places
  }

  /** Whether a node that a path selects is also selected when only one side is looked at. */
  isSelectedOn(side: 'before' | 'after', node: Aligned, path: Path, bindings: Bindings): boolean {
    let at = node
    for (let i = path.steps.length; i > 0; i--) {
      const item = at[side]
      if (!item) return false
      const { keys, selector } = path.steps[i - 1]!
      // What stands on one side only was selected by that side.
      if (at.before && at.after) {
        if (!keys.every((key) => this.#has(item, key))) return false
        if (selector && !this.#refers(item, selector, bindings)) return false
      }
      at = at.parent!
    }
    return true
  }

  /**
   * What a path selects, for guarding it; and where an item comes into the selection or leaves it while it stays, what
   * makes it so. While none of this differs, the path selects the same values in before and in after.
   */
  guarded(path: Path, bindings: Bindings): ReadonlySet<Aligned> {
    const guarded = new Set<Aligned>()
    const visit = (node: Aligned, [step, ...further]: readonly Step[]): boolean => {
      if (!step) {
        guarded.add(node)
        return true
      }
      const items = this.#step(node, step, bindings).filter((item) => visit(item, further))
      for (const item of items) for (const turned of this.#turned(item, step, bindings)) guarded.add(turned)
      return items.length > 0
    }
    for (const root of bindings.get(path.root) ?? nothing) visit(root, path.steps)
    return guarded
  }

  /** Whether a node of a step's name is one that its keys and its type select, on either side. */
  isSelectedBy(node: Aligned, { keys, type }: Step): boolean {
    if (type !== undefined && !isOfType(node, type)) return false
    const { before, after } = node
    return keys.every(
      (key) => (before !== undefined && this.#has(before, key)) || (after !== undefined && this.#has(after, key)),
    )
  }

  /** Each element is looked at once for each key, however many occurrences ask. */
  #has(item: Element, key: Key): boolean {
    let known = this.#keyed.get(key)
    if (!known) this.#keyed.set(key, (known = new Map()))
    let has = known.get(item)
    if (has === undefined) known.set(item, (has = hasKey(item, key)))
    return has
  }

  #refers(item: Element, { names, variable }: Selector, bindings: Bindings): boolean {
    return textsAt(item, names).some((text) => this.refersTo(text, variable, bindings))
  }

  /** The places below an item that make a key or a reference of a step hold on one side only. */
  #turned(item: Aligned, { keys, selector }: Step, bindings: Bindings): Aligned[] {
    const { before, after } = item
    if (!before || !after) return []
    const turned = keys.flatMap((key) =>
      this.#has(before, key) === this.#has(after, key)
        ? []
        : keyPlaces(item, key).filter((place) => holdsOn(place.before, key) !== holdsOn(place.after, key)),
    )
    if (selector && this.#refers(before, selector, bindings) !== this.#refers(after, selector, bindings)) {
      turned.push(...keyPlaces(item, { names: selector.names, values: [], of: 'value', repeats: true }))
    }
    return turned
  }

  /** Whether a reference's text names one of what a variable is bound to. */
  refersTo(text: string, variable: string, bindings: Bindings): boolean {
    const targets = bindings.get(variable) ?? nothing
    let names = this.#names.get(targets)
    if (!names) this.#names.set(targets, (names = new Set(targets.flatMap((target) => this.#namesOfOne(target)))))
    return names.has(normalReference(text, this.#bases))
  }

  #namesOfOne(target: Aligned): readonly string[] {
    let names = this.#namesOf.get(target)
    if (!names) this.#namesOf.set(target, (names = namesOf(target)))
    return names
  }

  #step(parent: Aligned, step: Step, bindings: Bindings): readonly Aligned[] {
    const found = this.#found(parent, step, bindings)
    this.#effort.spend(1 + found.length)
    if (step.keys.length === 0 && step.type === undefined) return found
    return found.filter((node) => this.isSelectedBy(node, step))
  }

  #found(parent: Aligned, step: Step, bindings: Bindings): readonly Aligned[] {
    const { selector } = step
    return selector
      ? this.#referring(parent, step.name, selector.names, bindings.get(selector.variable) ?? nothing)
      : parent.childrenNamed(step.name)
  }

  #referring(parent: Aligned, name: string, names: readonly string[], targets: readonly Aligned[]): readonly Aligned[] {
    const index = this.#indexOf(parent, name, names)
    const found: (readonly Aligned[])[] = []
    for (const target of targets) {
      for (const named of this.#namesOfOne(target)) {
        const nodes = index.get(named)
        if (nodes) found.push(nodes)
      }
    }
    return found.length > 1 ? [...new Set(found.flat())] : (found[0] ?? nothing)
  }

  #indexOf(parent: Aligned, name: string, names: readonly string[]): References {
    let ofParent = this.#indexes.get(parent)
    if (!ofParent) this.#indexes.set(parent, (ofParent = []))
    for (const known of ofParent) if (known.name === name && isSameList(known.names, names)) return known.references
    const references = new Map<string, Aligned[]>()
    ofParent.push({ name, names, references })
    for (const node of parent.childrenNamed(name)) {
      for (const reference of this.#referencesOf(node, names)) {
        const same = references.get(reference)
        if (same) same.push(node)
        else references.set(reference, [node])
      }
    }
    return references
  }

  #referencesOf({ before, after }: Aligned, names: readonly string[]): Iterable<string> {
    const references = new Set<string>()
    if (before) for (const text of textsAt(before, names)) references.add(normalReference(text, this.#bases))
    // What was left as it was is mostly the very same element.
    if (after && after !== before)
      for (const text of textsAt(after, names)) references.add(normalReference(text, this.#bases))
    return references
  }
}

const isSameList = (a: readonly string[], b: readonly string[]) =>
  a === b || (a.length === b.length && a.every((name, i) => name === b[i]))

function isOfType(node: Aligned, type: string): boolean {
  const element = node.after ?? node.before
  return element?.resource === true && element.type === type
}

const holdsOn = (side: Element | undefined, key: Key) => side !== undefined && isHolder(side, key)

function textsAt(element: Element, names: readonly string[]): string[] {
  const texts: string[] = []
  const visit = (item: Element, depth: number) => {
    const name = names[depth]
    if (name !== undefined) for (const child of item.children.get(name)?.items ?? []) visit(child, depth + 1)
    else if (item.value) texts.push(item.value.text)
  }
  visit(element, 0)
  return texts
}
