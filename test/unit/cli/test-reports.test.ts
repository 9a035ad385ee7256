import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SaxesParser } from 'saxes'
import { Parser } from 'tap-parser'
import { describe, expect, it } from 'vitest'
import type { TestOptions } from '../../../src/cli/test.ts'
import { bad, folderWith, good, policy, resources, run } from './cases-folder.ts'

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
