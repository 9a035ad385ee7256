import type { Detail, Mismatch } from '../cases/compare.ts'
import { tellOutcome } from '../cases/compare.ts'
import type { CaseResult, Outcome } from '../cases/run.ts'
import type { Colours } from './colour.ts'
import { counted } from './config-mistakes.ts'
import { grouped, lacksInWords, printable, type SuiteResult } from './test-results.ts'

/** Results as text for a terminal: a line for each case, what differs below those that fail, and a summary. */
export function writeResults(suites: readonly SuiteResult[], colours: Colours): string {
  const sections = suites.filter(({ results }) => results.length > 0).map((suite) => writeSuite(suite, colours))
  return `${[...sections, ...writeSummary(suites, colours)].join('\n\n')}\n`
}

function writeSuite({ suite, results }: SuiteResult, colours: Colours): string {
  const { policy, policyFile } = suite
  return [
    `${colours.strong(printable(policy.name))}  ${colours.faint(policyFile)}`,
    ...[...grouped(results)].flatMap(([group, own]) => [` ${printable(group)}`, ...writeGroup(own, colours)]),
  ].join('\n')
}

/** Names longer than this do not push the column of the outcomes. */
const widestName = 72

function writeGroup(results: readonly CaseResult[], colours: Colours): string[] {
  const names = results.map((result) => printable(result.case.name))
  const width = Math.max(...names.map((name) => (name.length <= widestName ? name.length : 0)))
  return results.flatMap(({ case: { file, line }, mismatch, outcome }, i) => {
    const name = names[i]!.padEnd(width)
    if (!mismatch) return [`  ${colours.good('✓')} ${name}  ${colours.faint(shortOutcome(outcome))}`]
    const where = colours.faint(`${file}:${line}`)
    return [`  ${colours.bad('✗')} ${name}  ${where}`, ...writeMismatch(mismatch, colours)]
  })
}

/** The first refusal, and how many more there are; or the names of the permit. */
function shortOutcome(outcome: Outcome): string {
  if (outcome.kind === 'permit') return tellOutcome(outcome)
  const [first, ...more] = outcome.refusals
  const { at, code, issue } = first!
  const text = `${at === undefined ? '' : `${at}  `}${code ?? issue}`
  return more.length === 0 ? text : `${text}  and ${more.length} more`
}

function writeMismatch({ expected, got, details }: Mismatch, colours: Colours): string[] {
  const lines = [
    `expected: ${expected}`,
    `got:      ${got}`,
    ...details.flatMap((detail) => writeDetail(detail, colours)),
  ]
  return lines.map((line) => `      ${line}`)
}

function writeDetail(detail: Detail, colours: Colours): string[] {
  const text = printable(detail.text)
  switch (detail.kind) {
    case 'missing':
      return [`  ${colours.bad(`- missing     ${text}`)}`]
    case 'unexpected':
      return [
        `  ${colours.good(`+ unexpected  ${text}`)}`,
        ...(detail.says === undefined ? [] : [`                ${printable(detail.says)}`]),
      ]
    case 'differing':
      return [
        `  ${colours.doubtful(`~ differing   ${text}`)}`,
        ...detail.features.map(
          ({ name, expected, got }) =>
            `                ${name}: expected ${printable(expected)}, got ${printable(got)}`,
        ),
      ]
  }
}

function writeSummary(suites: readonly SuiteResult[], colours: Colours): string[] {
  const results = suites.flatMap((suite) => suite.results)
  const failed = results.filter(({ mismatch }) => mismatch).length
  const cases = counted(results.length, 'case', 'cases')
  const line = failed > 0 ? colours.bad(`${cases}, ${failed} failed.`) : colours.good(`${cases}, none failed.`)
  const coverages = suites.flatMap(({ suite, coverage }) => (coverage ? [writeCoverage(suite, coverage, colours)] : []))
  return [line, ...(coverages.length > 0 ? [coverages.join('\n')] : [])]
}

function writeCoverage(
  { policy, cases }: SuiteResult['suite'],
  { rules, lacking }: NonNullable<SuiteResult['coverage']>,
  colours: Colours,
): string {
  const name = printable(policy.name)
  if (cases.length === 0) return colours.doubtful(`${name}: there are no cases.`)
  const every = `${name}: every rule (${rules}) has a permitted and a refused case`
  if (lacking.length === 0) return `${every}.`
  const rows = lacking.map(({ rule, lacks }) => `  ${printable(rule)}: ${lacksInWords[lacks]}`)
  return [`${every}, except:`, ...rows.map((row) => colours.doubtful(row))].join('\n')
}
