/** Appends lines to something. */
export interface Appender {
  /** Appends whole lines, all of them or none. Rejects with the error of the system when they cannot be written. */
  append(lines: string): Promise<void>
  /** Goes on in the file that has the name by then: another program may have renamed the one that is written. */
  reopen(): void
  /** Writes what waits, and lets go of the file. */
  close(): Promise<void>
}

/** What is written to. */
export interface Opened {
  /** Writes all of it; what was written in part when that fails is taken back, as far as that is possible. */
  append(lines: string): Promise<void>
  /** Whether nobody would ever see what is written to it. */
  isGone(): Promise<boolean>
  close(): Promise<void>
}

interface Waiting {
  readonly lines: string
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Writes one thing at a time; what comes in the meantime goes together in the next write. After a failure it is opened anew.
 * @param mostWaiting the most that waits to be written, in UTF-16 code units; beyond that lines are given up
 */
export function createAppender(open: () => Promise<Opened>, mostWaiting = 16 * 1024 * 1024): Appender {
  let current: Opened | undefined
  let waiting: Waiting[] = []
  let size = 0
  let running: Promise<void> | undefined
  let mustReopen = false

  const letGo = async () => {
    const closing = current
    current = undefined
    await closing?.close().catch(() => {})
  }
  const writeAll = async (all: readonly Waiting[]) => {
    if (current && (mustReopen || (await current.isGone()))) await letGo()
    mustReopen = false
    current ??= await open()
    await current.append(all.map(({ lines }) => lines).join(''))
  }
  const run = async () => {
    while (waiting.length > 0) {
      const all = waiting
      waiting = []
      size = 0
      try {
        await writeAll(all)
        for (const { resolve } of all) resolve()
      } catch (error) {
        await letGo()
        for (const { reject } of all) reject(error)
      }
    }
    running = undefined
  }
  return {
    append: (lines) =>
      new Promise((resolve, reject) => {
        if (size > 0 && size + lines.length > mostWaiting) {
          reject(Object.assign(new Error('What is written to does not keep up.'), { code: 'TOO_MUCH_WAITS' }))
          return
        }
        size += lines.length
        waiting.push({ lines, resolve, reject })
        running ??= run()
      }),
    reopen: () => void (mustReopen = true),
    async close() {
      await running
      await letGo()
    },
  }
}
