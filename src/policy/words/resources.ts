import type { Operations, Policy, ResourcePolicy } from '../policy.ts'
import type { RuleSet } from '../rule.ts'
import { code, heading, paragraph, type Block } from './page.ts'
import { tellRuleSet } from './rule-sets.ts'

/** The rules for one type, or for several of which the policy says the same. */
export function tellResource(resource: ResourcePolicy, policy: Policy): Block[] {
  const { interactions, create, update, delete: remove, operations } = resource
  const methods = (['update', 'patch'] as const)
    .filter((one) => interactions.has(one))
    .map((one) => ({ update: 'PUT', patch: 'PATCH' })[one])
  const blocks: Block[] = [
    ...(create ? [heading(3, 'Create'), ...tellRuleSet(create, 'create', policy)] : []),
    ...(update
      ? [
          heading(3, `Update (${methods.join(', ')})`),
          paragraph(versionSay(update)),
          ...tellRuleSet(update, 'update', policy),
        ]
      : []),
    ...(remove ? [heading(3, 'Delete'), paragraph(versionSay(remove)), ...tellRuleSet(remove, 'delete', policy)] : []),
    ...tellOperations(operations.type, 'on the type', policy),
    ...tellOperations(operations.instance, 'on a resource', policy),
  ]
  return blocks
}

/** Whether the version that is changed has to be named. */
export function versionSay({ ifMatch = 'required' }: RuleSet): string {
  const current = 'is judged against the current version, and fails if that is changed in the meantime'
  switch (ifMatch) {
    case 'required':
      return 'The request names the version that it changes (If-Match).'
    case 'optional':
      return `The request may name the version that it changes (If-Match). Without it, it ${current}.`
    case 'forbidden':
      return `The request may not name the version that it changes (no If-Match). It ${current}.`
  }
}

/** The operations that are open on one level, `where`, with what their Parameters must be. */
export function tellOperations(operations: Operations, where: string, policy: Policy): Block[] {
  return [...operations].flatMap(([name, { methods, rules }]) => [
    heading(3, [code(`$${name}`), where, `(${[...methods].join(', ')})`].filter((word) => word !== '').join(' ')),
    ...(rules
      ? tellRuleSet(rules, 'operation', policy)
      : [paragraph('It passes as it is: the policy says that it changes nothing.')]),
  ])
}
