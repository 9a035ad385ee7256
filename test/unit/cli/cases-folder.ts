import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { plain } from '../../../src/cli/colour.ts'
import { test, type Tested, type TestOptions } from '../../../src/cli/test.ts'

export const policy = `policy: flags
fhir: 4.0.1
resources:
  Flag:
    interactions: [update, create]
    update:
      if-match: required
      changes:
        removal: [{ replaced: status, from: active, to: inactive }]
    create:
      changes:
        new: [{ added: $this, rule: active, open: true, holds: { status: { is: active } } }]
`
export const resources = `resources:
  flag: { resourceType: Flag, id: f1, status: active, code: { text: Hearing } }
cases:
`
export const good = `${resources}
  - { case: a flag is removed, before: flag, change: [{ op: replace, path: /status, value: inactive }], permit: removal }
  - case: nothing else changes
    before: flag
    change: [{ op: remove, path: /code }, { op: remove, path: /status }]
    refuse: [{ at: code, rule: Flag.update }, { at: status }]
`
export const bad = `${good}
  - { case: a text is corrected, before: flag, change: [{ op: replace, path: /code/text, value: Sight }], permit: removal }
  - { case: a flag is made, create: flag, refuse: [{ at: status, status: 422 }] }
  - { case: a status is taken away, before: flag, change: [{ op: remove, path: /status }], refuse: [{ at: status, status: 403 }] }
`

/** A folder with these files; the absolute paths of others lie in it, too. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'cases-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

export const plainly: Omit<TestOptions, 'paths'> = {
  only: undefined,
  junit: undefined,
  tap: false,
  coverageRequired: false,
  watch: false,
  colours: plain,
}

export function run(folder: string, paths: readonly string[], options: Partial<TestOptions> = {}): Tested {
  const done = test({ ...plainly, ...options, paths: paths.map((path) => join(folder, path)) })
  const relative = (text: string) => text.replaceAll(`${folder}/`, '')
  return { ...done, text: relative(done.text), mistakes: relative(done.mistakes) }
}
