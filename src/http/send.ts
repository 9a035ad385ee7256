import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { STATUS_CODES } from 'node:http'
import type { Asked } from '../fhir/media-type.ts'
import type { OutcomeIssue } from '../fhir/operation-outcome.ts'
import { withCors } from './cors.ts'
import { issuesOfRefusals, outcomeAnswer, plainTerms, statusOf, type Terms } from './outcome.ts'
import { reportFields } from './reported.ts'
import type { HeaderFields, Reply } from './reply.ts'
import type { Cause } from '../policy/refusal.ts'

/** How a reply is written for its client. */
export interface Sending {
  readonly terms: Terms
  readonly asked: Asked
  /** To a HEAD: everything but the body. */
  readonly withoutBody: boolean
  /** The most refusals that are named. */
  readonly maxRefusals: number
  /** Every answer's own: the request id, Connection. */
  readonly headerFields: HeaderFields
  /** Those of CORS, and those of the request that it repeats: they go before the others. */
  readonly everyAnswersFields: HeaderFields
}

/** The HTTP status of a reply; undefined when the client went away. */
export function statusOfReply(reply: Reply, terms: Terms): number | undefined {
  switch (reply.kind) {
    case 'relayed':
    case 'told':
    case 'streamed':
      return reply.status
    case 'refused':
    case 'failed':
      return statusOf(reply.refusals, terms)
    case 'client-gone':
      return undefined
  }
}

/** What the OperationOutcome of a reply says. */
export function issuesOfReply(
  reply: Extract<Reply, { kind: 'told' | 'refused' | 'failed' }>,
  terms: Terms,
  maxRefusals: number,
): readonly OutcomeIssue[] {
  if (reply.kind === 'told') return reply.issues
  const further = reply.kind === 'refused' ? (reply.further ?? []) : []
  return [...issuesOfRefusals(reply.refusals, terms, maxRefusals), ...further, ...issueOfDecision(reply)]
}

/** By what support finds the records of a decision. */
function issueOfDecision({ decisionId }: Reply): readonly OutcomeIssue[] {
  if (decisionId === undefined) return []
  const diagnostics = `Whoever runs this server finds this decision under ${decisionId}.`
  return [{ severity: 'information', code: 'informational', diagnostics }]
}

/** Writes a reply; one that has been streamed or whose client is gone needs no writing. */
export function send(res: ServerResponse, reply: Reply, sending: Sending): void {
  if (reply.kind === 'streamed') return
  if (reply.kind === 'client-gone' || res.destroyed) {
    res.destroy()
    return
  }
  if (res.headersSent) throw new Error('The request has been answered already.')
  const { terms, asked, withoutBody, maxRefusals } = sending
  const status = statusOfReply(reply, terms)!
  // Two spreads, one after the other, take ten times as long on Node 20.
  let headerFields: HeaderFields = Object.assign({}, sending.headerFields, reply.headerFields)
  let body: Buffer | string | undefined
  if (reply.kind === 'relayed' || reply.kind === 'told') {
    headerFields = Object.assign(headerFields, reportFields(reply.reported))
  }
  if (reply.kind === 'relayed') {
    body = reply.body
  } else {
    const answer = outcomeAnswer(issuesOfReply(reply, terms, maxRefusals), terms, asked)
    headerFields = Object.assign(headerFields, answer.headerFields)
    if (status === 503 && headerFields['retry-after'] === undefined)
      headerFields = { ...headerFields, 'retry-after': '1' }
    body = answer.body
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const length = status === 304 || bytes === undefined ? undefined : { 'content-length': String(bytes.length) }
  res.writeHead(status, Object.assign({}, withCors(headerFields, sending.everyAnswersFields), length))
  res.end(withoutBody || status === 304 ? undefined : bytes)
}

/** Answers on a bare connection, where Node has no response to write to; and ends it. */
export function sendRaw(socket: Duplex, cause: Cause, diagnostics: string, more: HeaderFields = {}): number {
  const refusals = [{ cause, diagnostics }]
  const status = statusOf(refusals, plainTerms)
  if (socket.writable) {
    const { headerFields, body } = outcomeAnswer(issuesOfRefusals(refusals, plainTerms, 1), plainTerms, 'json')
    const lines = Object.entries({ ...headerFields, ...more, 'content-length': String(Buffer.byteLength(body)) })
    const head = lines.map(([name, value]) => `${name}: ${String(value)}\r\n`).join('')
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}connection: close\r\n\r\n${body}`)
  } else {
    socket.destroy()
  }
  return status
}
