import type { Caller } from '../audit/decisions/record.ts'
import type { DecisionSink } from '../audit/decisions/sink.ts'
import { readingInteractions } from '../fhir/interaction.ts'
import { decisionsOf, pendingOf, type AccountedRequest, type PermittedWrite } from './decisions.ts'
import type { GovernedBase } from './exchange.ts'
import type { Named } from './name-interaction.ts'
import { refuse, type Reply } from './reply.ts'
import type { RequestHead } from './request-head.ts'

/** Where what is decided of one request is written down. */
export interface Account {
  /** The id of its records, for the client. */
  readonly id: string
  /** Who asks, as a verified token says it. */
  calledBy(caller: Pick<Caller, 'subject' | 'client'>): void
  /**
   * Before permitted writes are sent. Where records are required it waits until they are safe.
   * @returns the refusal when they cannot be written; undefined when the writes may go on
   */
  permit(writes: readonly PermittedWrite[]): Promise<Reply | undefined>
  /**
   * When it is known what became of it. Where records are required it waits until they are safe.
   * @returns the reply, or a refusal in its place when nothing has been sent and the records cannot be written
   */
  settle(reply: Reply): Promise<Reply>
}

const writingMethods: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** What nobody has judged, and what may come in any number. */
const unjudged: ReadonlySet<string> = new Set(['overloaded', 'draining', 'too-many-requests'])

/** Opens the account of a request that writes, or tries to, on a base; undefined for every other. */
export function openAccount(
  sink: DecisionSink | undefined,
  head: RequestHead,
  base: GovernedBase | undefined,
  named: Named,
  ids: { readonly requestId: string; newId(): string },
): Account | undefined {
  const code = named.interaction?.code
  const reads = code === undefined ? !writingMethods.has(head.method) : readingInteractions.has(code)
  if (!sink || !base || reads || !writingMethods.has(head.method)) return undefined
  const id = ids.newId()
  let caller: Caller = headerFieldsOf(head, sink.callerHeaderFields)
  const sent = new Set<number | undefined>()
  const request = (): AccountedRequest => ({ id, requestId: ids.requestId, base, named, caller, sent })

  return {
    id,
    calledBy({ subject, client }) {
      caller = {
        ...(subject !== undefined && { subject: bounded(subject) }),
        ...(client !== undefined && { client: bounded(client) }),
        ...caller,
      }
    },
    async permit(writes) {
      for (const { bundle } of writes) sent.add(bundle?.entry)
      if (!sink.required || (await sink.write(pendingOf(writes, request())))) return undefined
      for (const { bundle } of writes) sent.delete(bundle?.entry)
      return notRecorded
    },
    async settle(reply) {
      const records = isJudged(reply) ? decisionsOf(reply, request()) : []
      if (records.length === 0) return reply
      const written = sink.write(records)
      if (sink.required && !(await written) && sent.size === 0) return notRecorded
      return isUnrecorded(reply) ? reply : { ...reply, decisionId: id }
    },
  }
}

const notRecorded = refuse(
  'not-recorded',
  'The decision cannot be recorded at the moment, so nothing was changed; try again.',
)

const isJudged = (reply: Reply) => reply.kind !== 'refused' || reply.refusals.some(({ cause }) => !unjudged.has(cause))

/** Whether it is refused because nothing can be recorded of it. */
export const isUnrecorded = (reply: Reply) =>
  reply.kind === 'refused' && reply.refusals.some(({ cause }) => cause === 'not-recorded')

/** The longest text that says who asks, in characters. */
const longestText = 256

const bounded = (text: string) => text.slice(0, longestText)

function headerFieldsOf(head: RequestHead, names: readonly string[]): Caller {
  const present = names.flatMap((name) => {
    const value = head.fieldLines(name).join(', ')
    return value === '' ? [] : [[name, bounded(value)] as const]
  })
  return present.length > 0 ? { headerFields: Object.fromEntries(present) } : {}
}
