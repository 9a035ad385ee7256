import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DecisionSink } from '../audit/decisions/sink.ts'
import type { RecordRequest } from '../audit/request-record.ts'
import { readingInteractions } from '../fhir/interaction.ts'
import type { Asked } from '../fhir/media-type.ts'
import type { judge } from '../policy/judge.ts'
import { callerFields, mergedFields } from '../upstream/header-fields.ts'
import { admit, admitCaller, countEntries, type Load } from './admit.ts'
import { openAccount, type Account } from './account.ts'
import { arrivalOf } from './arrival.ts'
import { askingOf, identify, refusalOfAccess, withChallenge } from './access.ts'
import { judgeFieldsOf, mirroredFieldsOf } from './asked-header-fields.ts'
import { bundle } from './bundle/bundle.ts'
import { corsFields, namePreflight } from './cors.ts'
import type { Exchange, GovernedBase } from './exchange.ts'
import type { Serving } from './governed-bases.ts'
import type { HeldBodies } from './held-bodies.ts'
import { nameInteraction, type Named } from './name-interaction.ts'
import { plainTerms } from './outcome.ts'
import { readPreconditions } from './preconditions.ts'
import { operate } from './operation.ts'
import { read } from './read.ts'
import { withoutOutcome } from './relay-write.ts'
import { recordOf } from './record.ts'
import { withReported } from './reported.ts'
import { fail, refuse, type HeaderFields, type Reply } from './reply.ts'
import { askedBy, baseOf, hasBody, requestHead, type RequestHead } from './request-head.ts'
import { send, type Sending } from './send.ts'
import { write } from './write.ts'

/** What all requests have in common. */
export interface Handling extends Load {
  readonly bodies: HeldBodies
  readonly publicUrl: URL | undefined
  readonly judge: typeof judge
  readonly record: RecordRequest
  /** Takes a record of each decision; undefined where none are kept. */
  readonly decisions: DecisionSink | undefined
  newRequestId(): string
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Answers one request by what is served, and records it, once. A fault becomes a 500 that tells nothing of it. */
export async function handle(
  handling: Handling,
  serving: Serving,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const started = performance.now()
  const head = requestHead(req)
  const clientId = head.fieldLines('x-request-id')[0] ?? ''
  const requestId = uuid.test(clientId) ? clientId.toLowerCase() : handling.newRequestId()
  const base = baseOf(serving.bases, head.target)
  const name = (asked: RequestHead) => nameInteraction(serving.bases, asked, base)
  const named = namePreflight(base?.cors, head, name) ?? name(head)
  const asked = askedBy(head)
  const everyAnswersFields = fieldsOfEveryAnswer(base, head)

  const account = openAccount(handling.decisions, head, base, named, { requestId, newId: handling.newRequestId })
  const failed = (error: unknown) =>
    fail('fault', `The gateway failed; its operator finds this under ${requestId}.`, { error })
  let reply: Reply
  try {
    reply = await answer(handling, serving, {
      requestId,
      head,
      named,
      asked,
      everyAnswersFields,
      account,
      req,
      res,
    })
  } catch (error) {
    reply = failed(error)
  }
  if (account) reply = await account.settle(reply)
  const terms = base?.policy ?? plainTerms
  const closing = mustClose(head, req)
  const sending: Sending = {
    terms,
    asked,
    withoutBody: head.method === 'HEAD',
    maxRefusals: serving.config.limits.refusals,
    headerFields: closing ? { 'x-request-id': requestId, connection: 'close' } : { 'x-request-id': requestId },
    everyAnswersFields,
  }
  try {
    send(res, reply, sending)
  } catch (error) {
    reply = reply.permittedAs ? { ...withoutOutcome('fault', error), permittedAs: reply.permittedAs } : failed(error)
    if (res.headersSent) res.destroy()
    else send(res, reply, sending)
  }
  handling.record(recordOf(reply, terms, { requestId, base, named, milliseconds: performance.now() - started }))
}

/** A request of which is known what it asks for, and in which format. */
interface Arrived {
  readonly requestId: string
  readonly head: RequestHead
  readonly named: Named
  readonly asked: Asked
  readonly everyAnswersFields: HeaderFields
  readonly account: Account | undefined
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** The stages of a request, in their order. */
async function answer(
  handling: Handling,
  serving: Serving,
  { requestId, head, named, asked, everyAnswersFields, account, req, res }: Arrived,
): Promise<Reply> {
  const turnedAway = await admit(handling, serving, head)
  if (turnedAway) return turnedAway
  if (named.kind === 'answered') return named.reply
  const expectation = head.headerFields.expect
  if (expectation !== undefined && expectation.toLowerCase() !== '100-continue') {
    return refuse('expectation', 'No expectation but 100-continue is offered.')
  }
  const { interaction, base } = named
  const { config, proxies } = serving
  const identified = await identify(base, head, interaction)
  if (!identified.ok) return identified.reply
  const { caller, scopes, grants } = identified.verified
  account?.calledBy(caller)
  const heldOff = await admitCaller(serving, base, caller)
  if (heldOff) return heldOff
  const refusal = refusalOfAccess({ base, grants }, askingOf(interaction, head))
  if (refusal) return withChallenge(base, { kind: 'refused', refusals: [refusal] })
  const fields = judgeFieldsOf(base, interaction, head)
  const reported = [...named.reported, ...fields.reported]
  if (fields.refusals.length > 0) return withReported({ kind: 'refused', refusals: fields.refusals }, reported)
  const { publicUrl, judge } = handling
  const arrival = arrivalOf(head, proxies)
  if (arrival.refusals.length > 0) return { kind: 'refused', refusals: arrival.refusals }
  const origin = publicUrl?.href.replace(/\/$/, '') ?? arrival.origin
  const urls = base.urlsUnder(origin + base.path)
  const exchange: Exchange = {
    requestId,
    config,
    base,
    interaction,
    reported,
    head,
    asked,
    urls,
    knownBases: publicUrl ? [urls.upstream, urls.own] : [urls.upstream],
    callerFields: mergedFields(
      { 'x-request-id': requestId },
      callerFields(fieldsToForward(head, base), config.forwardHeaderFields),
    ),
    everyAnswersFields,
    caller,
    grants,
    judge,
    account,
    bodies: handling.bodies,
    countEntries: (entries) => countEntries(serving, head, base, caller, entries),
    request: { scopes, headerFields: factsOf(head, config.ruleHeaderFields) },
    req,
    res,
  }
  return withReported(withChallenge(base, await answerTo(exchange)), reported)
}

/** The stages of a request whose interaction is known. */
async function answerTo(exchange: Exchange): Promise<Reply> {
  const { interaction, head, base } = exchange
  if (readingInteractions.has(interaction.code)) {
    const preconditions = readPreconditions(interaction, head, base.policy)
    return preconditions.kind === 'refused' ? preconditions : read(exchange)
  }
  switch (interaction.code) {
    case 'create':
    case 'update':
    case 'patch':
    case 'delete':
      return write(exchange, interaction.code, interaction.type!)
    case 'operation':
      return operate(exchange)
    case 'transaction':
      return bundle(exchange)
    default:
  }
  // The policy opens what no stage here judges: denied, as everything that nobody has thought of.
  return refuse('interaction-not-offered', 'This interaction is not offered here.', { allow: '' })
}

function fieldsOfEveryAnswer(base: GovernedBase | undefined, head: RequestHead): HeaderFields {
  return Object.assign({}, mirroredFieldsOf(base, head), corsFields(base?.cors, head))
}

/** An upstream that knows nothing of the token need not see it. */
function fieldsToForward({ headerFields }: RequestHead, { tokens }: GovernedBase): RequestHead['headerFields'] {
  return tokens?.forwarded === false ? { ...headerFields, authorization: undefined } : headerFields
}

/** The values of the header fields that rules may ask about. */
function factsOf(head: RequestHead, names: readonly string[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(names.map((name) => [name, head.fieldLines(name)]))
}

/** A body that was announced with 100-continue and never asked for may or may not come: only a new connection is clear. */
function mustClose(head: RequestHead, req: IncomingMessage): boolean {
  return head.headerFields.expect !== undefined && hasBody(head) && !req.readableEnded
}
