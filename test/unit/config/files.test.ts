import { mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readFile, rememberFiles } from '../../../src/config/files.ts'

/** A file that was written long ago. */
function oldFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'p.yaml')
  writeFileSync(file, text)
  utimesSync(file, 1000, 1000)
  return file
}

describe('files that are remembered', () => {
  it('are read once, and have not changed as long as their text is the same', () => {
    const file = oldFile('one')
    const files = rememberFiles()
    expect([files.read(file), files.read(file), files.paths()]).toEqual(['one', 'one', [file]])
    expect(files.haveChanged()).toBe(false)
    writeFileSync(file, 'one')
    expect(files.haveChanged()).toBe(false)
  })

  it.each<[string, (file: string) => void]>([
    ['written', (file) => writeFileSync(file, 'another')],
    ['written with as many characters', (file) => writeFileSync(file, 'two')],
    ['cut', (file) => truncateSync(file)],
    ['removed', (file) => rmSync(file)],
    [
      'replaced by one that is as old and as long',
      (file) => {
        writeFileSync(`${file}.next`, 'two')
        utimesSync(`${file}.next`, 1000, 1000)
        renameSync(`${file}.next`, file)
      },
    ],
    [
      'replaced by a folder',
      (file) => {
        rmSync(file)
        mkdirSync(file)
      },
    ],
  ])('have changed when one was %s', (_, change) => {
    const file = oldFile('one')
    const files = rememberFiles()
    files.read(file)
    expect(files.haveChanged()).toBe(false)
    change(file)
    expect(files.haveChanged()).toBe(true)
  })

  it('have changed when one is there that was not', () => {
    const file = oldFile('one')
    rmSync(file)
    const files = rememberFiles()
    expect(files.read(file)).toEqual({ code: 'ENOENT' })
    expect(files.haveChanged()).toBe(false)
    writeFileSync(file, '')
    expect(files.haveChanged()).toBe(true)
  })
})

it('a file of more than 16 MiB is not read', () => {
  const file = oldFile('')
  truncateSync(file, 16 * 1024 * 1024)
  expect(readFile(file)).toHaveLength(16 * 1024 * 1024)
  truncateSync(file, 16 * 1024 * 1024 + 1)
  expect(readFile(file)).toEqual({ code: 'EFBIG' })
})
