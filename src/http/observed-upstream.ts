import type { CacheEvent, UpstreamFailure, UpstreamRecord, UpstreamRequestKind } from '../audit/upstream-record.ts'
import type { UpstreamClient, UpstreamReply, UpstreamRequest } from '../upstream/client.ts'
import type { PassedRead, PassThrough } from '../upstream/pass-through.ts'

/** Who is told of what happens behind the gateway. */
export interface Observers {
  /** Called for every request to an upstream, when it is over. */
  upstream(record: UpstreamRecord): void
  cache(base: string, event: CacheEvent): void
}

/** A client whose requests are told of: those of one kind, or each by what it is. */
export function observedClient(
  client: UpstreamClient,
  base: string,
  { upstream }: Observers,
  kind?: UpstreamRequestKind,
): UpstreamClient {
  return {
    ...client,
    async send(request) {
      const started = performance.now()
      const reply = await client.send(request)
      const failure = failureOf(reply)
      const milliseconds = performance.now() - started
      upstream({ base, kind: kind ?? kindOf(request), milliseconds, ...(failure && { failure }) })
      return reply
    },
  }
}

/** https://hl7.org/fhir/R4/http.html#search: the only POST of ours that is known to change nothing. */
const kindOf = ({ method, path }: UpstreamRequest) =>
  method === 'GET' || /\/_search(?:\?|$)/.test(path) ? 'read' : 'write'

/** Reads that pass through, likewise. One whose client left before there was an answer says nothing of the upstream. */
export function observedPassThrough(passThrough: PassThrough, base: string, { upstream }: Observers): PassThrough {
  return {
    ...passThrough,
    async send(req, res, read) {
      const started = performance.now()
      let answered: number | undefined
      const passed = await passThrough.send(req, res, {
        ...read,
        streams(status, headerFields) {
          answered = performance.now()
          return read.streams(status, headerFields)
        },
      })
      if (passed.kind === 'client-gone') return passed
      const failure = failureOf(passed)
      const milliseconds = (answered ?? performance.now()) - started
      upstream({ base, kind: 'read', milliseconds, ...(failure && { failure }) })
      return passed
    },
  }
}

function failureOf(reply: UpstreamReply | Exclude<PassedRead, { kind: 'client-gone' }>): UpstreamFailure | undefined {
  switch (reply.kind) {
    case 'answered':
      return reply.status >= 500 ? 'server-error' : undefined
    case 'streamed':
      return reply.whole ? undefined : 'broken-off'
    default:
      return reply.kind
  }
}
