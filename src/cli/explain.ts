import { readResource } from '../fhir/body.ts'
import type { Resource } from '../fhir/element.ts'
import type { Fault } from '../fhir/fault.ts'
import { issuesOfRefusals, statusOf } from '../http/outcome.ts'
import type { Decision } from '../policy/decision.ts'
import { didYouMean } from '../policy/did-you-mean.ts'
import { explain } from '../policy/explain.ts'
import { judgeAsked, type AskedWrite } from '../policy/judge-asked.ts'
import type { Policy } from '../policy/policy.ts'
import { malformedBody } from '../policy/refusals-of-bodies.ts'
import { plainRequest } from '../policy/request-facts.ts'
import type { Colours } from './colour.ts'
import { readCredentials } from './credentials.ts'
import { writeExplained, type Explained } from './explanation-text.ts'
import { namedPolicy } from './named-policy.ts'
import { isUrl, readRecord, recordUrl, type RecordRead } from './record-source.ts'

/** What `explain` is asked, as the command line has it. */
export interface ExplainOptions {
  readonly policyFile: string | undefined
  /** For the policy when none is named. */
  readonly configPath: string
  readonly before: string | undefined
  readonly after: string | undefined
  readonly interaction: string | undefined
  readonly operation: string | undefined
  readonly bases: readonly string[]
  readonly headers: readonly string[]
  readonly headerFile: string | undefined
  readonly json: boolean
  readonly colours: Colours
  stdin(): Promise<Uint8Array>
}

/** Where nothing was judged, the text says why. A refusal is explained like a permit. */
export interface ExplainDone {
  /** 0: it is explained. 1: a FHIR server did not give what was asked, or there is nothing to judge. 2: the options or a file are mistaken. */
  readonly exitCode: 0 | 1 | 2
  readonly text: string
}

const writes = ['create', 'update', 'patch', 'delete'] as const
type Write = (typeof writes)[number]

const maxRefusals = 50

const mistaken = (text: string): ExplainDone => ({ exitCode: 2, text })
const unjudged = (text: string): ExplainDone => ({ exitCode: 1, text })

/** Explains one write: judges it as the gateway would, and tells what the decision was made of. */
export async function explainWrite(options: ExplainOptions): Promise<ExplainDone> {
  const { before, after, json, colours } = options
  const usage = mistakeOf(options)
  if (usage !== undefined) return mistaken(`${usage}\n`)
  const named = namedPolicy(options.policyFile, options.configPath)
  if ('mistake' in named) return mistaken(named.mistake)
  const { policy } = named
  const credentials = readCredentials(options.headers, options.headerFile)
  if ('mistake' in credentials) return mistaken(`${credentials.mistake}\n`)

  const read = (source: string, beside: RecordRead | undefined) =>
    readRecord(source, {
      headerFields: credentials.headerFields,
      format: beside && 'format' in beside ? beside.format : 'json',
      stdin: options.stdin,
    })
  // A file says in which format a server is asked: the gateway compares what came in one format.
  const sent = after === undefined || isUrl(after) ? undefined : await read(after, undefined)
  const stored = before === undefined ? undefined : await read(before, sent)
  const came = sent ?? (after === undefined ? undefined : await read(after, stored))
  for (const [option, record] of [
    ['--before', stored],
    ['--after', came],
  ] as const) {
    if (record && 'mistake' in record) return mistaken(`${option}: ${record.mistake}\n`)
    if (record && 'unanswered' in record) return unjudged(`${option}: ${record.unanswered}\n`)
  }
  const bases = [...options.bases, ...[before, after].flatMap((source) => recordUrl(source ?? '')?.base ?? [])]
  const resourceBefore = parse(stored, policy)
  if (resourceBefore && 'faults' in resourceBefore) {
    const text = `--before: the gateway could not read this stored resource.\n${faultLines(resourceBefore.faults)}\n`
    return isUrl(before!) ? unjudged(text) : mistaken(text)
  }
  const explained = judged(options, policy, resourceBefore?.resource, parse(came, policy), bases)
  if ('nothing' in explained) return unjudged(`${explained.nothing}\n`)
  return { exitCode: 0, text: json ? `${JSON.stringify(explained, null, 2)}\n` : writeExplained(explained, colours) }
}

/** What is wrong with the options, before anything is read. */
function mistakeOf({
  before,
  after,
  interaction,
  operation,
  bases,
  headers,
  headerFile,
}: ExplainOptions): string | undefined {
  if (before === undefined && after === undefined) return 'Name what is to be judged: --before, --after or both.'
  if (before === '-' && after === '-') return 'Standard input can stand for one of --before and --after only.'
  if (interaction !== undefined && !writes.includes(interaction as Write)) {
    return `--interaction: expected ${writes.join(', ')}.${didYouMean(interaction, writes)}`
  }
  const wanted = interaction === undefined ? undefined : sides[interaction as Write]
  if (wanted && ((before !== undefined) !== wanted.before || (after !== undefined) !== wanted.after)) {
    return `--interaction: ${wanted.sentence}`
  }
  if (operation !== undefined && (interaction !== undefined || before !== undefined)) {
    return '--operation: an operation is judged by its Parameters alone, which are --after.'
  }
  if (operation !== undefined && !operationTarget(operation)) {
    return '--operation: expected $name, [type]/$name or [type]/[id]/$name.'
  }
  for (const url of bases) {
    if (!/^https?:\/\/[^/?#\s]+(?:\/[^?#\s]*[^/?#\s])?$/.test(url))
      return '--base: expected an absolute http(s) URL without a trailing slash.'
  }
  const origins = new Set([before, after].flatMap((source) => recordUrl(source ?? '')?.origin ?? []))
  if (origins.size > 1 && (headers.length > 0 || headerFile !== undefined)) {
    return 'The header fields would go to two servers: read one of them apart, into a file.'
  }
  return undefined
}

const sides = {
  create: { before: false, after: true, sentence: 'a create has --after and no --before.' },
  update: { before: true, after: true, sentence: 'an update has --before and --after.' },
  patch: { before: true, after: true, sentence: 'a patch has --before and --after, which is what it makes of it.' },
  delete: { before: true, after: false, sentence: 'a delete has --before and no --after.' },
} as const satisfies Record<Write, unknown>

type Read = { readonly resource: Resource } | { readonly faults: readonly Fault[] }

function parse(record: RecordRead | undefined, { definitions }: Policy): Read | undefined {
  if (!record || !('bytes' in record)) return undefined
  const parsed = readResource(record.bytes, record.format, definitions, { nesting: 64 })
  return parsed.ok ? { resource: parsed.value } : { faults: parsed.faults }
}

const faultLines = (faults: readonly Fault[]) =>
  faults
    .map(({ expression, sentence }) => `  ${expression === undefined ? '' : `${expression}: `}${sentence}`)
    .join('\n')

function judged(
  options: ExplainOptions,
  policy: Policy,
  before: Resource | undefined,
  after: Read | undefined,
  bases: readonly string[],
): Explained | { readonly nothing: string } {
  const sent = after && 'resource' in after ? after.resource : undefined
  const operation = options.operation === undefined ? undefined : operationTarget(options.operation)
  const code: AskedWrite['code'] =
    operation !== undefined
      ? 'operation'
      : ((options.interaction as Write | undefined) ??
        (!before ? 'create' : options.after === undefined ? 'delete' : 'update'))
  const type = operation ? operation.type : (before ?? sent)?.type
  const asked: AskedWrite = {
    code,
    type,
    ...(operation && { operation: { name: operation.name, instance: operation.id !== undefined } }),
    before,
    after: after && 'faults' in after ? { refusals: malformedBody(after.faults) } : sent,
  }
  const found = judgeAsked(policy, asked, { bases, maxRefusals, request: plainRequest(code) })
  const { decision } = found
  if (operation && decision.verdict === 'permit' && !found.rules) {
    return { nothing: 'The policy has no rules for this operation: it is one that changes nothing, and passes.' }
  }
  return {
    policy: { name: policy.name, fhirVersion: policy.fhirVersion, digest: policy.digest },
    interaction: code,
    ...(operation && { operation: options.operation! }),
    ...(type !== undefined && { type }),
    ...verdictOf(decision, policy),
    ...(found.rules && { explanation: explain(found, policy.definitions) }),
  }
}

/** `$name`, `[type]/$name`, `[type]/[id]/$name` */
function operationTarget(
  text: string,
): { readonly type?: string; readonly id?: string; readonly name: string } | undefined {
  const found = /^(?:(?<type>[A-Z][A-Za-z]+)\/(?:(?<id>[A-Za-z0-9\-.]{1,64})\/)?)?\$(?<name>[A-Za-z0-9\-_]+)$/.exec(
    text,
  )
  if (!found) return undefined
  const { type, id, name } = found.groups!
  return { ...(type !== undefined && { type }), ...(id !== undefined && { id }), name: name! }
}

/** The verdict, and what the client would be answered with. */
function verdictOf(
  decision: Decision,
  policy: Policy,
): Pick<Explained, 'verdict' | 'permittedAs' | 'answer' | 'reported'> {
  const { reported } = decision
  const told = reported && { reported: issuesOfRefusals(reported, policy, maxRefusals) }
  if (decision.verdict === 'permit') return { verdict: 'permit', permittedAs: decision.permittedAs, ...told }
  const { refusals } = decision
  return {
    verdict: 'deny',
    answer: { status: statusOf(refusals, policy), issues: issuesOfRefusals(refusals, policy, maxRefusals) },
    ...told,
  }
}
