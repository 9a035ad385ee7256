import { readResource, writeResource } from '../../fhir/body.ts'
import { childrenOf, textOf } from '../../fhir/element.ts'
import { formatOfAnswer } from '../../fhir/media-type.ts'
import type { Refusal } from '../../policy/refusal.ts'
import type { UpstreamReply } from '../../upstream/client.ts'
import { inTransactionAnswer } from '../../upstream/rewrite-places.ts'
import type { Exchange } from '../exchange.ts'
import { decoded } from '../../upstream/decoded.ts'
import { relayError, relayFailure, relayRead, upstreamIssues, type Answered } from '../relay.ts'
import { changedMeanwhile, dropWhatIsPast, ofIntermediaries, versionMismatch, withoutOutcome } from '../relay-write.ts'
import { fail, type HeaderFields, type Reply } from '../reply.ts'
import { issuesOfRestoration } from '../restored.ts'
import type { Sendable } from './built-transaction.ts'
import { restorationOfEntry } from './entry-refusals.ts'
import { outcomeResource, withOutcomes } from './outcome-resource.ts'

/** An answer, with what the server says of each entry that it has stored. */
type Relayed = Reply & { readonly stored?: readonly HeaderFields[] }

/** The answer to a transaction that has been sent, with its URLs become ours. */
export async function relayTransaction(
  exchange: Exchange,
  entries: readonly Sendable[],
  reply: UpstreamReply,
): Promise<Relayed> {
  const relayed = await relayReply(exchange, entries, reply).catch((error: unknown) => withoutOutcome('fault', error))
  return reply.kind === 'answered' || reply.kind === 'too-large'
    ? { ...relayed, upstreamStatus: reply.status }
    : relayed
}

async function relayReply(exchange: Exchange, entries: readonly Sendable[], reply: UpstreamReply): Promise<Relayed> {
  switch (reply.kind) {
    case 'unreachable':
    case 'too-slow':
    case 'unavailable':
      return reply.sent ? withoutOutcome(reply.kind, reply.error) : relayFailure(reply)
    case 'too-large':
      return withoutOutcome('unusable')
    case 'answered':
      return relayAnswer(exchange, entries, reply)
  }
}

async function relayAnswer(exchange: Exchange, entries: readonly Sendable[], answered: Answered): Promise<Relayed> {
  const { status } = answered
  const pinned = entries.map((entry) => entry.kind === 'permitted' && entry.wanted !== undefined)
  if (pinned.includes(true) && (status === 409 || status === 412)) {
    return { kind: 'refused', refusals: [mismatchOf(entries)], further: await upstreamIssues(exchange, answered) }
  }
  if (ofIntermediaries.has(status)) return withoutOutcome(status === 504 ? 'too-slow' : 'unusable')
  if (status >= 400) return relayError(exchange, answered, false)
  const responses = await responsesOf(exchange, answered)
  if (status !== 200 || responses?.length !== entries.length) return withoutOutcome('unusable')
  if (responses.some((response, index) => pinned[index] && response.status.startsWith('201'))) {
    // The record did not exist, or had been deleted, and the server has made it anew in spite of ifMatch.
    return fail('upstream-unusable', 'The FHIR server created a resource instead of changing the version named.', {
      error: Object.assign(new Error('201 to a pinned update'), { code: 'CREATED_BY_PINNED_UPDATE' }),
    })
  }
  const relayed = await relayRead(exchange, answered, inTransactionAnswer)
  if (relayed.kind !== 'relayed') return withoutOutcome('unusable')
  entries.forEach((entry, index) => {
    if (entry.kind === 'permitted') dropWhatIsPast(exchange, entry.wanted, responses[index]!.etag)
  })
  const told = tellRestored(exchange, entries, relayed)
  return { ...told, stored: responses.map(({ etag, location }) => ({ etag, location })) }
}

/** Says in the outcome of each entry what was put back of it. */
function tellRestored(
  { base }: Exchange,
  entries: readonly Sendable[],
  relayed: Extract<Reply, { kind: 'relayed' }>,
): Reply {
  const restorations = entries.map((entry, index) =>
    entry.kind === 'permitted' && entry.restoration ? restorationOfEntry(index, entry.restoration) : undefined,
  )
  if (!restorations.some((restoration) => restoration)) return relayed
  const format = formatOfAnswer(String(relayed.headerFields['content-type']))!
  const read = readResource(Buffer.from(relayed.body as string), format, base.policy.definitions, { nesting: 200 })
  if (!read.ok) return withoutOutcome('unusable')
  const outcomes = restorations.map(
    (restoration) => restoration && outcomeResource(base.policy, issuesOfRestoration(restoration), format),
  )
  return { ...relayed, body: writeResource(withOutcomes(read.value, outcomes), format) }
}

/** The server does not say which entry it is; one whose version nobody has named may have been changed in the meantime. */
function mismatchOf(entries: readonly Sendable[]): Refusal {
  const mismatches = entries.flatMap((entry) => (entry.kind === 'permitted' && entry.wanted ? [entry.mismatch] : []))
  return mismatches.includes(changedMeanwhile) ? changedMeanwhile : versionMismatch
}

interface EntryResponse {
  readonly status: string
  readonly etag: string
  readonly location: string
}

/** What a transaction-response says of each entry, empty where it says nothing; undefined when the answer is none. */
async function responsesOf(
  { base, config }: Exchange,
  answered: Answered,
): Promise<readonly EntryResponse[] | undefined> {
  const format = formatOfAnswer(answered.headerFields['content-type'])
  const bytes = format && (await decoded(answered, config.limits.rewriteBytes))
  const response = bytes && readResource(bytes, format, base.policy.definitions, { nesting: 200 })
  if (!response?.ok || response.value.type !== 'Bundle') return undefined
  if (textOf(response.value, 'type') !== 'transaction-response') return undefined
  return childrenOf(response.value, 'entry').map((entry) => {
    const of = childrenOf(entry, 'response')[0]
    const text = (name: string) => (of && textOf(of, name)) ?? ''
    return { status: text('status'), etag: text('etag'), location: text('location') }
  })
}
