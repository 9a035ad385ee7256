import type { Difference } from './align.ts'
import { bounds } from './bounds.ts'
import type { CompileContext } from './compile-context.ts'
import type { Key, Path } from './path.ts'
import type { Change, Literal, Part, RuleSet } from './rule.ts'
import { sameValue } from '../fhir/element.ts'

/**
 * Two parts that could claim one difference would make a policy ambiguous: it could never permit that difference. They are
 * mistakes of the policy, unless their slices, types or sides differ, their variables stand for different things, or the
 * two changes exclude each other.
 */
export function diagnoseOverlaps(rules: RuleSet, context: CompileContext): void {
  const claims = rules.changes.flatMap((change) => flatten(change))
  if (claims.length > bounds.together) {
    context.report(rules.at, `This has more than ${bounds.together} parts.`, { at: 'key' })
    return
  }
  for (const [i, a] of claims.entries()) {
    for (const b of claims.slice(i + 1)) {
      if (!canMeet(a, b)) continue
      if (a.change !== b.change && excludeEachOther(a.change, b.change)) continue
      const at = [...rules.at, 'changes', b.change.name]
      const both =
        a.change === b.change ? `twice in \`${a.change.name}\`` : `by \`${a.change.name}\` and by \`${b.change.name}\``
      context.report(
        at,
        `\`${b.path.text}\` can be claimed ${both}: one difference would be claimed twice, and refused. Let the paths select different elements.`,
        { at: 'key' },
      )
    }
  }
}

interface Claim {
  readonly change: Change
  readonly kind: Part['kind']
  readonly path: Path
  readonly transition: { readonly from: readonly Literal[]; readonly to: readonly Literal[] } | undefined
  /** What variables stand for, where this part sees them. */
  readonly bound: ReadonlyMap<string, Bound>
}

interface Bound {
  readonly side: 'kept' | 'added'
  readonly path: Path
}

function flatten(change: Change): Claim[] {
  const claims: Claim[] = []
  const { forEach } = change
  const start = new Map<string, Bound>()
  if (forEach) {
    const { variable, path } = forEach
    start.set(variable, { side: forEach.side === 'kept' ? 'kept' : 'added', path })
    if (forEach.side === 'appended')
      claims.push({ change, kind: 'appended', path, transition: undefined, bound: start })
  }
  const visit = (parts: readonly Part[], outer: Bounds) => {
    let bound = outer
    for (const part of parts) {
      const transition = part.kind === 'replaced' ? part : undefined
      claims.push({ change, kind: part.kind, path: part.path, transition, bound })
      if (part.kind !== 'replaced' && part.as !== undefined) {
        bound = new Map(bound).set(part.as, { side: 'added', path: part.path })
        visit(part.with, bound)
      }
    }
  }
  visit(change.parts, start)
  return claims
}

/** The differences that a part looks at. An element that comes or goes may also be one whose value does. */
function sides({ kind, transition }: Claim): readonly Difference['kind'][] {
  if (!transition) return [kind === 'appended' ? 'added' : kind]
  return [
    'replaced',
    ...(transition.from.includes(undefined) ? ['added' as const] : []),
    ...(transition.to.includes(undefined) ? ['removed' as const] : []),
  ]
}

function canMeet(a: Claim, b: Claim): boolean {
  if (!sides(a).some((kind) => sides(b).includes(kind))) return false
  if (a.transition && b.transition && disjoint(a.transition, b.transition)) return false
  return pathsCanMeet(a.path, a.bound, b.path, b.bound)
}

function disjoint(a: NonNullable<Claim['transition']>, b: NonNullable<Claim['transition']>): boolean {
  const meet = (x: readonly Literal[], y: readonly Literal[]) => x.some((v) => y.some((w) => sameValue(v, w)))
  return !meet(a.from, b.from) || !meet(a.to, b.to)
}

type Bounds = ReadonlyMap<string, Bound>

function pathsCanMeet(a: Path, aBound: Bounds, b: Path, bBound: Bounds): boolean {
  // From different roots the paths are made comparable by putting the variable's own path in front.
  const left = absolute(a, aBound)
  const right = absolute(b, bBound)
  if (left.length !== right.length) return false
  return left.every((step, i) => {
    const other = right[i]!
    if (step.name !== other.name) return false
    if (step.keys.some((key) => other.keys.some((its) => excludes(key, its)))) return false
    if (step.type !== undefined && other.type !== undefined && step.type !== other.type) return false
    if (step.side && other.side && step.side !== other.side) return false
    if (step.selector && other.selector && step.selector.names.join('.') === other.selector.names.join('.')) {
      return variablesCanMeet(step.selector.variable, aBound, other.selector.variable, bBound)
    }
    return true
  })
}

/** Different values of one key are never in one item, unless it may have several. */
function excludes(a: Key, b: Key): boolean {
  if (a.repeats || b.repeats || a.names.join('.') !== b.names.join('.')) return false
  return a.system !== b.system || !a.values.some((value) => b.values.includes(value))
}

type AbsoluteStep = Path['steps'][number] & { readonly side?: 'kept' | 'added' }

function absolute(path: Path, bound: Bounds): AbsoluteStep[] {
  const root = bound.get(path.root)
  if (!root) return [...path.steps]
  const front = absolute(root.path, bound)
  const last = front.pop()
  return [...front, ...(last ? [{ ...last, side: root.side }] : []), ...path.steps]
}

function variablesCanMeet(a: string, aBound: Bounds, b: string, bBound: Bounds): boolean {
  const left = aBound.get(a)
  const right = bBound.get(b)
  if (!left || !right) return true
  if (left.side !== right.side) return false
  return pathsCanMeet(left.path, aBound, right.path, bBound)
}

/** Two changes without `for each` that demand different transitions of one element never occur together. */
function excludeEachOther(a: Change, b: Change): boolean {
  if (a.forEach || b.forEach) return false
  const demanded = (change: Change) => change.parts.filter((part) => part.kind === 'replaced' && part.times.min > 0)
  return demanded(a).some((x) =>
    demanded(b).some(
      (y) =>
        x.kind === 'replaced' &&
        y.kind === 'replaced' &&
        x.path.text === y.path.text &&
        x.path.root === y.path.root &&
        disjoint(x, y),
    ),
  )
}
