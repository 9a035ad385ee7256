import { createAppender } from './appender.ts'
import { openFile } from './open-file.ts'
import {
  linesFrom,
  queueLine,
  readPosition,
  removeSegment,
  segmentFile,
  segmentsIn,
  writePosition,
  type Position,
  type QueuedLine,
} from './queue-segments.ts'
import type { DecisionRecord } from './record.ts'

/** A queue of decision records on the disk, which outlives the process. Each is delivered at least once, in order. */
export interface DecisionQueue {
  /**
   * Resolves when the records are safe; rejects when they cannot be written, or the queue is full. What was to be told of a write
   * that was let go on is kept all the same, and written with the next ones.
   */
  push(records: readonly DecisionRecord[]): Promise<void>
  /** The first record that has not been delivered; undefined when there is none. */
  first(): Promise<QueuedLine | undefined>
  /** Notes that it has been, so that the next one is the first. */
  delivered(line: QueuedLine): Promise<void>
  /** Told when records have been pushed. */
  onPush(listener: () => void): void
  /** Of its files. */
  bytes(): number
  close(): Promise<void>
}

export interface QueueOptions {
  /** Whether a record is safe only when the disk has it. */
  readonly sync: boolean
  /** The most that it holds. Of a write that was let go on the outcome is always taken. */
  readonly maxBytes: number
  readonly segmentBytes?: number
}

const linesOf = (records: readonly DecisionRecord[]) => records.map(queueLine).join('')
const sizeOf = (lines: string) => Buffer.byteLength(lines)

/** The write of which a record tells. */
const keyOf = ({ id, bundle }: DecisionRecord) => `${id} ${bundle?.entry ?? ''}`

/**
 * Opens the queue in a folder, which no other process uses. Writes that were about to be sent when the process before ended, and of
 * which it said no more, have an unknown outcome from then on.
 */
export async function openQueue(
  folder: string,
  { sync, maxBytes, segmentBytes = Math.min(1024 * 1024, Math.ceil(maxBytes / 8)) }: QueueOptions,
): Promise<DecisionQueue> {
  /** How much of each file counts, by its number. */
  const sizes = await segmentsIn(folder)
  const found = [...sizes.keys()]
  let position: Position = (await readPosition(folder)) ?? { segment: found[0] ?? 0, offset: 0 }
  /** The file that is written. At first a new one: the last may end with half a line. */
  let current = Math.max(position.segment, found.at(-1) ?? 0)
  let isOver = true
  /** Writes of which more is to be told, by the first file in which something may be told of them. */
  const pending = new Map<string, number>()
  /** What was to be told of them and could not be written: it goes before what comes next, or they would be waited for without end. */
  let owed: readonly DecisionRecord[] = []
  let waiting = 0
  let told = () => {}
  let ahead: readonly QueuedLine[] = []
  let readTo = position

  const appender = createAppender(async () => {
    if (isOver) sizes.set(++current, 0)
    isOver = false
    const segment = current
    const opened = await openFile({ file: segmentFile(folder, segment), sync, lineStart: '' })
    return {
      ...opened,
      async append(lines) {
        try {
          await opened.append(lines)
          sizes.set(segment, sizes.get(segment)! + Buffer.byteLength(lines))
        } catch (error) {
          // What is left of it counts for nothing.
          isOver = true
          throw error
        }
      },
      async isGone() {
        isOver = sizes.get(segment)! >= segmentBytes || (await opened.isGone())
        return isOver
      },
    }
  })
  const bytes = () => [...sizes.values()].reduce((sum, size) => sum + size, waiting)

  const push = async (records: readonly DecisionRecord[]) => {
    const isNew = records.some((record) => record.outcome === 'pending' || !pending.has(keyOf(record)))
    if (isNew && bytes() + sizeOf(linesOf(records)) > maxBytes) {
      throw Object.assign(new Error('The queue of decision records is full.'), { code: 'QUEUE_FULL' })
    }
    const begun = records.filter(({ outcome }) => outcome === 'pending')
    for (const record of begun) pending.set(keyOf(record), current)
    const all = [...owed, ...records]
    owed = []
    const lines = linesOf(all)
    const size = sizeOf(lines)
    waiting += size
    try {
      await appender.append(lines)
    } catch (error) {
      for (const record of begun) pending.delete(keyOf(record))
      owed = [...owed, ...all.filter((record) => pending.has(keyOf(record)))]
      throw error
    } finally {
      waiting -= size
    }
    for (const record of all) if (record.outcome !== 'pending') pending.delete(keyOf(record))
    told()
  }

  /** What follows in the files; false when there is no more. */
  const readAhead = async (): Promise<boolean> => {
    const size = sizes.get(readTo.segment) ?? 0
    if (readTo.offset < size) {
      ahead = await linesFrom(folder, readTo, size)
      readTo = { segment: readTo.segment, offset: size }
      return true
    }
    const next = [...sizes.keys()].find((segment) => segment > readTo.segment)
    if (next === undefined) return false
    readTo = { segment: next, offset: 0 }
    return true
  }
  /** In order, so that what is told of a write is never kept without what was told before. */
  const removeRead = async () => {
    // Writes are pending in the order of the files.
    const [neededFrom = Infinity] = pending.values()
    for (const segment of sizes.keys()) {
      if (segment >= position.segment || segment === current || segment >= neededFrom) return
      await removeSegment(folder, segment)
      sizes.delete(segment)
    }
  }

  const unsettled = new Map<string, DecisionRecord>()
  for (const segment of found) {
    for (const { record } of await linesFrom(folder, { segment, offset: 0 }, sizes.get(segment)!)) {
      if (record.outcome === 'pending') unsettled.set(keyOf(record), record)
      else unsettled.delete(keyOf(record))
    }
  }
  for (const [key, record] of unsettled) {
    pending.set(key, 0)
    await push([{ ...record, time: new Date().toISOString(), outcome: 'unknown' }])
  }
  await removeRead()

  return {
    push,
    async first() {
      for (;;) {
        // Of these the outcome follows.
        const index = ahead.findIndex(({ record }) => record.outcome !== 'pending')
        if (index >= 0) {
          ahead = ahead.slice(index)
          return ahead[0]
        }
        ahead = []
        if (!(await readAhead())) return undefined
      }
    },
    async delivered(line) {
      ahead = ahead.filter((other) => other !== line)
      position = line.end
      await writePosition(folder, position)
      await removeRead()
    },
    onPush: (listener) => void (told = listener),
    bytes,
    close: appender.close,
  }
}
