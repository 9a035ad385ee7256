import type { IncomingHttpHeaders } from 'node:http'
import { askedFormat, formatOfAnswer, readMediaType, type Format } from '../fhir/media-type.ts'
import { asksForWhole, isFormatOnly } from '../fhir/criteria.ts'
import { readQuery } from '../fhir/target.ts'
import type { InteractionCode } from '../fhir/interaction.ts'
import { answerTo } from '../policy/refusal.ts'
import { readFields, valuesOf } from '../upstream/header-fields.ts'
import type { PassingRead, Streaming } from '../upstream/pass-through.ts'
import { jsonRewriter } from '../upstream/rewrite-json.ts'
import { inAnswer } from '../upstream/rewrite-places.ts'
import { refusalOfSearch } from './access.ts'
import { bodyBounds, readBody } from './body.ts'
import { faultOfQuery, tellCapabilities } from './capabilities.ts'
import type { Exchange } from './exchange.ts'
import { isOfOne, relayFailure, relayRead, streamedFields, unusable } from './relay.ts'
import { fail, refuse, type Reply } from './reply.ts'

/** A read, search, history, paging link or CapabilityStatement: passed on, and its answer passed back. */
export async function read(exchange: Exchange): Promise<Reply> {
  const { interaction, asked } = exchange
  if (interaction.method === 'POST') return searchByPost(exchange)
  if (asked === 'none') return notAcceptable(exchange)
  if (interaction.code === 'capabilities') {
    const fault = faultOfQuery(interaction.query)
    const format = asked === 'any' ? 'json' : asked
    if (!fault) return tellCapabilities(exchange, format, exchange.head.fieldLines('if-none-match'))
    // Who used it until now goes on with what the server itself makes of it.
    if (exchange.base.policy.mode !== 'report') return refuse('request-malformed', fault)
  }
  const { base, head, callerFields, config } = exchange
  const single = isOfOne(interaction)
  const passed = await base.passThrough.send(exchange.req, exchange.res, {
    path: upstreamTarget(exchange),
    headerFields: readFields(head.headerFields, callerFields, asked === 'any' ? 'json' : asked, single),
    maxBytes: config.limits.rewriteBytes,
    streams: (status, headerFields) => (status === 200 ? streaming(exchange, headerFields, single) : undefined),
    whole: keeping(exchange, single),
  })
  switch (passed.kind) {
    case 'streamed':
      // Spread, with a member more, it took 5 µs.
      return Object.assign({ upstreamStatus: passed.status }, passed)
    case 'client-gone':
      return passed
    case 'too-large':
      return tooLarge(passed.status)
    case 'unusable':
      return unusable(passed.status)
    case 'answered':
      return relayRead(exchange, passed)
    case 'unreachable':
    case 'too-slow':
    case 'unavailable':
      return relayFailure(passed)
  }
}

/** Who reads a resource may be about to change it: then that version need not be read once more. Undefined: nothing is kept. */
function keeping({ base, interaction, callerFields }: Exchange, single: boolean): PassingRead['whole'] {
  const { code, type, id, query } = interaction
  if (single && isFormatOnly(query)) {
    return (headerFields, body) =>
      base.storedVersions.keep({ type: type!, id: id!, callerFields }, { headerFields, body })
  }
  if (pages.has(code) && asksForWhole(query)) {
    return (headerFields, body) => base.storedVersions.keepPage(callerFields, { headerFields, body })
  }
  return undefined
}

/** What is answered by a Bundle whose entries are resources as they are. */
const pages: ReadonlySet<InteractionCode> = new Set([
  'search-type',
  'search-system',
  'history-instance',
  'history-type',
  'history-system',
])

const tooLarge = (upstreamStatus: number) =>
  fail('upstream-unusable', 'The FHIR server’s answer is larger than the bound; ask for fewer at a time with _count.', {
    upstreamStatus,
  })

/**
 * FHIR in a content coding that was asked for: an HTML page, with links to the upstream, does not come through.
 * Of a single resource nothing is rewritten, so it need not be read. XML is rewritten as a whole, and so is what was encoded
 * although nobody asked for it.
 */
function streaming(exchange: Exchange, answered: IncomingHttpHeaders, single: boolean): Streaming | undefined {
  const format = formatOfAnswer(answered['content-type'])
  const [coding = 'identity'] = valuesOf(answered['content-encoding'])
  if (!format || !/^(?:identity|gzip)$/i.test(coding)) return undefined
  const headerFields = streamedFields(answered, exchange)
  if (single) return { headerFields }
  if (format === 'xml' || coding.toLowerCase() !== 'identity') return undefined
  const { 'content-length': _length, 'content-encoding': _coding, ...others } = headerFields
  return { headerFields: others, rewriter: jsonRewriter(exchange.urls, inAnswer, exchange.config.limits.rewriteBytes) }
}

function upstreamTarget({ base, interaction }: Exchange): string {
  const { path, query } = interaction
  const suffix = query === '' ? '' : `?${query}`
  return `${base.upstreamPath}${path}` === '' ? `/${suffix}` : `${base.upstreamPath}${path}${suffix}`
}

function notAcceptable({ base }: Exchange): Reply {
  const { answers, release } = base.policy
  return {
    kind: 'refused',
    refusals: [
      {
        cause: 'media-type',
        diagnostics: 'Neither _format nor Accept asks for FHIR JSON or FHIR XML; ask for one of them.',
        answer: { ...answerTo({ cause: 'media-type' }, answers, release), status: 406 },
      },
    ],
  }
}

/** https://hl7.org/fhir/STU3/http.html#search: the form is read and written anew. */
async function searchByPost(exchange: Exchange): Promise<Reply> {
  const { base, head, callerFields, config, req, res, interaction } = exchange
  const type = readMediaType(head.headerFields['content-type'] ?? '')
  if (type?.name !== 'application/x-www-form-urlencoded') {
    const accept = 'application/x-www-form-urlencoded'
    return refuse('media-type', `Send the search parameters as ${accept}.`, { accept })
  }
  const body = await readBody(head, req, res, bodyBounds(exchange))
  if (!body.ok) return body.reply
  const form = body.bytes.toString('latin1')
  const parameters = /^[\x21-\x7e]*$/.test(form) ? readQuery(form) : undefined
  if (!parameters) return refuse('body-malformed', 'The form is not percent-encoded UTF-8.')
  if (parameters.some(([name]) => name === '_method')) {
    return refuse('request-malformed', 'The parameter `_method` is not offered; use the HTTP method itself.')
  }
  const refusal = refusalOfSearch(exchange, parameters)
  if (refusal) return { kind: 'refused', refusals: [refusal] }
  const formats = [...(readQuery(interaction.query) ?? []), ...parameters].filter(([name]) => name === '_format')
  if (formats.length > 1) return refuse('request-malformed', 'The parameter `_format` occurs more than once.')
  const asked = askedFormat(formats[0]?.[1], head.headerFields.accept)
  if (asked === 'none') return notAcceptable(exchange)
  const format: Format = asked === 'any' ? 'json' : asked
  const reply = await base.client.send({
    method: 'POST',
    path: upstreamTarget(exchange),
    headerFields: {
      ...readFields(head.headerFields, callerFields, format, false),
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: writeForm(parameters),
    maxBytes: config.limits.rewriteBytes,
  })
  if (reply.kind === 'too-large') return tooLarge(reply.status)
  return reply.kind === 'answered' ? relayRead(exchange, reply) : relayFailure(reply)
}

const writeForm = (parameters: readonly (readonly [string, string])[]) =>
  parameters.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
