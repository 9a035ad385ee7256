import { coverageOf, type Coverage } from '../cases/coverage.ts'
import { runCase, type CaseResult } from '../cases/run.ts'
import type { Suite } from './case-suites.ts'

/** What the cases of one policy came to. */
export interface SuiteResult {
  readonly suite: Suite
  readonly results: readonly CaseResult[]
  /** Undefined when only some of the cases were run. */
  readonly coverage: Coverage | undefined
}

/** Runs the cases of suites. @param only the text that the name of a case must hold */
export function runSuites(suites: readonly Suite[], only: string | undefined): SuiteResult[] {
  return suites.map((suite) => {
    const cases = only === undefined ? suite.cases : suite.cases.filter(({ name }) => name.includes(only))
    const results = cases.map((one) => runCase(one, suite.policy))
    return { suite, results, coverage: only === undefined ? coverageOf(suite.policy, results) : undefined }
  })
}

/** The results by what they are told under, in the order in which that comes first. */
export function grouped(results: readonly CaseResult[]): Map<string, CaseResult[]> {
  const groups = new Map<string, CaseResult[]>()
  for (const result of results) {
    const { group } = result.case
    const known = groups.get(group)
    if (known) known.push(result)
    else groups.set(group, [result])
  }
  return groups
}

/** `no refused case` */
export const lacksInWords = {
  permitted: 'no permitted case',
  refused: 'no refused case',
  both: 'no permitted and no refused case',
} as const

/** A text with its control characters written out, so that it says to a terminal, and in a report, only what it says. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cs}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFFFE\uFFFF]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  )
}
