import { recordedPath } from '../audit/decisions/path.ts'
import type { Caller, DecisionRecord, RefusalRecord } from '../audit/decisions/record.ts'
import type { Definitions } from '../fhir/definitions.ts'
import { versionOfEntityTag } from '../fhir/entity-tag.ts'
import { operationOf } from '../policy/policy.ts'
import type { Refusal } from '../policy/refusal.ts'
import { expressionOfEntry } from './bundle/entry-refusals.ts'
import type { GovernedBase } from './exchange.ts'
import type { Named } from './name-interaction.ts'
import { clientClosedRequest } from './record.ts'
import type { HeaderFields, NotedEntry, Reply, Subject } from './reply.ts'
import { restoringRules } from './restored.ts'
import { statusOfReply } from './send.ts'

/** A request whose decisions are recorded. */
export interface AccountedRequest {
  /** Of its records. */
  readonly id: string
  readonly requestId: string
  readonly base: GovernedBase
  readonly named: Named
  readonly caller: Caller
  /** The entries that have been sent; undefined stands for a request that is no Bundle. */
  readonly sent: ReadonlySet<number | undefined>
}

/** A write that is permitted and has not been sent. */
export interface PermittedWrite {
  readonly bundle?: BundleEntry
  readonly subject: Subject | undefined
  readonly permittedAs: readonly string[]
  readonly restoredBy: readonly string[]
  readonly reported: readonly Refusal[]
}

type BundleEntry = NonNullable<DecisionRecord['bundle']>

/** The records of writes that are about to be sent. */
export function pendingOf(writes: readonly PermittedWrite[], request: AccountedRequest): readonly DecisionRecord[] {
  return writes.map(({ bundle, subject, ...named }) => ({
    ...common(request, bundle),
    ...about(subjectOf(subject, bundle, request), request),
    decision: 'permitted',
    ...namesOf(named, request.base.policy.definitions),
    outcome: 'pending',
  }))
}

/** The records of what was decided, and of what became of it: of a Bundle one for each entry that writes. */
export function decisionsOf(reply: Reply, request: AccountedRequest): readonly DecisionRecord[] {
  const { entries } = reply
  if (!entries || (entries.length === 0 && reply.kind === 'refused')) {
    return [decisionOf({ reply, status: statusOf(reply, request), subject: reply.subject }, request)]
  }
  const interaction = reply.interaction === 'batch' ? 'batch' : 'transaction'
  return entries.map((noted) => {
    const { entry, subject, reply: own } = noted
    const bundle = { interaction, entry } as const
    const status = statusOf(own ?? reply, request)
    return decisionOf({ reply: own ?? replyToEntry(reply, noted), status, subject, bundle }, request)
  })
}

const statusOf = (reply: Reply, { base }: AccountedRequest) => statusOfReply(reply, base.policy) ?? clientClosedRequest

/** What of the answer to a transaction concerns one entry. */
function replyToEntry(reply: Reply, { entry, permittedAs, restoredBy, stored }: NotedEntry): Reply {
  const concerns = ({ expression = '' }: Refusal) =>
    !expression.startsWith('Bundle.entry[') || isWithin(expression, expressionOfEntry(entry))
  const { permittedAs: _, restoredBy: __, reported, ...shared } = reply
  const own = {
    ...(reported && { reported: reported.filter(concerns) }),
    ...(permittedAs && { permittedAs }),
    ...(restoredBy && { restoredBy }),
  }
  switch (shared.kind) {
    case 'refused':
    case 'failed':
      return { ...shared, ...own, refusals: shared.refusals.filter(concerns) }
    case 'relayed':
      return { ...shared, ...own, headerFields: stored ?? {} }
    default:
      return { ...shared, ...own }
  }
}

const isWithin = (expression: string, outer: string) => expression === outer || expression.startsWith(`${outer}.`)

function decisionOf(
  {
    reply,
    status,
    subject,
    bundle,
  }: {
    readonly reply: Reply
    readonly status: number
    readonly subject: Subject | undefined
    readonly bundle?: BundleEntry
  },
  request: AccountedRequest,
): DecisionRecord {
  const { upstreamStatus, permittedAs } = reply
  const isSent = request.sent.has(bundle?.entry)
  const outcome = outcomeOf(reply, isSent)
  const stored = outcome === 'success' && reply.kind === 'relayed' ? storedIn(reply.headerFields) : {}
  return {
    ...common(request, bundle),
    ...about(subjectOf(subject, bundle, request), request, reply, stored),
    decision: isSent ? 'permitted' : reply.kind === 'refused' ? 'refused' : 'undecided',
    ...namesOf(
      {
        permittedAs: isSent ? (permittedAs ?? []) : undefined,
        restoredBy: restoringRules(reply),
        refusals: 'refusals' in reply ? reply.refusals : [],
        reported: reply.reported ?? [],
      },
      request.base.policy.definitions,
    ),
    outcome,
    status,
    ...(upstreamStatus !== undefined && { upstreamStatus }),
  }
}

/** Nothing is a failure of which it is not sure that nothing was stored. */
function outcomeOf(reply: Reply, isSent: boolean): DecisionRecord['outcome'] {
  if (!isSent) return 'failure'
  if (reply.kind === 'relayed' || reply.kind === 'streamed') return 'success'
  const isFault = reply.kind === 'failed' && reply.refusals.some(({ cause }) => cause === 'fault')
  const { outcomeUnknown, upstreamStatus = 0 } = reply
  const hasSucceeded = reply.kind === 'failed' && upstreamStatus >= 200 && upstreamStatus < 300
  return outcomeUnknown || isFault || hasSucceeded || reply.kind === 'client-gone' ? 'unknown' : 'failure'
}

/** What a server says of what it has stored. */
function storedIn({ etag, location }: HeaderFields): { readonly id?: string; readonly versionWritten?: string } {
  const [, id, versionOfLocation] =
    /\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/.exec(String(location ?? '')) ?? []
  const version = (typeof etag === 'string' ? versionOfEntityTag(etag) : undefined) ?? versionOfLocation
  return { ...(id !== undefined && { id }), ...(version !== undefined && { versionWritten: version }) }
}

/** What all records of a request have in common. */
function common({ id, requestId, base, caller }: AccountedRequest, bundle: BundleEntry | undefined) {
  const { path, policy } = base
  return {
    id,
    time: new Date().toISOString(),
    requestId,
    base: path,
    fhirVersion: policy.fhirVersion,
    policy: policy.name,
    policyDigest: policy.digest,
    caller,
    ...(bundle && { bundle }),
  }
}

/** What is known of a write. The target of a Bundle says nothing of its entries. */
function subjectOf(
  known: Subject | undefined,
  bundle: BundleEntry | undefined,
  { named, base }: AccountedRequest,
): Partial<Subject> {
  if (known || bundle) return known ?? {}
  const { code, type, id } = named.interaction ?? {}
  const isType = type !== undefined && base.policy.definitions.isResource(type)
  return {
    ...(code && { interaction: code }),
    ...(isType && { type, ...(id !== undefined && { id }) }),
  }
}

function about(
  { interaction, type, id, versionNamed, versionJudged }: Partial<Subject>,
  { named, base }: AccountedRequest,
  reply?: Reply,
  stored: ReturnType<typeof storedIn> = {},
) {
  const asked = named.interaction
  const operation = asked && operationOf(base.policy, asked) && asked.operation
  const code = interaction === 'transaction' ? (reply?.interaction ?? interaction) : interaction
  const knownId = id ?? stored.id
  return {
    ...(code && { interaction: code }),
    ...(operation !== undefined && { operation }),
    ...(type !== undefined && {
      resource: {
        type,
        ...(knownId !== undefined && { id: knownId }),
        ...(versionNamed !== undefined && { versionNamed }),
        ...(versionJudged !== undefined && { versionJudged }),
        ...(stored.versionWritten !== undefined && { versionWritten: stored.versionWritten }),
      },
    }),
  }
}

function namesOf(
  {
    permittedAs,
    restoredBy = [],
    refusals = [],
    reported = [],
  }: {
    readonly permittedAs: readonly string[] | undefined
    readonly restoredBy?: readonly string[]
    readonly refusals?: readonly Refusal[]
    readonly reported?: readonly Refusal[]
  },
  definitions: Definitions,
) {
  const recorded = (all: readonly Refusal[]) => all.map((one) => refusalOf(one, definitions))
  return {
    ...(permittedAs && { permittedAs: [...permittedAs] }),
    ...(restoredBy.length > 0 && { restoredBy: [...restoredBy] }),
    ...(refusals.length > 0 && { refusals: recorded(refusals) }),
    ...(reported.length > 0 && { reported: recorded(reported) }),
  }
}

const refusalOf = ({ cause, rule, expression }: Refusal, definitions: Definitions): RefusalRecord => ({
  cause,
  ...(rule !== undefined && { rule }),
  ...(expression !== undefined && { path: recordedPath(expression, definitions) }),
})
