import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Tested } from '../../../src/cli/test.ts'
import { watchTest } from '../../../src/cli/test-watch.ts'
import { bad, folderWith, good, plainly, policy } from './cases-folder.ts'

describe('test --watch', () => {
  /** Runs in a folder; `next` is what the next run comes to, `stop` ends it and gives the exit code. */
  function watching(folder: string, ...paths: readonly string[]) {
    const stopping = new AbortController()
    const runs: Tested[] = []
    let came = () => {}
    const ended = watchTest(
      { ...plainly, watch: true, paths: paths.map((path) => join(folder, path)) },
      {
        stop: stopping.signal,
        tell(tested) {
          runs.push(tested)
          came()
        },
      },
    )
    let taken = 0
    const next = async () => {
      if (runs.length === taken) await new Promise<void>((resolve) => (came = resolve))
      return runs[taken++]!
    }
    const stop = async () => {
      stopping.abort()
      return { exitCode: await ended, runs: runs.length }
    }
    onTestFinished(() => stopping.abort())
    return { next, stop }
  }

  it('runs again when a case file changes, and ends with what came last', async () => {
    const folder = folderWith({ 'flags.yaml': policy, 'flags.cases.yaml': good })
    const { next, stop } = watching(folder, 'flags.yaml')
    expect(await next()).toMatchObject({ exitCode: 0, text: expect.stringContaining('2 cases, none failed.') })
    writeFileSync(join(folder, 'flags.cases.yaml'), bad)
    expect(await next()).toMatchObject({ exitCode: 1, text: expect.stringContaining('5 cases, 3 failed.') })
    expect(await stop()).toEqual({ exitCode: 1, runs: 2 })
  })

  it('waits out a mistake, and a file that is not there yet', async () => {
    const folder = folderWith({ 'flags.yaml': policy.replace('replaced: status', 'replaced: stauts') })
    const { next, stop } = watching(folder, 'flags.cases.yaml')
    expect(await next()).toMatchObject({ exitCode: 2, mistakes: expect.stringContaining('There is no file') })
    writeFileSync(join(folder, 'flags.cases.yaml'), good)
    expect(await next()).toMatchObject({ exitCode: 2, mistakes: expect.stringContaining('stauts') })
    writeFileSync(join(folder, 'flags.yaml'), policy)
    expect(await next()).toMatchObject({ exitCode: 0 })
    expect(await stop()).toEqual({ exitCode: 0, runs: 3 })
  })

  it('sees a file that another is put in the place of', async () => {
    const folder = folderWith({ 'flags.yaml': policy, 'flags.cases.yaml': bad, 'other.yaml': good })
    const { next, stop } = watching(folder, 'flags.yaml')
    await next()
    renameSync(join(folder, 'other.yaml'), join(folder, 'flags.cases.yaml'))
    expect(await next()).toMatchObject({ exitCode: 0 })
    await stop()
  })
})
