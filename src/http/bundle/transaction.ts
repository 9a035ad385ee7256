import { writeResource } from '../../fhir/body.ts'
import type { Resource } from '../../fhir/element.ts'
import { entityTagOf } from '../../fhir/entity-tag.ts'
import type { Format } from '../../fhir/media-type.ts'
import type { Refusal } from '../../policy/refusal.ts'
import type { GovernedWrite } from '../../upstream/governed-write.ts'
import { bodyFields, writeFields } from '../../upstream/header-fields.ts'
import { decideWrite, refusalOfVersion, type Decided } from '../decide-write.ts'
import type { Exchange } from '../exchange.ts'
import { refuse, type Reply } from '../reply.ts'
import { atOnce } from './at-once.ts'
import type { AskedRead, Entry } from './entry.ts'
import { refusalOfEntry } from './entry-refusals.ts'
import { isPlaceholder, placeholdersOf, placeholdersWithin, refusalsOfFullUrls } from './full-url.ts'
import { refuseWhole, repliesAsOne } from './one-answer.ts'
import { relayTransaction } from './relay-transaction.ts'
import { backbone, bundleOf, inner, primitive, type Part } from './tree.ts'

type Permitted = Extract<Decided, { kind: 'permitted' }>

/** An entry that is to be sent. */
export type Sendable = AskedRead | (Omit<Permitted, 'before'> & { readonly fullUrl: string | undefined })

/** How many entries are decided at the same time; each may ask the upstream for a stored version. */
const decidedAtOnce = 8

/**
 * All or nothing: every write is judged, one refusal refuses the whole, and what is sent is one transaction that the gateway
 * has built, each of its updates pinned to the version that was judged.
 */
export async function transact(exchange: Exchange, entries: readonly Entry[], format: Format): Promise<Reply> {
  const { base } = exchange
  const refusals = entries.flatMap((entry, index) =>
    entry.kind === 'refused' ? entry.refusals : unpinnable(entry, index),
  )
  refusals.push(...refusalsOfFullUrls(entries), ...refusalsOfRepeats(entries.map(targetOf)))
  if (entries.length === 0) refusals.push({ cause: 'body-malformed', diagnostics: 'The transaction has no entry.' })
  if (refusals.length > 0) return refuseWhole(base.policy, refusals)

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
  if (sendable.length < decided.length) return repliesAsOne(base.policy, await confirmed(exchange, decided))
  const conflicts = [...refusalsOfRepeats(sendable.map(resolvedTargetOf)), ...refusalsOfReplacing(sendable, replaced)]
  if (conflicts.length > 0) {
    const told = await confirmed(exchange, sendable)
    return told.some((reply) => reply !== undefined)
      ? repliesAsOne(base.policy, told)
      : refuseWhole(base.policy, conflicts)
  }

  if (exchange.res.destroyed) return { kind: 'client-gone' }
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
  const relayed = await relayTransaction(exchange, sendable, reply)
  const writes = sendable.flatMap((entry) => (entry.kind === 'permitted' ? [entry.permittedAs] : []))
  return writes.length === 0 ? relayed : { ...relayed, permittedAs: [...new Set(writes.flat())] }
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

/** The whole transaction, of what was read and judged and of nothing else. */
export function transactionOf(entries: readonly Sendable[]): Resource {
  return bundleOf(
    'transaction',
    entries.map((entry) => (entry.kind === 'read' ? partsOfRead(entry) : partsOfWrite(entry))),
  )
}

const requestOf = (method: string, url: string, ...conditions: readonly Part[]) =>
  backbone(
    'request',
    'Bundle.entry.request',
    primitive('method', 'code', method),
    primitive('url', 'uri', url),
    ...conditions,
  )

function partsOfRead({ interaction, unlessVersion }: AskedRead): readonly Part[] {
  const { method, path, query } = interaction
  const unless = unlessVersion === undefined ? undefined : entityTagOf(unlessVersion)
  return [
    requestOf(method, path.slice(1) + (query === '' ? '' : `?${query}`), primitive('ifNoneMatch', 'string', unless)),
  ]
}

/**
 * References between entries stay as they are written: the server puts the new ids in the place of each fullUrl. The judge
 * compares them as written, too, so a policy can state of such a reference no more than that it is one.
 */
function partsOfWrite({ write, fullUrl }: Extract<Sendable, { kind: 'permitted' }>): readonly Part[] {
  // A URL says nothing that type and id do not say.
  const placeholder = primitive('fullUrl', 'uri', fullUrl !== undefined && isPlaceholder(fullUrl) ? fullUrl : undefined)
  switch (write.interaction) {
    case 'create': {
      const unless = primitive('ifNoneExist', 'string', write.ifNoneExist)
      return [placeholder, inner('resource', write.resource), requestOf('POST', write.type, unless)]
    }
    case 'update': {
      const { id, version } = write.on
      const pin = primitive('ifMatch', 'string', entityTagOf(version))
      return [placeholder, inner('resource', write.resource), requestOf('PUT', `${write.type}/${id}`, pin)]
    }
    case 'delete':
      throw new Error('A delete cannot be pinned within a transaction.')
  }
}

/** Servers that take a version in the path of a DELETE ignore ifMatch on one, and know no such path in a transaction. */
function unpinnable(entry: Entry, index: number): Refusal[] {
  if (entry.kind !== 'write' || entry.asked.interaction !== 'delete') return []
  const diagnostics = 'A delete in a transaction cannot be pinned to a version; send it on its own, or in a batch.'
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
