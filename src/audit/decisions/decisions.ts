import { setTimeout } from 'node:timers/promises'
import type { Log } from '../log.ts'
import type { DecisionRecord } from './record.ts'
import type { DecisionSink } from './sink.ts'

/** Where decision records go. */
export interface DecisionTarget {
  /** Resolves when they are safe; rejects when they cannot be written. */
  write(records: readonly DecisionRecord[]): Promise<void>
  /** For who rotates files. */
  reopen?(): void
  close(): Promise<void>
}

/** What became of decision records, for the metrics. */
export type CountDecisions = (result: 'written' | 'lost', records: number) => void

export interface Decisions extends DecisionSink {
  reopen(): void
  /** Writes what waits, also what is being written. */
  close(): Promise<void>
}

/** For so long a write waits for its record where records are required, in milliseconds. */
const longestWaitMs = 5000

/** Takes decision records to a target, and tells when that fails, and when it works again. */
export function createDecisions(
  target: DecisionTarget,
  { required, callerHeaderFields }: Pick<DecisionSink, 'required' | 'callerHeaderFields'>,
  log: Log,
  count: CountDecisions,
): Decisions {
  let failing = false
  let lost = 0
  const underWay = new Set<Promise<boolean>>()
  const tried = async (records: readonly DecisionRecord[]) => {
    try {
      await target.write(records)
    } catch (error) {
      if (!failing) log.error({ required, error }, 'decision records cannot be written')
      failing = true
      lost += records.length
      count('lost', records.length)
      return false
    }
    if (failing) log.info({ lost }, 'decision records are written again')
    failing = false
    lost = 0
    count('written', records.length)
    return true
  }
  return {
    required,
    callerHeaderFields,
    async write(records) {
      const trying = tried(records)
      underWay.add(trying)
      void trying.then(() => underWay.delete(trying))
      if (!required) return trying
      const late = new AbortController()
      const tooLate = setTimeout(longestWaitMs, false, { signal: late.signal }).catch(() => false)
      return Promise.race([trying, tooLate]).finally(() => late.abort())
    },
    reopen: () => target.reopen?.(),
    async close() {
      // A target delivers at its end what it has been given whole.
      await Promise.all(underWay)
      await target.close()
    },
  }
}
