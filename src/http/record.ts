import type { RequestRecord } from '../audit/request-record.ts'
import type { Refusal } from '../policy/refusal.ts'
import { policyLabel } from '../policy/policy.ts'
import type { GovernedBase } from './exchange.ts'
import type { Named } from './name-interaction.ts'
import type { Terms } from './outcome.ts'
import type { Reply } from './reply.ts'
import { restoringRules } from './restored.ts'
import { statusOfReply } from './send.ts'

/** As proxies' logs have it: the client went away before there was an answer. */
export const clientClosedRequest = 499

/** What is recorded of a request. */
export function recordOf(
  reply: Reply,
  terms: Terms,
  request: {
    readonly requestId: string
    readonly base: GovernedBase | undefined
    readonly named: Named
    readonly milliseconds: number
  },
): RequestRecord {
  const { requestId, base, named, milliseconds } = request
  const { interaction } = named
  const { upstreamStatus, permittedAs, outcomeUnknown, reported = [], error } = reply
  const isType = interaction?.type !== undefined && base?.policy.definitions.isResource(interaction.type)
  const restoredBy = restoringRules(reply)
  const refusals = 'refusals' in reply ? reply.refusals : (reply.refused ?? [])
  return {
    requestId,
    ...(base && { base: base.path, policy: policyLabel(base.policy) }),
    ...(interaction && { interaction: reply.interaction ?? interaction.code }),
    ...(isType && { type: interaction.type! }),
    ...(interaction?.id !== undefined && { id: interaction.id }),
    decision: decisionOf(reply),
    ...(permittedAs && { permittedAs }),
    ...(restoredBy.length > 0 && { restoredBy }),
    ...(refusals.length > 0 && { refusedBy: rulesOf(refusals) }),
    ...(reported.length > 0 && { reported: rulesOf(reported) }),
    status: statusOfReply(reply, terms) ?? clientClosedRequest,
    ...(upstreamStatus !== undefined && { upstreamStatus }),
    milliseconds,
    ...(outcomeUnknown && { outcomeUnknown }),
    ...(error !== undefined && { error }),
  }
}

/** The rules of refusals, or their causes where no rule is concerned, each once. */
const rulesOf = (refusals: readonly Refusal[]) => [...new Set(refusals.map(({ rule, cause }) => rule ?? cause))]

function decisionOf(reply: Reply): RequestRecord['decision'] {
  switch (reply.kind) {
    case 'relayed':
      return reply.permittedAs ? 'permitted' : reply.refused ? 'refused' : 'relayed'
    case 'told':
      return 'relayed'
    case 'streamed':
      return reply.whole ? 'relayed' : 'failed'
    case 'refused':
      return 'refused'
    case 'failed':
    case 'client-gone':
      return 'failed'
  }
}
