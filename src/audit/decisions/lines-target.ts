import { createAppender } from './appender.ts'
import type { DecisionTarget } from './decisions.ts'
import { openDescriptor, openFile } from './open-file.ts'
import { lineOf } from './record.ts'

/** What every line begins with, since `id` is the first of its fields. */
const lineStart = '{"id":"'

/** NDJSON in a file. @param sync whether a record is safe only when the disk has it */
export const fileTarget = (file: string, sync: boolean) => linesTarget(() => openFile({ file, sync, lineStart }))

/** NDJSON on standard output. */
export const stdoutTarget = () => linesTarget(() => openDescriptor(1))

function linesTarget(open: Parameters<typeof createAppender>[0]): DecisionTarget {
  const appender = createAppender(open)
  return { ...appender, write: (records) => appender.append(records.map(lineOf).join('')) }
}
