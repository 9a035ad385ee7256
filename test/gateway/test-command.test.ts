import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { buildProgram, startProgram, type Ended } from './program.ts'

beforeAll(buildProgram, 120_000)

const policy = `policy: flags
fhir: 4.0.1
resources:
  Flag:
    interactions: [update]
    update: { if-match: required, changes: { removal: [{ replaced: status, from: active, to: inactive }] } }
`
const cases = (permit: string) => `cases:
  - case: a flag is removed
    before: { resourceType: Flag, status: active }
    change: [{ op: replace, path: /status, value: inactive }]
    ${permit}
`
const good = cases('permit: removal')
const bad = cases('permit: no-change')

function folderWith(caseFile: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'cases-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'flags.yaml'), policy)
  writeFileSync(join(folder, 'flags.cases.yaml'), caseFile)
  return folder
}

const test = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  startProgram(env, ['test', ...args]).ended

describe('fhir-policy-gateway test', () => {
  it('runs the cases of the shipped policies, and every rule of them has its two', async () => {
    const { code, stdout, stderr } = await test(['--require-coverage'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('  ✓ ')
    expect(stdout).toMatch(/^\d+ cases, none failed\.$/m)
    expect(stdout).not.toContain('\u001B')
  })

  it('takes the config that CONFIG names', async () => {
    const folder = folderWith(good)
    writeFileSync(join(folder, 'gateway.yaml'), 'bases: [{ path: /r4, policy: flags.yaml }]\n')
    expect(await test([], { CONFIG: folder })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 case, none'),
    })
  })

  it.each<[number, string, string, string[], Partial<Ended>]>([
    [0, 'a case that passes', good, [], { stderr: '', stdout: expect.stringContaining('1 case, none failed.') }],
    [1, 'a case that fails', bad, [], { stderr: '', stdout: expect.stringContaining('1 case, 1 failed.') }],
    [
      1,
      'a rule that no case tries',
      good,
      ['--require-coverage'],
      { stdout: expect.stringContaining('Flag.update: no refused case') },
    ],
    [
      2,
      'a mistaken file',
      'cases: [{ caes: x }]',
      [],
      { stdout: '', stderr: expect.stringContaining('No case was run.') },
    ],
    [
      2,
      'no case of that name',
      good,
      ['--only', 'nobody'],
      { stdout: '', stderr: 'No case has such a name. Nothing was run.\n' },
    ],
    [
      2,
      'options that do not go together',
      good,
      ['--tap', '--watch'],
      { stdout: '', stderr: expect.stringContaining('--tap prints one report') },
    ],
    [
      2,
      'an option that there is not',
      good,
      ['--junti', 'x'],
      { stdout: '', stderr: expect.stringContaining("Unknown option '--junti'.") },
    ],
  ])('ends with %i for %s', async (code, _, text, options, output) => {
    expect(await test([join(folderWith(text), 'flags.yaml'), ...options])).toMatchObject({ code, ...output })
  })

  it('writes TAP to standard output and JUnit to a file', async () => {
    const folder = folderWith(bad)
    const { code, stdout } = await test([folder, '--tap', '--junit', join(folder, 'report.xml')])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^TAP version 14\n1\.\.2\nnot ok 1 - flags: Flag: a flag is removed\n/)
    expect(readFileSync(join(folder, 'report.xml'), 'utf8')).toContain('<testcase name="a flag is removed"')
  })

  it('watches until it is interrupted, and ends with the code of the last run', async () => {
    const folder = folderWith(good)
    const program = startProgram({}, ['test', folder, '--watch'])
    await program.printed(/1 case, none failed\.[^]*Waiting for a change/)
    writeFileSync(join(folder, 'flags.cases.yaml'), bad)
    await program.printed(/1 case, 1 failed\.[^]*Waiting for a change/)
    program.signal('SIGINT')
    expect(await program.ended).toMatchObject({ code: 1, stderr: '' })
  })
})
