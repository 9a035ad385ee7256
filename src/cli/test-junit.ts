import type { Mismatch } from '../cases/compare.ts'
import { grouped, lacksInWords, printable, type SuiteResult } from './test-results.ts'

/**
 * Results as JUnit's XML, as CI servers read it: a suite for each policy and resource type.
 * @param coverageRequired whether rules without cases are failures
 */
export function writeJunit(suites: readonly SuiteResult[], coverageRequired: boolean): string {
  const written = suites.flatMap(({ suite, results, coverage }) => {
    const name = suite.policy.name
    const cases = [...grouped(results)].map(([group, own]) =>
      testsuite(
        `${name}: ${group}`,
        own.map((result) => ({
          name: result.case.name,
          classname: `${name}.${group}`,
          file: result.case.file,
          line: result.case.line,
          ...(result.mismatch && { failure: failureOf(result.mismatch) }),
        })),
      ),
    )
    const rules = (coverage?.lacking ?? []).map(({ rule, lacks }) => ({
      name: rule,
      classname: `${name}.coverage`,
      file: suite.policyFile,
      failure: { message: lacksInWords[lacks], text: '' },
    }))
    return [...cases, ...(coverageRequired && rules.length > 0 ? [testsuite(`${name}: coverage`, rules)] : [])]
  })
  const sum = (key: 'tests' | 'failures') => written.reduce((total, suite) => total + suite[key], 0)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="fhir-policy-gateway test" tests="${sum('tests')}" failures="${sum('failures')}">`,
    ...written.map(({ xml }) => xml),
    '</testsuites>',
    '',
  ].join('\n')
}

interface Testcase {
  readonly name: string
  readonly classname: string
  readonly file: string
  readonly line?: number
  readonly failure?: { readonly message: string; readonly text: string }
}

function testsuite(name: string, cases: readonly Testcase[]) {
  const failures = cases.filter(({ failure }) => failure).length
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="0"`
  const xml = [`  <testsuite name="${attribute(name)}" ${counts}>`, ...cases.map(testcase), '  </testsuite>'].join('\n')
  return { xml, tests: cases.length, failures }
}

function testcase({ name, classname, file, line, failure }: Testcase): string {
  const where = `file="${attribute(file)}"${line === undefined ? '' : ` line="${line}"`}`
  const tag = `    <testcase name="${attribute(name)}" classname="${attribute(classname)}" ${where}`
  if (!failure) return `${tag}/>`
  return [
    `${tag}>`,
    `      <failure message="${attribute(failure.message)}">${content(failure.text)}</failure>`,
    '    </testcase>',
  ].join('\n')
}

function failureOf({ expected, got, details }: Mismatch): NonNullable<Testcase['failure']> {
  return {
    message: `expected: ${expected}; got: ${got}`,
    text: details
      .map((detail) => {
        const features = detail.kind === 'differing' ? detail.features : []
        const differing = features.map(
          ({ name, expected: wanted, got: seen }) => `; ${name}: expected ${wanted}, got ${seen}`,
        )
        return printable(`${detail.kind}: ${detail.text}${differing.join('')}`)
      })
      .join('\n'),
  }
}

/** What XML 1.0 cannot say is written out before. https://www.w3.org/TR/xml/#charsets */
const attribute = (text: string) => escaped(printable(text)).replaceAll('"', '&quot;')
const content = (text: string) => escaped(text)
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
