import { watch, type FSWatcher } from 'node:fs'
import { dirname } from 'node:path'

export interface WatchedFiles {
  /** Watches these from now on, and nothing else. */
  follow(paths: readonly string[]): void
  stop(): void
}

/** Between two moments at which files may have changed although nothing told of it, in milliseconds. */
const pollEveryMs = 2000

/**
 * Tells when files may have changed: never that they have, and more often than they do.
 *
 * Folders are watched, not files: editors and ConfigMaps put another file in the place of the first. Beside that it tells
 * every two seconds, for what no folder tells of: a link further up that leads elsewhere, network file systems, a folder
 * that was not there or that was replaced, a system that has no more watches to give.
 */
export function watchFiles(mayHaveChanged: () => void): WatchedFiles {
  let folders: FSWatcher[] = []
  let poll: NodeJS.Timeout | undefined
  const stop = () => {
    for (const folder of folders) folder.close()
    folders = []
    clearInterval(poll)
  }
  return {
    follow(paths) {
      stop()
      folders = [...new Set(paths.map((path) => dirname(path)))].flatMap((path) => watchFolder(path, mayHaveChanged))
      if (paths.length > 0) poll = setInterval(mayHaveChanged, pollEveryMs)
    },
    stop,
  }
}

function watchFolder(path: string, mayHaveChanged: () => void): FSWatcher[] {
  try {
    const watcher = watch(path, mayHaveChanged)
    watcher.on('error', () => watcher.close())
    return [watcher]
  } catch {
    return []
  }
}
