import { writeFileSync } from 'node:fs'
import { readSuites } from './case-suites.ts'
import type { Colours } from './colour.ts'
import { counted } from './config-mistakes.ts'
import { writeJunit } from './test-junit.ts'
import { runSuites, type SuiteResult } from './test-results.ts'
import { writeTap } from './test-tap.ts'
import { writeResults } from './test-text.ts'
import { trackFiles, type TrackedFiles } from './tracked-files.ts'

/** What `test` is asked, as the command line has it. */
export interface TestOptions {
  /** Policy files, case files, configs, folders of case files. */
  readonly paths: readonly string[]
  /** The text that the name of a case must hold; undefined: all are run. */
  readonly only: string | undefined
  /** The file that JUnit's XML is written to. */
  readonly junit: string | undefined
  /** TAP in place of the text. */
  readonly tap: boolean
  readonly coverageRequired: boolean
  /** Run again when a file changes. */
  readonly watch: boolean
  readonly colours: Colours
}

export interface Tested {
  /** Of the process: 1 when a case fails, or a rule lacks cases that are required; 2 when nothing could be run. */
  readonly exitCode: 0 | 1 | 2
  /** For standard output. */
  readonly text: string
  /** For standard error. */
  readonly mistakes: string
}

/** What is wrong with the options, before anything is read. */
export function mistakeOf({ only, coverageRequired, tap, watch }: TestOptions): string | undefined {
  if (only !== undefined && coverageRequired) return '--require-coverage needs all cases: leave --only out.\n'
  if (tap && watch) return '--tap prints one report, and --watch many: leave one of them out.\n'
  return undefined
}

/** Runs the cases of policies, and tells what came out. A mistake in any file keeps all from being run. */
export function test(options: TestOptions, files: TrackedFiles = trackFiles()): Tested {
  const { only, junit, tap, coverageRequired, colours } = options
  const failed = (text: string): Tested => ({ exitCode: 2, text: '', mistakes: text })
  const { suites, mistakes } = readSuites(options.paths, files)
  if (mistakes.length > 0) {
    const count = counted(mistakes.length, 'mistake', 'mistakes')
    return failed(`${mistakes.join('\n\n')}\n\n${count}. No case was run.\n`)
  }
  const results = runSuites(suites, only)
  if (results.every((suite) => suite.results.length === 0)) {
    const which = only === undefined ? 'There is no case.' : 'No case has such a name.'
    return failed(`${which} Nothing was run.\n`)
  }
  if (junit !== undefined) {
    try {
      writeFileSync(junit, writeJunit(results, coverageRequired))
    } catch (error) {
      return failed(`--junit: the file cannot be written (${(error as NodeJS.ErrnoException).code}).\n`)
    }
  }
  const text = tap ? writeTap(results, coverageRequired) : writeResults(results, colours)
  return { exitCode: isGood(results, coverageRequired) ? 0 : 1, text, mistakes: '' }
}

function isGood(results: readonly SuiteResult[], coverageRequired: boolean): boolean {
  return results.every(
    ({ results: own, coverage }) =>
      own.every(({ mismatch }) => !mismatch) && !(coverageRequired && coverage && coverage.lacking.length > 0),
  )
}
