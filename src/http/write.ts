import { allowedMethods } from '../policy/policy.ts'
import type { Refusal } from '../policy/refusal.ts'
import { sendWrite } from '../upstream/governed-write.ts'
import { readWrite, type AskedWrite } from './asked-write.ts'
import { decideWrite } from './decide-write.ts'
import type { PermittedWrite } from './decisions.ts'
import type { Exchange } from './exchange.ts'
import { readPreconditions } from './preconditions.ts'
import { refuse, type Reply } from './reply.ts'
import { relayWrite, withoutOutcome } from './relay-write.ts'
import { withReported } from './reported.ts'
import { restoringRules, withRestoration } from './restored.ts'

/**
 * A create, update, patch or delete, from its preconditions to its answer. The first stage that finds fault answers,
 * naming all the faults of that stage.
 */
export async function write(exchange: Exchange, interaction: AskedWrite['interaction'], type: string): Promise<Reply> {
  const { base } = exchange
  if (interaction === 'delete' && !pinsDeletes(base)) {
    return refuse('interaction-not-offered', 'A delete cannot be pinned to a version on this FHIR server.', {
      allow: '',
    })
  }
  const preconditions = readPreconditions(exchange.interaction, exchange.head, base.policy)
  if (preconditions.kind === 'refused') return refuseAll(exchange, preconditions.refusals)

  const asked = await readWrite(exchange, interaction, type, preconditions)
  return asked.ok ? carryOut(exchange, asked.write) : asked.reply
}

export const pinsDeletes = ({ upstream }: Exchange['base']) => upstream.profile.pinnedDelete !== undefined

/**
 * Decides a write, sends what is permitted, and relays the answer.
 * @param bundle the entry of a batch that it is
 */
export async function carryOut(
  exchange: Exchange,
  asked: AskedWrite,
  bundle?: PermittedWrite['bundle'],
): Promise<Reply> {
  const { base } = exchange
  const decided = await decideWrite(exchange, asked)
  if (decided.kind === 'answered') return decided.reply

  if (exchange.res.destroyed) return { kind: 'client-gone' }
  const { write: permitted, format, permittedAs, restoration, reported, wanted, mismatch, subject } = decided
  const restoredBy = restoringRules({ restoration })
  const denied = await exchange.account?.permit([
    { ...(bundle && { bundle }), subject, permittedAs, restoredBy, reported },
  ])
  if (denied) return { ...denied, subject }
  const reply = await sendWrite(base.client, base.upstreamPath, permitted, {
    sentFormat: format,
    askedFormat: exchange.asked === 'json' || exchange.asked === 'xml' ? exchange.asked : format,
    callerFields: exchange.callerFields,
    maxBytes: exchange.config.limits.rewriteBytes,
  })
  const relayed = await relayWrite(exchange, reply, permitted, wanted, mismatch).catch((error: unknown) =>
    withoutOutcome('fault', error),
  )
  return { permittedAs, subject, ...withReported(withRestoration(relayed, restoration), reported) }
}

function refuseAll({ base, interaction }: Exchange, refusals: readonly Refusal[]): Reply {
  const closed = refusals.some(({ cause }) => cause === 'interaction-not-offered')
  const allow = allowedMethods(base.policy, interaction).join(', ')
  return { kind: 'refused', refusals, ...(closed && { headerFields: { allow } }) }
}
