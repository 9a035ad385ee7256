import type { IncomingHttpHeaders } from 'node:http'
import { readResource } from '../fhir/body.ts'
import type { Interaction } from '../fhir/interaction.ts'
import { formatOfAnswer, type Format } from '../fhir/media-type.ts'
import type { OutcomeIssue } from '../fhir/operation-outcome.ts'
import { decodeUtf8 } from '../fhir/unicode.ts'
import type { Unavailable, UpstreamReply } from '../upstream/client.ts'
import { decoded } from '../upstream/decoded.ts'
import { answerFields } from '../upstream/header-fields.ts'
import { rewriteJson } from '../upstream/rewrite-json.ts'
import { inAnswer, type Places } from '../upstream/rewrite-places.ts'
import { rewriteXml } from '../upstream/rewrite-xml.ts'
import { issuesOf } from '../upstream/upstream-outcome.ts'
import { withCors } from './cors.ts'
import type { Exchange } from './exchange.ts'
import { issueOf } from './outcome.ts'
import { reportFields } from './reported.ts'
import { fail, type Reply } from './reply.ts'

/** What an answer of the upstream is read and told with. */
export type Served = Pick<Exchange, 'base' | 'config' | 'urls'>

/** A whole answer of the upstream. */
export type Answered = Extract<UpstreamReply, { kind: 'answered' }>

/** Whether a single resource is asked for, as it is stored. It is its client's to send back: nothing of it is rewritten. */
export const isOfOne = ({ code }: Pick<Interaction, 'code'>) => code === 'read' || code === 'vread'

/**
 * The answer to a read: as it is, but for the upstream's base.
 * @param places where that stands in it, unless it is a single resource
 */
export async function relayRead(
  exchange: Served & { readonly interaction: Pick<Interaction, 'code' | 'id'> },
  answered: Answered,
  places: Places = inAnswer,
): Promise<Reply> {
  const { status, headerFields } = answered
  const { urls, interaction } = exchange
  if (status === 304) {
    return { kind: 'relayed', status, headerFields: answerFields(headerFields, urls), upstreamStatus: status }
  }
  if (status >= 400) return relayError(exchange, answered, interaction.id !== undefined)
  const format = formatOfAnswer(headerFields['content-type'])
  if (status !== 200 || !format) return unusable(status)
  const body = await rewritten(exchange, answered, format, isOfOne(interaction) ? undefined : places)
  if (body === undefined) return unusable(status)
  return { kind: 'relayed', status, headerFields: answerFields(headerFields, urls), body, upstreamStatus: status }
}

/** An answer that is not FHIR, or cannot be rewritten. */
export const unusable = (upstreamStatus: number) =>
  fail('upstream-unusable', 'The FHIR server’s answer cannot be used.', { upstreamStatus })

async function rewritten(
  { config, urls }: Served,
  answered: Answered,
  format: Format,
  places: Places | undefined,
): Promise<Buffer | string | undefined> {
  const bytes = await decoded(answered, config.limits.rewriteBytes)
  if (!bytes || !places) return bytes
  try {
    if (format === 'json') return rewriteJson(bytes, urls, places)
    const text = decodeUtf8(bytes)
    return text.ok ? rewriteXml(text.value, urls, places) : undefined
  } catch {
    return undefined
  }
}

const ofResource = new Set([
  'etag',
  'last-modified',
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'vary',
])

/**
 * An error of the upstream's: its issues without its internals, or one of ours where it gave none.
 * Where a single resource was asked for, the policy's own answer to an unknown or deleted one comes first.
 */
export async function relayError(exchange: Served, answered: Answered, single: boolean): Promise<Reply> {
  const { policy } = exchange.base
  const { status } = answered
  const issues = await upstreamIssues(exchange, answered)
  const fields = Object.entries(answerFields(answered.headerFields, exchange.urls))
  const told = {
    kind: 'told',
    headerFields: Object.fromEntries(fields.filter(([name]) => !ofResource.has(name))),
    upstreamStatus: status,
  } as const
  if (single && (status === 404 || status === 410)) {
    return { ...told, status, issues: [issueOf(status === 404 ? notFound : gone, policy), ...issues] }
  }
  if (issues.length > 0) return { ...told, status: status > 599 ? 502 : status, issues }
  const diagnostics = `The FHIR server answered ${status} without saying why.`
  return {
    ...told,
    status: status > 599 ? 502 : status,
    issues: [{ severity: 'error', code: codeOfStatus(status), diagnostics }],
  }
}

export const notFound = {
  cause: 'not-found',
  diagnostics: 'There is no such resource on the FHIR server.',
} as const

export const gone = {
  cause: 'gone',
  diagnostics: 'The resource has been deleted on the FHIR server.',
} as const

/**
 * The issues of an upstream's answer, when it is an OperationOutcome. What it says of a failure of its own is its operator's to
 * read: no pattern would find everything in a message of a database. The code is told, and that it failed.
 */
export async function upstreamIssues(exchange: Served, answered: Answered): Promise<readonly OutcomeIssue[]> {
  const { config, base, urls } = exchange
  const { definitions, release } = base.policy
  const format = formatOfAnswer(answered.headerFields['content-type'])
  const bytes = format && (await decoded(answered, config.limits.storedBytes))
  const resource = bytes && readResource(bytes, format, definitions, { nesting: config.limits.nesting })
  const issues =
    resource?.ok && resource.value.type === 'OperationOutcome' ? issuesOf(resource.value, release, urls) : []
  if (answered.status < 500) return issues
  const diagnostics = `The FHIR server answered ${answered.status}; why stands in its own log.`
  return issues.slice(0, 1).map(({ code }) => ({ severity: 'error', code, diagnostics }))
}

function codeOfStatus(status: number): string {
  switch (status) {
    case 401:
      return 'login'
    case 403:
      return 'forbidden'
    case 404:
    case 410:
      return 'not-found'
    case 409:
    case 412:
      return 'conflict'
    case 429:
      return 'throttled'
    case 503:
      return 'transient'
    case 504:
      return 'timeout'
    default:
      return status >= 500 ? 'exception' : 'processing'
  }
}

/** The header fields of an answer that is streamed on as it comes; its body is told on to the byte. */
export function streamedFields(
  headerFields: IncomingHttpHeaders,
  exchange: Exchange,
): Record<string, string | string[]> {
  const { 'content-length': length, 'content-encoding': encoding } = headerFields
  const fields: Record<string, string | string[]> = Object.assign(
    { 'x-request-id': exchange.requestId },
    withCors(answerFields(headerFields, exchange.urls), exchange.everyAnswersFields),
    reportFields(exchange.reported),
  )
  if (length !== undefined) fields['content-length'] = length
  if (encoding !== undefined) fields['content-encoding'] = encoding
  return fields
}

/** A request that did not come to a whole answer, when nothing can have been stored. */
export function relayFailure(
  failure: Unavailable | { readonly kind: 'unreachable' | 'too-slow'; readonly error: unknown },
): Reply {
  if (failure.kind === 'unavailable') {
    const sentence =
      'The FHIR server fails at the moment, so that nothing is sent to it. Nothing was changed; try again.'
    return {
      kind: 'failed',
      refusals: [{ cause: failure.cause, diagnostics: sentence }],
      headerFields: { 'retry-after': String(failure.seconds) },
    }
  }
  const { error } = failure
  return failure.kind === 'too-slow'
    ? fail('upstream-too-slow', 'The FHIR server did not answer in time.', { error })
    : fail('upstream-unreachable', 'The FHIR server cannot be reached, or broke off its answer.', { error })
}
