import { readResource } from '../fhir/body.ts'
import { idOf, withoutServerOwned, type Resource } from '../fhir/element.ts'
import { acceptedMediaTypes, formatOfBody, type Format } from '../fhir/media-type.ts'
import { allowedMethods } from '../policy/policy.ts'
import type { Refusal } from '../policy/refusal.ts'
import { sendWrite, withoutId } from '../upstream/governed-write.ts'
import type { StoredVersion, WantedVersion } from '../upstream/stored-versions.ts'
import { readBody } from './body.ts'
import type { Exchange } from './exchange.ts'
import { readPreconditions } from './preconditions.ts'
import { gone, notFound, relayError, relayFailure } from './relay.ts'
import { fail, refuse, type Reply } from './reply.ts'
import { relayWrite, versionMismatch, withoutOutcome } from './relay-write.ts'

/**
 * A create or an update, from its preconditions to its answer. The first stage that finds fault answers, naming all the
 * faults of that stage.
 */
export async function write(exchange: Exchange, interaction: 'create' | 'update', type: string): Promise<Reply> {
  const { base, head, interaction: asked, callerFields } = exchange

  const preconditions = readPreconditions(asked, head)
  if (preconditions.kind === 'refused') return refuseAll(exchange, preconditions.refusals)

  const sent = await readSent(exchange, type)
  if (!sent.ok) return sent.reply
  const { format } = sent
  const after = withoutServerOwned(interaction === 'create' ? withoutId(sent.resource) : sent.resource)

  const wanted: WantedVersion | undefined =
    asked.id !== undefined && preconditions.version !== undefined
      ? { type, id: asked.id, version: preconditions.version, format, callerFields }
      : undefined
  if (interaction === 'update' && !wanted) throw new Error('An update without its version reached the judge.')
  const stored = wanted && (await base.storedVersions.get(wanted))
  if (stored && stored.kind !== 'found') return relayStored(exchange, stored)

  const before = stored?.resource
  const decision = exchange.judge(
    base.policy,
    { interaction, type, before, after },
    { bases: exchange.knownBases, maxRefusals: exchange.config.limits.refusals },
  )
  if (decision.verdict === 'deny') {
    const { refusals } = decision
    if (!wanted || !stored?.cached) return { kind: 'refused', refusals, ...statusOf(stored) }
    // What the cache taught is told only to a caller whom the upstream has answered.
    const confirmed = await base.storedVersions.confirm(wanted, stored.resource)
    return confirmed.kind === 'found'
      ? { kind: 'refused', refusals, ...statusOf(confirmed) }
      : relayStored(exchange, confirmed)
  }

  if (exchange.res.destroyed) return { kind: 'client-gone' }
  const { permittedAs } = decision
  const reply = await sendWrite(base.client, base.upstreamPath, {
    interaction,
    type,
    ...(wanted && { on: { id: wanted.id, version: wanted.version } }),
    resource: after,
    sentFormat: format,
    askedFormat: exchange.asked === 'json' || exchange.asked === 'xml' ? exchange.asked : format,
    callerFields,
    maxBytes: exchange.config.limits.rewriteBytes,
  })
  const relayed = await relayWrite(exchange, reply, wanted).catch((error: unknown) => withoutOutcome('fault', error))
  return { ...relayed, permittedAs }
}

const statusOf = (stored: StoredVersion | undefined) =>
  stored && 'upstreamStatus' in stored && stored.upstreamStatus !== undefined
    ? { upstreamStatus: stored.upstreamStatus }
    : {}

function refuseAll({ base, interaction }: Exchange, refusals: readonly Refusal[]): Reply {
  const closed = refusals.some(({ cause }) => cause === 'interaction-not-offered')
  const allow = allowedMethods(base.policy, interaction).join(', ')
  return { kind: 'refused', refusals, ...(closed && { headerFields: { allow } }) }
}

type Sent =
  | { readonly ok: true; readonly resource: Resource; readonly format: Format }
  | { readonly ok: false; readonly reply: Reply }

/** Reads and parses the body; its type and id must be the target's. */
async function readSent(exchange: Exchange, type: string): Promise<Sent> {
  const { base, config, head, interaction, req, res } = exchange
  const { definitions, release } = base.policy
  const refused = (reply: Reply): Sent => ({ ok: false, reply })

  const taken = formatOfBody(head.headerFields['content-type'], release)
  if ('sentence' in taken) return refused(refuse('media-type', taken.sentence, { accept: acceptedMediaTypes }))
  const { format } = taken
  const body = await readBody(head, req, res, { maxBytes: config.limits.bodyBytes, maxMs: config.timeouts.requestMs })
  if (!body.ok) return refused(body.reply)

  const parsed = readResource(body.bytes, format, definitions, { nesting: config.limits.nesting })
  if (!parsed.ok) {
    const refusals = parsed.faults.map(({ sentence, expression }): Refusal => ({
      cause: 'body-malformed',
      diagnostics: sentence,
      ...(expression !== undefined && { expression }),
    }))
    return refused({ kind: 'refused', refusals })
  }
  const resource = parsed.value
  const mismatches: Refusal[] = []
  if (resource.type !== type) {
    mismatches.push({ cause: 'body-mismatch', diagnostics: `The body is not a ${type}, which the URL names.` })
  } else if (interaction.id !== undefined && idOf(resource) !== interaction.id) {
    const diagnostics = 'The id in the body is not the one in the URL; send the same in both.'
    mismatches.push({ cause: 'body-mismatch', diagnostics, expression: `${type}.id` })
  }
  if (mismatches.length > 0) return refused({ kind: 'refused', refusals: mismatches })
  return { ok: true, resource, format }
}

/** The answer when the version that was named cannot be judged. Nothing has been sent. */
async function relayStored(exchange: Exchange, stored: Exclude<StoredVersion, { kind: 'found' }>): Promise<Reply> {
  switch (stored.kind) {
    case 'other-version':
      return { kind: 'refused', refusals: [versionMismatch], upstreamStatus: stored.upstreamStatus }
    case 'not-found':
      return { kind: 'refused', refusals: [notFound], upstreamStatus: stored.upstreamStatus }
    case 'gone':
      return { kind: 'refused', refusals: [gone], upstreamStatus: stored.upstreamStatus }
    case 'told':
      return relayError(exchange, stored.reply, true)
    case 'unusable': {
      const { upstreamStatus, reason } = stored
      return fail('upstream-unusable', `The stored resource cannot be judged, so nothing was changed. ${reason}`, {
        upstreamStatus,
      })
    }
    case 'unreachable':
    case 'too-slow':
      return relayFailure(stored)
  }
}
