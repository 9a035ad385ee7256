import { stringify } from 'yaml'
import type { Mismatch } from '../cases/compare.ts'
import type { CaseResult } from '../cases/run.ts'
import { lacksInWords, printable, type SuiteResult } from './test-results.ts'

/**
 * Results in the Test Anything Protocol, version 14: https://testanything.org/tap-version-14-specification.html
 * @param coverageRequired whether rules without cases are failures
 */
export function writeTap(suites: readonly SuiteResult[], coverageRequired: boolean): string {
  const points = suites.flatMap(({ suite, results, coverage }) => [
    ...results.map((result) => casePoint(suite.policy.name, result)),
    ...(coverage ? [coveragePoint(suite.policy.name, coverage.lacking, coverageRequired)] : []),
  ])
  return [
    'TAP version 14',
    `1..${points.length}`,
    ...points.map(({ ok, name, directive, diagnosis }, i) => {
      const line = `${ok ? 'ok' : 'not ok'} ${i + 1} - ${description(name)}${directive ?? ''}`
      return diagnosis === undefined ? line : `${line}\n${yamlBlock(diagnosis)}`
    }),
    '',
  ].join('\n')
}

interface Point {
  readonly ok: boolean
  readonly name: string
  readonly directive?: string
  readonly diagnosis?: object
}

function casePoint(policy: string, { case: { name, group, file, line }, mismatch }: CaseResult): Point {
  return {
    ok: mismatch === undefined,
    name: `${policy}: ${group}: ${name}`,
    ...(mismatch && { diagnosis: { at: { file, line }, ...diagnosisOf(mismatch) } }),
  }
}

function diagnosisOf({ expected, got, details }: Mismatch): object {
  return {
    expected,
    got,
    differences: details.map((detail) => ({
      [detail.kind]: printable(detail.text),
      ...(detail.kind === 'differing' && {
        features: detail.features.map(({ name, expected: wanted, got: seen }) => ({
          name,
          expected: wanted,
          got: seen,
        })),
      }),
    })),
  }
}

/** A point that is to do, and does not fail, unless coverage is required. */
function coveragePoint(
  policy: string,
  lacking: NonNullable<SuiteResult['coverage']>['lacking'],
  required: boolean,
): Point {
  return {
    ok: lacking.length === 0,
    name: `${policy}: every rule has a permitted and a refused case`,
    ...(lacking.length > 0 && {
      ...(!required && { directive: ' # TODO not required' }),
      diagnosis: { lacking: lacking.map(({ rule, lacks }) => `${rule}: ${lacksInWords[lacks]}`) },
    }),
  }
}

/** On one line; a backslash and a hash sign are escaped, so that none begins a directive. */
function description(text: string): string {
  return printable(text).replaceAll(/[\\#]/g, String.raw`\$&`)
}

function yamlBlock(value: object): string {
  const lines = stringify(value, { lineWidth: 0 }).trimEnd().split('\n')
  return ['  ---', ...lines.map((line) => `  ${line}`), '  ...'].join('\n')
}
