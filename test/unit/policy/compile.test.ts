import { describe, expect, it } from 'vitest'
import { compilePolicy } from '../../../src/policy/compile.ts'
import { writeDiagnostic } from '../../../src/policy/source.ts'

const sound = `policy: sound
fhir: 4.0.1
lists:
  reasons: { system: https://reasons.example, codes: [one, two] }
parts:
  reason:
    added: extension('https://reason.example')
    holds:
      valueCodeableConcept: { coded: reasons }
resources:
  Flag:
    interactions: [read, update]
    update:
      if-match: required
      changes:
        removal:
          - { replaced: status, from: active, to: inactive }
          - reason
`

/** The sound policy with one piece of its text replaced. */
function broken(piece: string, by: string): string {
  if (!sound.includes(piece)) throw new Error(`${piece} is not in the policy`)
  return sound.replace(piece, by)
}

function mistakes(text: string): string[] {
  const result = compilePolicy('p.yaml', text)
  return result.ok ? [] : result.diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`)
}

describe('compilePolicy', () => {
  it('compiles a sound policy', () => {
    expect(mistakes(sound)).toEqual([])
  })

  it('shows the line with a caret, as an editor would', () => {
    const result = compilePolicy('config/p.yaml', broken('replaced: status', 'replaced: stauts'))
    expect(result.ok || result.diagnostics.map(writeDiagnostic)).toEqual([
      'config/p.yaml:17:25  Flag has no element `stauts`. Did you mean `status`?\n' +
        '   17 |           - { replaced: stauts, from: active, to: inactive }\n' +
        '      |                         ^^^^^^ resources.Flag.update.changes.removal[0].replaced',
    ])
  })

  it('reports every mistake at once, in the order of the file', () => {
    const text = broken('replaced: status', 'replaced: stauts').replace('coded: reasons', 'coded: raesons')
    expect(mistakes(text)).toEqual([
      expect.stringContaining('There is no list `raesons` under `lists`. Did you mean `reasons`?'),
      expect.stringContaining('17:25 Flag has no element `stauts`.'),
    ])
  })

  it('does not tell beside another mistake that nothing uses what its place would have used', () => {
    const text = broken('Flag:', 'Flagg:')
    expect(mistakes(text)).toEqual([expect.stringContaining('11:3 FHIR 4.0.1 has no resource type `Flagg`.')])
  })

  it.each([
    ['an unknown FHIR version', 'fhir: 4.0.1', 'fhir: 4.3.0', '2:7 FHIR 4.3.0 is not carried'],
    [
      'an unknown setting',
      'if-match: required',
      'if-mach: required',
      '14:7 There is no setting `if-mach` here. Did you mean `if-match`?',
    ],
    ['a missing setting', 'policy: sound\n', '', '`policy` is missing: expected a text.'],
    ['an unknown interaction', '[read, update]', '[raed, update]', '12:20 Expected one of'],
    [
      'an interaction that belongs to the system',
      '[read, update]',
      '[capabilities, update]',
      '12:20 `capabilities` cannot be opened here',
    ],
    [
      'an interaction that writes, without rules',
      '[read, update]',
      '[create, update]',
      '12:20 `create` is open, but there are no rules for it',
    ],
    ['rules for an interaction that is closed', '[read, update]', '[read]', '13:5 There are rules for update, but'],
    [
      'no word on If-Match',
      '      if-match: required\n',
      '',
      '13:5 A rule for update must say whether If-Match is there: `if-match: required`, optional or forbidden.',
    ],
    [
      'a list that does not exist',
      'coded: reasons',
      'coded: raesons',
      '9:38 There is no list `raesons` under `lists`. Did you mean `reasons`?',
    ],
    [
      'a part that does not exist',
      '- reason\n',
      '- raeson\n',
      '18:13 There is no part `raeson` under `parts`. Did you mean `reason`?',
    ],
    [
      'a choice without its type',
      'valueCodeableConcept: {',
      'value: {',
      'Extension has no element `value`. Name its type: `',
    ],
    [
      'a test that does not apply',
      'coded: reasons',
      'text: not blank',
      '`text` applies to string and markdown, not to CodeableConcept.',
    ],
    ['two tests', 'coded: reasons', 'coded: reasons, refers to: $this', 'Expected exactly one of `is`, `coded`'],
    ['a transition without an end', ', to: inactive', '', '17:13 `replaced` needs `from` and `to`.'],
    [
      'a transition that is none',
      'to: inactive',
      'to: active',
      '`from` and `to` are the same value: that would be no difference.',
    ],
    [
      'a value of the wrong kind',
      'from: active',
      'from: true',
      '17:39 Expected a text, since the element is of type code.',
    ],
    [
      'two kinds in one part',
      'replaced: status,',
      'replaced: status, added: status,',
      'A part must have exactly one of',
    ],
    [
      'a variable that nothing binds',
      'replaced: status',
      'replaced: $condition.status',
      '17:25 `$condition` stands for nothing here. What does: $this, $resource. A variable is bound by `as`, above where it is used.',
    ],
    ['a path that cannot be read', 'replaced: status', 'replaced: "status!"', 'cannot be read from `!` on.'],
    ['a status that is none', 'to: inactive }', 'to: inactive, otherwise: { status: 200 } }', 'Expected at least 400.'],
    [
      'an issue code of another version',
      'to: inactive }',
      'to: inactive, otherwise: { issue: success } }',
      'FHIR 4.0.1 has no issue code `success`.',
    ],
    [
      'a code without a coding system',
      'to: inactive }',
      'to: inactive, otherwise: { code: X } }',
      'A code needs `outcome.codes`',
    ],
    [
      'contradictory times',
      'to: inactive }',
      'to: inactive, times: 2..1 }',
      'At least 2 and at most 1 contradict each other.',
    ],
    [
      'one element claimed twice',
      '- reason\n',
      "- reason\n          - added: extension('https://reason.example')\n            open: true\n",
      'can be claimed twice in `removal`',
    ],
    ['YAML that is none', 'fhir: 4.0.1', 'fhir: [4.0.1', '3:1 Flow sequence'],
    ['a tab', 'policy: sound', 'policy: sound\nsummary:\n\tx: 1', 'YAML is indented with spaces, not with tabs.'],
    ['a wrong indent', '    update:', '   update:', '13:1 This is indented otherwise than what it belongs to.'],
    ['a list where a mapping goes on', 'fhir: 4.0.1', '- fhir: 4.0.1', '2:1 What stands before this has ended here'],
    [
      'a text that YAML reads otherwise',
      'policy: sound',
      'policy: sound\nsummary: %x',
      '2:10 A text that begins with a character of YAML’s own (%) stands in quotation marks.',
    ],
    [
      'a colon in a text',
      'policy: sound',
      'policy: sound\nsummary: a: b',
      '2:10 A text that holds a colon and a space stands in quotation marks;',
    ],
    [
      'a version that is a number',
      'fhir: 4.0.1',
      'fhir: 4.0',
      'YAML takes this for a number: write it in quotation marks.',
    ],
    [
      'a version by its name',
      'fhir: 4.0.1',
      'fhir: R4',
      'FHIR R4 is not carried. Expected 3.0.2, 4.0.1 or 5.0.0. Did you mean `4.0.1`?',
    ],
    ['a mode that is none', 'fhir: 4.0.1', 'fhir: 4.0.1\nmode: reporting', 'Did you mean `report`?'],
    ['a method for an interaction', '[read, update]', '[read, put]', 'Did you mean `update`?'],
    ['a part of a name', '[read, update]', '[search, update]', 'Did you mean `search-type`?'],
    ['a duplicate key', 'fhir: 4.0.1', 'fhir: 4.0.1\nfhir: 4.0.1', 'unique'],
  ])('finds %s', (_what, piece, by, expected) => {
    const found = mistakes(broken(piece, by))
    expect(found).toEqual(expect.arrayContaining([expect.stringContaining(expected)]))
  })

  it('takes two changes that exclude each other for sound', () => {
    const text = broken(
      '- reason\n',
      '- reason\n        error:\n          - { replaced: status, from: active, to: entered-in-error }\n          - reason\n',
    )
    expect(mistakes(text)).toEqual([])
  })

  it('demands that each part of a `for each` change is tied to its item', () => {
    const text = `policy: p
fhir: 4.0.1
resources:
  List:
    interactions: [update]
    update:
      if-match: required
      changes:
        remove:
          for each: { kept: contained.ofType(Condition), as: $condition }
          parts:
            - { replaced: status, from: current, to: retired }
`
    expect(mistakes(text)).toEqual([
      expect.stringContaining('12:15 Every part here must be tied to `$condition`, so that it speaks of one item'),
    ])
  })
})

describe('a mistake in an expression', () => {
  /** `line:column` and the marked text, of each mistake. */
  function marked(require: string): string[] {
    const result = compilePolicy(
      'p.yaml',
      `policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [create]
    create:
      rest: { permit-as: new }
      invariants:
        - rule: it
          require: ${require}
`,
    )
    if (result.ok) return []
    return result.diagnostics.map(({ line, column, excerpt }) => {
      const [shown = '', carets = ''] = excerpt.split('\n')
      return `${line}:${column} ${shown.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)}`
    })
  }

  it.each([
    ['plain', 'status.exists() and stauts.exists()', ['10:40 stauts']],
    [
      'between double quotes',
      String.raw`"%after.stauts = 'a' and %after.id.matches('\\d\"') and %befor.id = 'a'"`,
      ['10:28 stauts', '10:76 %befor'],
    ],
    ['between single quotes', "'%after.status = ''active'' and stauts.exists()'", ['10:52 stauts']],
    [
      'folded',
      '>-\n            %after.status.exists() and\n            stauts.exists() and\n            now() > @2020',
      ['12:13 stauts', '13:13 now'],
    ],
    ['literal', '|\n            status = stauts', ['11:22 stauts']],
    ['plain on several lines', 'status.exists() and\n            stauts.exists()', ['11:13 stauts']],
  ])('is shown where it stands: %s', (_, require, expected) => {
    expect(marked(require)).toEqual(expected)
  })

  it('is told once for an anchor that is used twice', () => {
    const result = compilePolicy(
      'p.yaml',
      `policy: p
fhir: 4.0.1
shared: { rules: &rules [{ rule: it, require: 'stauts.exists()' }] }
resources:
  Flag:
    interactions: [create, update]
    create: { rest: { permit-as: new }, invariants: *rules }
    update: { if-match: required, rest: { permit-as: edit }, invariants: *rules }
`,
    )
    expect(result.ok || result.diagnostics).toMatchObject([{ line: 3, column: 48 }])
  })
})
