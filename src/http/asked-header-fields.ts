import type { Interaction } from '../fhir/interaction.ts'
import { judgeHeaderFields, mirroredFields } from '../policy/header-fields.ts'
import type { HeaderFieldRule } from '../policy/rule.ts'
import type { GovernedBase } from './exchange.ts'
import type { HeaderFields } from './reply.ts'
import type { RequestHead } from './request-head.ts'

const none: readonly HeaderFieldRule[] = []

/** What is wrong with the header fields of a request by the policy of its base, where that is asked. */
export function judgeFieldsOf(base: GovernedBase, { code }: Interaction, head: RequestHead) {
  const isAsked = base.headerFieldsAsked && code !== 'capabilities'
  return judgeHeaderFields(isAsked ? base.policy.headerFields : none, head.fieldLines)
}

/** The header fields of the request that every answer repeats. */
export function mirroredFieldsOf(base: GovernedBase | undefined, head: RequestHead): HeaderFields {
  return mirroredFields(base?.headerFieldsAsked ? base.policy.headerFields : none, head.fieldLines)
}
