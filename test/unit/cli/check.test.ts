import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { check } from '../../../src/cli/check.ts'

function folderWith(gateway: string, policy: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'gateway.yaml'), gateway)
  writeFileSync(join(folder, 'p.yaml'), policy)
  return folder
}

const gateway = 'bases: [{ path: /r4, policy: p.yaml }]\n'

describe('check', () => {
  it('tells in short what would be served when there is no mistake', () => {
    const { exitCode, text } = check('config')
    expect(exitCode).toBe(0)
    expect(text.split('\n').slice(0, 8)).toEqual([
      '/STU3  nhs-reasonable-adjustments, FHIR 3.0.2',
      '  on the base: capabilities, paging',
      '    $removerarecord (POST) permitted as remove-record',
      '  Flag: create, read, vread, history-instance, search-type, update',
      '    update permitted as removal',
      '    create permitted as new',
      '  Consent: create, read, vread, history-instance, search-type, update',
      '    update permitted as removal',
    ])
    expect(text).toMatch(/No mistakes in config\/gateway\.yaml: 1 base\.\n$/)
  })

  it('tells of every other type once', () => {
    const policy = `policy: p
fhir: 4.0.1
resources:
  Flag: { interactions: [read] }
  '*':
    interactions: [read, update]
    update: { if-match: required, rest: { permit-as: edit, except: [meta.tag] } }
`
    const { text } = check(folderWith(gateway, policy))
    expect(text.split('\n').slice(1, 5)).toEqual([
      '  on the base: ',
      '  Flag: read',
      '  every other type: read, update',
      '    update permitted as edit (anything but meta.tag)',
    ])
  })

  it('shows a mistake of a policy where it stands', () => {
    const folder = folderWith(
      gateway,
      'policy: p\nfhir: 4.0.1\nsummary: s\nresources:\n  Flagg:\n    interactions: [read]\n',
    )
    const { exitCode, text } = check(folder)
    expect(exitCode).toBe(1)
    expect(text.split('\n')).toEqual([
      expect.stringContaining(
        `${join(folder, 'p.yaml')}:5:3  FHIR 4.0.1 has no resource type \`Flagg\`. Did you mean \`Flag\`?`,
      ),
      '    5 |   Flagg:',
      '      |   ^^^^^ resources.Flagg',
      '',
      '1 error in 1 policy. Nothing was loaded.',
      '',
    ])
  })

  it('shows the mistakes of gateway.yaml', () => {
    const { exitCode, text } = check(folderWith(`${gateway}limit: 1\ncach: off\n`, ''))
    expect(exitCode).toBe(1)
    expect(text).toContain('Did you mean `limits`?')
    expect(text).toMatch(/2 errors\. Nothing was loaded\.\n$/)
  })

  it('tells that there is no such config', () => {
    expect(check('/does/not/exist')).toEqual({ exitCode: 1, text: 'There is no config file /does/not/exist.\n' })
  })
})
