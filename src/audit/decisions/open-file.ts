import { write } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Opened } from './appender.ts'

export interface LinesFile {
  readonly file: string
  /** Whether lines count as written only when the disk has them (fdatasync), so that they outlive the machine's end. */
  readonly sync: boolean
  /** What a line begins with: what a crash has left of one is cut off when it begins so, and else it is no such file. */
  readonly lineStart: string
}

/** Opens a file of lines to append to it. It is written by one process. */
export async function openFile({ file, sync, lineStart }: LinesFile): Promise<Opened> {
  // Records name persons.
  const handle = await open(file, 'a+', 0o640)
  try {
    const stat = await handle.stat()
    const isFile = stat.isFile()
    let size = isFile ? await withoutTornLine(handle, stat.size, lineStart) : 0
    if (isFile && sync && stat.size === 0) await syncFolder(dirname(file))
    return {
      async append(lines) {
        const bytes = Buffer.from(lines)
        try {
          for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten
          if (sync && isFile) await handle.datasync()
          size += bytes.length
        } catch (error) {
          if (isFile) await handle.truncate(size).catch(() => {})
          throw error
        }
      },
      // Somebody removed it.
      isGone: async () => isFile && (await handle.stat()).nlink === 0,
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close().catch(() => {})
    throw error
  }
}

/** The longest line that is looked for at the end of a file, in bytes. */
const longestLine = 4 * 1024 * 1024

/** Cuts off what a crash has left of a line. @returns the size of the file then */
async function withoutTornLine(handle: FileHandle, size: number, lineStart: string): Promise<number> {
  const from = Math.max(0, size - longestLine)
  const tail = Buffer.alloc(size - from)
  await handle.read(tail, 0, tail.length, from)
  const end = tail.lastIndexOf('\n') + 1
  if (end === tail.length) return size
  const torn = tail.subarray(end, end + lineStart.length).toString()
  if ((end === 0 && from > 0) || !lineStart.startsWith(torn)) {
    throw Object.assign(new Error('The file ends with something else.'), { code: 'ENDS_WITH_SOMETHING_ELSE' })
  }
  await handle.truncate(from + end)
  return from + end
}

/** A new file is there after the machine's end only when its folder is on the disk, too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const writeSome = promisify(write)

/** How long a pipe is waited for that is full, in milliseconds. */
const pipeMs = 50

/** A stream of the process, such as standard output. Node's own would block everything while nobody reads a pipe. */
export async function openDescriptor(descriptor: number): Promise<Opened> {
  return {
    async append(lines) {
      const bytes = Buffer.from(lines)
      for (let at = 0; at < bytes.length;) {
        try {
          at += (await writeSome(descriptor, bytes, at)).bytesWritten
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
          await setTimeout(pipeMs)
        }
      }
    },
    isGone: async () => false,
    close: async () => {},
  }
}
