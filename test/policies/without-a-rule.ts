import type { Change, Condition, Content, ForEach, Part, RuleSet } from '../../src/policy/rule.ts'

/** What permits whatever no change claims. */
const anything = { kind: 'permit', name: 'anything', except: [] } as const

/**
 * The same rules without one of them, by its id; all rules inside it go, too. Without `rest` everything is refused that no
 * change claims, without the rule that refuses it, it is permitted.
 */
export function without(rules: RuleSet, id: string): RuleSet {
  const { rest } = rules
  return {
    ...rules,
    rest: rules.id !== id ? rest : rest ? undefined : anything,
    changes: rules.changes.filter((change) => change.id !== id).map((change) => withoutInChange(change, id)),
    invariants: rules.invariants.filter((invariant) => invariant.id !== id),
  }
}

function withoutInChange(change: Change, id: string): Change {
  const { forEach } = change
  const item = forEach && `${change.id}.${forEach.variable}`
  const each: ForEach | undefined = forEach && {
    ...forEach,
    content: item === id ? { open: true, holds: [], lacks: [] } : withoutInContent(forEach.content, item!, id),
  }
  return { ...change, ...(each && { forEach: each }), parts: withoutInParts(change.parts, id) }
}

function withoutInParts(parts: readonly Part[], id: string): Part[] {
  return parts
    .filter((part) => part.id !== id)
    .map((part) =>
      part.kind === 'replaced'
        ? part
        : { ...part, content: withoutInContent(part.content, part.id, id), with: withoutInParts(part.with, id) },
    )
}

function withoutInContent(content: Content, within: string, id: string): Content {
  const { oneOf, ...others } = content
  const conditions = (all: readonly Condition[]) =>
    all
      .filter((condition) => `${within}/${condition.id}` !== id)
      .map((condition) =>
        condition.test.kind === 'content'
          ? {
              ...condition,
              test: {
                ...condition.test,
                content: withoutInContent(condition.test.content, `${within}/${condition.id}`, id),
              },
            }
          : condition,
      )
  return {
    ...others,
    holds: conditions(content.holds),
    lacks: content.lacks.filter(({ path }) => `${within}/lacks ${path.text}` !== id),
    ...(oneOf &&
      `${within}/one-of` !== id && {
        oneOf: { ...oneOf, alternatives: oneOf.alternatives.map(conditions).filter((all) => all.length > 0) },
      }),
  }
}
