import { writeResource } from '../fhir/body.ts'
import type { Resource } from '../fhir/element.ts'
import { entityTagOf, readIfMatch } from '../fhir/entity-tag.ts'
import { isFormatOnly } from '../fhir/criteria.ts'
import type { Permit } from '../policy/decision.ts'
import { judgeOperation } from '../policy/judge.ts'
import { operationOf, type OperationPolicy } from '../policy/policy.ts'
import type { Refusal } from '../policy/refusal.ts'
import { bodyFields, writeFields } from '../upstream/header-fields.ts'
import { readSentResource } from './asked-write.ts'
import { surroundingsOf, type Exchange } from './exchange.ts'
import { relayFailure, relayRead } from './relay.ts'
import { read } from './read.ts'
import { withReported } from './reported.ts'
import { refuse, type Reply } from './reply.ts'
import { withoutOutcome } from './relay-write.ts'

/**
 * An operation that the policy opens. By GET it passes like a read; by POST its body is read, judged where the policy has
 * rules for it, and sent as it was judged.
 */
export async function operate(exchange: Exchange): Promise<Reply> {
  const { base, interaction, head } = exchange
  // One that the policy does not open and only reports has no rules.
  const operation = operationOf(base.policy, interaction)
  if (interaction.method === 'GET') return read(exchange)

  const refusals = preconditionsOf(exchange)
  if (!isFormatOnly(interaction.query)) {
    refusals.push({ cause: 'request-malformed', diagnostics: 'Send the parameters of the operation in its body.' })
  }
  if (refusals.length > 0) return { kind: 'refused', refusals }

  const sent = await readSentResource(exchange)
  if (!sent.ok) return sent.reply
  const { resource, format } = sent
  const decision = judged(exchange, operation, resource)
  if ('reply' in decision) return decision.reply
  const { permittedAs, reported } = decision
  const denied = await exchange.account?.permit([
    { subject: undefined, permittedAs, restoredBy: [], reported: reported ?? [] },
  ])
  if (denied) return denied

  const ifMatch = readIfMatch(head.fieldLines('if-match'))
  const reply = await base.client.send({
    method: 'POST',
    path: `${base.upstreamPath}${interaction.path}`,
    headerFields: {
      ...exchange.callerFields,
      ...writeFields(exchange.asked === 'json' || exchange.asked === 'xml' ? exchange.asked : format),
      ...bodyFields(format),
      ...(ifMatch.kind === 'version' && { 'if-match': entityTagOf(ifMatch.version) }),
    },
    body: writeResource(resource, format),
    maxBytes: exchange.config.limits.rewriteBytes,
  })
  const noted = {
    ...(operation?.rules && { permittedAs }),
    ...(reported && { reported }),
  }
  switch (reply.kind) {
    case 'answered': {
      // A success that is not one, or an answer of something in between, says nothing of what the server did.
      const { status } = reply
      if (status === 502 || status === 504)
        return { ...withoutOutcome(status === 504 ? 'too-slow' : 'unusable'), ...noted, upstreamStatus: status }
      if (status === 204) return { kind: 'relayed', status, headerFields: {}, ...noted, upstreamStatus: status }
      const relayed = await relayRead(exchange, status === 201 ? { ...reply, status: 200 } : reply)
      return { ...(relayed.kind === 'failed' ? withoutOutcome('unusable') : relayed), ...noted, upstreamStatus: status }
    }
    case 'too-large':
      return { ...withoutOutcome('unusable'), upstreamStatus: reply.status, ...noted }
    case 'unreachable':
    case 'too-slow':
    case 'unavailable':
      return { ...(reply.sent ? withoutOutcome(reply.kind, reply.error) : relayFailure(reply)), ...noted }
  }
}

/** The names of the changes as which it is permitted, or the refusal. */
function judged(
  exchange: Exchange,
  operation: OperationPolicy | undefined,
  resource: Resource,
): Pick<Permit, 'permittedAs' | 'reported'> | { readonly reply: Reply } {
  const { base } = exchange
  const rules = operation?.rules
  if (!rules) return { permittedAs: [] }
  if (resource.type !== 'Parameters') {
    return { reply: refuse('body-mismatch', 'The body of this operation is a Parameters resource.') }
  }
  const decision = judgeOperation(rules, base.policy, resource, surroundingsOf(exchange, 'operation'))
  if (decision.verdict === 'permit') return decision
  return { reply: withReported({ kind: 'refused', refusals: decision.refusals }, decision.reported) }
}

/** If-Match may be there, and then it is one entity tag, as for an update. */
function preconditionsOf({ head }: Exchange): Refusal[] {
  const refusals: Refusal[] = []
  const lines = head.fieldLines('if-match')
  const ifMatch = lines.length > 0 ? readIfMatch(lines) : undefined
  if (ifMatch && ifMatch.kind !== 'version')
    refusals.push({ cause: `if-match-${ifMatch.kind}`, diagnostics: ifMatch.sentence })
  for (const name of ['if-none-match', 'if-unmodified-since', 'if-none-exist']) {
    if (head.fieldLines(name).length > 0) {
      const diagnostics = `The precondition ${name} is not offered on this interaction; leave it out.`
      refusals.push({ cause: 'precondition-not-offered', diagnostics })
    }
  }
  return refusals
}
