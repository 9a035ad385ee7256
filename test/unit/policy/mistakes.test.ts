import { describe, expect, it } from 'vitest'
import { mistakes } from './small-policy.ts'

const sound = `policy: sound
fhir: 4.0.1
outcome: { codes: { system: https://codes.example, display: { NO: No } } }
answers: { change-not-permitted: { status: 403, code: NO } }
precedence: [403, 400]
bases: [https://fhir.example/r4]
match: { List.entry: item.reference }
lists:
  reasons: { system: https://reasons.example, codes: [one, two] }
parts:
  reason:
    added: extension('https://reason.example')
    holds:
      valueCodeableConcept: { coded: reasons }
system:
  interactions: [capabilities]
  operations:
    $do: { methods: [POST], changes: { it: [{ added: $this, open: true }] } }
resources:
  List:
    interactions: [read, create, update]
    conditional: [update]
    create:
      changes:
        new: [{ added: $this, open: true }]
    update:
      if-match: required
      changes:
        remove:
          for each: { kept: contained.ofType(Condition), as: $condition }
          parts:
            - { replaced: $condition.recordedDate, from: absent, to: 2026-01-01 }
            - { use: reason, on: $condition }
            - appended: contained.ofType(Provenance)[target.reference refers to $condition]
              as: $provenance
              open: true
              holds: { reason.text: { text: not blank, max-length: 10 } }
              with:
                - { appended: 'entry[item.reference refers to $provenance]', holds: { item: { refers to: $provenance } } }
            - { replaced: 'entry[item.reference refers to $condition].deleted', from: [false, absent], to: true }
      rest: { permit-as: edit, except: [subject] }
`

type Row = readonly [what: string, piece: string, by: string, expected: string]

const table = (rows: readonly Row[]) =>
  it.each(rows)('%s', (_what, piece, by, expected) => {
    expect(sound.split(piece)).toHaveLength(2)
    const found = mistakes(sound.replace(piece, () => by))
    expect(found.join('\n')).toContain(expected)
  })

it('compiles without the mistakes', () => {
  expect(mistakes(sound)).toEqual([])
})

describe('a mistake of the YAML is told where it stands', () => {
  table([
    ['a second document', 'policy: sound', '---\npolicy: sound\n---\n', '3:1'],
    ['an alias of nothing', 'policy: sound', 'policy: *sound', 'The YAML cannot be read: Unresolved alias'],
    ['a tab for an indentation', '  List:\n', '\tList:\n', '20:'],
    ['a text that does not end', 'policy: sound', 'policy: "sound', 'Missing closing'],
    [
      'a star that is not quoted',
      '  List:\n',
      '  *:\n',
      "20:4 A star begins an alias in YAML. For every other resource type write `'*':`, in quotes.",
    ],
  ])
})

describe('a mistake of the shape is told where it stands', () => {
  table([
    [
      'a text for a mapping',
      'lists:\n  reasons: { system: https://reasons.example, codes: [one, two] }',
      'lists: none',
      '8:8 Expected a mapping of keys to values.',
    ],
    ['a list without codes', ', codes: [one, two] }', ' }', '9:3 `codes` is missing: expected a list.'],
    [
      'a setting that is like none',
      'codes: [one, two]',
      'codes: [one], whatever: x',
      'There is no setting `whatever` here. Possible: ',
    ],
    ['a list of no codes', 'codes: [one, two]', 'codes: []', 'Expected at least 1 item.'],
    [
      'a list with a file and codes',
      'codes: [one, two] }',
      'codes: [one, two], file: x.json }',
      '`file` does not go with the settings beside it.',
    ],
    [
      'a list of no files',
      '{ system: https://reasons.example, codes: [one, two] }',
      '{ file: [] }',
      'Expected at least 1 item.',
    ],
    ['a status that is no error', 'status: 403, code: NO', 'status: 200, code: NO', '4:44 Expected at least 400.'],
    ['a status that is no status', 'precedence: [403, 400]', 'precedence: [403, 999]', '5:19 Expected at most 599.'],
    [
      'an answer to nothing that is refused',
      'change-not-permitted: {',
      'change-not-permited: {',
      '4:12 There is no setting `change-not-permited` here. Did you mean `change-not-permitted`?',
    ],
    [
      'a coding without a system',
      'code: NO } }',
      'code: NO, codings: [{ code: x }] } }',
      '`system` is missing: expected a text.',
    ],
    [
      'too many codings',
      'code: NO } }',
      `code: NO, codings: [${Array.from({ length: 11 }, () => '{ system: s, code: c }').join()}] } }`,
      'Expected at most 10',
    ],
    ['an operation without a dollar', '    $do:', '    do:', 'an operation is written `$name`'],
    [
      'a method that is none of an operation',
      'methods: [POST]',
      'methods: [PUT]',
      '18:22 Expected one of `GET`, `POST`.',
    ],
    ['a change without parts', 'it: [{ added: $this, open: true }]', 'it: []', 'Expected at least 1 item.'],
    [
      'times that are none',
      'holds: { item: {',
      'times: often, holds: { item: {',
      'a number, or a range such as `0..1` or `1..*`',
    ],
    ['a total of none', 'holds: { item: {', 'total: 0, holds: { item: {', 'Expected at least 1.'],
    ['a length of none', 'max-length: 10', 'max-length: 0', 'Expected at least 1.'],
    ['a text that may be blank', 'text: not blank', 'text: blank', 'Expected `not blank`.'],
    ['more digits than a number has', 'text: not blank, max-length: 10', 'digits: 65', 'Expected at most 64.'],
    [
      'a check digit of an unknown kind',
      'text: not blank, max-length: 10',
      'digits: 10, check-digit: luhn',
      'Expected `modulus-11`.',
    ],
    ['an empty path', 'except: [subject]', 'except: [""]', 'Expected a text that is not empty.'],
    [
      'a nameless permit',
      'rest: { permit-as: edit,',
      'rest: {',
      'Expected exactly one of `permit-as` and `restore-as`.',
    ],
  ])
})

describe('a mistake of a path is told where it stands', () => {
  const path = (what: string, by: string, expected: string): Row => [
    what,
    'except: [subject]',
    `except: ["${by}"]`,
    expected,
  ]
  table([
    path(
      'no dot between two elements',
      'subject reference',
      '41:49 `subject reference` cannot be read from ` reference` on.',
    ),
    path('no dot after a function', "extension('a')url", "`extension('a')url` lacks a dot before `url`."),
    path('two dots', 'subject..reference', 'has a dot where an element name belongs.'),
    path('a dot at the end', 'subject.', '`subject.` ends with a dot.'),
    path('a dot at the start', '.subject', 'has a dot where an element name belongs.'),
    path('a variable within', 'subject.$this', '`$this` can only stand at the start of a path.'),
    path('a type of nothing', 'ofType(Patient)', '`ofType(Patient)` must follow an element name.'),
    path('two types', 'contained.ofType(Patient).ofType(Group)', '`ofType(Group)` must follow an element name.'),
    path('an unknown type', 'contained.ofType(Patiant)', 'FHIR 4.0.1 has no resource type `Patiant`.'),
    path(
      'a type where there are no resources',
      'entry.ofType(Patient)',
      '`entry` holds no resources: `ofType` does not apply.',
    ),
    path('an element of any resource', 'contained.status', 'A resource of unknown type has no element `status`.'),
    path('an unknown element', 'subjekt', '41:42 List has no element `subjekt`. Did you mean `subject`?'),
    path(
      'an unknown element further down',
      'subject.referense',
      'Reference has no element `referense`. Did you mean `reference`?',
    ),
    path(
      'a choice without its type',
      "extension('a').value",
      'Extension has no element `value`. Name its type: `value',
    ),
    path(
      'a reference in an unknown element',
      'entry[itm.reference refers to $this]',
      'List.entry has no element `itm`. Did you mean `item`?',
    ),
    path(
      'a reference to nothing that is bound',
      'entry[item.reference refers to $condition]',
      '`$condition` stands for nothing here. What does: $this, $resource.',
    ),
    path(
      'two references',
      'entry[item.reference refers to $this][item.reference refers to $resource]',
      'must follow an element name.',
    ),
    path('a function of another name', "where('a')", "cannot be read from `('a')` on."),
    path('an index', 'entry[0]', 'cannot be read from `[0]` on.'),
  ])
})

describe('a mistake of the rules is told where it stands', () => {
  table([
    [
      'a base with a slash at its end',
      'bases: [https://fhir.example/r4]',
      'bases: [https://fhir.example/r4/]',
      '6:9 Expected an absolute http(s) URL without a trailing slash.',
    ],
    [
      'a base that is relative',
      'bases: [https://fhir.example/r4]',
      'bases: [/r4]',
      '6:9 Expected an absolute http(s) URL',
    ],
    [
      'a code without display',
      'code: NO } }',
      'code: NOT } }',
      '4:55 `NOT` is not among `outcome.codes.display`. Did you mean `NO`?',
    ],
    [
      'an unknown issue code',
      'status: 403, code: NO',
      'issue: success, code: NO',
      'FHIR 4.0.1 has no issue code `success`.',
    ],

    [
      'a list to pair of no type',
      'List.entry: item',
      'entry: item',
      '7:10 `entry` must be a resource type and an element of it: `List.entry`.',
    ],
    [
      'a list to pair that is none',
      'List.entry: item.reference',
      'List.subject: reference',
      '7:10 `List.subject` does not repeat.',
    ],
    [
      'a list to pair of another type',
      'List.entry: item.reference',
      'List.code.coding: code',
      '7:10 `coding` is an element of every CodeableConcept',
    ],
    [
      'a list to pair that is paired already',
      'List.entry: item.reference',
      'List.contained: id',
      '7:10 `contained` has a pairing of its own already.',
    ],
    [
      'an unknown list to pair',
      'List.entry: item.reference',
      'List.entri: item.reference',
      '7:15 List has no element `entri`. Did you mean `entry`?',
    ],
    [
      'an unknown key to pair by',
      'List.entry: item.reference',
      'List.entry: itm.reference',
      '7:22 List.entry has no element `itm`.',
    ],
    [
      'a key to pair by that is no value',
      'List.entry: item.reference',
      'List.entry: item',
      '7:22 `item` is a Reference: name the element in it whose value is the key, as in `item.reference`.',
    ],
    [
      'a key to pair by with a key in it',
      'List.entry: item.reference',
      'List.entry: "item[type = \'x\'].reference"',
      '7:22 Write the key as names of elements alone',
    ],

    [
      'a shared part that uses another',
      "    added: extension('https://reason.example')\n    holds:\n      valueCodeableConcept: { coded: reasons }",
      '    use: reason',
      '12:5 A shared part cannot use another one.',
    ],
    [
      'a list that nothing uses',
      'coded: reasons',
      'open: true',
      '9:3 Nothing uses `reasons`: use it, or leave it out.',
    ],
    [
      'a part that nothing uses',
      '- { use: reason, on: $condition }',
      "- { added: $condition.extension('a'), open: true }",
      '11:3 Nothing uses `reason`: use it, or leave it out.',
    ],
    [
      'a part without a kind',
      '- { use: reason, on: $condition }',
      '- { open: true }',
      '33:15 A part must have exactly one of `replaced`, `added`, `appended`, `removed`, or `use`.',
    ],
    [
      'a part on nothing that is bound',
      'on: $condition }',
      'on: $conditions }',
      '`$conditions` stands for nothing here. What does: $this, $resource, $condition. Did you mean `$condition`?',
    ],
    [
      'a value of an element that has none',
      'replaced: $condition.recordedDate',
      'replaced: $condition.code',
      'A CodeableConcept has no value of its own',
    ],
    [
      'a value of another kind',
      'to: true }',
      "to: 'true' }",
      'Expected true or false, since the element is of type boolean.',
    ],
    [
      'what does not apply to a value',
      'from: absent,',
      'open: true, from: absent,',
      '`open` does not apply to `replaced`.',
    ],
    [
      'alternatives of a value',
      'from: absent,',
      'one-of: [{ x: { is: a } }, { y: { is: a } }], from: absent,',
      '`one-of` does not apply to `replaced`.',
    ],
    ['a transition of an item', 'as: $provenance', 'from: a', '`from` applies to `replaced` only.'],
    [
      'the whole, appended',
      'appended: contained.ofType(Provenance)[target.reference refers to $condition]',
      'appended: $condition',
      'Only an item of a list can be appended.',
    ],
    [
      'further parts without a variable',
      '              as: $provenance\n',
      '',
      '`with` needs `as`: the variable that its parts are about.',
    ],
    ['a variable without a dollar', 'as: $provenance', 'as: provenance', 'A variable is written `$name`.'],
    ['a variable that is bound already', 'as: $provenance', 'as: $condition', '`$condition` is bound already.'],
    [
      'an item of a list on both sides',
      'kept: contained.ofType(Condition),',
      'kept: contained, appended: contained,',
      'Expected exactly one of `kept` and `appended`.',
    ],
    ['an item on no side', 'kept: contained.ofType(Condition),', '', 'Expected exactly one of `kept` and `appended`.'],
    [
      'a condition on an item that stays',
      'as: $condition }',
      'as: $condition, open: true }',
      'apply to `appended` items only.',
    ],
    [
      'a reference to nothing that is bound',
      '{ item: { refers to: $provenance } }',
      '{ item: { refers to: $provenence } }',
      '`$provenence` stands for nothing here.',
    ],
    [
      'a reference that is none',
      '{ item: { refers to: $provenance } }',
      '{ deleted: { refers to: $provenance } }',
      '`refers to` applies to Reference, not to boolean.',
    ],
    [
      'digits of what has none',
      'text: not blank, max-length: 10',
      'digits: 10, times: 0..1 }, recorded: { digits: 10',
      '`digits` applies to string and id and code and uri, not to instant.',
    ],
    [
      'a length without a text',
      'text: not blank, max-length: 10',
      'is: x, max-length: 10',
      '`max-length` goes with `text`.',
    ],
    [
      'a check digit without digits',
      'text: not blank, max-length: 10',
      'is: x, check-digit: modulus-11',
      '`check-digit` goes with `digits`.',
    ],
    [
      'a wrong code of no list',
      'text: not blank, max-length: 10',
      'is: x, wrong-code: { status: 400 }',
      '`wrong-code` goes with `coded`.',
    ],
    [
      'a condition that asks nothing',
      'text: not blank, max-length: 10',
      'times: 1',
      'Expected exactly one of `is`, `coded`, `text`',
    ],
    [
      'never at all',
      'text: not blank, max-length: 10',
      'is: x, times: 0',
      'Never at all: leave the part out, or use `lacks`.',
    ],
    [
      'more at least than at most',
      'text: not blank, max-length: 10',
      'is: x, times: 3..2',
      'At least 3 and at most 2 contradict each other.',
    ],

    [
      'a version that a create names',
      '    create:\n',
      '    create:\n      if-match: required\n',
      '24:7 A create names no version: `if-match` does not apply.',
    ],
    [
      'nothing that is permitted',
      'new: [{ added: $this, open: true }]',
      '{}',
      '23:5 There are neither `changes` nor `rest`: nothing would be permitted.',
    ],
    [
      'criteria for what is closed',
      'conditional: [update]',
      'conditional: [patch]',
      '22:19 `patch` is not among the interactions.',
    ],
    [
      'an operation that is judged and read',
      'methods: [POST]',
      'methods: [GET, POST]',
      '18:21 An operation whose Parameters are judged is called by POST.',
    ],
    [
      'an interaction of a type, on the base',
      'interactions: [capabilities]',
      'interactions: [capabilities, read]',
      '16:32 `read` cannot be opened here. Possible: capabilities,',
    ],
  ])
})
