import type { Operations, Policy, ResourcePolicy } from '../policy.ts'
import type { RuleSet } from '../rule.ts'
import type { Block } from './page.ts'
import { tellResource } from './resources.ts'

/** Resource types of which a policy says the same. */
export interface Group {
  /** `Flag, Consent` */
  readonly title: string
  readonly resource: ResourcePolicy
  /** What it says of them. */
  readonly blocks: readonly Block[]
}

/** The title of those that the policy does not name. */
export const everyOtherType = 'Every other type'

/** Types of which a policy says the same stand together: an anchor of YAML, or `*`, says it once. */
export function groupsOf(policy: Policy): Group[] {
  const groups = new Map<string, Omit<Group, 'title'> & { readonly types: string[]; readonly others: boolean }>()
  for (const [type, resource] of policy.resources) {
    const others = policy.others.has(type)
    const blocks = tellResource(resource, policy)
    const { interactions, conditional } = resource
    const key = JSON.stringify([others, [...interactions], [...conditional], blocks])
    const group = groups.get(key) ?? { types: [], others, resource, blocks }
    groups.set(key, group)
    group.types.push(type)
  }
  return [...groups.values()].map(({ types, others, resource, blocks }) => ({
    title: others ? everyOtherType : types.join(', '),
    resource,
    blocks,
  }))
}

/** Every rule set of a policy, types of `*` each. */
export function ruleSetsOf({ resources, system }: Policy): RuleSet[] {
  return [...[...resources.values()].flatMap(ruleSetsOn), ...rulesOfOperations(system.operations)]
}

function ruleSetsOn({ create, update, delete: remove, operations }: ResourcePolicy): RuleSet[] {
  const writes = [create, update, remove].filter((ruleSet) => ruleSet !== undefined)
  return [...writes, ...rulesOfOperations(operations.type), ...rulesOfOperations(operations.instance)]
}

const rulesOfOperations = (operations: Operations) =>
  [...operations.values()].flatMap(({ rules }) => (rules ? [rules] : []))

/** How many rules are told. */
export function countRules(groups: readonly Group[], { system }: Policy): number {
  const ruleSets = [...groups.flatMap(({ resource }) => ruleSetsOn(resource)), ...rulesOfOperations(system.operations)]
  return ruleSets.reduce(
    (sum, { changes, rest, invariants }) => sum + changes.length + (rest ? 1 : 0) + invariants.length,
    0,
  )
}
