import { readResource } from '../fhir/body.ts'
import { idOf } from '../fhir/element.ts'
import { versionOfEntityTag } from '../fhir/entity-tag.ts'
import { formatOfAnswer } from '../fhir/media-type.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { GovernedWrite } from '../upstream/governed-write.ts'
import type { UpstreamReply } from '../upstream/client.ts'
import { decoded } from '../upstream/decoded.ts'
import { answerFields } from '../upstream/header-fields.ts'
import type { WantedVersion } from '../upstream/stored-versions.ts'
import { gone, notFound, relayError, relayFailure, upstreamIssues, type Answered, type Served } from './relay.ts'
import { fail, type Reply } from './reply.ts'

export const versionMismatch: Refusal = {
  cause: 'version-mismatch',
  diagnostics:
    'The version that If-Match names is not the current one. Nothing was changed: read it again and redo the change.',
}

/** A conflict of an update that names no version: it was pinned to the one that was judged. */
export const changedMeanwhile: Refusal = {
  cause: 'version-mismatch',
  diagnostics: 'The resource was changed by another request in the meantime. Nothing was changed: send yours again.',
}

const unknown = 'It is not known whether the change was stored: read the resource before you try again.'

/** Answers of something between us and the server, which say nothing of what the server did. */
export const ofIntermediaries = new Set([502, 504])

/**
 * The answer to a write that has been sent.
 * @param on the version that an update or a delete was pinned to
 * @param mismatch what is told when that is not the current one
 */
export async function relayWrite(
  exchange: Served,
  reply: UpstreamReply,
  write: GovernedWrite,
  on: WantedVersion | undefined,
  mismatch: Refusal,
): Promise<Reply> {
  switch (reply.kind) {
    case 'unreachable':
    case 'too-slow':
    case 'unavailable':
      return reply.sent ? withoutOutcome(reply.kind, reply.error) : relayFailure(reply)
    case 'too-large':
      return { ...withoutOutcome('unusable'), upstreamStatus: reply.status }
    case 'answered':
      return { upstreamStatus: reply.status, ...(await relayAnswer(exchange, reply, write, on, mismatch)) }
  }
}

async function relayAnswer(
  exchange: Served,
  answered: Answered,
  write: GovernedWrite,
  on: WantedVersion | undefined,
  mismatch: Refusal,
): Promise<Reply> {
  const { status, headerFields } = answered
  if (on && status === 201) {
    // The record did not exist, or had been deleted, and the server has made it anew in spite of If-Match.
    return fail('upstream-unusable', 'The FHIR server created the resource instead of changing the version named.', {
      error: Object.assign(new Error('201 to a pinned update'), { code: 'CREATED_BY_PINNED_UPDATE' }),
    })
  }
  if (on && (status === 409 || status === 412)) return relayConflict(exchange, answered, on, mismatch)
  if (ofIntermediaries.has(status)) return withoutOutcome(status === 504 ? 'too-slow' : 'unusable')
  if (status >= 400) return relayError(exchange, answered, on !== undefined)
  if (write.interaction === 'delete') {
    if (status !== 200 && status !== 204) return withoutOutcome('unusable')
    dropWhatIsPast(exchange, on, undefined)
    return { kind: 'relayed', status: 204, headerFields: {} }
  }
  const body = await decoded(answered, exchange.config.limits.rewriteBytes)
  if ((status === 200 || status === 201) && body && tellsOf(write, body, headerFields, exchange)) {
    dropWhatIsPast(exchange, on, headerFields.etag)
    return { kind: 'relayed', status, headerFields: answerFields(headerFields, exchange.urls), body }
  }
  return withoutOutcome('unusable')
}

/**
 * A change was stored: the version on which it was made is not the current one any more, unless the server has found nothing to
 * change and says so.
 * @param entityTag of what is stored now; undefined when that is not told
 */
export function dropWhatIsPast({ base }: Served, on: WantedVersion | undefined, entityTag: string | undefined): void {
  const current = entityTag === undefined ? undefined : versionOfEntityTag(entityTag)
  if (on && on.version !== current) base.storedVersions.drop(on)
}

/**
 * Whether a success says what became of this very write: with the resource as it is then stored, or, of a create, with
 * the place where it is. Anything else may be a success of something between us and the server.
 */
function tellsOf(
  write: Exclude<GovernedWrite, { readonly interaction: 'delete' }>,
  body: Buffer,
  headerFields: Answered['headerFields'],
  { base, config }: Served,
): boolean {
  if (write.interaction === 'create' && body.length === 0) return headerFields.location !== undefined
  const format = formatOfAnswer(headerFields['content-type'])
  const { nesting } = config.limits
  // Read to the end and strictly, as any body. A server that writes as the client does has its answer read in an instant:
  // then all but `meta` stands there as it was sent.
  const read = format && readResource(body, format, base.policy.definitions, { nesting }, write.resource)
  if (!read?.ok || read.value.type !== write.type) return false
  return write.interaction === 'create' || idOf(read.value) === write.on.id
}

/**
 * A conflict is told of a deleted resource, too, and of one that is gone: one read tells them apart. What the server said of it
 * goes on as well, except where the version is simply not the current one: had it not been cached, nothing would have been sent.
 */
async function relayConflict(
  exchange: Served,
  answered: Answered,
  on: WantedVersion,
  mismatch: Refusal,
): Promise<Reply> {
  const current = await exchange.base.storedVersions.confirm(on)
  if (current.kind === 'other-version') return { kind: 'refused', refusals: [mismatch] }
  const further = await upstreamIssues(exchange, answered)
  switch (current.kind) {
    case 'not-found':
      return { kind: 'refused', refusals: [notFound], further }
    case 'gone':
      return { kind: 'refused', refusals: [gone], further }
    default:
      return { kind: 'refused', refusals: [mismatch], further }
  }
}

/** The answer when a write was sent and nobody can say what became of it. */
export function withoutOutcome(kind: 'unreachable' | 'too-slow' | 'unusable' | 'fault', error?: unknown): Reply {
  const noted = { outcomeUnknown: true, ...(error !== undefined && { error }) } as const
  switch (kind) {
    case 'unreachable':
      return fail('upstream-unreachable', `The FHIR server broke off its answer. ${unknown}`, noted)
    case 'too-slow':
      return fail('upstream-too-slow', `The FHIR server did not answer in time. ${unknown}`, noted)
    case 'fault':
      return fail('fault', `The gateway failed. ${unknown}`, noted)
    case 'unusable':
      return fail('upstream-unusable', `The FHIR server’s answer cannot be used. ${unknown}`, noted)
  }
}
