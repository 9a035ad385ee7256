import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { traceAttributes, type TraceAttribute } from '../../src/audit/trace-attributes.ts'
import { createTraces } from '../../src/audit/traces.ts'
import { bootAndClose, type Settings } from './booted.ts'
import { edit, jsonHeaders, removal, stored } from './records.ts'
import { outcome, resource } from './stub-upstream.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'
const incoming = { traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'vendor=9f' }

interface Traced extends Settings {
  readonly incoming?: 'continue' | 'begin'
  readonly sample?: number
}

/** A gateway whose spans are kept. */
async function bootTraced({ incoming = 'continue', sample = 1, ...settings }: Traced = {}) {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sample) }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  })
  const traces = createTraces(provider.getTracer('test'), incoming)
  const booted = await bootAndClose({ ...settings, traces })
  booted.upstream.answers({ GET: resource(stored('3'), '3'), PUT: resource(stored('4'), '4') })
  const put = (body: object, headers = {}) =>
    booted.send('PUT', '/STU3/Flag/1', { ...jsonHeaders('3'), ...headers }, JSON.stringify(body))
  return {
    ...booted,
    put,
    /** The spans of so many requests when they are over: first those of the requests, then of their parts as these ended. */
    spans: async (requests: number) => {
      await booted.recorded(requests)
      // The span of a request ends after its record.
      while (exporter.getFinishedSpans().filter(({ kind }) => kind === SpanKind.SERVER).length < requests) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      const finished = exporter.getFinishedSpans()
      const isRequest = ({ kind }: ReadableSpan) => kind === SpanKind.SERVER
      return [...finished.filter(isRequest), ...finished.filter((span) => !isRequest(span))]
    },
    exporter,
  }
}

const namesOf = (spans: readonly ReadableSpan[]) => spans.map(({ name }) => name)

describe('with traces', () => {
  it('a write is a span, and so are what was read for it, its judging and its sending', async () => {
    const { put, spans } = await bootTraced()
    await put(removal, incoming)
    const [request, ...parts] = await spans(1)
    expect(namesOf([request!, ...parts])).toEqual(['PUT Flag', 'GET stored-version', 'judge Flag', 'PUT write'])
    expect(request!.kind).toBe(SpanKind.SERVER)
    expect(request!.spanContext().traceId).toBe(traceId)
    expect(request!.parentSpanContext?.spanId).toBe(spanId)
    expect(request!.attributes).toEqual({
      'http.request.method': 'PUT',
      'http.response.status_code': 200,
      'fhir_gateway.base': '/STU3',
      'fhir_gateway.policy': expect.stringMatching(/^nhs-reasonable-adjustments@[0-9a-f]{12}$/),
      'fhir_gateway.interaction': 'update',
      'fhir_gateway.type': 'Flag',
      'fhir_gateway.decision': 'permitted',
      'fhir_gateway.permitted_as': ['removal'],
    })
    for (const part of parts) {
      expect(part.spanContext().traceId).toBe(traceId)
      expect(part.parentSpanContext?.spanId).toBe(request!.spanContext().spanId)
    }
    expect(parts.map(({ kind }) => kind)).toEqual([SpanKind.CLIENT, SpanKind.INTERNAL, SpanKind.CLIENT])
    expect(parts.map(({ attributes }) => attributes)).toEqual([
      {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'fhir_gateway.base': '/STU3',
        'fhir_gateway.upstream.kind': 'stored-version',
      },
      {
        'fhir_gateway.interaction': 'update',
        'fhir_gateway.type': 'Flag',
        'fhir_gateway.decision': 'permitted',
        'fhir_gateway.permitted_as': ['removal'],
      },
      {
        'http.request.method': 'PUT',
        'http.response.status_code': 200,
        'fhir_gateway.base': '/STU3',
        'fhir_gateway.upstream.kind': 'write',
      },
    ])
  })

  it('the upstream is told of the span of each request to it, and of the state that came', async () => {
    const { put, send, spans, upstream } = await bootTraced()
    await put(removal, incoming)
    await send('GET', '/STU3/Flag/1', incoming)
    const ofUpstream = (await spans(2)).filter(({ kind }) => kind === SpanKind.CLIENT)
    expect(upstream.seen.map(({ headers }) => headers['traceparent'])).toEqual(
      ofUpstream.map((span) => `00-${traceId}-${span.spanContext().spanId}-01`),
    )
    expect(new Set(upstream.seen.map(({ headers }) => headers['tracestate']))).toEqual(new Set(['vendor=9f']))
  })

  it('a refusal tells by which rule, and is no error; a fault of the upstream is one', async () => {
    const { put, upstream, spans } = await bootTraced()
    await put(edit)
    upstream.answers({ GET: outcome(500, 'secret') })
    await put(removal, { 'if-match': 'W/"99"' })
    const [refused, failed, ...parts] = await spans(2)
    expect(refused!.attributes).toMatchObject({
      'http.response.status_code': 403,
      'fhir_gateway.decision': 'refused',
      'fhir_gateway.refused_by': ['Flag.update'],
    })
    expect(refused!.status.code).toBe(SpanStatusCode.UNSET)
    expect(failed!.status.code).toBe(SpanStatusCode.ERROR)
    const errors = parts.filter(({ status }) => status.code === SpanStatusCode.ERROR)
    expect(errors.map(({ name, attributes }) => [name, attributes['error.type']])).toEqual([
      ['GET stored-version', 'server-error'],
    ])
  })

  it('requests at once each have their own trace', async () => {
    const { send, spans } = await bootTraced()
    await Promise.all(Array.from({ length: 20 }, () => send('GET', '/STU3/Flag/1')))
    const all = await spans(20)
    expect(all).toHaveLength(40)
    const traces = groupByTrace(all)
    expect(traces.size).toBe(20)
    for (const [request, read] of traces.values()) {
      expect(namesOf([request!, read!])).toEqual(['GET Flag', 'GET read'])
      expect(read!.parentSpanContext?.spanId).toBe(request!.spanContext().spanId)
    }
  })

  it('what a client does not want recorded is not, and the upstream is told so', async () => {
    const { send, upstream, exporter, recorded } = await bootTraced()
    await send('GET', '/STU3/Flag/1', { traceparent: `00-${traceId}-${spanId}-00` })
    await recorded(1)
    expect(exporter.getFinishedSpans()).toEqual([])
    expect(upstream.seen[0]!.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`))
  })

  it('a share of the traces that begin here is recorded', async () => {
    const { send, upstream, exporter, recorded } = await bootTraced({ sample: 0 })
    await send('GET', '/STU3/Flag/1')
    await recorded(1)
    expect(exporter.getFinishedSpans()).toEqual([])
    expect(upstream.seen[0]!.headers['traceparent']).toMatch(/-00$/)
  })

  it.each([
    ['no traceparent', {}, 'continue'],
    ['one that is malformed', { ...incoming, traceparent: 'x' }, 'continue'],
    ['one, where traces begin at the gateway', incoming, 'begin'],
  ] as const)('a request with %s begins a trace', async (_what, headers, mode) => {
    const { send, upstream, spans } = await bootTraced({ incoming: mode })
    await send('GET', '/STU3/Flag/1', headers)
    const [request] = await spans(1)
    expect(request!.parentSpanContext).toBeUndefined()
    expect(request!.spanContext()).toMatchObject({ traceFlags: TraceFlags.SAMPLED })
    expect(request!.spanContext().traceId).not.toBe(traceId)
    expect(upstream.seen[0]!.headers['traceparent']).toContain(request!.spanContext().traceId)
    expect(upstream.seen[0]!.headers).not.toHaveProperty('tracestate')
  })

  it('spans hold nothing but what is documented: no id, no path, no query, no method of a client’s own', async () => {
    const { send, put, upstream, spans } = await bootTraced()
    const id = '9000000009.b1fe6cc0'
    upstream.answers({ GET: outcome(404, id), POST: outcome(500, id) })
    await send('GET', `/STU3/Flag/${id}`)
    await send('GET', `/STU3/Flag?patient=${id}`)
    await send('GET', `/STU3/Flag/${id}/_history/${id}`)
    await send('PROPFIND', `/STU3/Flag/${id}`)
    await send('GET', `/${id}/Flag`)
    await send('GET', `/STU3/X${id}`)
    await send('POST', `/STU3/$x${id}`, jsonHeaders('3'), '{}')
    await send('POST', '/STU3/Flag', jsonHeaders('3'), JSON.stringify({ ...removal, id }))
    await put({ ...removal, code: { text: id } }, { 'if-match': `W/"${id}"` })
    const all = await spans(9)
    const documented = new Set<string>(Object.keys(traceAttributes))
    for (const { attributes } of all) {
      expect(Object.keys(attributes).filter((name) => !documented.has(name))).toEqual([])
    }
    const text = JSON.stringify(
      all.map(({ name, attributes, events, links, status }) => ({ name, attributes, events, links, status })),
    )
    expect(text).not.toMatch(/9000000009|b1fe6cc0|PROPFIND/)
    expect(namesOf(all)).toContain('_OTHER')
  })

  it('attributes stand on the spans of which that is documented', async () => {
    const { put, send, spans } = await bootTraced()
    await put(removal)
    await put(edit)
    await send('GET', '/STU3/Flag/1')
    const kinds = { [SpanKind.SERVER]: 'request', [SpanKind.INTERNAL]: 'judge', [SpanKind.CLIENT]: 'upstream' } as const
    for (const { kind, attributes } of await spans(3)) {
      const allowed = (name: string) =>
        (traceAttributes[name as TraceAttribute].spans as readonly string[]).includes(kinds[kind as keyof typeof kinds])
      expect(Object.keys(attributes).filter((name) => !allowed(name))).toEqual([])
    }
  })
})

function groupByTrace(spans: readonly ReadableSpan[]): Map<string, ReadableSpan[]> {
  const groups = new Map<string, ReadableSpan[]>()
  for (const span of spans) {
    const { traceId } = span.spanContext()
    groups.set(traceId, [...(groups.get(traceId) ?? []), span])
  }
  return groups
}

describe('without traces', () => {
  it.each([
    ['both, where they are well-formed', incoming, incoming],
    ['neither, where the traceparent is malformed', { ...incoming, traceparent: `00-${traceId}-1-01` }, {}],
    ['neither, where there is no traceparent', { tracestate: incoming.tracestate }, {}],
    ['no tracestate that is malformed', { ...incoming, tracestate: 'A' }, { traceparent: incoming.traceparent }],
    [
      'neither, where there are two of a traceparent',
      { ...incoming, traceparent: [incoming.traceparent, incoming.traceparent] },
      {},
    ],
  ])('the upstream gets of traceparent and tracestate %s', async (_what, sent, expected) => {
    const booted = await bootAndClose()
    booted.upstream.answers({ GET: resource(stored('3'), '3'), PUT: resource(stored('4'), '4') })
    // Another one, since what is read by id would be in the cache for the update.
    await booted.send('GET', '/STU3/Flag/2', sent)
    await booted.send('PUT', '/STU3/Flag/1', { ...jsonHeaders('3'), ...sent }, JSON.stringify(removal))
    expect(booted.upstream.seen).toHaveLength(3)
    for (const { headers } of booted.upstream.seen) {
      const { traceparent, tracestate } = headers
      expect({ ...(traceparent && { traceparent }), ...(tracestate && { tracestate }) }).toEqual(expected)
    }
  })
})
