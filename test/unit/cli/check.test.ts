import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { check as checkWith, type CheckOptions } from '../../../src/cli/check.ts'
import { createAuthority } from '../../certificates.ts'
import { coloured, plain } from '../../../src/cli/colour.ts'

const check = (path: string, options: Partial<CheckOptions> = {}) =>
  checkWith({ path, packaged: false, markdown: false, colours: plain, ...options })

function folderWith(gateway: string, policy: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'gateway.yaml'), gateway)
  writeFileSync(join(folder, 'p.yaml'), policy)
  return folder
}

const gateway = 'bases: [{ path: /r4, policy: p.yaml }]\n'

describe('check', () => {
  it('tells the policy in words when there is no mistake, and what nobody judges', () => {
    const { exitCode, text } = check('config')
    expect(exitCode).toBe(0)
    expect(text.split('\n').slice(0, 14)).toEqual([
      'nhs-reasonable-adjustments',
      '==========================',
      '',
      'A Reasonable Adjustments record is never edited; an item is removed, with a reason, or added.',
      '',
      expect.stringMatching(/^FHIR 3\.0\.2, 6 rules\. Digest `[0-9a-f]{64}`\.$/),
      '',
      '               read by                            create  update                              delete',
      'Flag, Consent  `read`, `vread`,                   `new`   `removal`                           –',
      '               `history-instance`, `search-type`',
      'List           `read`, `vread`,                   `new`   `remove-condition`,                 –',
      '               `history-instance`, `search-type`          `add-condition`',
      '',
      'On the base: `capabilities`, `paging`, `$removerarecord`. What is not named here is closed.',
    ])
    expect(text.split('\n').slice(-4)).toEqual([
      '/STU3  nhs-reasonable-adjustments  (header-fields: off)',
      'Warning: 11 subtrees are open, and may hold more than the rules name. See “Open subtrees”.',
      'No mistakes in config/gateway.yaml: 1 base, 6 rules.',
      '',
    ])
  })

  it('needs no terminal of more than 100 columns', () => {
    const { text } = check('config')
    expect(text.split('\n').filter((line) => [...line].length > 100)).toEqual([])
  })

  it('colours only where it is asked to', () => {
    expect(check('config').text).not.toContain('\u001B')
    expect(check('config', { colours: coloured }).text).toContain('\u001B[1mFlag, Consent\u001B[22m')
  })

  it('tells it as Markdown and nothing else, once for all bases that have the policy', () => {
    const bases = 'bases: [{ path: /a, policy: p.yaml }, { path: /b, policy: p.yaml }]\n'
    const policy = 'policy: p\nfhir: 4.0.1\nsummary: s\nresources:\n  Flag:\n    interactions: [read]\n'
    const { exitCode, text } = check(folderWith(bases, policy), { markdown: true })
    expect(exitCode).toBe(0)
    expect(text).toMatch(/^# p\n\ns\n\nFHIR 4\.0\.1, 0 rules\./)
    expect(text.match(/^# /gm)).toHaveLength(1)
    expect(text).toMatch(/\| The FHIR server does not answer in time\. \| 504 `timeout` \|\n$/)
  })

  it('shows a certificate that has expired where it is named', async () => {
    const { certificate, key } = await (await createAuthority()).issue('localhost', [-10, -2])
    const tls = '{ certificate: tls.crt, key: tls.key }'
    const folder = folderWith(
      `${gateway}listener: { tls: ${tls} }\n`,
      'policy: p\nfhir: 4.0.1\nsummary: s\nresources:\n  Flag:\n    interactions: [read]\n',
    )
    writeFileSync(join(folder, 'tls.crt'), certificate)
    writeFileSync(join(folder, 'tls.key'), key)
    const { exitCode, text } = check(folder)
    expect(exitCode).toBe(1)
    expect(text).toMatch(/gateway\.yaml:2:33  The certificate in `tls\.crt` expired on \d{4}-\d\d-\d\d\.\n/)
    expect(text).not.toContain('PRIVATE')
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

  it('takes a policy by itself', () => {
    const { exitCode, text } = check('config/policies/nhs-reasonable-adjustments-stu3.yaml')
    expect(exitCode).toBe(0)
    expect(text).toMatch(/No mistakes in config\/policies\/nhs-reasonable-adjustments-stu3\.yaml: 6 rules\.\n$/)
    const folder = folderWith(gateway, 'policy: p\nfhir: 4.0.1\nresources: { Flagg: { interactions: [read] } }\n')
    expect(check(join(folder, 'p.yaml')).text).toContain('Did you mean `Flag`?')
  })

  it('says so when nobody named the config', () => {
    expect(check('config', { packaged: true }).text).toMatch(
      /6 rules\.\nIt came with the program\. Name yours: fhir-policy-gateway check FOLDER\n$/,
    )
  })

  it('tells that there is no such config', () => {
    expect(check('/does/not/exist')).toEqual({ exitCode: 2, text: 'There is no config file /does/not/exist.\n' })
    expect(check('config/policies')).toEqual({
      exitCode: 2,
      text: 'There is no config file config/policies/gateway.yaml. To check a policy alone, name its file.\n',
    })
  })
})
