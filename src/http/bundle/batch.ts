import { writeResource } from '../../fhir/body.ts'
import { entityTagOf } from '../../fhir/entity-tag.ts'
import { mediaTypeOf, type Format } from '../../fhir/media-type.ts'
import { readFields } from '../../upstream/header-fields.ts'
import { faultOfQuery, tellCapabilities } from '../capabilities.ts'
import type { Exchange } from '../exchange.ts'
import { relayFailure, relayRead } from '../relay.ts'
import { withoutOutcome } from '../relay-write.ts'
import { fail, refuse, type Reply } from '../reply.ts'
import { withReported } from '../reported.ts'
import { restoringRules } from '../restored.ts'
import { carryOut } from '../write.ts'
import { atOnce } from './at-once.ts'
import { answersOf } from './batch-answer.ts'
import type { AskedRead, Entry } from './entry.ts'
import { notedOfBatch } from './noted-entries.ts'
import { replyOfEntry } from './one-answer.ts'
import { bundleOf } from './tree.ts'

/** How many reads are asked at the same time. */
const readsAtOnce = 4

/**
 * Each entry for itself: first the writes, one after another in the order asked, each decided and sent as if it had come
 * alone; then the reads. The answers stand in the order asked. https://hl7.org/fhir/R4/http.html#brules
 */
export async function runBatch(exchange: Exchange, entries: readonly Entry[], format: Format): Promise<Reply> {
  const replies = new Map<Entry, Reply>()
  const budget = { left: exchange.config.limits.rewriteBytes }
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === 'refused') replies.set(entry, entry)
    if (entry.kind !== 'write') continue
    const reply = await answerTo(exchange, () =>
      carryOut(exchange, entry.asked, { interaction: 'batch', entry: index }),
    )
    replies.set(entry, spend(budget, reply) ? reply : withoutBody(reply))
  }
  const reads = entries.filter((entry) => entry.kind === 'read')
  await atOnce(reads, readsAtOnce, async (entry) => {
    const reply = await answerTo(exchange, () => readOne(exchange, entry, format, budget.left))
    replies.set(entry, withReported(spend(budget, reply) ? reply : tooLarge(reply), entry.reported))
  })

  const inOrder = entries.map((entry, index) => replyOfEntry(index, replies.get(entry)!))
  const noted = { ...notedOf(inOrder), entries: notedOfBatch(entries, inOrder) }
  if (inOrder.some(({ kind }) => kind === 'client-gone')) return { kind: 'client-gone', ...noted }
  const answerFormat = answerFormatOf(exchange, format)
  try {
    const bundle = bundleOf('batch-response', answersOf(exchange, entries, inOrder, answerFormat))
    return {
      kind: 'relayed',
      status: 200,
      headerFields: {
        'content-type': `${mediaTypeOf[answerFormat]};charset=utf-8`,
        'cache-control': 'no-store',
        vary: 'Accept',
      },
      body: writeResource(bundle, answerFormat),
      ...noted,
    }
  } catch (error) {
    return { ...withoutOutcome('fault', error), ...noted }
  }
}

const answerFormatOf = ({ asked }: Exchange, format: Format) => (asked === 'json' || asked === 'xml' ? asked : format)

/** Whether the body of a reply still fits in what the whole answer may hold. */
function spend(budget: { left: number }, reply: Reply): boolean {
  if (reply.kind === 'relayed') budget.left -= reply.body?.length ?? 0
  return reply.kind !== 'relayed' || budget.left >= 0
}

/** What was stored can be read again. */
function withoutBody(reply: Reply): Reply {
  if (reply.kind !== 'relayed') return reply
  const { body: _, ...rest } = reply
  return rest
}

const tooLarge = ({ upstreamStatus }: Pick<Reply, 'upstreamStatus'> = {}) =>
  fail('upstream-unusable', 'The FHIR server’s answers are larger than the bound; ask for fewer at a time.', {
    ...(upstreamStatus !== undefined && { upstreamStatus }),
  })

/** A fault before anything was sent is one entry's, and the others go on; not for a client that has left. */
async function answerTo({ res }: Exchange, answer: () => Promise<Reply>): Promise<Reply> {
  if (res.destroyed) return { kind: 'client-gone' }
  try {
    return await answer()
  } catch (error) {
    return fail('fault', 'The gateway failed; this entry changed nothing.', { error })
  }
}

async function readOne(
  exchange: Exchange,
  { interaction, unlessVersion }: AskedRead,
  format: Format,
  maxBytes: number,
): Promise<Reply> {
  const { base, callerFields, config, urls } = exchange
  const { path, query } = interaction
  if (maxBytes <= 0) return tooLarge()
  const answerFormat = answerFormatOf(exchange, format)
  if (interaction.code === 'capabilities') {
    const fault = faultOfQuery(query)
    return fault ? refuse('request-malformed', fault) : tellCapabilities(exchange, answerFormat, [])
  }
  const reply = await base.client.send({
    method: 'GET',
    path: `${base.upstreamPath}${path}${query === '' ? '' : `?${query}`}`,
    headerFields: {
      ...readFields({}, callerFields, answerFormat, false),
      ...(unlessVersion !== undefined && { 'if-none-match': entityTagOf(unlessVersion) }),
    },
    maxBytes,
  })
  switch (reply.kind) {
    case 'answered':
      return relayRead({ base, config, urls, interaction }, reply)
    case 'too-large':
      return tooLarge({ upstreamStatus: reply.status })
    case 'unreachable':
    case 'too-slow':
    case 'unavailable':
      return relayFailure(reply)
  }
}

/** What the record of the request says of all its entries. */
function notedOf(
  replies: readonly Reply[],
): Pick<Reply, 'permittedAs' | 'restoredBy' | 'reported' | 'refused' | 'outcomeUnknown' | 'upstreamStatus' | 'error'> {
  const permitted = replies.flatMap(({ permittedAs }) => (permittedAs ? [permittedAs] : []))
  const restoredBy = [...new Set(replies.flatMap(restoringRules))]
  const reported = replies.flatMap(({ reported = [] }) => reported)
  const refused = replies.flatMap((reply) => (reply.kind === 'refused' ? reply.refusals : []))
  const upstreamStatus = replies.findLast((reply) => reply.upstreamStatus !== undefined)?.upstreamStatus
  const error = replies.find((reply) => reply.error !== undefined)?.error
  return {
    ...(permitted.length > 0 && { permittedAs: [...new Set(permitted.flat())] }),
    ...(restoredBy.length > 0 && { restoredBy }),
    ...(reported.length > 0 && { reported }),
    ...(refused.length > 0 && { refused }),
    ...(replies.some(({ outcomeUnknown }) => outcomeUnknown) && { outcomeUnknown: true }),
    ...(upstreamStatus !== undefined && { upstreamStatus }),
    ...(error !== undefined && { error }),
  }
}
