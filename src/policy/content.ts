import type { Aligned } from './align.ts'
import { holds, type Shortcoming } from './condition.ts'
import { absentExpression, expressionOf } from './expression.ts'
import type { Judgement } from './judgement.ts'
import { sliceKeys } from './path.ts'
import type { Condition, Content, Otherwise } from './rule.ts'
import type { Bindings } from './select.ts'

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

/**
 * Everything that is wrong with a subtree by what the policy says of its content. A closed subtree holds what the policy
 * names and nothing else; an open one may hold more, but nothing that the FHIR version does not define.
 */
export function flawsOf(
  node: Aligned,
  content: Content,
  rule: string,
  otherwise: Otherwise,
  bindings: Bindings,
  judgement: Judgement,
): Flaw[] {
  const flaws: Flaw[] = []
  const covered = new Set<Aligned>()
  const slice = sliceKey(node)
  if (slice) covered.add(slice)
  check(node, content, rule, bindings, judgement, flaws, covered)
  for (const stray of strays(node, covered, content.open)) {
    const expression = expressionOf(stray, judgement.definitions)
    if (flaws.some((flaw) => expression === flaw.expression || expression.startsWith(`${flaw.expression}.`))) continue
    const undefinedElement = (stray.after ?? stray.before)!.type === undefined
    flaws.push({
      rule,
      expression,
      what: undefinedElement ? 'is not an element of this FHIR version' : 'may not be part of what is added',
      otherwise,
      ...(undefinedElement ? { malformed: true as const } : {}),
    })
  }
  return flaws
}

function check(
  node: Aligned,
  content: Content,
  rule: string,
  bindings: Bindings,
  judgement: Judgement,
  flaws: Flaw[],
  covered: Set<Aligned>,
): void {
  // Paths start at the subtree; what a reference must name is meant as the part means it.
  const scope = new Map(bindings).set('$this', [node])
  for (const condition of content.holds) {
    const found = judgement.selection.nodes(condition.path, scope)
    for (const item of found) {
      for (let up: Aligned | undefined = item; up && up !== node; up = up.parent) {
        const key = sliceKey(up)
        if (key) covered.add(key)
      }
    }
    const rulePart = `${rule}/${condition.id}`
    if (found.length < condition.times.min) {
      flaws.push({
        rule: rulePart,
        expression: absentExpression(node, condition.path, judgement.definitions),
        what: 'is missing',
        otherwise: condition.otherwise,
      })
      continue
    }
    if (found.length > condition.times.max) {
      const extra = found[condition.times.max]!
      flaws.push({
        rule: rulePart,
        expression: expressionOf(extra, judgement.definitions),
        what: `is one too many: at most ${condition.times.max} may be there`,
        otherwise: condition.otherwise,
      })
    }
    for (const item of found) test(item, condition, rulePart, bindings, judgement, flaws, covered)
  }
  for (const { path, otherwise: lacking } of content.lacks) {
    for (const item of judgement.selection.nodes(path, scope)) {
      flaws.push({
        rule: `${rule}/lacks ${path.text}`,
        expression: expressionOf(item, judgement.definitions),
        what: 'may not be there',
        otherwise: lacking,
      })
    }
  }
}

function test(
  item: Aligned,
  condition: Condition,
  rule: string,
  bindings: Bindings,
  judgement: Judgement,
  flaws: Flaw[],
  covered: Set<Aligned>,
): void {
  if (condition.test.kind === 'content') {
    check(item, condition.test.content, rule, bindings, judgement, flaws, covered)
    if (condition.test.content.open) coverAll(item, covered)
    return
  }
  const shortcoming: Shortcoming | undefined = holds(item, condition.test, bindings, judgement, covered)
  if (shortcoming) {
    flaws.push({
      rule,
      expression: expressionOf(shortcoming.at ?? item, judgement.definitions),
      what: shortcoming.what,
      otherwise: shortcoming.otherwise ?? condition.otherwise,
    })
  }
}

/** What a slice was chosen by: its value (and nothing that rides on it) is accounted for. */
function sliceKey(node: Aligned): Aligned | undefined {
  const key = sliceKeys[node.name]
  return key && node.children.get(key)?.[0]
}

function coverAll(node: Aligned, covered: Set<Aligned>): void {
  covered.add(node)
  for (const items of node.children.values()) for (const item of items) coverAll(item, covered)
}

/** The topmost nodes that hold nothing that is covered; in an open subtree only what the FHIR version does not define. */
function strays(root: Aligned, covered: ReadonlySet<Aligned>, open: boolean): Aligned[] {
  const found: Aligned[] = []
  const visit = (node: Aligned): 'stray' | 'known' => {
    const element = (node.after ?? node.before)!
    if (element.type === undefined) return 'stray'
    let known = open || covered.has(node) || node === root
    const strayChildren: Aligned[] = []
    for (const items of node.children.values()) {
      for (const item of items) {
        if (visit(item) === 'stray') strayChildren.push(item)
        else known = true
      }
    }
    if (element.value !== undefined && !open && !covered.has(node)) return 'stray'
    if (known) {
      found.push(...strayChildren)
      return 'known'
    }
    return 'stray'
  }
  if (visit(root) === 'stray') found.push(root)
  return found
}
