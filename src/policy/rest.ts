import type { Element } from '../fhir/element.ts'
import type { Aligned, Difference } from './align.ts'
import { Bindings } from './bindings.ts'
import type { Judgement } from './judgement.ts'
import type { Path } from './path.ts'
import type { Rest } from './rule.ts'

/**
 * The differences that `rest` permits or restores: those which lie at or in what `only` selects (without it, anywhere), and
 * neither at, nor in, nor around anything that an exception selects. What brings something that the FHIR version does not define, or another shape, is never permitted: nobody can
 * say what it means. It can be left out.
 */
export function takenByRest(
  rest: Rest,
  differences: Iterable<Difference>,
  root: Aligned,
  judgement: Judgement,
): Set<Difference> {
  const bindings = Bindings.ofResource(root)
  const excepted = new Set<Aligned>()
  const around = new Set<Aligned>()
  for (const path of rest.except) {
    for (const node of judgement.selection.guarded(path, bindings)) {
      excepted.add(node)
      for (let up = node.parent; up; up = up.parent) around.add(up)
    }
  }
  const isExcepted = (node: Aligned): boolean => {
    for (let at: Aligned | undefined = node; at; at = at.parent) if (excepted.has(at)) return true
    return false
  }
  const included = rest.only && includedBy(rest.only, bindings, judgement)
  const taken = new Set<Difference>()
  for (const difference of differences) {
    const { node, kind } = difference
    if (included && !isIncluded(difference, included)) continue
    if (isExcepted(node) || (kind === 'shape' && rest.kind === 'permit')) continue
    if (kind === 'moved' || kind === 'shape') {
      const items = node.children.get(difference.name) ?? []
      if (items.some((item) => excepted.has(item) || around.has(item))) continue
    } else if (kind !== 'replaced') {
      if (around.has(node) || (kind === 'added' && rest.kind === 'permit' && holdsUndefined(node.after!))) continue
    }
    taken.add(difference)
  }
  return taken
}

/** What `only` selects: on each side on which it stands, so that nothing comes in under a key that it did not have. */
function includedBy(only: readonly Path[], bindings: Bindings, { selection }: Judgement): ReadonlySet<Aligned> {
  const included = new Set<Aligned>()
  for (const path of only) {
    for (const node of selection.nodes(path, bindings)) {
      const sides = (['before', 'after'] as const).filter((side) => node[side])
      if (sides.every((side) => selection.isSelectedOn(side, node, path, bindings))) included.add(node)
    }
  }
  return included
}

/** Whether a difference lies at or in what `only` selects; the order of a list, when it selects all its items. */
function isIncluded(difference: Difference, included: ReadonlySet<Aligned>): boolean {
  for (let at: Aligned | undefined = difference.node; at; at = at.parent) if (included.has(at)) return true
  if (difference.kind !== 'moved' && difference.kind !== 'shape') return false
  const items = difference.node.children.get(difference.name) ?? []
  return items.length > 0 && items.every((item) => included.has(item))
}

function holdsUndefined(element: Element): boolean {
  if (element.type === undefined) return true
  for (const { items } of element.children.values()) if (items.some(holdsUndefined)) return true
  return false
}
