import { decisionRecordSchema, type DecisionRecord } from '../../src/audit/decisions/record.ts'
import type { DecisionSink } from '../../src/audit/decisions/sink.ts'

/** Keeps decision records; each is what the schema says that it is. */
export interface KeptDecisions extends DecisionSink {
  readonly records: readonly DecisionRecord[]
  /** Records cannot be written from now on, or can be again. */
  fails(fails: boolean): void
}

export function keepDecisions({ required = false, callerHeaderFields = [] as readonly string[] } = {}): KeptDecisions {
  const records: DecisionRecord[] = []
  let failing = false
  return {
    required,
    callerHeaderFields,
    records,
    fails: (fails) => void (failing = fails),
    async write(written) {
      if (failing) return false
      for (const record of written) records.push(decisionRecordSchema.parse(JSON.parse(JSON.stringify(record))))
      return true
    },
  }
}
