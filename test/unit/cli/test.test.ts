import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { SaxesParser } from 'saxes'
import { Parser } from 'tap-parser'
import { describe, expect, it, onTestFinished } from 'vitest'
import { coloured, plain } from '../../../src/cli/colour.ts'
import { test, type Tested, type TestOptions } from '../../../src/cli/test.ts'

const policy = `policy: flags
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
const resources = `resources:
  flag: { resourceType: Flag, id: f1, status: active, code: { text: Hearing } }
cases:
`
const good = `${resources}
  - { case: a flag is removed, before: flag, change: [{ op: replace, path: /status, value: inactive }], permit: removal }
  - case: nothing else changes
    before: flag
    change: [{ op: remove, path: /code }, { op: remove, path: /status }]
    refuse: [{ at: code, rule: Flag.update }, { at: status }]
`
const bad = `${good}
  - { case: a text is corrected, before: flag, change: [{ op: replace, path: /code/text, value: Sight }], permit: removal }
  - { case: a flag is made, create: flag, refuse: [{ at: status, status: 422 }] }
  - { case: a status is taken away, before: flag, change: [{ op: remove, path: /status }], refuse: [{ at: status, status: 403 }] }
`

/** A folder with these files; the absolute paths of others lie in it, too. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'cases-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

function run(folder: string, paths: readonly string[], options: Partial<TestOptions> = {}): Tested {
  const done = test({
    only: undefined,
    junit: undefined,
    tap: false,
    coverageRequired: false,
    colours: plain,
    ...options,
    paths: paths.map((path) => join(folder, path)),
  })
  const relative = (text: string) => text.replaceAll(`${folder}/`, '')
  return { ...done, text: relative(done.text), mistakes: relative(done.mistakes) }
}

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

  it('is known by the names of all files that were read or looked for, so that they can be watched', () => {
    const folder = folderWith({
      'flags.yaml': policy,
      'flags.cases.yaml': `${good}  - { case: by a file, create: { file: bodies/flag.json }, permit: new }\n`,
      'bodies/flag.json': '{"resourceType":"Flag","status":"active"}',
    })
    const { files: read, exitCode } = run(folder, ['flags.yaml'])
    expect(exitCode).toBe(0)
    for (const name of ['flags.yaml', 'flags.cases.yaml', 'bodies/flag.json'])
      expect(read).toContain(join(folder, name))
    rmSync(join(folder, 'bodies/flag.json'))
    expect(run(folder, ['flags.yaml']).files).toContain(join(folder, 'bodies/flag.json'))
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
      'some cases that should try all rules',
      files,
      ['.'],
      { only: 'flag', coverageRequired: true },
      '--require-coverage needs all cases: leave --only out.\n',
    ],
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

/** Names that a report could stumble over. */
const hostile = String.raw`  - { case: "1..9 # SKIP \\ <&\"'> ]]> \0\a\e\u0085 \uFFFE \n...\nnot ok 7", create: flag, permit: no-change }
  - { case: "# TODO", create: flag, permit: new }
`

describe('the report in the Test Anything Protocol', () => {
  function tapOf(cases: string, options: Partial<TestOptions> = {}) {
    const folder = folderWith({ 'flags.yaml': policy, 'flags.cases.yaml': cases })
    const { text, exitCode } = run(folder, ['flags.yaml'], { tap: true, ...options })
    const parser = new Parser({ strict: true })
    const points: { ok: boolean; name: string; diag?: Record<string, unknown>; todo?: unknown; skip?: unknown }[] = []
    parser.on('assert', (point) => points.push(point))
    parser.end(text)
    return { text, exitCode, points, results: parser.results! }
  }

  it('has a point for each case, and one for the rules that no case tries', () => {
    const { text, exitCode, points, results } = tapOf(bad)
    expect(text).toMatch(/^TAP version 14\n1\.\.6\nok 1 - flags: Flag: a flag is removed\n/)
    expect(exitCode).toBe(1)
    expect(results).toMatchObject({ count: 6, pass: 2, fail: 4, todo: 1 })
    expect(results.failures.filter((failure) => failure.tapError !== null)).toEqual([])
    expect(points[2]!.diag).toEqual({
      at: { file: 'flags.cases.yaml', line: 11 },
      expected: 'permitted as removal',
      got: 'refused',
      differences: [{ unexpected: '422 business-rule at Flag.code.text by Flag.update' }],
    })
    expect(points[4]!.diag).toMatchObject({
      differences: [{ features: [{ name: 'status', expected: '403', got: '422' }] }],
    })
    expect(points[5]).toMatchObject({
      ok: false,
      todo: 'not required',
      diag: { lacking: ['Flag.create.new: no permitted and no refused case'] },
    })
  })

  it('fails for rules that no case tries when they are required', () => {
    expect(tapOf(good).results).toMatchObject({ ok: true })
    const { results, exitCode } = tapOf(good, { coverageRequired: true })
    expect({ ok: results.ok, exitCode }).toEqual({ ok: false, exitCode: 1 })
  })

  it('lets no name of a case change what it says', () => {
    const { points, results } = tapOf(`${resources}${hostile}`)
    expect(points.slice(0, 2).map(({ ok, name, todo = false, skip = false }) => ({ ok, name, todo, skip }))).toEqual([
      {
        ok: false,
        name: String.raw`flags: Flag: 1..9 # SKIP \ <&"'> ]]> \u{0}\u{7}\u{1b}\u{85} \u{fffe} \u{a}...\u{a}not ok 7`,
        todo: false,
        skip: false,
      },
      { ok: true, name: 'flags: Flag: # TODO', todo: false, skip: false },
    ])
    expect(results.count).toBe(3)
  })
})

describe('the report for JUnit', () => {
  function junitOf(cases: string, options: Partial<TestOptions> = {}) {
    const folder = folderWith({ 'flags.yaml': policy, 'flags.cases.yaml': cases })
    const file = join(folder, 'report.xml')
    const { text } = run(folder, ['flags.yaml'], { junit: file, ...options })
    const xml = readFileSync(file, 'utf8').replaceAll(`${folder}/`, '')
    const tags: { name: string; attributes: Record<string, string>; text: string }[] = []
    const parser = new SaxesParser()
    parser.on('error', (error) => {
      throw error
    })
    parser.on('opentag', ({ name, attributes }) => void tags.push({ name, attributes, text: '' }))
    parser.on('text', (part) => void (tags.at(-1) && (tags.at(-1)!.text += part)))
    parser.write(xml).close()
    return { text, xml, tags, named: (name: string) => tags.filter((tag) => tag.name === name) }
  }

  it('has the cases in a suite for each policy and resource type, beside the text', () => {
    const { text, named } = junitOf(bad)
    expect(text).toContain('5 cases, 3 failed.')
    expect(named('testsuites')[0]!.attributes).toMatchObject({ tests: '5', failures: '3' })
    expect(named('testsuite').map(({ attributes }) => attributes)).toEqual([
      { name: 'flags: Flag', tests: '5', failures: '3', errors: '0', skipped: '0' },
    ])
    expect(named('testcase')[2]!.attributes).toEqual({
      name: 'a text is corrected',
      classname: 'flags.Flag',
      file: 'flags.cases.yaml',
      line: '11',
    })
    expect(named('failure').map(({ attributes, text: own }) => [attributes['message'], own.trim()])).toEqual([
      [
        'expected: permitted as removal; got: refused',
        'unexpected: 422 business-rule at Flag.code.text by Flag.update',
      ],
      ['expected: refused; got: permitted as new', 'missing: 422 at Flag.status'],
      [
        'expected: refused; got: refused',
        'differing: 422 business-rule at Flag.status by Flag.update.removal.status; status: expected 403, got 422',
      ],
    ])
  })

  it('has the rules that no case tries as failures when they are required', () => {
    expect(junitOf(good).named('failure')).toEqual([])
    const { named } = junitOf(good, { coverageRequired: true })
    expect(named('testsuites')[0]!.attributes).toMatchObject({ tests: '3', failures: '1' })
    expect(named('testcase').at(-1)!.attributes).toMatchObject({ name: 'Flag.create.new', classname: 'flags.coverage' })
  })

  it('is well-formed whatever a case is called', () => {
    const { named } = junitOf(`${resources}${hostile}`)
    expect(named('testcase').map(({ attributes }) => attributes['name'])).toEqual([
      String.raw`1..9 # SKIP \ <&"'> ]]> \u{0}\u{7}\u{1b}\u{85} \u{fffe} \u{a}...\u{a}not ok 7`,
      '# TODO',
    ])
  })
})
