import type { Definitions } from '../fhir/definitions.ts'
import { idOf, type Element } from '../fhir/element.ts'
import type { Aligned, Difference } from './align.ts'
import { fhirPathName } from './expression.ts'

/** https://hl7.org/fhir/R4/conformance-rules.html#isModifier: what may turn everything else into its opposite. */
const modifiers: ReadonlySet<string> = new Set(['modifierExtension', 'implicitRules'])

/**
 * Those of some unclaimed differences that can be put back while others are kept. Not so what would give a meaning that
 * neither the client nor the stored resource has:
 * - part of a value of which another part is claimed (a Coding's display beside its code, what hangs on a primitive beside
 *   its value, one type of a choice beside another): a value is whole, or it is not that value;
 * - what modifies the meaning of the rest, and cannot be left out silently;
 * - a contained resource that came and to which something kept refers.
 *
 * @param claimed the differences that complete changes claim
 * @param kept the resource with these alone
 */
export function restorable(
  unclaimed: Iterable<Difference>,
  claimed: Iterable<Difference>,
  kept: Element,
  definitions: Definitions,
): Set<Difference> {
  const values = new Values(definitions)
  for (const difference of claimed) values.add(difference)
  const found = new Set<Difference>()
  const contained = new Map<string, Difference>()
  for (const difference of unclaimed) {
    const { node } = difference
    if (values.has(difference) || isModifier(difference)) continue
    found.add(difference)
    const isContained = difference.kind === 'added' && node.name === 'contained' && node.parent?.parent === undefined
    const id = isContained ? idOf(node.after!) : undefined
    if (id !== undefined) contained.set(`#${id}`, difference)
  }
  if (contained.size > 0) {
    for (const text of textsIn(kept)) {
      const referred = contained.get(text)
      if (referred) found.delete(referred)
    }
  }
  return found
}

/** The values that some differences belong to: elements of FHIR's data types, whole. */
class Values {
  readonly #definitions: Definitions
  readonly #known = new Map<Aligned, Set<Aligned | string>>()

  constructor(definitions: Definitions) {
    this.#definitions = definitions
  }

  add(difference: Difference): void {
    const value = this.#valueOf(difference)
    if (!value) return
    const known = this.#known.get(value.of) ?? new Set()
    this.#known.set(value.of, known.add(value.key))
  }

  has(difference: Difference): boolean {
    const value = this.#valueOf(difference)
    return value !== undefined && this.#known.get(value.of)?.has(value.key) === true
  }

  /** The outermost element around a difference that is part of a resource or of a backbone element. */
  #valueOf({ node, kind }: Difference): { readonly of: Aligned; readonly key: Aligned | string } | undefined {
    // The order of a list that is part of a resource belongs to none of its items.
    if ((kind === 'moved' || kind === 'shape') && isStructure(node)) return undefined
    let top = node
    while (top.parent && !isStructure(top.parent)) top = top.parent
    if (!top.parent) return undefined
    const key = top.list ? top : fhirPathName(top.parent, top.name, this.#definitions)
    return { of: top.parent, key }
  }
}

function isStructure({ before, after }: Aligned): boolean {
  const { resource, type } = (after ?? before)!
  return resource || type === 'BackboneElement'
}

function isModifier(difference: Difference): boolean {
  if ((difference.kind === 'moved' || difference.kind === 'shape') && modifiers.has(difference.name)) return true
  for (let at: Aligned | undefined = difference.node; at; at = at.parent) if (modifiers.has(at.name)) return true
  return false
}

function* textsIn({ value, children }: Element): Generator<string> {
  if (value) yield value.text
  for (const { items } of children.values()) for (const item of items) yield* textsIn(item)
}
