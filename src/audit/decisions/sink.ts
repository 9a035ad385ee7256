import type { DecisionRecord } from './record.ts'

/** Takes decision records. */
export interface DecisionSink {
  /** Whether a write may only go on when its record is safe. */
  readonly required: boolean
  /** The request header fields, in lower case, that say who asks. */
  readonly callerHeaderFields: readonly string[]
  /**
   * Writes records down, all of them or none. Never throws; a loss is told in the log and in the metrics.
   * @returns when they are safe, or given up: whether they have been written
   */
  write(records: readonly DecisionRecord[]): Promise<boolean>
}
