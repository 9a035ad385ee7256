import type { Condition, Content, Part, RuleSet } from '../rule.ts'
import { tellPath } from './path.ts'

/** A subtree that a rule describes, with the paths that lead to it, the outermost first. */
export interface Described {
  readonly content: Content
  readonly trail: readonly string[]
}

/** Every subtree that a rule set describes, in the order in which its sentences tell them. */
export function contentsOf({
  changes,
}: Pick<RuleSet, 'changes'>): readonly (Described & { readonly change: string })[] {
  return changes.flatMap(({ name, forEach, parts }) => {
    const items = forEach?.side === 'appended' ? within(forEach.content, [tellPath(forEach.path)]) : []
    return [...items, ...parts.flatMap((part) => ofPart(part))].map((described) => ({ ...described, change: name }))
  })
}

function ofPart(part: Part): Described[] {
  if (part.kind === 'replaced') return []
  return [...within(part.content, [tellPath(part.path)]), ...part.with.flatMap((more) => ofPart(more))]
}

function within(content: Content, trail: readonly string[]): Described[] {
  return [
    { content, trail },
    ...conditionsIn(content).flatMap(({ path, test }) =>
      test.kind === 'content' ? within(test.content, [...trail, tellPath(path)]) : [],
    ),
  ]
}

/** The conditions of a subtree, those of its alternatives too. */
export function conditionsIn({ holds, oneOf }: Content): readonly Condition[] {
  return [...holds, ...(oneOf?.alternatives.flat() ?? [])]
}
