import { sameValue, type Children, type Element } from '../fhir/element.ts'

/** Compares elements of two trees, each pair once. Lives as long as one judgement. */
export class Comparison {
  /** The element with which one was compared last, and what came out: nearly always it meets no other. */
  readonly #known = new Map<Element, { readonly other: Element; readonly same: boolean }>()
  readonly #numbers = new Map<string, number>()
  readonly #numbered = new Map<Element, number>()

  /** Deep equality, as `sameElement` has it. */
  same(a: Element, b: Element): boolean {
    if (a === b) return true
    if (a.children.size === 0) return b.children.size === 0 && a.resource === b.resource && sameValue(a.value, b.value)
    const known = this.#known.get(a)
    if (known?.other === b) return known.same
    const same = this.#compare(a, b)
    this.#known.set(a, { other: b, same })
    return same
  }

  #compare(a: Element, b: Element): boolean {
    if (a.resource !== b.resource || (a.resource && a.type !== b.type)) return false
    if (a.children.size !== b.children.size || !sameValue(a.value, b.value)) return false
    for (const [name, left] of a.children) {
      const right = b.children.get(name)
      if (!right || !this.sameItems(left, right)) return false
    }
    return true
  }

  /** Likewise, of all items of one name, in their order. */
  sameItems(a: Children, b: Children): boolean {
    if (a.list !== b.list || a.items.length !== b.items.length) return false
    for (let i = 0; i < a.items.length; i++) if (!this.same(a.items[i]!, b.items[i]!)) return false
    return true
  }

  /** A number for what an element holds: equal elements have equal numbers. For finding partners, not for judging. */
  numberOf(element: Element): number {
    const known = this.#numbered.get(element)
    if (known !== undefined) return known
    const { value, children } = element
    let text = JSON.stringify([element.resource ? element.type : 0, value ? [value.kind, value.text] : 0])
    for (const name of [...children.keys()].sort()) {
      text += `${name}=${children
        .get(name)!
        .items.map((item) => this.numberOf(item))
        .join()};`
    }
    const number = this.#numbers.get(text) ?? this.#numbers.size
    this.#numbers.set(text, number)
    this.#numbered.set(element, number)
    return number
  }
}
