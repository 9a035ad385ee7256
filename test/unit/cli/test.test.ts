import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { coloured } from '../../../src/cli/colour.ts'
import { mistakeOf, test, type TestOptions } from '../../../src/cli/test.ts'
import { trackFiles } from '../../../src/cli/tracked-files.ts'
import { bad, folderWith, good, plainly, policy, resources, run } from './cases-folder.ts'

describe('test', () => {
  it('has a line for each case, what differs below those that fail, and what no case tries', () => {
    const folder = folderWith({ 'flags.yaml': policy, 'flags.cases.yaml': bad })
    const { exitCode, text, mistakes } = run(folder, ['flags.yaml'])
    expect({ exitCode, mistakes }).toEqual({ exitCode: 1, mistakes: '' })
    expect(text).toBe(`flags  flags.yaml
 Flag
  ✓ a flag is removed       permitted as removal
  ✓ nothing else changes    Flag.status  business-rule  and 1 more
  ✗ a text is corrected     flags.cases.yaml:11
      expected: permitted as removal
      got:      refused
        + unexpected  422 business-rule at Flag.code.text by Flag.update
                      Flag.code.text differs from the stored version. The policy does not permit this change.
  ✗ a flag is made          flags.cases.yaml:12
      expected: refused
      got:      permitted as new
        - missing     422 at Flag.status
  ✗ a status is taken away  flags.cases.yaml:13
      expected: refused
      got:      refused
        ~ differing   422 business-rule at Flag.status by Flag.update.removal.status
                      status: expected 403, got 422

5 cases, 3 failed.

flags: every rule (6) has a permitted and a refused case, except:
  Flag.create.new: no permitted and no refused case
`)
  })

  it('is content when no case fails, and fails for what no case tries only when that is asked', () => {
    const folder = folderWith({ 'flags.yaml': policy, 'flags.cases.yaml': good })
    expect(run(folder, ['flags.yaml'])).toMatchObject({
      exitCode: 0,
      text: expect.stringContaining('2 cases, none failed.\n'),
    })
    expect(run(folder, ['flags.yaml'], { coverageRequired: true }).exitCode).toBe(1)
  })

  it('is in colour where it is asked to be', () => {
    const folder = folderWith({ 'flags.yaml': policy, 'flags.cases.yaml': bad })
    const { text } = run(folder, ['flags.yaml'], { colours: coloured })
    expect(text).toContain('\u001B[32m✓\u001B[39m')
    expect(text).toContain('\u001B[31m✗\u001B[39m')
    expect(run(folder, ['flags.yaml']).text).not.toContain('\u001B')
  })

  it('runs only the cases that are asked for, and says nothing of the rules then', () => {
    const folder = folderWith({ 'flags.yaml': policy, 'flags.cases.yaml': bad })
    const { exitCode, text } = run(folder, ['flags.yaml'], { only: 'removed' })
    expect({ exitCode, text }).toEqual({
      exitCode: 0,
      text: 'flags  flags.yaml\n Flag\n  ✓ a flag is removed  permitted as removal\n\n1 case, none failed.\n',
    })
  })

  it('lets no name of a case speak to the terminal', () => {
    const folder = folderWith({
      'flags.yaml': policy,
      'flags.cases.yaml': `${resources}  - { case: "red \\e[31m\\u202E", create: flag, permit: new }\n`,
    })
    expect(run(folder, ['flags.yaml']).text).toContain('  ✓ red \\u{1b}[31m\\u{202e}  permitted as new\n')
  })
})

describe('what test runs', () => {
  const otherPolicy = policy.replace('policy: flags', 'policy: others\nbases: [https://fhir.example]')
  const files = {
    'gateway.yaml': 'bases: [{ path: /r4, policy: policies/flags.yaml }]\n',
    'policies/flags.yaml': policy,
    'policies/flags.cases.yaml': good,
    'policies/more.cases.yaml': `policy: flags.yaml\n${good.replace('a flag is removed', 'more')}`,
    'policies/others.yaml': otherPolicy,
    'policies/others.cases.yaml': good,
    'policies/untried.yaml': policy.replace('policy: flags', 'policy: untried'),
    'elsewhere/far.cases.yaml': `policy: ../policies/others.yaml\n${good.replace('a flag is removed', 'far')}`,
  }
  /** The policies that were run, with the number of their cases. */
  function ran(folder: string, ...paths: string[]): Record<string, number> {
    const { text, mistakes } = run(folder, paths)
    expect(mistakes).toBe('')
    const sections = text.split(/^(?=\S+ {2}\S+\.yaml$)/m)
    return Object.fromEntries(
      sections.flatMap((section) => {
        const name = /^(\S+) {2}\S+\.yaml\n/.exec(section)?.[1]
        return name === undefined ? [] : [[name, section.match(/^ {2}[✓✗]/gm)!.length]]
      }),
    )
  }

  it.each<[string, string[], Record<string, number>]>([
    ['a policy with all case files beside it that name it', ['policies/flags.yaml'], { flags: 4 }],
    ['a policy that has bases of its own', ['policies/others.yaml'], { others: 2 }],
    ['a case file', ['policies/more.cases.yaml'], { flags: 2 }],
    ['a case file that lies elsewhere', ['elsewhere/far.cases.yaml'], { others: 2 }],
    ['a config, with the policies beside its own that have cases', ['.'], { flags: 4, others: 2 }],
    ['the file of a config', ['gateway.yaml'], { flags: 4, others: 2 }],
    ['a folder of case files', ['elsewhere'], { others: 2 }],
    ['several, each once', ['.', 'policies', 'policies/flags.cases.yaml', 'elsewhere'], { flags: 4, others: 4 }],
  ])('is %s', (_, paths, expected) => {
    expect(ran(folderWith(files), ...paths)).toEqual(expected)
  })

  it('says of a policy of the config without cases that it has none', () => {
    const folder = folderWith({
      ...files,
      'gateway.yaml':
        'bases: [{ path: /a, policy: policies/flags.yaml }, { path: /b, policy: policies/untried.yaml }]\n',
    })
    const { exitCode, text } = run(folder, ['.'])
    expect(exitCode).toBe(0)
    expect(text).toMatch(/^untried: there are no cases\.$/m)
    expect(run(folder, ['.'], { coverageRequired: true }).exitCode).toBe(1)
  })

  it.each<[string, (folder: string) => void, boolean]>([
    ['a policy', (folder) => writeFileSync(join(folder, 'flags.yaml'), `${policy}# changed\n`), true],
    ['a case file', (folder) => writeFileSync(join(folder, 'flags.cases.yaml'), good), true],
    ['a body that a case names', (folder) => writeFileSync(join(folder, 'bodies/flag.json'), '{}'), true],
    ['a body that is taken away', (folder) => rmSync(join(folder, 'bodies/flag.json')), true],
    ['a list of codes that the policy names', (folder) => writeFileSync(join(folder, 'lists/a.json'), '{}'), true],
    ['a case file that is new', (folder) => writeFileSync(join(folder, 'new.cases.yaml'), ''), true],
    ['a file that nothing names', (folder) => writeFileSync(join(folder, 'report.xml'), ''), false],
    ['nothing', () => {}, false],
  ])('is known, so that a change can be told: %s', (_, change, expected) => {
    const reasons = { resourceType: 'CodeSystem', url: 'https://r', content: 'complete', concept: [{ code: 'a' }] }
    const folder = folderWith({
      'flags.yaml': policy
        .replace('resources:', 'lists: { reasons: { file: lists/a.json } }\nresources:')
        .replace('{ is: active } }', '{ is: active }, category: { times: 0..*, coded: reasons } }'),
      'flags.cases.yaml': `${good}  - { case: by a file, create: { file: bodies/flag.json }, permit: new }\n`,
      'bodies/flag.json': '{"resourceType":"Flag","status":"active"}',
      'lists/a.json': JSON.stringify(reasons),
    })
    const files = trackFiles()
    expect(test({ ...plainly, paths: [join(folder, 'flags.yaml')] }, files)).toMatchObject({
      exitCode: 0,
      mistakes: '',
    })
    change(folder)
    expect(files.haveChanged()).toBe(expected)
  })

  it.each<[string, Readonly<Record<string, string>>, string[], Partial<TestOptions>, string]>([
    ['a path that does not exist', {}, ['x.yaml'], {}, 'There is no file x.yaml.\n\n1 mistake. No case was run.\n'],
    [
      'a case file that does not exist',
      {},
      ['x.cases.yaml'],
      {},
      'There is no file x.cases.yaml.\n\n1 mistake. No case was run.\n',
    ],
    [
      'a folder without anything',
      { 'a/b.txt': '' },
      ['a'],
      {},
      'There is neither a gateway.yaml nor a case file (NAME.cases.yaml) in a.\n\n1 mistake. No case was run.\n',
    ],
    [
      'a policy without cases',
      { 'flags.yaml': policy },
      ['flags.yaml'],
      {},
      'flags.yaml has no cases: put them beside it, in flags.cases.yaml.\n\n1 mistake. No case was run.\n',
    ],
    [
      'a case file whose policy is not there',
      { 'a.cases.yaml': good },
      ['a.cases.yaml'],
      {},
      'There is no policy file `a.yaml`.',
    ],
    [
      'a mistaken policy',
      { ...files, 'policies/flags.yaml': policy.replace('replaced: status', 'replaced: stauts') },
      ['.'],
      {},
      'policies/flags.yaml:9:31  Flag has no element `stauts`. Did you mean `status`?',
    ],
    [
      'a mistaken case file',
      { ...files, 'policies/more.cases.yaml': 'policy: flags.yaml\ncases: [{ caes: x }]' },
      ['.'],
      {},
      'policies/more.cases.yaml:2:11  ',
    ],
    [
      'a mistaken case',
      { ...files, 'policies/flags.cases.yaml': good.replace('before: flag', 'before: falg') },
      ['.'],
      {},
      'There is no resource `falg` under `resources`. Did you mean `flag`?',
    ],
    ['a mistaken gateway.yaml', { ...files, 'gateway.yaml': 'bases: []\n' }, ['.'], {}, 'gateway.yaml:1:8  '],
    [
      'a policy that gateway.yaml names and is not there',
      { ...files, 'gateway.yaml': 'bases: [{ path: /a, policy: p.yaml }]\n' },
      ['.'],
      {},
      'gateway.yaml:1:29  There is no file `p.yaml`.',
    ],
    ['names that no case has', files, ['.'], { only: 'nobody' }, 'No case has such a name. Nothing was run.\n'],
    [
      'a report that cannot be written',
      files,
      ['.'],
      { junit: '/does/not/exist/report.xml' },
      '--junit: the file cannot be written (ENOENT).\n',
    ],
  ])('is nothing with %s', (_, own, paths, options, mistake) => {
    const { exitCode, text, mistakes } = run(folderWith(own), paths, options)
    expect({ exitCode, text }).toEqual({ exitCode: 2, text: '' })
    expect(mistakes).toContain(mistake)
  })
})

describe('what test is asked', () => {
  it.each<[string, Partial<TestOptions>, string | undefined]>([
    ['nothing in particular', {}, undefined],
    [
      'some cases that should try all rules',
      { only: 'x', coverageRequired: true },
      '--require-coverage needs all cases: leave --only out.\n',
    ],
    [
      'many reports in one',
      { tap: true, watch: true },
      '--tap prints one report, and --watch many: leave one of them out.\n',
    ],
  ])('may not be %s', (_, options, mistake) => {
    expect(mistakeOf({ ...plainly, paths: [], ...options })).toBe(mistake)
  })
})
