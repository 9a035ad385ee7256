import { mkdir, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { DecisionRecord } from './record.ts'

/** Where something stands in a queue: after the line that ends there. */
export interface Position {
  /** Number of the file, counted up. */
  readonly segment: number
  /** In bytes. */
  readonly offset: number
}

/** One line of a queue that was written whole. */
export interface QueuedLine {
  readonly record: DecisionRecord
  /** After it. */
  readonly end: Position
}

const padded = (segment: number) => String(segment).padStart(12, '0')

export const segmentFile = (folder: string, segment: number) => join(folder, `${padded(segment)}.queue`)

/** The line of a record in a queue: the checksum tells what was written whole. */
export function queueLine(record: DecisionRecord): string {
  const text = JSON.stringify(record)
  return `${checksum(text)} ${text}\n`
}

const checksum = (text: string) => crc32(text).toString(16).padStart(8, '0')

/** The numbers of the files that are there, in order, with their sizes in bytes. */
export async function segmentsIn(folder: string): Promise<Map<number, number>> {
  await mkdir(folder, { recursive: true, mode: 0o750 })
  const names = (await readdir(folder)).filter((name) => /^\d{12}\.queue$/.test(name)).sort()
  const sizes = new Map<number, number>()
  for (const name of names) {
    const handle = await open(join(folder, name), 'r')
    const { size } = await handle.stat().finally(() => handle.close())
    sizes.set(Number(name.slice(0, 12)), size)
  }
  return sizes
}

export const removeSegment = (folder: string, segment: number) => rm(segmentFile(folder, segment), { force: true })

/**
 * The lines of a file from an offset on that were written whole. A line that a crash has left half is the last of its file, and
 * passed over, as is what a disk has damaged.
 * @param size how much of it counts, in bytes
 */
export async function linesFrom(
  folder: string,
  { segment, offset }: Position,
  size: number,
): Promise<readonly QueuedLine[]> {
  const bytes = (await readIfThere(segmentFile(folder, segment))).subarray(0, size)
  const lines: QueuedLine[] = []
  let at = offset
  for (let end = bytes.indexOf(0x0a, at); end >= 0; end = bytes.indexOf(0x0a, at)) {
    const record = recordOf(bytes.subarray(at, end).toString())
    at = end + 1
    if (record) lines.push({ record, end: { segment, offset: at } })
  }
  return lines
}

/** What somebody removed holds nothing. */
async function readIfThere(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}

function recordOf(line: string): DecisionRecord | undefined {
  const text = line.slice(9)
  return line[8] === ' ' && line.slice(0, 8) === checksum(text) ? (JSON.parse(text) as DecisionRecord) : undefined
}

const positionFile = (folder: string) => join(folder, 'delivered.json')

/** How far records have been delivered; undefined where that is not known, so that they are delivered again. */
export async function readPosition(folder: string): Promise<Position | undefined> {
  try {
    const { segment, offset } = JSON.parse(await readFile(positionFile(folder), 'utf8')) as Position
    return Number.isSafeInteger(segment) && Number.isSafeInteger(offset) ? { segment, offset } : undefined
  } catch {
    return undefined
  }
}

/** In one step, so that no crash leaves half of it. */
export async function writePosition(folder: string, position: Position): Promise<void> {
  const next = `${positionFile(folder)}.next`
  await writeFile(next, JSON.stringify(position))
  await rename(next, positionFile(folder))
}
