import { STATUS_CODES } from 'node:http'
import { readResource } from '../../fhir/body.ts'
import type { Resource } from '../../fhir/element.ts'
import { formatOfAnswer, type Format } from '../../fhir/media-type.ts'
import { isUnrecorded } from '../account.ts'
import type { Exchange } from '../exchange.ts'
import { issuesOfRestoration } from '../restored.ts'
import { fail, type HeaderFields, type Reply } from '../reply.ts'
import { issuesOfReply, statusOfReply } from '../send.ts'
import type { Entry } from './entry.ts'
import { replyOfEntry } from './one-answer.ts'
import { outcomeResource } from './outcome-resource.ts'
import { backbone, inner, primitive, type Part } from './tree.ts'

/** Deep enough for what a server answers: a Bundle within the Bundle. */
const nesting = 200

/** The entries of a batch-response: what became of each entry, in the order asked. */
export function answersOf(
  exchange: Exchange,
  entries: readonly Entry[],
  replies: readonly Reply[],
  format: Format,
): readonly (readonly Part[])[] {
  return replies.map((reply, index) => {
    const entry = entries[index]!
    const isRead = entry.kind === 'read'
    if (reply.kind !== 'relayed') {
      const decisionId = isRead || isUnrecorded(reply) ? undefined : exchange.account?.id
      return refusedAnswer(exchange, { ...reply, ...(decisionId !== undefined && { decisionId }) }, format)
    }
    const size = reply.body?.length ?? 0
    const told = size === 0 ? undefined : resourceOf(exchange, reply)
    if (isRead && size > 0 && !told) {
      const unusable = fail('upstream-unusable', 'The FHIR server’s answer cannot be used.')
      return refusedAnswer(exchange, replyOfEntry(index, unusable), format)
    }
    const { status, headerFields } = reply
    if (!isRead) return answer(status, headerFields, told, 'location', restoredOutcome(exchange, reply, format))
    return answer(status, headerFields, entry.interaction.method === 'HEAD' ? undefined : told)
  })
}

function answer(
  status: number,
  headerFields: HeaderFields,
  told: Resource | undefined,
  location?: 'location',
  restored?: Resource,
): readonly Part[] {
  const field = (name: string) => (typeof headerFields[name] === 'string' ? headerFields[name] : undefined)
  const outcome = told?.type === 'OperationOutcome' ? told : undefined
  return [
    inner('resource', outcome ? undefined : told),
    responseOf(
      status,
      location && primitive('location', 'uri', field('location') ?? field('content-location')),
      primitive('etag', 'string', field('etag')),
      primitive('lastModified', 'instant', instantOf(field('last-modified'))),
      inner('outcome', restored ?? outcome),
    ),
  ]
}

/** What was put back of an entry that was stored. */
function restoredOutcome({ base }: Exchange, { restoration }: Reply, format: Format): Resource | undefined {
  return restoration && outcomeResource(base.policy, issuesOfRestoration(restoration), format)
}

function refusedAnswer({ base, config }: Exchange, reply: Reply, format: Format): readonly Part[] {
  const { policy } = base
  if (reply.kind !== 'refused' && reply.kind !== 'failed' && reply.kind !== 'told') {
    throw new Error('An entry has an answer that cannot stand in a Bundle.')
  }
  const outcome = outcomeResource(policy, issuesOfReply(reply, policy, config.limits.refusals), format)
  return [responseOf(statusOfReply(reply, policy)!, inner('outcome', outcome))]
}

const responseOf = (status: number, ...parts: readonly Part[]) =>
  backbone(
    'response',
    'Bundle.entry.response',
    primitive('status', 'string', `${status} ${STATUS_CODES[status] ?? ''}`.trim()),
    ...parts,
  )

function resourceOf({ base }: Exchange, { body, headerFields }: Extract<Reply, { kind: 'relayed' }>) {
  const type = headerFields['content-type']
  const format = typeof type === 'string' ? formatOfAnswer(type) : undefined
  if (format === undefined || body === undefined) return undefined
  const read = readResource(Buffer.from(body as string), format, base.policy.definitions, { nesting })
  return read.ok ? read.value : undefined
}

/** RFC 9110's date as FHIR's instant. */
function instantOf(httpDate: string | undefined): string | undefined {
  const time = Date.parse(httpDate ?? '')
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}
