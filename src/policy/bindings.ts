import type { Aligned } from './align.ts'

/**
 * What variables stand for: `$this`, `$resource`, and what `for each` and `as` have bound. Each binding knows those that it was
 * added to, so that nothing is copied for the thousand items of a list.
 */
export class Bindings {
  readonly #name: string
  readonly #nodes: readonly Aligned[]
  readonly #others: Bindings | undefined

  constructor(name: string, nodes: readonly Aligned[], others?: Bindings) {
    this.#name = name
    this.#nodes = nodes
    this.#others = others
  }

  /** Those of a resource: the paths of a change start at its root. */
  static ofResource(root: Aligned): Bindings {
    return new Bindings('$this', [root]).with('$resource', [root])
  }

  get(name: string): readonly Aligned[] | undefined {
    return this.#name === name ? this.#nodes : this.#others?.get(name)
  }

  /** The same with one more, which hides another of its name. */
  with(name: string, nodes: readonly Aligned[]): Bindings {
    return new Bindings(name, nodes, this)
  }
}
