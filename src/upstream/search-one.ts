import { readResource } from '../fhir/body.ts'
import { childrenOf, idOf, textOf } from '../fhir/element.ts'
import { formatOfAnswer } from '../fhir/media-type.ts'
import type { Definitions } from '../fhir/definitions.ts'
import type { Unanswered, UpstreamClient, UpstreamReply } from './client.ts'
import { storedVersionFields } from './header-fields.ts'

/** What a search for the one resource of a conditional interaction comes to. */
export type Match =
  | { readonly kind: 'one'; readonly id: string }
  | { readonly kind: 'none' | 'many' }
  /** The upstream answered something else, for the caller. */
  | { readonly kind: 'told'; readonly reply: Extract<UpstreamReply, { kind: 'answered' }> }
  | { readonly kind: 'unusable'; readonly upstreamStatus: number }
  | Unanswered

export interface OneSearch {
  readonly type: string
  /** The query, percent-encoded, without `?`. */
  readonly criteria: string
  readonly callerFields: Readonly<Record<string, string>>
  readonly maxBytes: number
}

/** Asks the upstream which resource criteria mean. Past caches: some servers answer a search from memory for a while. */
export async function searchOne(
  client: UpstreamClient,
  basePath: string,
  definitions: Definitions,
  { type, criteria, callerFields, maxBytes }: OneSearch,
): Promise<Match> {
  const reply = await client.send({
    method: 'GET',
    path: `${basePath}/${type}?${criteria}&_count=2`,
    headerFields: storedVersionFields(callerFields, 'json'),
    maxBytes,
  })
  if (reply.kind === 'too-large') return { kind: 'unusable', upstreamStatus: reply.status }
  if (reply.kind !== 'answered') return reply
  const { status, body } = reply
  if (status >= 400) return { kind: 'told', reply }
  const unusable = { kind: 'unusable', upstreamStatus: status } as const
  if (status !== 200 || formatOfAnswer(reply.headerFields['content-type']) !== 'json') return unusable
  const bundle = readResource(body, 'json', definitions, { nesting: 200 })
  if (!bundle.ok || bundle.value.type !== 'Bundle') return unusable

  const matches = childrenOf(bundle.value, 'entry').flatMap((entry) => {
    const mode = childrenOf(entry, 'search')[0]
    const resource = childrenOf(entry, 'resource')[0]
    return resource && (!mode || textOf(mode, 'mode') === 'match') ? [resource] : []
  })
  const more = childrenOf(bundle.value, 'link').some((link) => textOf(link, 'relation') === 'next')
  const total = Number(textOf(bundle.value, 'total') ?? matches.length)
  if (matches.some((resource) => resource.type !== type)) return unusable
  if (matches.length > 1 || total > 1 || more) return { kind: 'many' }
  if (matches.length === 0) return total === 0 ? { kind: 'none' } : unusable
  const id = idOf(matches[0]!)
  return id === undefined ? unusable : { kind: 'one', id }
}
