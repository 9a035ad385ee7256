import { describe, expect, it } from 'vitest'
import { readCaseFile } from '../../../src/cases/case-file.ts'
import { writeDiagnostic } from '../../../src/policy/source.ts'
import { mistakes } from './small-suite.ts'

/** Each line below `cases:`. */
const one = (...lines: readonly string[]) => `cases:\n${lines.map((line) => `  ${line}\n`).join('')}`

describe('a case file', () => {
  it.each<[string, string, string[]]>([
    ['none', one('- case: c', '  create: flag', '  permit: new'), []],
    [
      'a resource that nothing is called',
      one('- { case: c, create: flga, permit: new }'),
      ['2:24 There is no resource `flga` under `resources`. Did you mean `flag`?'],
    ],
    [
      'a file that is not there',
      one('- { case: c, create: { file: x.json }, permit: new }'),
      ['2:32 There is no file `x.json`.'],
    ],
    [
      'nothing to judge',
      one('- { case: c, permit: new }'),
      ['2:7 Expected exactly one of `before` (an update), `create`, `delete` and `operation`.'],
    ],
    [
      'two things to judge',
      one('- { case: c, create: flag, delete: flag, permit: new }'),
      ['2:7 Expected exactly one of `before` (an update), `create`, `delete` and `operation`.'],
    ],
    ['nothing expected', one('- { case: c, create: flag }'), ['2:7 Expected exactly one of `permit` and `refuse`.']],
    [
      'two things expected',
      one('- { case: c, create: flag, permit: new, refuse: [{ at: status }] }'),
      ['2:7 Expected exactly one of `permit` and `refuse`.'],
    ],
    [
      'an update to nothing',
      one('- { case: c, before: flag, permit: removal }'),
      ['2:16 An update needs exactly one of `after` and `change`; `change: []` changes nothing.'],
    ],
    [
      'an update twice over',
      one('- { case: c, before: flag, after: flag, change: [], permit: removal }'),
      ['2:16 An update needs exactly one of `after` and `change`; `change: []` changes nothing.'],
    ],
    [
      'an after of nothing',
      one('- { case: c, create: flag, after: flag, permit: new }'),
      ['2:30 `after` goes with `before`.'],
    ],
    [
      'parameters of nothing',
      one('- { case: c, create: flag, parameters: flag, permit: new }'),
      ['2:30 `parameters` goes with `operation`.'],
    ],
    [
      'an operation without parameters',
      one('- { case: c, operation: $close, permit: close }'),
      ['2:16 An operation needs its `parameters`.'],
    ],
    [
      'a target of an update',
      one('- { case: c, before: flag, on: Flag, change: [], permit: removal }'),
      ['2:30 `on` goes with `operation` and `create`.'],
    ],
    [
      'a create on an instance',
      one('- { case: c, create: flag, on: Flag/f1, permit: new }'),
      ['2:30 The target of a create is a resource type, without an id.'],
    ],
    [
      'a patch of nothing',
      one('- { case: c, create: flag, request: { interaction: patch }, permit: new }'),
      ['2:41 `interaction` goes with `before`.'],
    ],
    [
      'a restoration of what is refused',
      one('- { case: c, create: flag, restored: [status], refuse: [{ at: status }] }'),
      ['2:30 `restored` goes with `permit`.'],
    ],
    [
      'a stored resource that cannot be read',
      one('- { case: c, delete: { resourceType: Flag, status: [] }, permit: remove }'),
      [
        '2:24 The gateway could not read this stored resource. Flag.status: This element does not repeat: it is written without a list.',
      ],
    ],
    [
      'a stored resource of no type known',
      one('- { case: c, before: { resourceType: Flog }, change: [], permit: removal }'),
      ['2:24 The gateway could not read this stored resource. This resourceType does not exist in FHIR R4.'],
    ],
    [
      'a resource without a type',
      one('- { case: c, before: { status: active }, change: [], permit: removal }'),
      ['2:16 `resourceType` is missing: expected a text.'],
    ],
    [
      'a change of what is not there',
      one(
        '- case: c',
        '  before: flag',
        '  change: [{ op: test, path: /status, value: active }, { op: remove, path: /period }]',
        '  permit: removal',
      ),
      ['4:58 Operation [1] of the patch: Its path does not exist in the resource.'],
    ],
    [
      'a change of what belongs to the server',
      one('- { case: c, before: flag, change: [{ op: replace, path: /id, value: f2 }], permit: removal }'),
      [
        '2:39 Operation [0] of the patch: The resource type, id, meta.versionId and meta.lastUpdated belong to the server: a patch cannot change them.',
      ],
    ],
    [
      'an operation that lacks its value',
      one('- { case: c, before: flag, change: [{ op: add, path: /x }], permit: removal }'),
      ['2:38 Operation [0] of the patch: The operation add needs a value.'],
    ],
    [
      'a change of what cannot be read',
      one("- { case: c, create: { json: '{' }, on: Flag, change: [], permit: new }"),
      ['2:24 This cannot be changed, since it cannot be read. '],
    ],
    [
      'a create of no type',
      one("- { case: c, create: { json: '{' }, refuse: [{ cause: body-malformed }] }"),
      ['2:24 Of which type this is cannot be told: say it by `on`.'],
    ],
    [
      'a name that the policy does not give',
      one('- { case: c, before: flag, change: [], permit: removel }'),
      [
        '2:50 Flag.update permits nothing as `removel`. Possible: removal, kept, no-change, reported. Did you mean `removal`?',
      ],
    ],
    [
      'a name in a list that the policy does not give',
      one('- { case: c, before: flag, change: [], permit: [removal, removel] }'),
      ['2:60 '],
    ],
    [
      'a rule that the policy does not have',
      one('- { case: c, before: flag, change: [], refuse: [{ rule: removal.raeson }] }'),
      ['2:59 Flag.update has no rule `removal.raeson`. Did you mean `removal.reason`?'],
    ],
    [
      'a rule of what has none',
      one('- { case: c, create: observation, refuse: [{ rule: new }] }'),
      ['2:54 The policy has no rules for this.'],
    ],
    [
      'a code that the policy does not have',
      one('- { case: c, create: flag, refuse: [{ code: NO_RAESON }] }'),
      ['2:47 The policy has no code `NO_RAESON` under `outcome.codes`. Did you mean `NO_REASON`?'],
    ],
    [
      'an issue code that FHIR does not have',
      one('- { case: c, create: flag, refuse: [{ issue: requierd }] }'),
      ['2:48 FHIR 4.0.1 has no issue code `requierd`. Did you mean `required`?'],
    ],
    [
      'a refusal of no feature',
      one('- { case: c, create: flag, refuse: [{}] }'),
      ['2:39 A refusal needs one feature at least, such as `at`.'],
    ],
    ['a cause that is none', one('- { case: c, create: flag, refuse: [{ cause: body-malfromed }] }'), ['2:48 ']],
    [
      'a name that is taken',
      one('- { case: c, create: flag, permit: new }', '- { case: c, create: flag, permit: new }'),
      ['3:13 Another case has this name already.'],
    ],
    [
      'an unknown setting',
      one('- { case: c, craete: flag, permit: new }'),
      ['2:16 There is no setting `craete` here. Did you mean `create`?'],
    ],
    ['no case', 'cases: []\n', ['1:8 ']],
    ['no sentence', one('- { create: flag, permit: new }'), ['2:5 `case` is missing: expected a text.']],
    [
      'a target that is none',
      one('- { case: c, create: flag, on: flag, permit: new }'),
      ['2:34 Expected a resource type, or a type and an id: `Flag/f1`.'],
    ],
    [
      'a name without its $',
      one('- { case: c, operation: close, parameters: flag, permit: close }'),
      ['2:27 Expected an operation, written `$name`.'],
    ],
  ])('is told of every mistake where it stands: %s', (_, text, expected) => {
    // What ends in a space is only the beginning of the message.
    const told = mistakes(text).map((message, i) => {
      const wanted = expected[i] ?? ''
      return wanted.endsWith(' ') ? message.slice(0, wanted.length) : message
    })
    expect(told).toEqual(expected)
  })

  it('is told of all its mistakes at once, in their order, and of each once', () => {
    const text = one(
      '- { case: c, create: falg, refuse: [{ issue: requierd }, { code: NO_RAESON }] }',
      '- { case: d, create: [bad, flag, bad], permit: nwe }',
      '- { case: e, delete: bad, permit: remove }',
    )
    expect(mistakes(text)).toEqual([
      expect.stringMatching(/^2:24 There is no resource `falg`/),
      expect.stringMatching(/^3:25 There is no resource `bad`/),
      expect.stringMatching(/^3:36 There is no resource `bad`/),
      expect.stringMatching(/^3:50 Flag.create permits nothing as `nwe`/),
      expect.stringMatching(/^4:24 There is no resource `bad`/),
    ])
  })

  it('shows the line with a caret, as an editor would', () => {
    const read = readCaseFile('p/small.cases.yaml', 'cases:\n  - { case: c, craete: flag }\n')
    expect(read.ok || read.diagnostics.map(writeDiagnostic)).toEqual([
      'p/small.cases.yaml:2:16  There is no setting `craete` here. Did you mean `create`?\n' +
        '    2 |   - { case: c, craete: flag }\n' +
        '      |                ^^^^^^ cases[0].craete',
    ])
  })

  it.each([
    ['the policy that is called like it', 'p/flags.cases.yaml', '', 'flags.yaml'],
    ['the same in another spelling', 'flags.cases.yml', '', 'flags.yaml'],
    ['the policy that it names', 'p/flags.cases.yaml', 'policy: ../other.yaml\n', '../other.yaml'],
  ])('is about %s', (_, file, line, policy) => {
    const read = readCaseFile(file, `${line}cases: [{ case: c }]`)
    expect(read.ok && read.file.policy).toBe(policy)
    // A mistaken one, too: it is told with the others of that policy.
    expect(readCaseFile(file, `${line}cases: []`)).toMatchObject({ ok: false, policy })
  })

  it('that is no YAML is told so', () => {
    expect(readCaseFile('f.cases.yaml', 'cases: [')).toMatchObject({
      ok: false,
      policy: 'f.yaml',
      diagnostics: [{ line: 1 }],
    })
  })
})
