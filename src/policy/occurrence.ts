import type { Aligned, Difference } from './align.ts'
import { Bindings } from './bindings.ts'
import { writeLiterals } from './condition.ts'
import { flawsOf, type Flaw } from './content.ts'
import { absentExpression, expressionOf, fhirPathName } from './expression.ts'
import type { Judgement } from './judgement.ts'
import { chosenBy, holdsOnly } from './key.ts'
import type { Change, Literal, Otherwise, Part, ReplacedPart, SubtreePart } from './rule.ts'
import { sameValue } from '../fhir/element.ts'

/**
 * What one part says of the differences, for one binding. It never depends on what others claimed.
 * fit: the right difference, and its conditions hold. flawed: the right difference, wrong content. near: the right element,
 * wrong transition or place.
 */
export interface Finding {
  readonly part: Pick<Part, 'id' | 'otherwise' | 'times' | 'mode'>
  readonly fits: readonly Difference[]
  readonly flawed: readonly Difference[]
  readonly near: readonly Difference[]
  /** What is wrong or lacking; near ones apart, since an occurrence may speak of them without having begun. */
  readonly flaws: readonly Flaw[]
  readonly nearFlaws: readonly Flaw[]
  readonly lacking: Flaw | undefined
  /** Parts that are enforced have not been asked, since the item that they are about is not what it must be. */
  readonly unasked?: true
}

/** A change with a binding. */
export interface Occurrence {
  readonly change: Change
  /** The item of a `for each`. */
  readonly item: Aligned | undefined
  readonly findings: readonly Finding[]
  /** Every part is within its times, nothing is flawed or near, and something fits: what fits is claimed. */
  readonly complete: boolean
  /**
   * A mandatory part is fit or flawed, or a part is flawed and none is mandatory: what lacks is said in the change's own
   * words, and nothing of it is left to `rest`.
   */
  readonly begun: boolean
  /**
   * It would be complete if the parts in report mode asked nothing: all that it touches belongs to it, and what does not hold
   * is reported.
   */
  readonly excused: boolean
}

/** All occurrences of a change: one, or one per item of its `for each`. */
export function occurrencesOf(change: Change, root: Aligned, judgement: Judgement): Occurrence[] {
  const bindings = Bindings.ofResource(root)
  const { forEach } = change
  if (!forEach) return [occurrence(change, undefined, [], bindings, judgement)]
  const items = judgement.selection
    .nodes(forEach.path, bindings)
    .filter((item) => (forEach.side === 'kept' ? item.before && item.after : item.after && !item.before))
  return items.map((item) => {
    const bound = bindings.with(forEach.variable, [item])
    const own = forEach.side === 'appended' ? [itemFinding(change, item, bound, judgement)] : []
    return occurrence(change, item, own, bound, judgement)
  })
}

function occurrence(
  change: Change,
  item: Aligned | undefined,
  own: Finding[],
  bindings: Bindings,
  judgement: Judgement,
): Occurrence {
  const findings = [...own]
  evaluate(change.parts, bindings, judgement, findings)
  const whole = findings.every(isSound)
  const mandatory = findings.filter(({ part }) => part.times.min > 0)
  return {
    change,
    item,
    findings,
    complete: whole && findings.some((f) => f.fits.length > 0),
    begun: mandatory.length > 0 ? mandatory.some(isTouched) : findings.some(({ flawed }) => flawed.length > 0),
    excused:
      !whole &&
      findings.every((finding) => isSound(finding) || (finding.part.mode === 'report' && !finding.unasked)) &&
      findings.some((finding) => isTouched(finding) || finding.near.length > 0),
  }
}

/** Nothing of it stands against the completeness of its occurrence. */
export const isSound = ({ lacking, flawed, near }: Finding) => !lacking && flawed.length === 0 && near.length === 0

const isTouched = ({ fits, flawed }: Finding) => fits.length > 0 || flawed.length > 0

function evaluate(parts: readonly Part[], bindings: Bindings, judgement: Judgement, findings: Finding[]): void {
  let known = bindings
  for (const part of parts) {
    if (part.kind === 'replaced') {
      findings.push(replacedFinding(part, known, judgement))
      continue
    }
    const { finding, items, sound } = subtreeFinding(part, known, judgement)
    findings.push(finding)
    if (part.as === undefined) continue
    known = known.with(part.as, items)
    // Of an item that is flawed nothing more is asked: a thousand occurrences may select it.
    for (const item of sound) {
      evaluate(part.with, known.with(part.as, [item]), judgement, findings)
    }
  }
}

/** The item of a `for each appended` is a difference that the occurrence itself must claim. */
function itemFinding(change: Change, item: Aligned, bindings: Bindings, judgement: Judgement): Finding {
  const forEach = change.forEach!
  const { otherwise, mode } = forEach
  const part = { id: `${change.id}.${forEach.variable}`, otherwise, mode, times: { min: 1, max: 1 } }
  const difference = item.difference
  if (!difference) return { ...nothing, part }
  if (!item.appended) return { ...nothing, part, near: [difference], nearFlaws: [misplaced(item, part, judgement)] }
  const flaws = flawsOf(item, forEach.path, forEach.content, part.id, part.otherwise, bindings, judgement)
  return { ...nothing, part, fits: flaws.length ? [] : [difference], flawed: flaws.length ? [difference] : [], flaws }
}

const nothing = { fits: [], flawed: [], near: [], flaws: [], nearFlaws: [], lacking: undefined } as const

function misplaced(item: Aligned, part: Finding['part'], judgement: Judgement): Flaw {
  return {
    rule: part.id,
    expression: expressionOf(item, judgement.definitions),
    what: 'was added before an item that was there already; it may only be appended',
    otherwise: part.otherwise,
  }
}

/**
 * What a part lacks, in words only when somebody asks: each item of a `for each` that is left alone lacks something, and hardly
 * any is told of. A class, since V8 makes a hidden class for each object literal that has getters, which hold a judgement
 * until the next full collection: half of the time that it took to judge a List of 50 Conditions.
 */
class Lacking implements Flaw {
  readonly rule: string
  readonly otherwise: Otherwise
  readonly #expression: () => string
  readonly #what: () => string

  constructor({ id, otherwise }: Part, expression: () => string, what: () => string) {
    this.rule = id
    this.otherwise = otherwise
    this.#expression = expression
    this.#what = what
  }

  get expression(): string {
    return this.#expression()
  }

  get what(): string {
    return this.#what()
  }
}

function replacedFinding(part: ReplacedPart, bindings: Bindings, judgement: Judgement): Finding {
  const fits: Difference[] = []
  const near: Difference[] = []
  const nearFlaws: Flaw[] = []
  let lacking: Flaw | undefined
  const lack = (expression: () => string) => {
    lacking ??= new Lacking(
      part,
      expression,
      () => `must go from ${writeLiterals(part.from)} to ${writeLiterals(part.to)}`,
    )
  }
  const places = judgement.selection.places(part.path, bindings)
  for (const { node, parent, name } of places) {
    const difference = node?.difference
    if (!node || !difference) {
      lack(() =>
        node
          ? expressionOf(node, judgement.definitions)
          : `${expressionOf(parent, judgement.definitions)}.${fhirPathName(parent, name, judgement.definitions)}`,
      )
    } else if (isValueSlot(node, difference) && has(part.from, node.before?.value) && has(part.to, node.after?.value)) {
      fits.push(difference)
    } else {
      near.push(difference)
      nearFlaws.push({
        rule: part.id,
        expression: expressionOf(node, judgement.definitions),
        what: `may only go from ${writeLiterals(part.from)} to ${writeLiterals(part.to)}`,
        otherwise: part.otherwise,
      })
    }
  }
  if (places.length === 0 && part.times.min > 0) {
    const scope = bindings.get(part.path.root)?.[0] ?? bindings.get('$this')![0]!
    lack(() => absentExpression(scope, part.path, judgement.definitions))
  }
  // What may stay as it is lacks nothing when all of it does.
  const mayStay = part.times.min === 0 && fits.length === 0
  return { part, fits, near, flawed: [], flaws: [], nearFlaws, lacking: mayStay ? undefined : lacking }
}

/** Absent to present is the value slot alone: nothing may ride along on the element that comes or goes. */
function isValueSlot(node: Aligned, difference: Difference): boolean {
  if (difference.kind === 'replaced') return true
  const element = (node.after ?? node.before)!
  return element.children.size === 0 && element.value !== undefined
}

const has = (literals: readonly Literal[], value: Literal) => literals.some((literal) => sameValue(literal, value))

function subtreeFinding(part: SubtreePart, bindings: Bindings, judgement: Judgement) {
  const fits: Difference[] = []
  const flawed: Difference[] = []
  const near: Difference[] = []
  const flaws: Flaw[] = []
  const nearFlaws: Flaw[] = []
  const items: Aligned[] = []
  const sound: Aligned[] = []
  let total = 0
  let last: Aligned | undefined
  for (const node of judgement.selection.nodes(part.path, bindings)) {
    if (node.after && judgement.selection.isSelectedOn('after', node, part.path, bindings)) total++
    if (part.kind === 'removed' ? node.after : node.before || !node.after) continue
    const chain = chainOf(node, part, judgement)
    if (!chain) continue
    last = node
    if (part.kind === 'appended' && !node.appended) {
      near.push(chain.difference)
      nearFlaws.push(misplaced(node, part, judgement))
      continue
    }
    items.push(node)
    const wrong = flawsOf(node, part.path, part.content, part.id, part.otherwise, bindings, judgement)
    if (chain.stray) {
      wrong.push({
        rule: part.id,
        expression: expressionOf(chain.stray, judgement.definitions),
        what: 'may not be part of what is added',
        otherwise: part.otherwise,
      })
    }
    if (items.length > part.times.max) wrong.push(tooMany(node, part, part.times.max, judgement))
    if (wrong.length > 0) flawed.push(chain.difference)
    else {
      fits.push(chain.difference)
      sound.push(node)
    }
    for (const flaw of wrong) flaws.push(flaw)
  }
  if (part.total !== undefined && items.length > 0 && total !== part.total && last) {
    flaws.push(tooMany(last, part, part.total, judgement))
    flawed.push(...fits.splice(0))
  }
  const scope = bindings.get(part.path.root)?.[0] ?? bindings.get('$this')![0]!
  const lacking =
    items.length + near.length < part.times.min
      ? new Lacking(
          part,
          () => absentExpression(scope, part.path, judgement.definitions),
          () => (part.kind === 'removed' ? 'must be removed' : 'is missing'),
        )
      : undefined
  const unasked = items.length + near.length > sound.length && part.with.some(isEnforced)
  const finding: Finding = { part, fits, flawed, near, flaws, nearFlaws, lacking, ...(unasked && { unasked }) }
  return { finding, items, sound }
}

/** Whether a part, or one of those that it has within it, is enforced. */
export function isEnforced(part: Part): boolean {
  return part.mode === 'enforce' || (part.kind !== 'replaced' && part.with.some(isEnforced))
}

function tooMany(node: Aligned, part: Part, most: number, judgement: Judgement): Flaw {
  return {
    rule: part.id,
    expression: expressionOf(node, judgement.definitions),
    what: `is one too many: at most ${most} may be there`,
    otherwise: part.otherwise,
  }
}

/**
 * The difference that a selected node is, or that brings it: an ancestor on the path which came with it, holds nothing
 * beside it and is the only one that its step selects. `stray` is what else is there.
 */
function chainOf(
  node: Aligned,
  { path: { steps } }: SubtreePart,
  { selection, effort }: Judgement,
): { difference: Difference; stray?: Aligned } | undefined {
  let top = node
  let stray: Aligned | undefined
  let depth = steps.length
  while (!top.difference) {
    const { parent } = top
    if (!parent || --depth < 1) return undefined
    const chosen = chosenBy(parent, steps[depth - 1], effort)
    for (const siblings of parent.children.values()) {
      for (const sibling of siblings) if (sibling !== top && !holdsOnly(sibling, chosen)) stray ??= sibling
    }
    if ((parent.after ?? parent.before)!.value) stray ??= parent
    top = parent
  }
  if (top !== node && top.parent) {
    const alike = top.parent.children.get(top.name)!.filter((other) => selection.isSelectedBy(other, steps[depth - 1]!))
    if (alike.length > 1) stray ??= top
  }
  return top.difference.kind === 'added' || top.difference.kind === 'removed'
    ? { difference: top.difference, ...(stray ? { stray } : {}) }
    : undefined
}
