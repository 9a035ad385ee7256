import type { VersionIds } from '../../backtest/histories.ts'
import { emptyReport, totalsOf } from '../../backtest/report.ts'
import { writeReport } from '../../backtest/report-text.ts'
import { CannotGoOn, type HistorySource } from '../../backtest/sources.ts'
import type { BacktestState } from '../../backtest/state.ts'
import type { Policy } from '../../policy/policy.ts'
import { createUpstreamClient } from '../../upstream/client.ts'
import type { Colours } from '../colour.ts'
import type { OptionValues } from '../command-line.ts'
import { namedPolicy } from '../named-policy.ts'
import { historySource } from './history-source.ts'
import { ndjsonSource } from './ndjson-source.ts'
import { readAsked, type Asked } from './options.ts'
import { progressLine } from './progress.ts'
import { run, type Ran } from './run.ts'
import { loadState, saveState } from './state-file.ts'

/** What a backtest needs of its surroundings. */
export interface BacktestSurroundings {
  /** For the policy when none is named. */
  readonly configPath: string
  readonly colours: Colours
  /** Writes to a terminal where somebody waits; undefined when nobody does. */
  readonly progress: ((text: string) => void) | undefined
  /** Ends it, with what has been found so far. */
  readonly stop: AbortSignal
  /** Resolves after some milliseconds, or rejects when it is stopped. */
  wait(milliseconds: number, stop: AbortSignal): Promise<void>
  now(): number
}

export interface BacktestDone {
  /** 0: it came to its end. 1: it could not go on. 2: the options or a file are mistaken, nothing was read. 130: it was stopped. */
  readonly exitCode: 0 | 1 | 2 | 130
  /** For standard output. */
  readonly text: string
  /** For standard error. */
  readonly complaint: string
}

const keptBytes = 256 * 1024 * 1024
const keptCharacters = 64 * 1024 * 1024
const maxPageBytes = 64 * 1024 * 1024
const timeouts = { connectMs: 10_000, firstByteMs: 120_000, betweenPartsMs: 120_000, wholeMs: 240_000 }

/** Judges by a policy what was written to a FHIR server until now, and counts what it would have refused. */
export async function backtest(options: OptionValues, surroundings: BacktestSurroundings): Promise<BacktestDone> {
  const asked = readAsked(options)
  if ('mistake' in asked) return mistaken(`${asked.mistake}\n`)
  const named = namedPolicy(asked.policyFile, surroundings.configPath)
  if ('mistake' in named) return mistaken(named.mistake)
  const { policy } = named

  const subject = { policy: policy.digest, ...asked.subject }
  const loaded = asked.stateFile === undefined ? { state: undefined } : loadState(asked.stateFile, subject)
  if ('mistake' in loaded) return mistaken(`${loaded.mistake}\n`)
  const { state } = loaded
  if (state?.finished) {
    const complaint = `This backtest had come to its end before; remove ${asked.stateFile} to begin anew.\n`
    return {
      exitCode: 0,
      text: write({ report: state.report, finished: true }, policy, asked, surroundings),
      complaint,
    }
  }

  const save = (now: Omit<BacktestState, 'of'>) => {
    if (asked.stateFile !== undefined) saveState(asked.stateFile, { of: subject, ...now })
  }
  try {
    // Before anything is read, so that nothing is read in vain.
    if (!state)
      save({
        finished: false,
        position: { target: 0, told: 0 },
        histories: { open: [], closed: [] },
        report: emptyReport(),
      })
  } catch (error) {
    if (error instanceof CannotGoOn) return mistaken(`${error.message}\n`)
    throw error
  }
  const ran = await runOn(asked, policy, state, save, surroundings)
  const goOn = asked.stateFile === undefined || ran.finished ? '' : ' The same command goes on from there.'
  const sentence = ran.sentence ?? (ran.finished ? undefined : 'Stopped.')
  return {
    exitCode: ran.finished ? 0 : surroundings.stop.aborted ? 130 : 1,
    text: write(ran, policy, asked, surroundings),
    complaint: sentence === undefined ? '' : `${sentence}${goOn}\n`,
  }
}

const mistaken = (complaint: string): BacktestDone => ({ exitCode: 2, text: '', complaint })

async function runOn(
  asked: Asked,
  policy: Policy,
  state: BacktestState | undefined,
  save: (state: Omit<BacktestState, 'of'>) => void,
  surroundings: BacktestSurroundings,
): Promise<Ran> {
  const { progress, stop, now } = surroundings
  const started = now()
  try {
    return await run({
      source: sourceOf(asked, asked.versionIds, surroundings),
      judging: { policy, bases: asked.bases, serverOwned: asked.serverOwned },
      reporting: { examples: asked.examples, showContent: asked.showContent },
      versionIds: asked.versionIds,
      keptBytes: asked.files.length > 0 ? Number.MAX_SAFE_INTEGER : keptBytes,
      state,
      save,
      progress: (report, batch) => progress?.(`\r\u001B[K${progressLine(report, batch, now() - started)}`),
      stop,
    })
  } finally {
    progress?.('\r\u001B[K')
  }
}

function sourceOf(asked: Asked, versionIds: VersionIds, { stop, wait, now }: BacktestSurroundings): HistorySource {
  const { upstream, files, types } = asked
  if (!upstream) return ndjsonSource({ files, types: new Set(types), versionIds, keptCharacters, stop })
  return historySource({
    client: createUpstreamClient(upstream.origin, timeouts),
    upstream,
    headerFields: asked.headerFields,
    targets: asked.targets,
    pageSize: asked.pageSize,
    maxBytes: maxPageBytes,
    stop,
    wait,
    now,
  })
}

function write(
  { report, finished, sentence }: Ran,
  { name, digest, fhirVersion }: Policy,
  { json }: Asked,
  { colours }: BacktestSurroundings,
): string {
  if (!json) return writeReport(report, finished, colours)
  const told = {
    policy: { name, digest, fhirVersion },
    finished,
    ...(sentence !== undefined && { sentence }),
    totals: totalsOf(report),
    ...report,
  }
  return `${JSON.stringify(told, null, 2)}\n`
}
