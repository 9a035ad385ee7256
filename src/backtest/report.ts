import type { Refusal } from '../policy/refusal.ts'
import type { Step } from './histories.ts'
import type { PastVerdict, ShownDifference } from './judge-pair.ts'
import type { Version } from './version.ts'

/** What a backtest has found so far. Plain data, so that it can be stored and printed. */
export interface Report {
  /** By resource type. */
  readonly types: Record<string, TypeReport>
  /** Entries and lines that do not say of which resource they tell. */
  nameless: number
  /** The first of them that stand in files: `flags.ndjson:12`. */
  readonly namelessAt: string[]
}

export interface TypeReport {
  histories: number
  /** Versions that were told, each once. */
  versions: number
  readonly writes: Partial<Record<PastInteraction, WriteReport>>
  /** Places in histories where versions are missing, and how many are. */
  gaps: number
  missingVersions: number
  /** Histories of which the first version is missing. */
  noBeginning: number
  /** Versions that cannot be read, and the first of them. */
  unreadable: number
  readonly unreadableExamples: Example[]
  /** Writes that were not judged since one side cannot be read. */
  unjudged: number
  /** Versions that were told again, since pages shift when something is written meanwhile. */
  seenAgain: number
}

export type PastInteraction = 'create' | 'update' | 'delete'

export interface WriteReport {
  count: number
  /** The policy does not open the interaction. */
  closed: number
  refused: number
  /** By the names of the changes that a write is: `removal`. */
  readonly permittedAs: Record<string, number>
  readonly refusals: RefusalGroup[]
  /** Permitted only because the rules that would refuse are in report mode. */
  reported: number
  /** What rules in report mode would refuse, also of what is refused by others. */
  readonly reports: RefusalGroup[]
}

/** Writes that are refused for one cause. One write may be in several. */
export interface RefusalGroup {
  readonly rule: string | undefined
  /** The element, without indices: `Flag.extension`. */
  readonly expression: string | undefined
  /** What is wrong with it: `Flag.period differs from the stored version`. */
  readonly what: string
  count: number
  /** Instants, as written. */
  first: string | undefined
  last: string | undefined
  readonly examples: Example[]
}

export interface Example {
  readonly id: string
  readonly before?: string
  readonly after?: string
  /** Only when content is asked for. */
  readonly differences?: readonly ShownDifference[]
}

export interface Reporting {
  /** The most examples of one cause. */
  readonly examples: number
  readonly showContent: boolean
}

/** More causes than this are gathered under one: paths may hold names that only one record has. */
const maxGroups = 500

export const emptyReport = (): Report => ({ types: {}, nameless: 0, namelessAt: [] })

function typeReport(report: Report, type: string): TypeReport {
  return (report.types[type] ??= {
    histories: 0,
    versions: 0,
    writes: {},
    gaps: 0,
    missingVersions: 0,
    noBeginning: 0,
    unreadable: 0,
    unreadableExamples: [],
    unjudged: 0,
    seenAgain: 0,
  })
}

/** Counts a version that was told. */
export function countVersion(report: Report, version: Version, steps: readonly Step[], { examples }: Reporting): void {
  const of = typeReport(report, version.type)
  if (steps.some(({ kind }) => kind === 'seen-again')) {
    of.seenAgain++
    return
  }
  of.versions++
  if (version.state !== 'unreadable') return
  of.unreadable++
  if (of.unreadableExamples.length < examples) of.unreadableExamples.push(exampleOf(undefined, version))
}

/** Counts what a version came to beside a write. */
export function countStep(report: Report, type: string, step: Exclude<Step, { kind: 'write' }>): void {
  const of = typeReport(report, type)
  switch (step.kind) {
    case 'history':
      of.histories++
      break
    case 'gap':
      of.gaps++
      of.missingVersions += step.missing
      break
    case 'no-beginning':
      of.noBeginning++
      break
    case 'unreadable-write':
      of.unjudged++
      break
    case 'seen-again':
      break
  }
}

/** Counts a write and what the policy says of it. */
export function countWrite(
  report: Report,
  { interaction, before, after }: Extract<Step, { kind: 'write' }>,
  verdict: PastVerdict,
  reporting: Reporting,
): void {
  const { writes } = typeReport(report, after.type)
  const of = (writes[interaction] ??= {
    count: 0,
    closed: 0,
    refused: 0,
    permittedAs: {},
    refusals: [],
    reported: 0,
    reports: [],
  })
  of.count++
  if (verdict.kind === 'closed') {
    of.closed++
    return
  }
  const example = () => {
    const versions = exampleOf(before, after)
    return reporting.showContent ? { ...versions, differences: verdict.differences() } : versions
  }
  const count = (groups: RefusalGroup[], refusals: readonly Refusal[]) => {
    for (const group of new Set(refusals.map((refusal) => groupOf(groups, refusal)))) {
      group.count++
      see(group, after)
      if (group.examples.length < reporting.examples) group.examples.push(example())
    }
  }
  count(of.reports, verdict.reported)
  if (verdict.kind === 'refused') {
    of.refused++
    count(of.refusals, verdict.refusals)
    return
  }
  if (verdict.reported.length > 0) of.reported++
  const names = verdict.as.join(', ')
  of.permittedAs[names] = (Object.hasOwn(of.permittedAs, names) ? of.permittedAs[names]! : 0) + 1
}

function see(group: RefusalGroup, { at }: Version): void {
  const time = Date.parse(at ?? '')
  if (Number.isNaN(time)) return
  if (group.first === undefined || time < Date.parse(group.first)) group.first = at
  if (group.last === undefined || time > Date.parse(group.last)) group.last = at
}

function exampleOf(before: Version | undefined, after: Version): Example {
  return {
    id: after.id,
    ...(before?.version !== undefined && { before: before.version }),
    ...(after.version !== undefined && { after: after.version }),
  }
}

function groupOf(groups: RefusalGroup[], refusal: Refusal): RefusalGroup {
  const cause = causeOf(refusal)
  const same = ({ rule, what }: typeof cause) => groups.find((group) => group.rule === rule && group.what === what)
  const known = same(cause) ?? (groups.length < maxGroups ? undefined : same(furtherCauses))
  if (known) return known
  const named = groups.length < maxGroups ? cause : furtherCauses
  const group: RefusalGroup = { ...named, count: 0, first: undefined, last: undefined, examples: [] }
  groups.push(group)
  return group
}

const furtherCauses = { rule: undefined, expression: undefined, what: 'further causes' }

/** A refusal without the indices and without the advice, so that the same cause in another record is the same. */
function causeOf({ rule, expression, diagnostics }: Refusal) {
  const element = expression === undefined ? undefined : withoutIndices(expression)
  const named = expression !== undefined && diagnostics.startsWith(expression)
  const rest = named ? diagnostics.slice(expression.length) : diagnostics
  const sentence = rest.split(/\. |\.$/, 1)[0]!
  return { rule, expression: element, what: named ? `${element}${sentence}` : sentence }
}

const withoutIndices = (expression: string) => expression.replaceAll(/\[\d+\]/g, '')

/** What all types come to together. */
export interface Totals {
  readonly writes: number
  /** Refused by a rule, and of interactions that the policy does not open. */
  readonly refused: number
  readonly closed: number
  /** Permitted only because the rules that would refuse are in report mode. */
  readonly reported: number
}

export function totalsOf({ types }: Report): Totals {
  let [writes, refused, closed, reported] = [0, 0, 0, 0]
  for (const { writes: ofType } of Object.values(types)) {
    for (const of of Object.values(ofType)) {
      writes += of.count
      refused += of.refused
      closed += of.closed
      reported += of.reported
    }
  }
  return { writes, refused: refused + closed, closed, reported }
}
