import { once } from 'node:events'
import { test, type Tested, type TestOptions } from './test.ts'
import { trackFiles } from './tracked-files.ts'
import { watchFiles } from './watch-files.ts'

export interface WatchedTest {
  /** Gets what comes of each run. */
  tell(tested: Tested): void
  /** Ends it. */
  readonly stop: AbortSignal
}

/** For so long files must stay as they are before cases are run again, in milliseconds: one may be written in several steps. */
const settleMs = 100

/** Runs cases, and again whenever a policy, a case file or a file that one names has changed. Gives the exit code of the last run. */
export async function watchTest(options: TestOptions, { tell, stop }: WatchedTest): Promise<Tested['exitCode']> {
  let files = trackFiles()
  let exitCode: Tested['exitCode'] = 0
  let timer: NodeJS.Timeout | undefined
  const look = () => {
    timer = undefined
    if (files.haveChanged()) run()
  }
  const watched = watchFiles(() => {
    clearTimeout(timer)
    timer = setTimeout(look, settleMs)
  })
  const run = () => {
    files = trackFiles()
    const tested = test(options, files)
    exitCode = tested.exitCode
    tell(tested)
    watched.follow(files.paths())
    // What has changed since it was read, and before it was watched, is seen by this look.
    timer = setTimeout(look, settleMs)
  }
  run()
  if (!stop.aborted) await once(stop, 'abort')
  clearTimeout(timer)
  watched.stop()
  return exitCode
}
