import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { rememberFiles, type ReadFile } from '../config/files.ts'

/** Reads what cases are about, and remembers all of it, so that a change can be told. */
export interface TrackedFiles {
  readonly read: ReadFile
  /** The text of a file; undefined when it cannot be read. */
  text(file: string): string | undefined
  /** The bytes of a file, as they are; undefined when it cannot be read. */
  bytes(file: string): Uint8Array | undefined
  isFolder(path: string): boolean
  /** The names in a folder that end so, in their order; none when there is no such folder. */
  names(folder: string, ending: RegExp): readonly string[]
  /** The absolute paths of all that was read or looked for; of a folder, of something in it. */
  paths(): readonly string[]
  /** Whether any of it is another by now. */
  haveChanged(): boolean
}

export function trackFiles(): TrackedFiles {
  const files = rememberFiles()
  const listings = new Map<string, { readonly folder: string; readonly ending: RegExp; readonly names: string }>()
  const text = (file: string) => {
    const read = files.read(file)
    return typeof read === 'string' ? read : undefined
  }
  return {
    read: files.read,
    text,
    bytes: (file) => (text(file) === undefined ? undefined : readFileSync(file)),
    isFolder: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
    names(folder, ending) {
      const names = namesIn(folder, ending)
      listings.set(`${folder} ${ending.source}`, { folder, ending, names: names.join('/') })
      return names
    },
    paths: () => [...files.paths(), ...[...listings.values()].map(({ folder }) => join(folder, 'any'))],
    haveChanged: () =>
      files.haveChanged() ||
      [...listings.values()].some(({ folder, ending, names }) => namesIn(folder, ending).join('/') !== names),
  }
}

function namesIn(folder: string, ending: RegExp): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => ending.test(name))
      .sort()
  } catch {
    return []
  }
}
