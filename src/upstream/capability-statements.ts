import { LRUCache } from 'lru-cache'
import { readResource } from '../fhir/body.ts'
import type { Definitions } from '../fhir/definitions.ts'
import { sameElement, type Resource } from '../fhir/element.ts'
import { formatOfAnswer, type Format } from '../fhir/media-type.ts'
import type { Bounds } from '../fhir/reading.ts'
import type { Unanswered, UpstreamClient, UpstreamReply } from './client.ts'
import { readFields } from './header-fields.ts'
import { withoutEmptyValues } from './without-empty-values.ts'

/** What became of asking a server what it says of itself. */
export type StatementRead =
  | { readonly kind: 'read'; readonly statement: Resource }
  /** It answered with something else than 200. */
  | { readonly kind: 'told'; readonly reply: Extract<UpstreamReply, { kind: 'answered' }> }
  /** It is no CapabilityStatement of the FHIR version. `reason`: a sentence without content. */
  | { readonly kind: 'unusable'; readonly upstreamStatus: number; readonly reason: string }
  | Unanswered

/** The CapabilityStatements of one upstream. */
export interface CapabilityStatements {
  /**
   * What it tells anybody who asks without credentials: read once for all, and kept for five minutes. One that differs from the
   * one before in nothing but when it was made is that one.
   */
  kept(format: Format): Promise<StatementRead>
  /** What it tells this caller; nothing is kept. */
  for(format: Format, callerFields: Readonly<Record<string, string>>): Promise<StatementRead>
  forget(): void
}

/** How long a statement is kept, in milliseconds. Reading one of a whole FHIR version takes some hundred milliseconds. */
const keepMs = 5 * 60_000

export interface StatementsOptions {
  readonly client: UpstreamClient
  /** Path of the FHIR base, without trailing slash. */
  readonly basePath: string
  readonly definitions: Definitions
  readonly bounds: Bounds
  /** Of an answer. */
  readonly maxBytes: number
}

export function createCapabilityStatements(options: StatementsOptions): CapabilityStatements {
  const cache = new LRUCache<Format, StatementRead>({
    max: 2,
    ttl: keepMs,
    fetchMethod: async (format, before) => {
      const read = await ask(options, format, { via: '1.1 fhir-policy-gateway' })
      return before && same(before, read) ? before : read
    },
  })
  return {
    async kept(format) {
      const read = (await cache.fetch(format))!
      if (read.kind !== 'read') cache.delete(format)
      return read
    },
    for: (format, callerFields) => ask(options, format, callerFields),
    forget: () => cache.clear(),
  }
}

async function ask(
  { client, basePath, definitions, bounds, maxBytes }: StatementsOptions,
  format: Format,
  callerFields: Readonly<Record<string, string>>,
): Promise<StatementRead> {
  const reply = await client.send({
    method: 'GET',
    path: `${basePath}/metadata`,
    headerFields: readFields({}, callerFields, format, false),
    maxBytes,
  })
  if (reply.kind === 'too-large') return unusable(reply.status, 'It is larger than the bound.')
  if (reply.kind !== 'answered') return reply
  if (reply.status !== 200) return { kind: 'told', reply }
  const told = formatOfAnswer(reply.headerFields['content-type'])
  if (!told) return unusable(200, 'It is neither FHIR JSON nor FHIR XML.')
  const read = readResource(told === 'json' ? withoutEmptyValues(reply.body) : reply.body, told, definitions, bounds)
  if (!read.ok) {
    const [{ expression, sentence }] = read.faults as [(typeof read.faults)[number]]
    return unusable(200, expression === undefined ? sentence : `${expression}: ${sentence}`)
  }
  if (read.value.type !== 'CapabilityStatement') return unusable(200, 'It is another resource.')
  return { kind: 'read', statement: read.value }
}

const unusable = (upstreamStatus: number, reason: string): StatementRead => ({
  kind: 'unusable',
  upstreamStatus,
  reason,
})

/** What a server that makes its statement anew, as HAPI FHIR does every minute, gives each time. */
const ofTheMaking = ['id', 'meta', 'date']

function same(before: StatementRead, now: StatementRead): boolean {
  if (before.kind !== 'read' || now.kind !== 'read') return false
  const lasting = ({ statement }: { readonly statement: Resource }) => {
    const children = new Map(statement.children)
    for (const name of ofTheMaking) children.delete(name)
    return { ...statement, children }
  }
  return sameElement(lasting(before), lasting(now))
}
