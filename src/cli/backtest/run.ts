import { LRUCache } from 'lru-cache'
import { Histories, type Step, type VersionIds } from '../../backtest/histories.ts'
import { judgePast, type PastJudging } from '../../backtest/judge-pair.ts'
import { countStep, countVersion, countWrite, emptyReport, type Report, type Reporting } from '../../backtest/report.ts'
import { CannotGoOn, type Batch, type HistorySource } from '../../backtest/sources.ts'
import type { BacktestState, Position } from '../../backtest/state.ts'
import { keyOf, type ToldVersion, type Version } from '../../backtest/version.ts'
import type { Resource } from '../../fhir/element.ts'
import { parseJson } from '../../fhir/json.ts'

export interface Running {
  readonly source: HistorySource
  readonly judging: PastJudging
  readonly reporting: Reporting
  readonly versionIds: VersionIds
  /** The most that is kept of versions that wait for older ones, in bytes; what goes beyond is read again when it is needed. */
  readonly keptBytes: number
  readonly state: Pick<BacktestState, 'position' | 'histories' | 'report'> | undefined
  save(state: Pick<BacktestState, 'finished' | 'position' | 'histories' | 'report'>): void
  progress(report: Report, batch: Batch): void
  readonly stop: AbortSignal
}

export interface Ran {
  readonly report: Report
  readonly finished: boolean
  /** Why it ended before the end, or why its state could not be kept. */
  readonly sentence?: string
}

const nesting = 64

/** Judges what a source tells, batch by batch. */
export async function run(running: Running): Promise<Ran> {
  const { source, stop, state } = running
  const tally = new Tally(running)
  let position: Position = state?.position ?? { target: 0, told: 0 }
  const save = (finished: boolean) =>
    running.save({ finished, position, histories: tally.histories.state, report: tally.report })
  /** How many pages are gone through between two states: the larger the state, the more. */
  let unsaved = 0
  let savable = true
  const ended = (finished: boolean, why?: string): Ran => {
    let sentence = why
    try {
      if (finished || (savable && unsaved > 0)) save(finished)
    } catch (error) {
      if (!(error instanceof CannotGoOn)) throw error
      sentence ??= error.message
    }
    return { report: tally.report, finished, ...(sentence !== undefined && { sentence }) }
  }
  try {
    for await (const batch of source.batches(position)) {
      savable = false
      await tally.take(batch)
      running.progress(tally.report, batch)
      if (batch.position) {
        position = batch.position
        savable = true
        if (++unsaved > tally.histories.size / 10_000) {
          save(false)
          unsaved = 0
        }
      }
      if (stop.aborted) break
    }
    if (stop.aborted) return ended(false)
  } catch (error) {
    if (stop.aborted) return ended(false)
    if (error instanceof CannotGoOn) return ended(false, error.message)
    throw error
  } finally {
    await source.close()
  }
  return ended(true)
}

/** What has been seen so far, and what was counted of it. */
class Tally {
  readonly report: Report
  readonly histories: Histories
  readonly #running: Running
  /** The text of the oldest version seen of each history that may go on. */
  readonly #texts: LRUCache<string, string>

  constructor(running: Running) {
    this.#running = running
    this.report = running.state?.report ?? emptyReport()
    this.histories = new Histories(running.versionIds, running.state?.histories)
    this.#texts = new LRUCache({
      maxSize: running.keptBytes,
      // A string takes two bytes a character, if it takes more than one.
      sizeCalculation: (text, key) => key.length + 2 * text.length,
    })
  }

  async take({ versions, nameless, namelessAt, endsTarget }: Batch): Promise<void> {
    const { report } = this
    report.nameless += nameless
    report.namelessAt.push(...namelessAt.slice(0, this.#running.reporting.examples - report.namelessAt.length))
    for (const version of versions) await this.#version(version)
    if (!endsTarget) return
    for (const { oldest, steps } of this.histories.end()) {
      await this.#steps(steps, oldest, undefined)
      this.#texts.delete(keyOf(oldest))
    }
  }

  async #version({ text, ...told }: ToldVersion): Promise<void> {
    const resource = text === undefined ? undefined : this.#read(told, text)
    const isRead = resource !== undefined || !this.#isJudged(told)
    const version: Version = told.state === 'stored' && !isRead ? { ...told, state: 'unreadable' } : told
    const steps = this.histories.take(version)
    countVersion(this.report, version, steps, this.#running.reporting)
    if (steps.some(({ kind }) => kind === 'seen-again')) {
      for (const step of steps) if (step.kind !== 'write') countStep(this.report, version.type, step)
      return
    }
    await this.#steps(steps, version, resource)
    const key = keyOf(version)
    if (text !== undefined && this.#isJudged(version) && this.histories.isOpen(key)) this.#texts.set(key, text)
    else this.#texts.delete(key)
  }

  /** @param at the version that was told last, and what it holds when that has been read */
  async #steps(steps: readonly Step[], at: Version, resource: Resource | undefined): Promise<void> {
    for (const step of steps) {
      if (step.kind !== 'write') {
        countStep(this.report, at.type, step)
        continue
      }
      const { interaction, before, after } = step
      const write = { interaction, type: after.type, before: before && resource, after: undefined }
      if (!this.#isJudged(after) || after.state === 'deleted') {
        countWrite(this.report, step, judgePast(this.#running.judging, write), this.#running.reporting)
        continue
      }
      const stored = after === at && resource ? resource : await this.#stored(after)
      if (stored) {
        const verdict = judgePast(this.#running.judging, { ...write, after: stored })
        countWrite(this.report, step, verdict, this.#running.reporting)
      } else countStep(this.report, after.type, { kind: 'unreadable-write' })
    }
  }

  async #stored(version: Version): Promise<Resource | undefined> {
    const text = this.#texts.get(keyOf(version)) ?? (await this.#running.source.textOf(version))
    return text === undefined ? undefined : this.#read(version, text)
  }

  /** Where the policy has nothing to say of a type, its resources are counted, and not read. */
  #isJudged({ type }: Version): boolean {
    return this.#running.judging.policy.resources.has(type)
  }

  #read(version: Version, text: string): Resource | undefined {
    if (!this.#isJudged(version)) return undefined
    const parsed = parseJson(text, this.#running.judging.policy.definitions, { nesting })
    return parsed.ok && parsed.value.type === version.type ? parsed.value : undefined
  }
}
