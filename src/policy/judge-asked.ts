import { idOf, withId, withoutId, withoutServerOwned, type Resource } from '../fhir/element.ts'
import type { Interaction, InteractionCode } from '../fhir/interaction.ts'
import { judgeOperationWithFindings, judgeWithFindings, nothingFound, type Judged, type Surroundings } from './judge.ts'
import { allowedMethods, notOffered, offers, operationOf, reportedInteraction, type Policy } from './policy.ts'
import type { Refusal } from './refusal.ts'
import { mismatchOf } from './refusals-of-bodies.ts'

/** A write about which a policy is asked without a gateway and a server: what both sides are, is known. */
export interface AskedWrite {
  readonly code: 'create' | 'update' | 'patch' | 'delete' | 'operation'
  /** Of the target; undefined for an operation on the base, and where only a body would tell it that cannot be read. */
  readonly type: string | undefined
  /** An operation's name without `$`, and whether it is called on an instance. */
  readonly operation?: { readonly name: string; readonly instance: boolean }
  /** The stored resource. */
  readonly before: Resource | undefined
  /** What was sent, or what a patch came to, or for what it is refused before anything is judged. Nothing for a delete. */
  readonly after: Resource | { readonly refusals: readonly Refusal[] } | undefined
}

/** No rule was asked. */
const refused = (...refusals: readonly Refusal[]): Judged => ({
  ...nothingFound,
  rules: undefined,
  decision: { verdict: 'deny', refusals },
})

const methods = { create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE', operation: 'POST' } as const

/** The interaction that is asked for; which id it names does not decide what a policy says. */
export function interactionOf({ code, type, operation }: AskedWrite): Interaction {
  const onInstance = operation ? operation.instance : code !== 'create'
  return {
    code: code satisfies InteractionCode,
    method: methods[code],
    ...(type !== undefined && { type }),
    ...(onInstance && { id: 'x' }),
    ...(operation && { operation: operation.name }),
    path: '',
    query: '',
  }
}

/** Judges in the order in which the gateway does: what is open, what was sent, what the rules say. */
export function judgeAsked(policy: Policy, asked: AskedWrite, surroundings: Surroundings): Judged {
  const interaction = interactionOf(asked)
  // A body that cannot be read may not tell its type either.
  const isOpen = (asked.type === undefined && asked.code !== 'operation') || offers(policy, interaction)
  if (isOpen) return judgeOpen(policy, asked, interaction, surroundings)
  const reported = reportedInteraction(policy, interaction)
  if (!reported) {
    const diagnostics = notOffered(interaction.method, allowedMethods(policy, interaction).join(', '))
    return refused({ cause: 'interaction-not-offered', diagnostics })
  }
  const judged = judgeOpen(policy, asked, interaction, surroundings)
  // The judge, too, says that there are no rules; where that is has been said before.
  const others = (judged.decision.reported ?? []).filter(({ cause }) => cause !== reported.cause)
  return { ...judged, decision: { ...judged.decision, reported: [reported, ...others] } }
}

function judgeOpen(policy: Policy, asked: AskedWrite, interaction: Interaction, surroundings: Surroundings): Judged {
  const { code, type, before, after } = asked
  if (after && 'refusals' in after) return refused(...after.refusals)
  if (code === 'operation') {
    const rules = operationOf(policy, interaction)?.rules
    if (!rules) return { ...nothingFound, rules, decision: { verdict: 'permit', permittedAs: [], after } }
    if (after?.type !== 'Parameters') {
      return refused({ cause: 'body-mismatch', diagnostics: 'The body of this operation is a Parameters resource.' })
    }
    return judgeOperationWithFindings(rules, policy, after, surroundings)
  }
  if (type === undefined) throw new Error('A write without a resource type reached the judge.')
  const id = before && idOf(before)
  const mismatch = after && mismatchOf(after, type, id)
  if (mismatch) return refused(mismatch)
  const sent = after && (code === 'create' ? withoutId(after) : id === undefined ? after : withId(after, id))
  return judgeWithFindings(
    policy,
    {
      interaction: code === 'patch' ? 'update' : code,
      type,
      before: before && withoutServerOwned(before),
      after: sent && withoutServerOwned(sent),
    },
    surroundings,
  )
}
