import { describe, expect, it } from 'vitest'
import { mistakes } from './small-policy.ts'

/** A policy with one interaction of an R4 type; the rules begin in line 7, column 7. */
const policyOf = (interaction: string, type: string, rules: string) => `policy: p
fhir: 4.0.1
resources:
  ${type}:
    interactions: [${interaction}]
    ${interaction}:
${rules.replaceAll(/^/gm, '      ')}
`
const update = (type: string, rules: string) => policyOf('update', type, `if-match: required\n${rules}`)
const parts = (type: string, ...lines: string[]) =>
  update(type, `changes:\n  it:\n${lines.map((line) => `    - ${line}`).join('\n')}`)
const held = (type: string, content: string) => parts(type, `{ added: contained.ofType(${type}), ${content} }`)

type Row = readonly [what: string, policy: string, expected: string]

describe('a rule that can never match is a mistake', () => {
  it.each<Row>([
    [
      'a code with white space',
      parts('Flag', '{ replaced: status, from: active, to: " inactive" }'),
      '10:51 ` inactive` is no code: such a value is without white space',
    ],
    ['a code with two spaces', parts('Flag', '{ replaced: status, from: "a  b", to: c }'), '`a  b` is no code'],
    [
      'no value at all',
      parts('Patient', '{ replaced: contact.name.text, from: "", to: c }'),
      '`` is no string: such a value is never empty.',
    ],
    [
      'a date that does not exist',
      parts('Patient', '{ replaced: birthDate, from: 2026-02-30, to: 2026-02-28 }'),
      '`2026-02-30` is no date: such a value is written `2026`, `2026-01` or `2026-01-31`.',
    ],
    [
      'a dateTime without zone',
      parts('Patient', '{ replaced: deceasedDateTime, from: absent, to: 2026-02-01T10:00:00 }'),
      '`2026-02-01T10:00:00` is no dateTime',
    ],
    [
      'an instant that is a date',
      held('Observation', 'open: true, holds: { issued: { is: 2026-01-01 } }'),
      '`2026-01-01` is no instant',
    ],
    [
      'a time of day that is none',
      held('Observation', 'open: true, holds: { valueTime: { is: "24:00:00" } }'),
      '`24:00:00` is no time',
    ],
    [
      'a fraction where a whole number belongs',
      parts('Patient', '{ replaced: multipleBirthInteger, from: 1, to: 1.5 }'),
      '`1.5` is no integer: such a value is a whole number.',
    ],
    [
      'zero where numbers begin with one',
      parts('Patient', '{ replaced: telecom.rank, from: 0, to: 1 }'),
      '`0` is no positiveInt: such a value is a whole number from 1 on.',
    ],
    [
      'a uri with white space',
      held('Patient', "open: true, holds: { identifier.system: { is: 'https://a b' } }"),
      '`https://a b` is no uri',
    ],
    ['an id that is none', held('Patient', "open: true, holds: { id: { is: 'a/b' } }"), '`a/b` is no id'],
    [
      'a key that is none',
      parts('Patient', '{ added: "telecom[rank = \'x\']", open: true }'),
      '`x` is no positiveInt: nothing would be selected.',
    ],
    [
      'a key of another kind',
      parts('List', '{ added: "entry[deleted = \'yes\'].date", open: true }'),
      '`yes` is no boolean: nothing would be selected.',
    ],

    [
      'what must be there and may not',
      held('Flag', 'open: true, holds: { status: { is: active } }, lacks: status'),
      '`status` must be there, and `lacks: status` says that it may not.',
    ],
    [
      'what must be in what may not be there',
      held('Flag', 'open: true, holds: { code.text: { text: not blank } }, lacks: [period, code]'),
      '`code.text` must be there, and `lacks: code` says that it may not.',
    ],
    [
      'what must be there, further down',
      held('Flag', 'open: true, holds: { code: { holds: { coding: { open: true } } } }, lacks: code.coding'),
      '`coding` must be there, and `lacks: code.coding`',
    ],
    [
      'an extension that may not be there',
      held('Flag', 'open: true, holds: { "extension(\'https://a.example\')": { open: true } }, lacks: extension'),
      "`extension('https://a.example')` must be there, and `lacks: extension`",
    ],
    [
      'two conditions on one element',
      held('Flag', 'open: true, holds: { status: { is: active }, $this.status: { is: inactive } }'),
      '`$this.status` has a condition already: say both in one.',
    ],
    [
      'two conditions on one element, one further down',
      held('Flag', 'open: true, holds: { code: { holds: { text: { text: not blank } } }, code.text: { is: x } }'),
      '`code.text` has a condition already',
    ],
    [
      'an item that must be what no item may be',
      held(
        'Patient',
        'open: true, holds: { telecom.system: { is: email, times: 0..* }, "telecom[use = \'home\'].system": { is: phone } }',
      ),
      'ask for cannot be there together.',
    ],
    [
      'more items of a kind than of all kinds',
      held(
        'Patient',
        'open: true, holds: { telecom: { open: true }, "telecom[use = \'home\']": { open: true, times: 2 } }',
      ),
      'ask for cannot be there together.',
    ],
    [
      'two of what does not repeat',
      held('Flag', 'open: true, holds: { status: { is: active, times: 2 } }'),
      '`status` does not repeat: it cannot be there 2 times.',
    ],
    [
      'alternatives that are one element',
      held('Observation', 'open: true, one-of: [{ valueString: { is: a } }, { valueString: { is: b } }]'),
      '`valueString` and `valueString` are there together: alternatives must be apart.',
    ],
    [
      'alternatives within each other',
      held('Observation', 'open: true, one-of: [{ code: { open: true } }, { code.text: { is: b } }]'),
      '`code.text` and `code` are there together',
    ],

    [
      'more at once than in all',
      parts('Patient', '{ added: telecom, open: true, times: 2, total: 1 }'),
      '`times` asks for 2 at least, and `total` for 1 in all.',
    ],
    [
      'two of one element that comes',
      parts('Patient', '{ added: maritalStatus, open: true, times: 2 }'),
      '10:22 `maritalStatus` does not repeat: it cannot be there 2 times.',
    ],
    [
      'two transitions of one element',
      parts(
        'Flag',
        '{ replaced: status, from: active, to: inactive }',
        '{ replaced: status, from: inactive, to: active }',
      ),
      '11:25 `status` has a transition in this change already',
    ],
    [
      'two transitions, one of a narrower path',
      parts(
        'Patient',
        '{ replaced: telecom.rank, from: 1, to: 2 }',
        '{ replaced: "telecom[system = \'phone\'].rank", from: 2, to: 3 }',
      ),
      'has a transition in this change already',
    ],
    [
      'a transition of what goes',
      parts('Flag', '{ removed: code, open: true }', '{ replaced: code.text, from: a, to: b }'),
      '11:25 `code` is removed in this change: `code.text` cannot be replaced in it.',
    ],
    [
      'something added to what goes',
      parts('Flag', '{ added: code.coding, open: true }', '{ removed: code, open: true }'),
      '`code` is removed in this change: `code.coding` cannot be added in it.',
    ],
    [
      'one difference claimed as a value and as an element',
      parts('Flag', '{ replaced: language, from: absent, to: en }', '{ added: language, open: true }'),
      '`language` can be claimed twice in `it`',
    ],
    [
      'the whole, added in an update',
      parts('Flag', '{ added: $this, open: true }'),
      '10:22 `$this` neither comes nor goes in an update: name an element of it.',
    ],
    [
      'the whole, removed in an update',
      parts('Flag', '{ removed: $resource, open: true }'),
      '`$resource` neither comes nor goes in an update',
    ],
    [
      'an id that changes',
      parts('Flag', '{ replaced: id, from: a, to: b }'),
      '10:25 `id` never differs: with another id it is another resource.',
    ],
    [
      'the version that changes',
      parts('Flag', "{ replaced: meta.versionId, from: '1', to: '2' }"),
      '10:25 `meta.versionId` belongs to the server, and is never compared.',
    ],
    [
      'the time of the last update',
      held('Flag', 'open: true, holds: { meta.lastUpdated: { open: true } }'),
      '`meta.lastUpdated` belongs to the server: it is not among what is judged.',
    ],
    [
      'what is below something that comes',
      parts('List', '{ appended: contained.ofType(Condition), as: $c, open: true }', '{ added: $c.note, open: true }'),
      '`$c` comes or goes with it: say under its `holds` what must be there.',
    ],
    [
      'two changes that are the same',
      update('Flag', 'changes:\n  a: [{ removed: code, open: true }]\n  b: [{ removed: code, open: true }]'),
      '10:9 `code` can be claimed by `a` and by `b`',
    ],

    [
      'an exception within another',
      update('Patient', 'rest: { permit-as: edit, except: [identifier, identifier.value] }'),
      '8:53 `identifier.value` is excepted already, by `identifier`: leave it out.',
    ],
    [
      'an exception that stands before a wider one',
      update('Patient', 'rest: { permit-as: edit, except: ["telecom[system = \'phone\'].value", telecom] }'),
      "`telecom[system = 'phone'].value` is excepted already, by `telecom`",
    ],
    [
      'the same exception twice',
      update('Patient', 'rest: { permit-as: edit, except: [name, name] }'),
      '8:47 `name` is excepted already, by `name`',
    ],

    [
      'a transition in a create',
      policyOf('create', 'Flag', 'changes:\n  new: [{ replaced: status, from: absent, to: active }]'),
      '8:27 What is created comes as one difference: `added: $this`',
    ],
    [
      'an element that comes, in a create',
      policyOf(
        'create',
        'Flag',
        'changes:\n  new: [{ added: $this, open: true }, { added: code, open: true, times: 0..1 }]',
      ),
      '8:54 What is created comes as one difference',
    ],
    [
      'something once per item, in a create',
      policyOf(
        'create',
        'List',
        'changes:\n  new:\n    for each: { appended: entry, as: $e, open: true }\n    parts: [{ added: $e.date, open: true }]',
      ),
      '9:11 What is created comes as one difference',
    ],
    [
      'an id in a create',
      policyOf('create', 'Flag', 'changes:\n  new: [{ added: $this, open: true, holds: { id: { is: a } } }]'),
      '8:52 `id` belongs to the server: it is not among what is judged.',
    ],
    [
      'something that comes, in a delete',
      policyOf('delete', 'Flag', 'if-match: required\nchanges:\n  gone: [{ added: $this, open: true }]'),
      '9:25 What is deleted goes as one difference: `removed: $this`',
    ],
  ])('%s', (_what, policy, expected) => {
    expect(mistakes(policy)).toEqual([expect.stringContaining(expected)])
  })

  it('finds it in the rules of an operation, too', () => {
    const policy = `policy: p
fhir: 4.0.1
system:
  interactions: []
  operations:
    $do: { methods: [POST], changes: { it: [{ removed: $this, open: true }] } }
resources: {}
`
    expect(mistakes(policy)).toEqual([
      expect.stringContaining('6:56 The Parameters come as one difference: `added: $this`'),
    ])
  })
})

describe('what can match is no mistake', () => {
  it.each<readonly [what: string, policy: string]>([
    [
      'values of every form',
      held(
        'Observation',
        "open: true, holds: { status: { is: a b }, issued: { is: '2026-01-31T09:30:00.5+14:00' }, effectiveDateTime: { is: ['2024', 2024-02, 2024-02-29, '2024-02-29T23:59:60Z'] }, subject.identifier.system: { is: 'urn:oid:1.2' } }",
      ),
    ],
    [
      'what may be there, and may not hold something',
      held('Flag', 'open: true, holds: { code: { open: true, times: 0..1 } }, lacks: code.text'),
    ],
    [
      'an optional element that may not be there',
      held('Flag', 'open: true, holds: { period: { open: true, times: 0..1 } }, lacks: period'),
    ],
    [
      'a kind of item among others',
      held('Patient', 'holds: { telecom: { open: true, times: 1..* }, "telecom[system = \'phone\']": { open: true } }'),
    ],
    [
      'one kind of extension that may not be there',
      held(
        'Flag',
        'open: true, holds: { "extension(\'https://a.example\')": { open: true } }, lacks: "extension(\'https://b.example\')"',
      ),
    ],
    [
      'two transitions of two kinds of items',
      parts(
        'Patient',
        '{ replaced: "telecom[system = \'phone\'].rank", from: 1, to: 2, times: 0..1 }',
        '{ replaced: "telecom[system = \'fax\'].rank", from: 2, to: 1, times: 0..1 }',
      ),
    ],
    [
      'an item that goes while another one comes',
      parts(
        'Patient',
        '{ removed: "identifier[system = \'https://a.example\']", open: true }',
        '{ added: "identifier[system = \'https://a.example\']", open: true }',
      ),
    ],
    [
      'one of two elements that goes',
      parts(
        'Flag',
        '{ removed: period.end, open: true, times: 0..1 }',
        '{ replaced: period.end, from: 2026-01-01, to: 2026-01-02, times: 0..1 }',
      ),
    ],
    [
      'exceptions beside each other',
      update(
        'Patient',
        'rest: { permit-as: edit, except: [name.family, name.given, "telecom[system = \'phone\']", "telecom[system = \'email\']"] }',
      ),
    ],
    [
      'alternatives of two kinds',
      held(
        'Flag',
        'open: true, one-of: [{ "extension(\'https://a.example\')": { open: true } }, { "extension(\'https://b.example\')": { open: true } }]',
      ),
    ],
    [
      'the total of what may be there already',
      parts('Patient', '{ added: telecom, open: true, times: 1..2, total: 2 }'),
    ],
  ])('%s', (_what, policy) => {
    expect(mistakes(policy)).toEqual([])
  })
})
