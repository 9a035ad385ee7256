import type { Traces } from '../audit/traces.ts'
import type { CacheEvent, UpstreamFailure, UpstreamRecord, UpstreamRequestKind } from '../audit/upstream-record.ts'
import type { BreakerState } from '../upstream/breaker.ts'
import type { UpstreamClient, UpstreamReply, UpstreamRequest } from '../upstream/client.ts'
import type { PassedRead, PassThrough } from '../upstream/pass-through.ts'

/** Who is told of what happens in the gateway and behind it. */
export interface Observers {
  /** Called for every request to an upstream, when it is over. */
  upstream(record: UpstreamRecord): void
  cache(base: string, event: CacheEvent): void
  /** Called with every state of a base's breaker that follows another. */
  breaker(base: string, state: BreakerState): void
  /** Makes spans of it; undefined: none are made. */
  readonly traces?: Traces
}

/** A client whose requests are told of: those of one kind, or each by what it is. */
export function observedClient(
  client: UpstreamClient,
  base: string,
  { upstream, traces }: Observers,
  given?: UpstreamRequestKind,
): UpstreamClient {
  return {
    ...client,
    async send(request) {
      const kind = given ?? kindOf(request)
      const span = traces?.upstream({ base, kind, method: request.method })
      const started = performance.now()
      const reply = await client.send(span ? traced(request, span.headerFields) : request)
      const record = recordOf(base, kind, performance.now() - started, reply)
      upstream(record)
      span?.end(record)
      return reply
    },
  }
}

/** https://hl7.org/fhir/R4/http.html#search: the only POST of ours that is known to change nothing. */
const kindOf = ({ method, path }: UpstreamRequest) =>
  method === 'GET' || /\/_search(?:\?|$)/.test(path) ? 'read' : 'write'

/** Reads that pass through, likewise. One whose client left before there was an answer says nothing of the upstream. */
export function observedPassThrough(
  passThrough: PassThrough,
  base: string,
  { upstream, traces }: Observers,
): PassThrough {
  return {
    ...passThrough,
    async send(req, res, read) {
      const span = traces?.upstream({ base, kind: 'read', method: 'GET' })
      const started = performance.now()
      let answered: number | undefined
      const passed = await passThrough.send(req, res, {
        ...(span ? traced(read, span.headerFields) : read),
        streams(status, headerFields) {
          answered = performance.now()
          return read.streams(status, headerFields)
        },
      })
      if (passed.kind === 'client-gone') {
        span?.end()
        return passed
      }
      const record = recordOf(base, 'read', (answered ?? performance.now()) - started, passed)
      upstream(record)
      span?.end(record)
      return passed
    },
  }
}

type HeaderFields = Readonly<Record<string, string>>

/** What the client said of its trace is replaced by what this request says of the same one, or of another. */
function traced<Sent extends { readonly headerFields: HeaderFields }>(sent: Sent, own: HeaderFields): Sent {
  const { traceparent: _, tracestate: __, ...others } = sent.headerFields
  return { ...sent, headerFields: { ...others, ...own } }
}

type Passed = UpstreamReply | Exclude<PassedRead, { kind: 'client-gone' }>

function recordOf(base: string, kind: UpstreamRequestKind, milliseconds: number, reply: Passed): UpstreamRecord {
  const failure = failureOf(reply)
  return { base, kind, milliseconds, ...('status' in reply && { status: reply.status }), ...(failure && { failure }) }
}

function failureOf(reply: Passed): UpstreamFailure | undefined {
  switch (reply.kind) {
    case 'answered':
      return reply.status >= 500 ? 'server-error' : undefined
    case 'streamed':
      return reply.whole || reply.clientGone ? undefined : 'broken-off'
    case 'unusable':
    case 'unavailable':
      return undefined
    default:
      return reply.kind
  }
}
