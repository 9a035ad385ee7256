import { describe, expect, it } from 'vitest'
import { bounds } from '../../../src/policy/bounds.ts'
import { readSource } from '../../../src/policy/source.ts'
import { compiled, mistakes, verdict } from './small-policy.ts'

const policy = (rules: string, more = '') => `policy: p
fhir: 4.0.1
${more}
resources:
  Flag:
    interactions: [update]
    update:
      if-match: required
      ${rules}
`
const many = (count: number, one: (i: number) => string, between = ', ') =>
  Array.from({ length: count }, (_, i) => one(i)).join(between)
const path = (length: number) => `code${'.extension'.repeat(length / 10)}`

describe('a policy beyond the bounds is a mistake', () => {
  it.each<readonly [what: string, text: string, expected: string]>([
    ['a long text', `policy: ${'x'.repeat(bounds.text)}`, '1:1 The file has more than 1048576 characters.'],
    ['lists in lists', `policy: ${'['.repeat(200)}${']'.repeat(200)}`, '1:108 This is nested more than 100 deep.'],
    ['lists in lists that never end', `policy: ${'['.repeat(100_000)}`, '1:108 This is nested more than 100 deep.'],
    ['items in items', `${'- '.repeat(100_000)}x`, '1:201 This is nested more than 100 deep.'],
    ['a mapping of many keys', many(20_000, (i) => `k${i}: 1`, '\n'), '1:1 This has more than 1000 entries.'],
    ['a flow mapping of many keys', `{ ${many(1001, (i) => `k${i}: 1`)} }`, '1:1 This has more than 1000 entries.'],
    ['many aliases', `a: &a x\nb: [${many(1001, () => '*a')}]`, '2:4005 There are more than 1000 aliases.'],
    [
      'aliases of aliases',
      `a: &a [${many(9, () => 'x')}]\n${many(7, (i) => `${'bcdefgh'[i]}: &${'bcdefgh'[i]} [${many(9, () => `*${'abcdefg'[i]}`)}]`, '\n')}`,
      'Excessive alias count',
    ],
    [
      'an alias in itself',
      'a: &a [*a]',
      '1:1 With its aliases it is nested too deeply, or an alias stands in what it stands for.',
    ],
    [
      'mappings that are merged many times',
      `a: &a { ${many(300, (i) => `k${i}: 1`)} }\n${many(900, (i) => `m${i}: { <<: *a }`, '\n')}`,
      '1:1 With its aliases it comes to more than 200000 values.',
    ],
    [
      'a long path',
      policy(`rest: { permit-as: edit, except: [${path(1010)}] }`),
      '9:41 A path has 1000 characters at most.',
    ],
    [
      'many parts together',
      policy(
        `changes:\n${many(3, (i) => `        c${i}: [${many(400, (j) => `{ removed: "identifier[value = '${i}-${j}']", open: true }`)}]`, '\n')}`,
      ),
      '7:5 This has more than 1000 parts.',
    ],
    [
      'many conditions together',
      policy(
        `changes:\n        it:\n          - added: extension\n            holds: { ${many(6, (i) => `extension('${i}'): { holds: { ${many(200, (j) => `extension('${j}'): { open: true }`)} } }`)} }`,
      ),
      'this is more than 1000 conditions.',
    ],
    [
      'many rules in all, for every other type',
      policy('rest: { permit-as: edit }')
        .replace('Flag', "'*'")
        .replace(
          'rest:',
          `changes:\n        it:\n          - added: meta.tag\n            holds: { ${many(200, (j) => `extension('${j}'): { open: true }`)} }\n      rest:`,
        ),
      'The policy has more than 20000 parts and conditions.',
    ],
  ])('%s', (_what, text, expected) => {
    expect(mistakes(text)).toEqual([expect.stringContaining(expected)])
  })

  it('tells no more mistakes than a person can read', () => {
    expect(mistakes(policy(`rest: { permit-as: edit, except: [${many(5000, (i) => `x${i}`)}] }`))).toHaveLength(1000)
    expect(mistakes(policy(`rest: { permit-as: edit, except: [${many(5000, (i) => `${i}`)}] }`))).toHaveLength(1000)
  })

  it('shows a part of a very long line', () => {
    const { diagnostics } = readSource('p.yaml', `policy: [${many(20_000, () => 'x')}, { a: 1, a: 2 }]`)
    expect(diagnostics).toHaveLength(1)
    expect(diagnostics[0]!.excerpt.length).toBeLessThan(1000)
    const [line, caret] = diagnostics[0]!.excerpt.split('\n')
    expect(line!.slice(caret!.indexOf('^'))).toMatch(/^a: 2/)
  })
})

describe('a large policy within the bounds', () => {
  it('compiles', () => {
    const rules = `changes:\n${many(9, (i) => `        c${i}: [${many(100, (j) => `{ removed: "identifier[value = '${i}-${j}']", open: true, times: 0..1 }`)}]`, '\n')}`
    const lists = `lists: { l: { system: https://s.example, codes: [${many(20_000, (i) => `c${i}`)}] } }`
    const text = policy(rules, lists).replace(
      'open: true, times: 0..1 }',
      'open: true, times: 0..1, holds: { type: { coded: l } } }',
    )
    expect(mistakes(text)).toEqual([])
  })
})

it('compares a number as it is written', () => {
  const of = (value: string) =>
    compiled(`policy: p
fhir: 4.0.1
resources:
  Observation:
    interactions: [create]
    create: { changes: { new: [{ added: $this, open: true, holds: { valueQuantity.value: { is: ${value} } } }] } }
`)
  const observation = (value: string) =>
    JSON.parse(
      `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":${value}}}`,
    ) as object
  expect(verdict(of('1.5'), undefined, observation('1.5'))).toEqual(['new'])
  expect(verdict(of('1.50'), undefined, observation('1.5'))).toEqual(['! Observation.value.value must be `1.50`'])
})
