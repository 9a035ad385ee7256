import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCaseFile, readCases } from '../../src/cases/case-file.ts'
import { runCase } from '../../src/cases/run.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { writeDiagnostic, type Diagnostic } from '../../src/policy/source.ts'

/** The recipes of docs/cookbook.md: a title, a policy and its cases each. */
const page = readFileSync('docs/cookbook.md', 'utf8')
const [contents, ...sections] = page.split(/^## /m)
const recipes = sections.map((section) => ({
  title: section.slice(0, section.indexOf('\n')),
  policyText: blockOf(section, 'policy'),
  casesText: blockOf(section, 'cases'),
}))

function blockOf(section: string, kind: string): string {
  return new RegExp(`^\`\`\`yaml ${kind}\\n(.*?)^\`\`\`$`, 'ms').exec(section)?.[1] ?? ''
}

const fileBeside = (path: string) => readFileSync(join('config/policies', path), 'utf8')

const told = (diagnostics: readonly Diagnostic[]) => new Error(diagnostics.map(writeDiagnostic).join('\n'))

function resultsOf({ title, policyText, casesText }: (typeof recipes)[number]) {
  const compiled = compilePolicy(`${title}.yaml`, policyText, fileBeside)
  if (!compiled.ok) throw told(compiled.diagnostics)
  const file = readCaseFile(`${title}.cases.yaml`, casesText)
  if (!file.ok) throw told(file.diagnostics)
  const cases = readCases(file.file, compiled.policy, () => undefined)
  if (!cases.ok) throw told(cases.diagnostics)
  return cases.cases.map((one) => runCase(one, compiled.policy))
}

it('the tutorial: the policy compiles, and its cases hold', () => {
  const text = readFileSync('docs/tutorial.md', 'utf8')
  const results = resultsOf({
    title: 'appointments',
    policyText: blockOf(text, 'policy'),
    casesText: blockOf(text, 'cases'),
  })
  expect(results.map(({ mismatch }) => mismatch)).toEqual([undefined, undefined, undefined, undefined])
})

describe('the cookbook', () => {
  it('lists its recipes in their order', () => {
    expect(Array.from(contents!.matchAll(/^\d+\. \[(.+?)\]/gm), ([, title]) => title)).toEqual(
      recipes.map(({ title }) => title),
    )
  })

  it.each(recipes)('$title: the policy compiles, and its cases hold', (recipe) => {
    const results = resultsOf(recipe)
    expect(results.flatMap(({ case: { name }, mismatch }) => (mismatch ? [{ name, mismatch }] : []))).toEqual([])
    expect(new Set(results.map(({ outcome }) => outcome.kind))).toEqual(new Set(['permit', 'refuse']))
  })
})
