import { readFileSync, statSync } from 'node:fs'

/** The text of a file, or the code of the error for which there is none (`ENOENT`). */
export type FileText = string | { readonly code: string }

/** Gives the text of a file by its absolute path. Never throws. */
export type ReadFile = (file: string) => FileText

/** The most bytes of a file that is read. */
const maxBytes = 16 * 1024 * 1024

export const readFile: ReadFile = (file) => {
  try {
    return statSync(file).size > maxBytes ? { code: 'EFBIG' } : readFileSync(file, 'utf8')
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? 'UNKNOWN' }
  }
}

/** Reads files, each of them once, and remembers what it found: also that there was nothing. */
export interface RememberedFiles {
  readonly read: ReadFile
  /** The absolute paths of all that was read or looked for. */
  paths(): readonly string[]
  /** Whether any of it is another by now. */
  haveChanged(): boolean
}

export function rememberFiles(): RememberedFiles {
  const remembered = new Map<string, { readonly text: FileText; stamp: string | undefined }>()
  return {
    read(file) {
      const known = remembered.get(file)
      if (known) return known.text
      // Taken before the text, so that it cannot be of a later one.
      const stamp = stampOf(file)
      const text = readFile(file)
      remembered.set(file, { text, stamp })
      return text
    },
    paths: () => [...remembered.keys()],
    haveChanged: () =>
      [...remembered].some(([file, known]) => {
        const stamp = stampOf(file)
        if (stamp !== undefined && stamp === known.stamp) return false
        if (!isSame(known.text, readFile(file))) return true
        known.stamp = stamp
        return false
      }),
  }
}

/** A file may change twice within a tick of the clock that its times are taken from. In milliseconds, by far. */
const longestTick = 2000

/** Tells one state of a file from another without reading it; undefined where that is not sure. */
function stampOf(file: string): string | undefined {
  const stat = statOf(file)
  if (!stat || Date.now() - Math.max(stat.mtimeMs, stat.ctimeMs) < longestTick) return undefined
  return [stat.dev, stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs].join(' ')
}

function statOf(file: string) {
  try {
    return statSync(file)
  } catch {
    return undefined
  }
}

const isSame = (one: FileText, other: FileText) =>
  typeof one === 'string' || typeof other === 'string' ? one === other : one.code === other.code
