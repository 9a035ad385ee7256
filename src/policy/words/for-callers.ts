import type { InteractionCode } from '../../fhir/interaction.ts'
import { policyLabel, type Policy } from '../policy.ts'
import { everyOtherType, groupsOf } from './groups.ts'
import { writeMarkdown } from './markdown.ts'
import { onTheBase } from './overview.ts'
import { code, heading, paragraph, type Block } from './page.ts'
import { versionSay } from './resources.ts'
import { tellRuleSet, type Purpose } from './rule-sets.ts'
import { reportSay } from './words.ts'

/** What a caller needs to know of a policy as a whole, in Markdown. */
export function policyForCallers(policy: Policy): string {
  const others = groupsOf(policy).filter(({ title }) => title === everyOtherType)
  return markdown([
    paragraph(`What goes through here is what the policy ${code(policyLabel(policy))} permits. ${policy.summary}`),
    ...(policy.mode === 'report'
      ? [paragraph(reportSay)]
      : [paragraph(`${onTheBase(policy)} What is not named here is closed.`)]),
    ...others.flatMap(({ title, blocks }) => [heading(2, title), ...blocks]),
  ])
}

/** The rules for an interaction that writes, in Markdown; undefined for one that has none. */
export function rulesForCallers(policy: Policy, type: string, interaction: InteractionCode): string | undefined {
  const resource = policy.resources.get(type)
  const purpose = interaction === 'patch' ? 'update' : interaction
  if (purpose !== 'create' && purpose !== 'update' && purpose !== 'delete') return undefined
  const rules = resource?.[purpose]
  if (!rules) return undefined
  const version = purpose === 'create' ? [] : [paragraph(versionSay(rules))]
  // They are told once for all of them: there may be some hundred and forty.
  if (policy.others.has(type)) return markdown([...version, paragraph(seeOthers)])
  return markdown([...version, ...tellRuleSet(rules, purpose, policy)])
}

/** The rules for an operation, in Markdown; undefined where its Parameters are not judged. */
export function operationForCallers(policy: Policy, type: string | undefined, name: string): string | undefined {
  const { system, resources } = policy
  const on = resources.get(type ?? '')?.operations
  const rules = (type === undefined ? system.operations.get(name) : (on?.type.get(name) ?? on?.instance.get(name)))
    ?.rules
  return rules && markdown(tellRuleSet(rules, 'operation' satisfies Purpose, policy))
}

const seeOthers = `The rules are those of “${everyOtherType}” in the documentation of the whole.`

const markdown = (blocks: readonly Block[]) => writeMarkdown(blocks).trimEnd()
