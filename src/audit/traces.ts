import { AsyncLocalStorage } from 'node:async_hooks'
import {
  createTraceState,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import { isTracestate, readTraceparent, writeTraceparent } from '../config/trace-context.ts'
import type { RequestRecord } from './request-record.ts'
import type { TraceAttributes } from './trace-attributes.ts'
import type { UpstreamRecord, UpstreamRequestKind } from './upstream-record.ts'

/** The header fields of a request from which its trace is known. */
export interface TracedRequest {
  readonly method: string
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
}

/** The span of a request to an upstream. */
export interface UpstreamSpan {
  /** What the upstream is told of it. */
  readonly headerFields: { readonly traceparent: string; readonly tracestate?: string }
  /** @param record undefined: its client has left */
  end(record?: UpstreamRecord): void
}

export interface Traces {
  /** Answers a request within a span of its own, in which all that is done for it is found. */
  during(request: TracedRequest, answer: () => Promise<void>): Promise<void>
  /** Tells the span of the current request what became of it. */
  recorded(record: RequestRecord): void
  /** The trace of the current request. */
  traceId(): string | undefined
  /** Does a part of the current request within a span of its own, which `told` says more of when it is done. */
  part<Done>(name: string, done: () => Done, told: (done: Done) => TraceAttributes): Done
  /** A request to an upstream begins. */
  upstream(request: {
    readonly base: string
    readonly kind: UpstreamRequestKind
    readonly method: string
  }): UpstreamSpan
}

/** RFC 9110, section 9, and RFC 5789; any other word is the client's own. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'])

/**
 * Spans of what the gateway does.
 * @param incoming whether the trace of a request that comes with one is gone on with, or another one begun
 */
export function createTraces(tracer: Tracer, incoming: 'continue' | 'begin'): Traces {
  const current = new AsyncLocalStorage<{ readonly span: Span; readonly context: Context; readonly method: string }>()
  const start = (name: string, kind: SpanKind, parent: Context, attributes: TraceAttributes) =>
    tracer.startSpan(name, { kind, attributes: withValues(attributes) }, parent)

  return {
    async during({ method: word, traceparent, tracestate }, answer) {
      const method = methods.has(word) ? word : '_OTHER'
      const parent = incoming === 'continue' ? parentOf(traceparent, tracestate) : ROOT_CONTEXT
      const span = start(method, SpanKind.SERVER, parent, { 'http.request.method': method })
      try {
        await current.run({ span, context: trace.setSpan(parent, span), method }, answer)
      } finally {
        span.end()
      }
    },
    recorded(record) {
      const { span, method } = current.getStore() ?? {}
      if (!span) return
      const { type, interaction, status, decision } = record
      const what = type ?? interaction
      if (what !== undefined) span.updateName(`${method} ${what}`)
      span.setAttributes(
        withValues({
          'http.response.status_code': status,
          'fhir_gateway.base': record.base,
          'fhir_gateway.policy': record.policy,
          'fhir_gateway.interaction': interaction,
          'fhir_gateway.type': type,
          'fhir_gateway.decision': decision,
          'fhir_gateway.permitted_as': record.permittedAs,
          'fhir_gateway.restored_by': record.restoredBy,
          'fhir_gateway.refused_by': record.refusedBy,
          'fhir_gateway.reported_by': record.reported,
          'fhir_gateway.outcome_unknown': record.outcomeUnknown,
          'error.type': decision === 'failed' ? (record.refusedBy?.[0] ?? String(status)) : undefined,
        }),
      )
      // https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status: what the client is to blame for is no error of ours.
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    },
    traceId: () => current.getStore()?.span.spanContext().traceId,
    part(name, done, told) {
      const span = start(name, SpanKind.INTERNAL, current.getStore()?.context ?? ROOT_CONTEXT, {})
      try {
        const result = done()
        span.setAttributes(withValues(told(result)))
        return result
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    },
    upstream({ base, kind, method }) {
      const span = start(`${method} ${kind}`, SpanKind.CLIENT, current.getStore()?.context ?? ROOT_CONTEXT, {
        'http.request.method': method,
        'fhir_gateway.base': base,
        'fhir_gateway.upstream.kind': kind,
      })
      const { traceId, spanId, traceFlags: flags, traceState } = span.spanContext()
      const tracestate = traceState?.serialize()
      return {
        headerFields: {
          traceparent: writeTraceparent({ traceId, spanId, flags }),
          ...(tracestate && { tracestate }),
        },
        end(record) {
          const { status, failure } = record ?? {}
          span.setAttributes(withValues({ 'http.response.status_code': status, 'error.type': failure }))
          if (failure) span.setStatus({ code: SpanStatusCode.ERROR })
          span.end()
        },
      }
    },
  }
}

/** The context of the span that a request comes from, as far as its header fields are well-formed. */
function parentOf(traceparent: string | undefined, tracestate: string | undefined): Context {
  const parent = readTraceparent(traceparent)
  if (!parent) return ROOT_CONTEXT
  const { traceId, spanId, flags } = parent
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: flags,
    isRemote: true,
    ...(tracestate !== undefined && isTracestate(tracestate) && { traceState: createTraceState(tracestate) }),
  })
}

function withValues(attributes: TraceAttributes): Attributes {
  const entries = Object.entries(attributes).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]),
  ) as Attributes
}
