import { idOf, withId, withoutId, withoutServerOwned, type Resource } from '../fhir/element.ts'
import type { Format } from '../fhir/media-type.ts'
import type { Permit, Restoration } from '../policy/decision.ts'
import type { Refusal } from '../policy/refusal.ts'
import { malformedBody, mismatchOf } from '../policy/refusals-of-bodies.ts'
import type { GovernedWrite } from '../upstream/governed-write.ts'
import { searchOne } from '../upstream/search-one.ts'
import type { Stored, StoredVersion, WantedResource, WantedVersion } from '../upstream/stored-versions.ts'
import type { AskedWrite } from './asked-write.ts'
import { surroundingsOf, type Exchange } from './exchange.ts'
import { gone, notFound, relayError, relayFailure } from './relay.ts'
import { changedMeanwhile, versionMismatch } from './relay-write.ts'
import { withReported } from './reported.ts'
import { fail, refuse, type Reply, type Subject } from './reply.ts'

/** What is known of a write before anything is sent: it is permitted as it stands here, or it is answered. */
export type Decided =
  | {
      readonly kind: 'permitted'
      readonly write: GovernedWrite
      readonly format: Format
      readonly permittedAs: readonly string[]
      readonly restoration: Restoration | undefined
      readonly reported: readonly Refusal[]
      /** The version that the write is pinned to. */
      readonly wanted: WantedVersion | undefined
      /** What is told when that is not the current one any more. */
      readonly mismatch: Refusal
      /** The stored resource as it was judged; undefined for a create. */
      readonly before: Resource | undefined
      readonly subject: Subject
      /** Whether before came from the cache, so that the upstream has not answered this caller for it. */
      readonly cached: boolean
    }
  | { readonly kind: 'answered'; readonly reply: Reply }

/** What it is about is added in one place. */
type Undescribed =
  | Omit<Extract<Decided, { kind: 'permitted' }>, 'subject'>
  | {
      readonly kind: 'answered'
      readonly reply: Reply
      /** The resource that was found, and the version that was judged. */
      readonly on?: { readonly id: string; readonly version?: string }
    }

const answered = (reply: Reply, on?: { readonly id: string; readonly version?: string }): Undescribed => ({
  kind: 'answered',
  reply,
  ...(on && { on }),
})

/** Everything that a decision needs of a request; a bundle's entries have all but their own write in common. */
export type Deciding = Pick<Exchange, 'base' | 'config' | 'callerFields' | 'judge' | 'knownBases' | 'request' | 'urls'>

/**
 * Brings a write to the stored resource before and the resource after, whichever way it was asked for, and judges the two.
 * What is permitted is built from what the judge says may be sent, and pinned to the version of before.
 */
export async function decideWrite(deciding: Deciding, asked: AskedWrite): Promise<Decided> {
  const decided = await decide(deciding, asked)
  const { reported } = asked
  if (decided.kind === 'answered') {
    const reply = { subject: subjectOf(asked, decided.on), ...withReported(decided.reply, reported) }
    return { kind: 'answered', reply }
  }
  return { subject: subjectOf(asked, decided.wanted), ...decided, reported: [...reported, ...decided.reported] }
}

/**
 * What a write is about, as far as it is known.
 * @param on the resource that criteria were resolved to, and the version that was judged
 */
export function subjectOf(
  { interaction, type, id, version }: AskedWrite,
  on?: { readonly id: string; readonly version?: string } | undefined,
): Subject {
  const known = id ?? on?.id
  return {
    interaction,
    type,
    ...(known !== undefined && { id: known }),
    ...(version !== undefined && { versionNamed: version }),
    ...(on?.version !== undefined && { versionJudged: on.version }),
  }
}

async function decide(deciding: Deciding, asked: AskedWrite): Promise<Undescribed> {
  const { interaction, type, criteria, content } = asked
  if (interaction === 'create') return decideCreate(deciding, asked)

  let { id } = asked
  if (id === undefined) {
    const found = await resolve(deciding, type, criteria ?? '')
    if (found.kind === 'answered') return found
    if (found.kind === 'none') {
      return interaction === 'update' ? createInstead(deciding, asked) : answered(refusedAsNotFound)
    }
    id = found.id
    const mismatch =
      content.kind === 'resource' && idOf(content.resource) !== undefined
        ? mismatchOf(content.resource, type, id)
        : undefined
    if (mismatch) return answered({ kind: 'refused', refusals: [mismatch] }, { id })
  }
  const { callerFields, base } = deciding
  const like = content.kind === 'resource' ? content.resource : undefined
  const resource: WantedResource = { type, id, format: asked.format, callerFields, like }
  const before = await (asked.version === undefined
    ? base.storedVersions.current(resource)
    : base.storedVersions.get({ version: asked.version, ...resource }))
  if (before.kind !== 'found') return answered(await relayStored(deciding, before), { id })
  // Whichever it is, the write is pinned to the version that is judged.
  const wanted: WantedVersion = { version: before.version, ...resource }

  const after = afterOf(asked, id, before.stored)
  if ('refusals' in after) return answered(await refuseFrom(deciding, wanted, before, after.refusals), wanted)
  const decision = deciding.judge(
    base.policy,
    {
      interaction: interaction === 'delete' ? 'delete' : 'update',
      type,
      before: before.stored.judged,
      after: after.resource,
    },
    surroundingsOf(deciding, interaction),
  )
  if (decision.verdict === 'deny') {
    const reply = await refuseFrom(deciding, wanted, before, decision.refusals)
    return answered(withReported(reply, decision.reported), wanted)
  }
  const on = { id, version: wanted.version }
  const write: GovernedWrite =
    interaction === 'delete'
      ? { interaction: 'delete', type, on }
      : { interaction: 'update', type, on, resource: judgedResource(decision) }
  return {
    kind: 'permitted',
    write,
    format: asked.format,
    permittedAs: decision.permittedAs,
    restoration: decision.restoration,
    reported: decision.reported ?? [],
    mismatch: asked.version === undefined ? changedMeanwhile : versionMismatch,
    wanted,
    before: before.stored.judged,
    cached: before.cached,
  }
}

const refusedAsNotFound: Reply = { kind: 'refused', refusals: [notFound] }

/** A conditional update that matches nothing is a conditional create, where that is open. */
function createInstead(deciding: Deciding, asked: AskedWrite): Undescribed {
  const { resources, mode } = deciding.base.policy
  const resource = resources.get(asked.type)
  if (resource?.conditional.has('create') && resource.interactions.has('create')) return decideCreate(deciding, asked)
  if (mode === 'enforce') return answered(refusedAsNotFound)
  const diagnostics = 'The policy does not open a conditional create, which this update comes to.'
  const reported = { cause: 'interaction-not-offered', diagnostics } as const
  const decided = decideCreate(deciding, asked)
  return decided.kind === 'permitted' ? { ...decided, reported: [reported, ...decided.reported] } : decided
}

/** What is sent is what was judged, and nothing else. */
function judgedResource({ after }: Permit): Resource {
  if (!after) throw new Error('The judge permitted a write without a resource.')
  return after
}

/** A create has no before. With criteria it is sent so that the server creates only where it finds nothing. */
function decideCreate(deciding: Deciding, asked: AskedWrite): Undescribed {
  const { type, criteria, content, format } = asked
  if (content.kind !== 'resource') throw new Error('A create without a resource reached the judge.')
  const resource = withoutServerOwned(withoutId(content.resource))
  const decision = deciding.judge(
    deciding.base.policy,
    { interaction: 'create', type, before: undefined, after: resource },
    surroundingsOf(deciding, asked.interaction),
  )
  if (decision.verdict === 'deny') {
    return answered(withReported({ kind: 'refused', refusals: decision.refusals }, decision.reported))
  }
  const ifNoneExist = criteria === undefined ? {} : { ifNoneExist: criteria }
  return {
    kind: 'permitted',
    write: { interaction: 'create', type, resource: judgedResource(decision), ...ifNoneExist },
    format,
    permittedAs: decision.permittedAs,
    restoration: decision.restoration,
    reported: decision.reported ?? [],
    mismatch: versionMismatch,
    wanted: undefined,
    before: undefined,
    cached: false,
  }
}

/** The resource after, without what belongs to the server; undefined after a delete. */
function afterOf(
  { type, content }: AskedWrite,
  id: string,
  stored: Stored,
): { readonly resource: Resource | undefined } | { readonly refusals: readonly Refusal[] } {
  switch (content.kind) {
    case 'nothing':
      return { resource: undefined }
    case 'resource':
      return { resource: withoutServerOwned(withId(content.resource, id)) }
    case 'patch': {
      // It is applied to what the client has seen, versionId included, and may change nothing of that.
      const patched = content.apply(stored.whole)
      if (!patched.ok) {
        const cause = patched.kind === 'malformed' ? 'body-malformed' : 'patch-not-applicable'
        return { refusals: malformedBody(patched.faults, cause) }
      }
      const mismatch = mismatchOf(patched.resource, type, id)
      return mismatch ? { refusals: [mismatch] } : { resource: withoutServerOwned(patched.resource) }
    }
  }
}

/** What the cache taught is told only to a caller whom the upstream has answered. */
async function refuseFrom(
  deciding: Deciding,
  wanted: WantedVersion,
  before: Extract<StoredVersion, { kind: 'found' }>,
  refusals: readonly Refusal[],
): Promise<Reply> {
  const told = before.cached ? await deciding.base.storedVersions.confirm(wanted, before.stored) : before
  if (told.kind !== 'found') return relayStored(deciding, told)
  const { upstreamStatus } = told
  return { kind: 'refused', refusals, ...(upstreamStatus !== undefined && { upstreamStatus }) }
}

/** What the upstream tells this caller of a version that was judged; undefined when it is the current one. */
export async function refusalOfVersion(deciding: Deciding, wanted: WantedVersion): Promise<Reply | undefined> {
  const told = await deciding.base.storedVersions.confirm(wanted)
  return told.kind === 'found' ? undefined : relayStored(deciding, told)
}

type Resolved =
  { readonly kind: 'one'; readonly id: string } | { readonly kind: 'none' } | Extract<Decided, { kind: 'answered' }>

/** The one resource that criteria mean. */
async function resolve(deciding: Deciding, type: string, criteria: string): Promise<Resolved> {
  const { base, callerFields, config } = deciding
  const match = await searchOne(base.client, base.upstreamPath, base.policy.definitions, {
    type,
    criteria,
    callerFields,
    maxBytes: config.limits.rewriteBytes,
  })
  const answer = (reply: Reply) => ({ kind: 'answered', reply }) as const
  switch (match.kind) {
    case 'one':
      return { kind: 'one', id: match.id }
    case 'none':
      return { kind: 'none' }
    case 'many':
      return answer(refuse('multiple-matches', 'The criteria match several resources; make them match one.'))
    case 'told':
      return answer(await relayError(deciding, match.reply, false))
    case 'unusable': {
      const { upstreamStatus } = match
      const sentence = 'The FHIR server’s answer to the criteria cannot be used, so nothing was changed.'
      return answer(fail('upstream-unusable', sentence, { upstreamStatus }))
    }
    case 'unreachable':
    case 'too-slow':
    case 'unavailable':
      return answer(relayFailure(match))
  }
}

/** The answer when the version that was named cannot be judged. Nothing has been sent. */
async function relayStored(deciding: Deciding, stored: Exclude<StoredVersion, { kind: 'found' }>): Promise<Reply> {
  switch (stored.kind) {
    case 'other-version':
      return { kind: 'refused', refusals: [versionMismatch], upstreamStatus: stored.upstreamStatus }
    case 'not-found':
      return { kind: 'refused', refusals: [notFound], upstreamStatus: stored.upstreamStatus }
    case 'gone':
      return { kind: 'refused', refusals: [gone], upstreamStatus: stored.upstreamStatus }
    case 'told':
      return relayError(deciding, stored.reply, true)
    case 'unusable': {
      const { upstreamStatus, reason } = stored
      return fail('upstream-unusable', `The stored resource cannot be judged, so nothing was changed. ${reason}`, {
        upstreamStatus,
      })
    }
    case 'unreachable':
    case 'too-slow':
    case 'unavailable':
      return relayFailure(stored)
  }
}
