import type { Position } from './state.ts'
import type { ToldVersion, Version } from './version.ts'

/** Versions that come together: a page, or a part of what stands in files. */
export interface Batch {
  /** The newest of each resource first. */
  readonly versions: readonly ToldVersion[]
  readonly nameless: number
  readonly namelessAt: readonly string[]
  /** With it the target ends: what its histories have not told is not there. */
  readonly endsTarget: boolean
  /** What comes next, for a state; undefined where nobody can go on from. */
  readonly position: Position | undefined
  /** For a person who waits. `total` is undefined when nobody knows. */
  readonly progress: { readonly target: string; readonly done: number; readonly total: number | undefined }
}

/** Where histories come from. */
export interface HistorySource {
  batches(from: Position): AsyncGenerator<Batch, void, undefined>
  /** The text of a version that has been told and is not at hand any more; undefined when it is not there. */
  textOf(version: Version): Promise<string | undefined>
  /** Lets go of everything. */
  close(): Promise<void>
}

/** Why a backtest cannot go on, in one sentence. What it has found stays. */
export class CannotGoOn extends Error {}
