import { describe, expect, it } from 'vitest'
import { coverageOf } from '../../../src/cases/coverage.ts'
import { rulesOf } from '../../../src/cases/rules.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { compiled } from '../policy/small-policy.ts'
import { policy, run } from './small-suite.ts'

/** What the cases leave open, as `rule: lacks`. */
function lacking(cases: string, of: Policy = policy): string[] {
  return coverageOf(of, run(cases, {}, of)).lacking.map(({ rule, lacks }) => `${rule}: ${lacks}`)
}

const complete = [
  '- { case: removed, before: flag, change: *removal, permit: removal }',
  '- { case: no reason, before: flag, change: [{ op: replace, path: /status, value: inactive }], refuse: [{ rule: removal.reason }] }',
  "- { case: blank, before: flag, change: [{ op: replace, path: /status, value: inactive }, { op: add, path: /extension, value: [{ url: 'https://reason.example', valueString: ' ' }] }], refuse: [{ rule: removal.reason/valueString }] }",
  '- { case: again, before: inactive, change: [{ op: replace, path: /status, value: active }], refuse: [{ rule: removal.status }] }',
  '- { case: restored, before: flag, change: [{ op: remove, path: /code }], permit: kept, restored: [code] }',
  '- { case: subject, before: flag, change: [{ op: remove, path: /subject }], refuse: [{ rule: Flag.update }] }',
  '- { case: new, create: flag, permit: new }',
  '- { case: not new, create: inactive, refuse: [{ at: status }] }',
  '- { case: gone, delete: inactive, permit: remove }',
  '- { case: not gone, delete: flag, refuse: [{ at: status }] }',
  '- { case: closed, operation: $close, on: Flag/f1, parameters: { resourceType: Parameters, parameter: [{ name: why, valueString: x }] }, permit: close }',
  '- { case: not closed, operation: $close, on: Flag/f1, parameters: { resourceType: Parameters }, refuse: [{ rule: "close.whole/parameter(\'why\')" }] }',
  '- { case: edited, before: observation, change: [{ op: remove, path: /code }], request: { scopes: [lab] }, permit: edit }',
  '- { case: not edited, before: observation, change: [{ op: remove, path: /code }], refuse: [{ rule: only a lab writes results }] }',
]
const text = (cases: readonly string[]) => `cases:
${cases
  .map(
    (one) => `  ${one}
`,
  )
  .join('')}`

describe('coverage', () => {
  it('is complete when every rule was permitted and refused once', () => {
    expect(lacking(text(complete))).toEqual([])
  })

  it.each<[string, string[]]>([
    ['removed', ['Flag.update.removal: permitted']],
    ['no reason', ['Flag.update.removal.reason: refused']],
    ['blank', ['Flag.update.removal.reason/valueString: refused']],
    ['again', ['Flag.update.removal.status: refused']],
    ['restored', ['Flag.update: permitted']],
    ['subject', ['Flag.update: refused']],
    ['new', ['Flag.create.new: permitted']],
    ['not new', ['Flag.create.new: refused']],
    ['gone', ['Flag.delete.remove: permitted']],
    ['not gone', ['Flag.delete.remove: refused']],
    ['closed', ['Flag/[id]/$close.close: permitted']],
    ['not closed', ['Flag/[id]/$close.close: refused']],
    ['edited', ['Observation.update: permitted', 'Observation.update/only a lab writes results: permitted']],
    ['not edited', ['Observation.update/only a lab writes results: refused']],
  ])('lacks what only the case `%s` tries', (name, expected) => {
    const without = complete.filter((one) => !one.startsWith(`- { case: ${name},`))
    expect(without).toHaveLength(complete.length - 1)
    expect(lacking(text(without))).toEqual(expected)
  })

  it('counts no case that came out otherwise than expected', () => {
    const wrong = complete.map((one) => one.replace('permit: new }', 'permit: no-change }'))
    expect(lacking(text(wrong))).toEqual(['Flag.create.new: permitted'])
  })

  it('says of a change that no case tries only that', () => {
    const [, ...others] = complete.filter((one) => !/case: (no reason|blank|again),/.test(one))
    expect(lacking(text(others))).toEqual(['Flag.update.removal: both'])
  })

  it('counts of two changes that have one element go otherwise both as refused, though one speaks for both', () => {
    const two = compiled(`policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [update]
    update:
      if-match: required
      changes:
        first: [{ replaced: status, from: active, to: inactive }]
        second: [{ replaced: status, from: inactive, to: entered-in-error }]
      rest: { permit-as: edit, except: [status] }
`)
    const again =
      '- { case: again, before: inactive, change: [{ op: replace, path: /status, value: active }], refuse: [{ at: status }] }'
    expect(lacking(text([again]), two)).toEqual([
      'Flag.update.first: permitted',
      'Flag.update.second: permitted',
      'Flag.update: both',
    ])
    const claimed =
      '- { case: claimed, before: flag, change: [{ op: replace, path: /status, value: inactive }, { op: add, path: /colour, value: red }], refuse: [{ at: colour }] }'
    expect(lacking(text([claimed]), two)).toEqual([
      'Flag.update.first: both',
      'Flag.update.second: both',
      'Flag.update: permitted',
    ])
  })

  it('counts what is reported as refused, and a write of which something is reported not as permitted', () => {
    const reporting = compiled(`policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [update]
    update:
      if-match: required
      changes: { removal: [{ replaced: status, from: active, to: inactive }] }
      invariants: [{ rule: it has a code, require: '%after.code.exists()', mode: report }]
`)
    const both =
      '- { case: both, before: flag, change: [{ op: replace, path: /status, value: inactive }, { op: remove, path: /code }], refuse: [{ at: code }], reported: [{ rule: it has a code }] }'
    expect(lacking(text([both]), reporting)).toEqual([
      'Flag.update.removal: both',
      'Flag.update/it has a code: permitted',
    ])
    const one =
      '- { case: one, before: { resourceType: Flag, status: active }, change: [{ op: replace, path: /status, value: inactive }], permit: [removal, reported], reported: [{ rule: it has a code }] }'
    expect(lacking(text([one]), reporting)).toEqual([
      'Flag.update.removal: both',
      'Flag.update: refused',
      'Flag.update/it has a code: permitted',
    ])
  })

  it("counts the types that '*' stands for together", () => {
    const others = compiled(`policy: p
fhir: 4.0.1
resources:
  Flag: { interactions: [read] }
  '*':
    interactions: [create]
    operations: { $check: { methods: [POST], changes: { ok: [{ added: $this, rule: whole, lacks: id }] } } }
    create: { changes: { new: [{ added: $this, rule: ruled, open: true, lacks: language }] } }
`)
    const patient = '- { case: patient, create: { resourceType: Patient }, permit: new }'
    const group =
      '- { case: group, create: { resourceType: Group, language: en }, refuse: [{ rule: new.ruled/lacks language }] }'
    expect(coverageOf(others, []).rules).toBe(6)
    expect(lacking(text([patient]), others)).toEqual(['*.create.new: refused', '*/$check.ok: both'])
    expect(lacking(text([patient, group]), others)).toEqual(['*/$check.ok: both'])
  })
})

describe('the rules of a rule set', () => {
  it.each<[string, string, string[]]>([
    [
      'what must be there',
      "extension('a'): { holds: { valueString: { text: not blank } } }",
      ["x/extension('a') itself", "x/extension('a')/valueString itself"],
    ],
    ['what may be there, once', "extension('a'): { times: 0..1, open: true }", ["x/extension('a') itself"]],
    ['what may be there, often', "extension('a'): { times: 0..*, open: true }", ["x/extension('a') never"]],
    ['what may be there, and cannot be there twice', 'period: { times: 0..1, open: true }', ['x/period never']],
    ['a value that may be there', 'status: { is: active, times: 0..1 }', ['x/status itself']],
  ])('%s', (_, holds, expected) => {
    const rules = policyOf(`changes: { new: [{ added: $this, rule: x, open: true, holds: { ${holds} } }] }`)
    expect(rules).toEqual(['Flag.create.new within', 'x within', ...expected])
  })

  it('has the alternatives of which one is there, each by itself', () => {
    const oneOf =
      "[{ extension('a'): { open: true } }, { extension('b'): { open: true }, extension('c'): { open: true } }]"
    expect(policyOf(`changes: { new: [{ added: $this, rule: x, open: true, one-of: ${oneOf} }] }`)).toEqual([
      'Flag.create.new within',
      'x within',
      'x/one-of itself',
      "x/extension('a') itself",
      "x/extension('b') itself",
      "x/extension('c') itself",
    ])
  })

  function policyOf(create: string): string[] {
    const { resources } = compiled(
      `policy: p\nfhir: 4.0.1\nresources:\n  Flag:\n    interactions: [create]\n    create: { ${create} }\n`,
    )
    return rulesOf(resources.get('Flag')!.create!).map(
      ({ id, refuses }) => `${id.replace('Flag.create.new.', '')} ${refuses}`,
    )
  }
})
