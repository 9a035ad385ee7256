import { writeResource } from '../../fhir/body.ts'
import type { Format } from '../../fhir/media-type.ts'
import type { Refusal } from '../../policy/refusal.ts'
import type { GovernedWrite } from '../../upstream/governed-write.ts'
import { bodyFields, writeFields } from '../../upstream/header-fields.ts'
import { decideWrite, refusalOfVersion, type Decided } from '../decide-write.ts'
import type { Exchange } from '../exchange.ts'
import { refuse, type Reply } from '../reply.ts'
import { withReported } from '../reported.ts'
import { restoringRules } from '../restored.ts'
import { atOnce } from './at-once.ts'
import { transactionOf, type Sendable } from './built-transaction.ts'
import type { Entry } from './entry.ts'
import { refusalOfEntry } from './entry-refusals.ts'
import { placeholdersOf, placeholdersWithin, refusalsOfFullUrls } from './full-url.ts'
import { notedEntries, notedOfSent, notedOfUnsent, permittedWrites } from './noted-entries.ts'
import { refuseWhole, repliesAsOne } from './one-answer.ts'
import { relayTransaction } from './relay-transaction.ts'

/** How many entries are decided at the same time; each may ask the upstream for a stored version. */
const decidedAtOnce = 8

/**
 * All or nothing: every write is judged, one refusal refuses the whole, and what is sent is one transaction that the gateway
 * has built, each of its updates pinned to the version that was judged.
 */
export async function transact(exchange: Exchange, entries: readonly Entry[], format: Format): Promise<Reply> {
  const { base } = exchange
  const refusals = entries.flatMap((entry, index) =>
    entry.kind === 'refused' ? entry.refusals : [...unpinnable(entry, index), ...unnarrowed(entry, index)],
  )
  refusals.push(...refusalsOfFullUrls(entries), ...refusalsOfRepeats(entries.map(targetOf)))
  if (entries.length === 0) refusals.push({ cause: 'body-malformed', diagnostics: 'The transaction has no entry.' })
  if (refusals.length > 0) return { ...refuseWhole(base.policy, refusals), entries: notedEntries(entries) }

  const placeholders = placeholdersOf(entries)
  const replaced = new Set<string>()
  let left = exchange.config.limits.rewriteBytes
  const readable = entries.filter((entry) => entry.kind !== 'refused')
  const decided = await atOnce(readable, decidedAtOnce, async (entry) => {
    if (entry.kind !== 'write') return entry
    if (left < 0) return tooLarge
    const one = await decideWrite(exchange, entry.asked)
    if (one.kind === 'answered') return one
    if (entry.asked.interaction === 'patch') left -= sizeOf(one.write, format)
    if (left < 0) return tooLarge
    // What is stored may be many times what was sent: no more of it is kept than what is being decided.
    const { before, ...permitted } = one
    if (before) for (const placeholder of placeholdersWithin(before, placeholders)) replaced.add(placeholder)
    return { ...permitted, fullUrl: entry.fullUrl }
  })
  const sendable = decided.filter((entry) => entry.kind !== 'answered')
  if (sendable.length < decided.length) {
    const told = await confirmed(exchange, decided)
    return { ...repliesAsOne(base.policy, told), entries: notedOfUnsent(entries, decided, told) }
  }
  const conflicts = [...refusalsOfRepeats(sendable.map(resolvedTargetOf)), ...refusalsOfReplacing(sendable, replaced)]
  if (conflicts.length > 0) {
    const told = await confirmed(exchange, sendable)
    const reply = told.some((one) => one !== undefined)
      ? repliesAsOne(base.policy, told)
      : refuseWhole(base.policy, conflicts)
    return { ...reply, entries: notedOfUnsent(entries, decided, told) }
  }

  if (exchange.res.destroyed) return { kind: 'client-gone' }
  const denied = await exchange.account?.permit(permittedWrites(sendable))
  if (denied) return { ...denied, entries: notedOfUnsent(entries, decided, []) }
  const { asked, callerFields, config } = exchange
  const reply = await base.client.send({
    method: 'POST',
    path: base.upstreamPath === '' ? '/' : base.upstreamPath,
    headerFields: {
      ...callerFields,
      ...writeFields(asked === 'json' || asked === 'xml' ? asked : format),
      ...bodyFields(format),
    },
    body: writeResource(transactionOf(sendable), format),
    maxBytes: config.limits.rewriteBytes,
  })
  const { stored, ...relayed } = await relayTransaction(exchange, sendable, reply)
  const writes = sendable.flatMap((entry) => (entry.kind === 'permitted' ? [entry.permittedAs] : []))
  const reported = sendable.flatMap((entry, index) => entry.reported.map((refusal) => refusalOfEntry(index, refusal)))
  const restoredBy = sendable.flatMap((entry) => (entry.kind === 'permitted' ? restoringRules(entry) : []))
  return {
    ...withReported(relayed, reported),
    entries: notedOfSent(entries, sendable, stored),
    ...(writes.length > 0 && { permittedAs: [...new Set(writes.flat())] }),
    ...(restoredBy.length > 0 && { restoredBy: [...new Set(restoredBy)] }),
  }
}

/** A patch of a few bytes brings a whole resource with it. The answer holds it again, and is bounded as well. */
const tooLarge = {
  kind: 'answered',
  reply: refuse(
    'too-large',
    'The resources that the transaction patches are too large together; patch fewer at a time.',
  ),
} as const

const sizeOf = (write: GovernedWrite, format: Format) =>
  'resource' in write ? Buffer.byteLength(writeResource(write.resource, format)) : 0

/**
 * The replies to the entries of a transaction that will not be sent. That an entry is not among the refused ones tells that
 * it was permitted: of what the cache taught, only to a caller whom the upstream has answered.
 */
function confirmed(
  exchange: Exchange,
  entries: readonly (Sendable | Extract<Decided, { kind: 'answered' }>)[],
): Promise<readonly (Reply | undefined)[]> {
  return atOnce(entries, decidedAtOnce, async (entry) => {
    if (entry.kind === 'answered') return entry.reply
    return entry.kind === 'permitted' && entry.cached && entry.wanted
      ? refusalOfVersion(exchange, entry.wanted)
      : undefined
  })
}

/** Servers that take a version in the path of a DELETE ignore ifMatch on one, and know no such path in a transaction. */
function unpinnable(entry: Entry, index: number): Refusal[] {
  if (entry.kind !== 'write' || entry.asked.interaction !== 'delete') return []
  const diagnostics = 'A delete in a transaction cannot be pinned to a version; send it on its own, or in a batch.'
  return [refusalOfEntry(index, { cause: 'interaction-not-offered', diagnostics })]
}

/** The server would tell its own statement, not what goes through here. */
function unnarrowed(entry: Entry, index: number): Refusal[] {
  if (entry.kind !== 'read' || entry.interaction.code !== 'capabilities') return []
  const diagnostics = 'The CapabilityStatement is not offered as an entry of a transaction; read it on its own.'
  return [refusalOfEntry(index, { cause: 'interaction-not-offered', diagnostics })]
}

const targetOf = (entry: Entry) =>
  entry.kind === 'write' && entry.asked.id !== undefined ? `${entry.asked.type}/${entry.asked.id}` : undefined

const resolvedTargetOf = (entry: Sendable) =>
  entry.kind === 'permitted' && entry.wanted ? `${entry.wanted.type}/${entry.wanted.id}` : undefined

/** Which of two writes of one resource would be stored, each was judged without. */
function refusalsOfRepeats(targets: readonly (string | undefined)[]): Refusal[] {
  return targets.flatMap((target, index) => {
    if (target === undefined || targets.indexOf(target) === index) return []
    const diagnostics = 'An earlier entry writes the same resource; a transaction writes each resource once.'
    return [refusalOfEntry(index, { cause: 'request-malformed', diagnostics })]
  })
}

/** What the server would put in the place of a fullUrl must not be a value that was stored, and judged as unchanged. */
function refusalsOfReplacing(entries: readonly Sendable[], replaced: ReadonlySet<string>): Refusal[] {
  return entries.flatMap((entry, index) => {
    if (entry.kind !== 'permitted' || !replaced.has(entry.fullUrl?.toLowerCase() ?? '')) return []
    const diagnostics =
      'The fullUrl occurs in a stored resource that the transaction changes; give the entry another one.'
    return [
      refusalOfEntry(index, { cause: 'request-malformed', diagnostics, expression: `Bundle.entry[${index}].fullUrl` }),
    ]
  })
}
