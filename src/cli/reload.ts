import { rememberFiles, type RememberedFiles } from '../config/files.ts'
import type { LoadedConfig } from '../config/load.ts'
import { loadAgain, type LoadedAgain, type Mistake, type Standing } from '../config/reload.ts'
import type { GatewayConfig } from '../config/config.ts'
import type { Diagnostic } from '../policy/source.ts'
import { watchFiles } from './watch-files.ts'

export interface ReloadOptions {
  /** A folder with a gateway.yaml, or such a file. */
  readonly configPath: string
  readonly standing: Standing
  /** What is served to begin with, and the files that it was read from. */
  readonly loaded: LoadedConfig
  readonly files: RememberedFiles
  /** Serves another config from now on. */
  reconfigure(config: GatewayConfig): void
  /** Told of every attempt, when it is over. */
  tried(attempt: Attempt): void
}

/** What became of an attempt to take another config. */
export type Attempt = { readonly cause: 'SIGHUP' | 'file change' } & (
  | {
      readonly result: 'applied'
      /** What keeps nobody from serving, and wants somebody's eye. */
      readonly doubts?: readonly Diagnostic[]
    }
  | {
      readonly result: 'refused'
      readonly mistakes: readonly Mistake[]
      /** A fault of the gateway. */
      readonly error?: unknown
    }
)

export interface Reloading {
  /** Reads everything anew and takes it, if it is all right. */
  now(): void
  stop(): void
}

/** For so long what was read must stay as it is before it is taken, in milliseconds: a file may be written in several steps. */
const settleMs = 250

/**
 * Keeps a gateway at what its files say: at once when it is asked to, and by itself when they change and
 * `reload.watch` is on. What is broken is told, once, and changes nothing.
 */
export function keepReloading({ configPath, standing, reconfigure, tried, ...first }: ReloadOptions): Reloading {
  let { files } = first
  let { watch } = first.loaded.reload
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const watched = watchFiles(() => (timer ??= setTimeout(look, settleMs)))

  const take = (reading: Reading, cause: Attempt['cause']) => {
    const { again } = reading
    files = reading.files
    if (again.ok) {
      reconfigure(again.config)
      watch = again.loaded.reload.watch
      const { doubts } = again.loaded
      tried({ cause, result: 'applied', ...(doubts.length > 0 && { doubts }) })
    } else tried({ cause, result: 'refused', mistakes: again.mistakes, error: again.error })
    follow()
  }
  const look = () => {
    timer = undefined
    if (!files.haveChanged()) return
    const reading = read(configPath, standing)
    timer = setTimeout(() => {
      timer = undefined
      if (reading.files.haveChanged()) look()
      else take(reading, 'file change')
    }, settleMs)
  }
  /** What changed between the reading of a file and the watching of it is seen by the look that follows. */
  const follow = () => {
    clearTimeout(timer)
    timer = undefined
    watched.follow(watch ? files.paths() : [])
    if (watch) look()
  }
  follow()

  return {
    now() {
      if (stopped) return
      clearTimeout(timer)
      take(read(configPath, standing), 'SIGHUP')
    },
    stop() {
      stopped = true
      clearTimeout(timer)
      watched.stop()
    },
  }
}

interface Reading {
  readonly files: RememberedFiles
  readonly again: LoadedAgain
}

function read(configPath: string, standing: Standing): Reading {
  const files = rememberFiles()
  return { files, again: loadAgain(configPath, standing, files.read) }
}
