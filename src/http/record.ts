import type { RequestRecord } from '../audit/request-record.ts'
import type { Refusal } from '../policy/refusal.ts'
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
  const restoredBy = reply.restoration || reply.restoredBy ? restoringRules(reply) : none
  const refusals = 'refusals' in reply ? reply.refusals : (reply.refused ?? [])
  // Assigned one by one: an object that is spread from a dozen others takes ten times as long, on every request.
  const record: { -readonly [Name in keyof RequestRecord]: RequestRecord[Name] } = {
    requestId,
    decision: decisionOf(reply),
    status: statusOfReply(reply, terms) ?? clientClosedRequest,
    milliseconds,
  }
  if (base) {
    record.base = base.path
    record.policy = base.policyLabel
  }
  if (interaction) record.interaction = reply.interaction ?? interaction.code
  if (isType) record.type = interaction.type!
  if (interaction?.id !== undefined) record.id = interaction.id
  if (permittedAs) record.permittedAs = permittedAs
  if (restoredBy.length > 0) record.restoredBy = restoredBy
  if (refusals.length > 0) record.refusedBy = rulesOf(refusals)
  if (reported.length > 0) record.reported = rulesOf(reported)
  if (upstreamStatus !== undefined) record.upstreamStatus = upstreamStatus
  if (outcomeUnknown) record.outcomeUnknown = outcomeUnknown
  if (error !== undefined) record.error = error
  return record
}

const none: readonly string[] = []

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
