import type { Aligned } from './align.ts'
import type { Bindings } from './bindings.ts'
import { holds } from './condition.ts'
import { absentExpression, expressionOf } from './expression.ts'
import type { Effort } from './effort.ts'
import type { Judgement } from './judgement.ts'
import { chosenBy } from './key.ts'
import type { Path } from './path.ts'
import type { Condition, Content, OneOf, Otherwise } from './rule.ts'

/** Something wrong inside a subtree that comes or goes. */
export interface Flaw {
  readonly rule: string
  readonly expression: string
  /** What is wrong, without subject and full stop: `is missing`. */
  readonly what: string
  readonly otherwise: Otherwise
  /** The text is not one that FHIR allows, whatever the policy says. */
  readonly malformed?: true
}

/** What was found in one subtree. */
class Findings {
  readonly flaws: Flaw[] = []
  /** Values that the policy has accounted for. */
  readonly covered = new Set<Aligned>()
  /** What a flaw has named: it is not also a stray. */
  readonly named = new Set<Aligned>()
  readonly #judgement: Judgement

  constructor(judgement: Judgement) {
    this.#judgement = judgement
  }

  get full(): boolean {
    return this.flaws.length >= this.#judgement.maxFlaws
  }

  at(node: Aligned, flaw: Omit<Flaw, 'expression'>): void {
    this.named.add(node)
    if (!this.full) this.flaws.push({ ...flaw, expression: expressionOf(node, this.#judgement.definitions) })
  }
}

/**
 * What is wrong with a subtree that a path selects, by what the policy says of its content, within a bound. A closed subtree holds what the
 * policy names and nothing else; an open one may hold more, but nothing that the FHIR version does not define.
 */
export function flawsOf(
  node: Aligned,
  path: Path,
  content: Content,
  rule: string,
  otherwise: Otherwise,
  bindings: Bindings,
  judgement: Judgement,
): Flaw[] {
  const findings = new Findings(judgement)
  for (const chosen of chosenBy(node, path.steps.at(-1), judgement.effort)) findings.covered.add(chosen)
  if (!check(node, content, rule, bindings, judgement, findings)) return findings.flaws
  for (const stray of strays(node, findings.covered, content.open, judgement.effort)) {
    if (findings.full) break
    if (isWithin(stray, findings.named)) continue
    const isUndefined = (stray.after ?? stray.before)!.type === undefined
    findings.at(stray, {
      rule,
      what: isUndefined ? 'is not an element of this FHIR version' : 'may not be part of what is added',
      otherwise,
      ...(isUndefined ? { malformed: true as const } : {}),
    })
  }
  return findings.flaws
}

function isWithin(node: Aligned, named: ReadonlySet<Aligned>): boolean {
  for (let at: Aligned | undefined = node; at; at = at.parent) if (named.has(at)) return true
  return false
}

/**
 * Checks what must be there and what must not. Where something is there far too often, that is all that is said, and false
 * is given: one resource that a thousand occurrences select by a thousand references must not be gone through by each.
 */
function check(
  node: Aligned,
  content: Content,
  rule: string,
  bindings: Bindings,
  judgement: Judgement,
  findings: Findings,
): boolean {
  // Paths start at the subtree; what a reference must name is meant as the part means it.
  const scope = bindings.with('$this', [node])
  const conditions = [
    ...content.holds,
    ...(content.oneOf ? theOne(content.oneOf, node, scope, rule, judgement, findings) : []),
  ]
  const selected = conditions.map((condition) => standing(condition.path, scope, judgement))
  let countable = true
  for (const [i, { id, times, otherwise }] of conditions.entries()) {
    if (selected[i]!.length <= times.max) continue
    if (selected[i]!.length > times.max + judgement.maxFlaws) countable = false
    const what = `is one too many: at most ${times.max} may be there`
    findings.at(selected[i]![times.max]!, { rule: `${rule}/${id}`, what, otherwise })
  }
  if (!countable) return false

  for (const [i, condition] of conditions.entries()) {
    const items = selected[i]!
    const rulePart = `${rule}/${condition.id}`
    if (items.length < condition.times.min && !findings.full) {
      findings.flaws.push({
        rule: rulePart,
        expression: absentExpression(
          scope.get(condition.path.root)?.[0] ?? node,
          condition.path,
          judgement.definitions,
        ),
        what: 'is missing',
        otherwise: condition.otherwise,
      })
    }
    if (items.length === 0 && mayBeAbsent(condition.test)) judgement.held.add(rulePart)
    for (const item of items) {
      const steps = condition.path.steps.toReversed()
      for (let up: Aligned = item, i = 0; i < steps.length && up !== node; up = up.parent!, i++) {
        for (const chosen of chosenBy(up, steps[i], judgement.effort)) findings.covered.add(chosen)
      }
      test(item, condition, rulePart, bindings, judgement, findings)
    }
  }
  for (const { path, otherwise } of content.lacks) {
    const lacksRule = `${rule}/lacks ${path.text}`
    const items = standing(path, scope, judgement)
    if (items.length === 0) judgement.held.add(lacksRule)
    for (const item of items) findings.at(item, { rule: lacksRule, what: 'may not be there', otherwise })
  }
  return true
}

/** The conditions of the one alternative that is there. */
function theOne(
  { alternatives, otherwise }: OneOf,
  node: Aligned,
  scope: Bindings,
  rule: string,
  judgement: Judgement,
  findings: Findings,
): readonly Condition[] {
  const there = alternatives.flatMap((conditions) => {
    const items = conditions.flatMap(({ path }) => standing(path, scope, judgement))
    return items.length > 0 ? [{ conditions, items }] : []
  })
  const names = `\`${alternatives.map((conditions) => conditions.map(({ id }) => id).join(' and ')).join('`, `')}\``
  const of = { rule: `${rule}/one-of`, otherwise }
  const [first, ...more] = there
  if (!first && !findings.full) {
    const { path } = alternatives[0]![0]!
    const expression = absentExpression(scope.get(path.root)?.[0] ?? node, path, judgement.definitions)
    findings.flaws.push({ ...of, expression, what: `is missing: one of ${names} must be there` })
  }
  for (const { items } of more) {
    findings.at(items[0]!, { ...of, what: `is one too many: only one of ${names} may be there` })
    for (const item of items) findings.named.add(item)
  }
  if (there.length === 1) judgement.held.add(of.rule)
  return first?.conditions ?? []
}

/** Absence is one of the values that the condition names. */
const mayBeAbsent = (test: Condition['test']) => test.kind === 'is' && test.literals.includes(undefined)

/** What a path selects in the new version; below what goes, in the stored one. A path may lead out of the subtree. */
function standing(path: Path, scope: Bindings, { selection }: Judgement): readonly Aligned[] {
  const side = scope.get(path.root)?.some((root) => root.after) ? 'after' : 'before'
  return selection.nodes(path, scope).filter((node) => selection.isSelectedOn(side, node, path, scope))
}

function test(
  item: Aligned,
  condition: Condition,
  rule: string,
  bindings: Bindings,
  judgement: Judgement,
  findings: Findings,
): void {
  if (condition.test.kind === 'content') {
    const { content } = condition.test
    const flaws = findings.flaws.length
    check(item, content, rule, bindings, judgement, findings)
    if (findings.flaws.length === flaws) judgement.held.add(rule)
    if (content.open) coverAll(item, findings.covered)
    return
  }
  const shortcoming = holds(item, condition.test, bindings, judgement, findings.covered)
  if (!shortcoming) {
    judgement.held.add(rule)
    return
  }
  const { at = item, what, otherwise = condition.otherwise } = shortcoming
  findings.at(at, { rule, what, otherwise })
}

function coverAll(node: Aligned, covered: Set<Aligned>): void {
  covered.add(node)
  for (const items of node.children.values()) for (const item of items) coverAll(item, covered)
}

/** The topmost nodes that hold nothing that is covered; in an open subtree only what the FHIR version does not define. */
function strays(root: Aligned, covered: ReadonlySet<Aligned>, open: boolean, effort: Effort): Aligned[] {
  const found: Aligned[] = []
  const visit = (node: Aligned): 'stray' | 'known' => {
    effort.spend(1)
    const element = (node.after ?? node.before)!
    if (element.type === undefined) return 'stray'
    if (element.value !== undefined && !open && !covered.has(node)) return 'stray'
    let known = open || covered.has(node) || node === root
    const strayChildren: Aligned[] = []
    for (const items of node.children.values()) {
      for (const item of items) {
        if (visit(item) === 'stray') strayChildren.push(item)
        else known = true
      }
    }
    if (!known) return 'stray'
    for (const child of strayChildren) found.push(child)
    return 'known'
  }
  if (visit(root) === 'stray') found.push(root)
  return found
}
