import type { Element } from '../fhir/element.ts'
import type { Aligned, Difference } from './align.ts'
import type { Judgement } from './judgement.ts'
import type { Rest } from './rule.ts'

/**
 * The differences that `rest` permits or restores: those which lie neither at, nor in, nor around anything that an exception
 * selects. What brings something that the FHIR version does not define, or another shape, is never permitted: nobody can
 * say what it means. It can be left out.
 */
export function takenByRest(
  rest: Rest,
  differences: Iterable<Difference>,
  root: Aligned,
  judgement: Judgement,
): Set<Difference> {
  const bindings = new Map([
    ['$this', [root]],
    ['$resource', [root]],
  ])
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
  const taken = new Set<Difference>()
  for (const difference of differences) {
    const { node, kind } = difference
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

function holdsUndefined(element: Element): boolean {
  if (element.type === undefined) return true
  for (const { items } of element.children.values()) if (items.some(holdsUndefined)) return true
  return false
}
