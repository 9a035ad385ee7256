import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createAppender, type Opened } from '../../../../src/audit/decisions/appender.ts'
import { openFile } from '../../../../src/audit/decisions/open-file.ts'

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'appender-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'lines')
}

const fileAppender = (file: string) => createAppender(() => openFile({ file, sync: true, lineStart: '{"id":"' }))
const line = (id: string) => `{"id":"${id}"}\n`

it('what is appended at the same time stands in the order asked', async () => {
  const file = newFile()
  const appender = fileAppender(file)
  await Promise.all(['a', 'b', 'c'].map((id) => appender.append(line(id))))
  await appender.close()
  expect(readFileSync(file, 'utf8')).toBe(line('a') + line('b') + line('c'))
  expect(statSync(file).mode & 0o007).toBe(0)
})

it.each([
  ['half a line', line('a') + '{"id":"b', line('a')],
  ['the very beginning of a line', line('a') + '{', line('a')],
  ['nothing but half a line', '{"id":"b","x', ''],
])('cuts off %s that a crash has left', async (_, left, kept) => {
  const file = newFile()
  writeFileSync(file, left)
  const appender = fileAppender(file)
  await appender.append(line('c'))
  await appender.close()
  expect(readFileSync(file, 'utf8')).toBe(kept + line('c'))
})

it('leaves a file alone that ends with something else', async () => {
  const file = newFile()
  writeFileSync(file, 'bases:\n  - path: /x')
  await expect(fileAppender(file).append(line('a'))).rejects.toMatchObject({ code: 'ENDS_WITH_SOMETHING_ELSE' })
  expect(readFileSync(file, 'utf8')).toBe('bases:\n  - path: /x')
})

it('goes on in a new file when it is reopened, and when somebody removed the old one', async () => {
  const file = newFile()
  const appender = fileAppender(file)
  await appender.append(line('a'))
  renameSync(file, `${file}.1`)
  await appender.append(line('b'))
  appender.reopen()
  await appender.append(line('c'))
  expect([readFileSync(`${file}.1`, 'utf8'), readFileSync(file, 'utf8')]).toEqual([line('a') + line('b'), line('c')])
  rmSync(file)
  await appender.append(line('d'))
  await appender.close()
  expect(readFileSync(file, 'utf8')).toBe(line('d'))
})

/** Something to write to that fails as it is told. */
function memory() {
  const written: string[] = []
  let failing = false
  let release = () => {}
  let held = Promise.resolve()
  let opened = 0
  const open = async (): Promise<Opened> => {
    opened++
    return {
      async append(lines) {
        await held
        if (failing) throw new Error('full')
        written.push(lines)
      },
      isGone: async () => false,
      close: async () => {},
    }
  }
  return {
    open,
    written,
    opened: () => opened,
    fail: (fails: boolean) => void (failing = fails),
    hold: () => void (held = new Promise((resolve) => (release = resolve))),
    release: () => release(),
  }
}

it('a failure is told to all whose lines were written together, and the next ones are tried anew', async () => {
  const target = memory()
  const appender = createAppender(target.open)
  target.fail(true)
  const results = await Promise.allSettled([appender.append('a'), appender.append('b')])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  target.fail(false)
  await appender.append('c')
  expect([target.written, target.opened()]).toEqual([['c'], 3])
})

it('gives up what is too much to wait, and holds it not in memory', async () => {
  const target = memory()
  const appender = createAppender(target.open, 10)
  target.hold()
  const first = appender.append('x')
  const second = appender.append('12345678')
  await expect(appender.append('345')).rejects.toMatchObject({ code: 'TOO_MUCH_WAITS' })
  target.release()
  await Promise.all([first, second])
  expect(target.written.join('')).toBe('x12345678')
})
