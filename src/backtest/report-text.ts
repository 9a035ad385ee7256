import { totalsOf, type Example, type RefusalGroup, type Report, type TypeReport, type WriteReport } from './report.ts'

/** How words are set off. */
export interface Emphasis {
  good(text: string): string
  bad(text: string): string
  doubtful(text: string): string
  faint(text: string): string
  strong(text: string): string
}

/** A report as text for a terminal. */
export function writeReport(report: Report, finished: boolean, emphasis: Emphasis): string {
  const types = Object.entries(report.types).sort(([a], [b]) => (a < b ? -1 : 1))
  const sections = [
    ...types.map(([type, of]) => writeType(type, of, emphasis)),
    ...(report.nameless > 0 ? [nameless(report)] : []),
    writeTotals(report, finished, emphasis),
  ]
  return `${sections.join('\n\n')}\n`
}

interface Row {
  readonly label: string
  readonly count: number
  readonly more?: string
  readonly below?: readonly string[]
  readonly colour?: (text: string) => string
}

const asItIs = (text: string) => text

function writeType(type: string, of: TypeReport, emphasis: Emphasis): string {
  const writes = (['update', 'create', 'delete'] as const).flatMap((interaction) => {
    const written = of.writes[interaction]
    return written ? [[interaction, written] as const] : []
  })
  const count = writes.reduce((sum, [, { count: one }]) => sum + one, 0)
  const head = `${emphasis.strong(type)}  ${counted(count, 'write')} in ${counted(of.histories, 'history', 'histories')}`
  const rows = writes.flatMap(([interaction, written]) => rowsOf(type, interaction, written, emphasis))
  const notes = notesOf(type, of)
  return [head, ...writeRows(rows), ...notes.map((note) => `  ${emphasis.faint(note)}`)].join('\n')
}

function rowsOf(type: string, interaction: string, of: WriteReport, emphasis: Emphasis): Row[] {
  const permitted = Object.entries(of.permittedAs)
    .sort(([, a], [, b]) => b - a)
    .map(([names, count]) => ({ label: `    permitted as ${names}`, count, colour: emphasis.good }))
  const grouped = (groups: readonly RefusalGroup[], verb: string, colour: (text: string) => string) =>
    groups
      .toSorted((a, b) => b.count - a.count)
      .map((group) => ({
        label: `    ${verb}: ${group.what}`,
        count: group.count,
        more: seen(group),
        below: group.examples.flatMap((example) =>
          writeExample(type, example).map((line) => emphasis.faint(`      ${line}`)),
        ),
        colour,
      }))
  const refused = grouped(of.refusals, 'refused', emphasis.bad)
  const reported = grouped(of.reports, 'reported', emphasis.doubtful)
  const closed =
    of.closed > 0 ? [{ label: '    refused: the policy does not open it', count: of.closed, colour: emphasis.bad }] : []
  return [{ label: `  ${interaction}`, count: of.count }, ...permitted, ...refused, ...closed, ...reported]
}

function writeRows(rows: readonly Row[]): string[] {
  // A long sentence has a line of its own, so that it does not push all numbers out of sight.
  const most = 76
  const width = Math.max(0, ...rows.map(({ label }) => label.length).filter((length) => length <= most))
  const digits = Math.max(0, ...rows.map(({ count }) => spaced(count).length))
  return rows.flatMap(({ label, count, more = '', below = [], colour = asItIs }) => {
    const number = `${spaced(count).padStart(digits)}${more === '' ? '' : `   ${more}`}`
    const lines =
      label.length > most
        ? [colour(label), `${' '.repeat(width)}  ${number}`]
        : [`${colour(label.padEnd(width))}  ${number}`]
    return [...lines, ...below]
  })
}

function seen({ first, last }: RefusalGroup): string {
  if (first === undefined || last === undefined) return ''
  const [from, to] = [first.slice(0, 10), last.slice(0, 10)]
  return from === to ? `seen ${from}` : `first seen ${from}, last ${to}`
}

function writeExample(type: string, { id, before, after, differences = [] }: Example): string[] {
  const versions = before === undefined ? after : `${before} → ${after ?? 'deleted'}`
  return [
    `${type}/${id}${versions === undefined ? '' : `, version ${versions}`}`,
    ...differences.map(
      ({ expression, before: was, after: is }) => `  ${expression}: ${was ?? 'absent'} → ${is ?? 'absent'}`,
    ),
  ]
}

/** What was not judged, and why. */
function notesOf(type: string, of: TypeReport): string[] {
  const notes: string[] = []
  if (of.gaps > 0) {
    notes.push(
      `${counted(of.gaps, 'gap')} in histories, ${counted(of.missingVersions, 'version')} missing: what stands at both ends is not compared.`,
    )
  }
  if (of.noBeginning > 0) notes.push(`${counted(of.noBeginning, 'history', 'histories')} without the first version.`)
  if (of.unreadable > 0) {
    const examples = of.unreadableExamples.map(
      ({ id, after }) => `${type}/${id}${after === undefined ? '' : ` version ${after}`}`,
    )
    notes.push(
      `${counted(of.unreadable, 'version')} cannot be read (${examples.join(', ')}): ${counted(of.unjudged, 'write')} not judged.`,
    )
  }
  return notes
}

function nameless({ nameless: count, namelessAt }: Report): string {
  const where = namelessAt.length > 0 ? ` (${namelessAt.join(', ')})` : ''
  return `${counted(count, 'entry', 'entries')} left out${where}: nothing says which version of which resource it is.`
}

function writeTotals(report: Report, finished: boolean, { good, bad, doubtful, strong }: Emphasis): string {
  const { writes, refused, closed, reported } = totalsOf(report)
  const soFar = finished ? '' : ' so far'
  if (writes === 0) return strong(`There was no write to judge${soFar}.`)
  const past = counted(writes, 'past write')
  const lines = [
    refused === 0
      ? good(`Switching this policy on would have refused none of ${past}${soFar}.`)
      : bad(
          `Switching this policy on would have refused ${spaced(refused)} of ${past}${soFar} (${share(refused, writes)}).`,
        ),
  ]
  if (closed > 0) {
    lines.push(`${spaced(closed)} of them ${closed === 1 ? 'is' : 'are'} of a kind that the policy does not open.`)
  }
  if (reported > 0) {
    lines.push(
      doubtful(
        `It would have reported ${spaced(reported)}${refused > 0 ? ' more' : ''} (${share(reported, writes)}), which its rules in report mode would refuse when they are enforced.`,
      ),
    )
  }
  if (!finished) lines.push(strong('Not finished.'))
  return lines.join('\n')
}

function share(part: number, whole: number): string {
  const percent = ((part / whole) * 100).toFixed(1)
  return `${percent === '0.0' ? 'less than 0.1' : percent} %`
}

/** `1 write`, `18 204 writes` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${spaced(count)} ${count === 1 ? one : many}`
}

/** `18 204` */
export function spaced(count: number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ' ')
}
