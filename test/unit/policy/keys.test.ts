import fc from 'fast-check'
import fhirpath from 'fhirpath'
import r4 from 'fhirpath/fhir-context/r4'
import { describe, expect, it } from 'vitest'
import { compiled, mistakes, verdict } from './small-policy.ts'

/** A policy for one R4 type whose update has these rules, written as the file has them. */
const update = (type: string, rules: string) => `policy: p
fhir: 4.0.1
resources:
  ${type}:
    interactions: [update]
    update:
      if-match: required
${rules.replaceAll(/^/gm, '      ')}
`

const change = (type: string, parts: string) =>
  compiled(update(type, `changes:\n  it:\n${parts.replaceAll(/^/gm, '    ')}`))

interface Telecom {
  readonly system?: string
  readonly value?: string
  readonly rank?: number
  readonly use?: string
  readonly [name: string]: unknown
}

const patient = (...telecom: Telecom[]) => ({ resourceType: 'Patient', id: 'p1', ...(telecom.length && { telecom }) })

const snomed = 'http://snomed.info/sct'
const coding = (code: string, more: object = {}) => ({ system: snomed, code, ...more })
const condition = (...category: object[]) => ({
  resourceType: 'Condition',
  id: 'c1',
  subject: { reference: 'Patient/1' },
  ...(category.length && { category }),
})

describe('a value that goes from one to another, in the items with a key', () => {
  const policy = change('Patient', '- { replaced: "telecom[system = \'phone\'].rank", from: 1, to: 2 }')
  const phone = (rank: number) => ({ system: 'phone', value: 'a', rank })

  it('may change there, and nowhere else', () => {
    expect(verdict(policy, patient(phone(1)), patient(phone(2)))).toEqual(['it'])
    expect(verdict(policy, patient({ system: 'email', rank: 1 }), patient({ system: 'email', rank: 2 }))).toEqual([
      '! Patient.telecom[0].rank differs from the stored version',
    ])
  })

  it('must change in all of them', () => {
    const before = patient(phone(1), phone(1))
    expect(verdict(policy, before, patient(phone(2), phone(2)))).toEqual(['it'])
    expect(verdict(policy, before, patient(phone(2), phone(1)))).not.toEqual(['it'])
  })

  it('does not take an item out of the key, or into it, along with it', () => {
    for (const [from, to] of [
      ['phone', 'email'],
      ['email', 'phone'],
    ]) {
      expect(verdict(policy, patient({ system: from!, rank: 1 }), patient({ system: to!, rank: 2 }))).toEqual([
        '! Patient.telecom[0].system differs from the stored version',
      ])
    }
  })

  it('takes no extension of the key along', () => {
    const after = patient({ ...phone(2), _system: { extension: [{ url: 'https://x.example', valueCode: 'x' }] } })
    expect(verdict(policy, patient(phone(1)), after)).toEqual(['! Patient.telecom[0].system.extension[0] was added'])
  })

  it('may be chosen by several keys', () => {
    const both = change('Patient', "- { replaced: \"telecom[system = 'phone'][use = 'home'].rank\", from: 1, to: 2 }")
    const home = (rank: number) => ({ ...phone(rank), use: 'home' })
    expect(verdict(both, patient(phone(1), home(1)), patient(phone(1), home(2)))).toEqual(['it'])
    expect(verdict(both, patient(phone(1), home(1)), patient(phone(2), home(1)))).not.toEqual(['it'])
  })
})

describe('an item with a key that comes', () => {
  const policy = change(
    'Patient',
    '- added: "telecom[system = \'phone\']"\n  total: 1\n  holds: { value: { text: not blank } }',
  )

  it('needs nothing said of the key, and holds nothing else', () => {
    const email = { system: 'email', value: 'e' }
    expect(verdict(policy, patient(), patient({ system: 'phone', value: 'a' }))).toEqual(['it'])
    expect(verdict(policy, patient(email), patient(email, { system: 'phone', value: 'a' }))).toEqual(['it'])
    expect(verdict(policy, patient(), patient({ system: 'phone', value: 'a', use: 'home' }))).toEqual([
      '! Patient.telecom[0].use may not be part of what is added',
    ])
    expect(verdict(policy, patient(), patient({ system: 'fax', value: 'a' }))).toEqual([
      '! Patient.telecom[0] was added',
    ])
  })

  it('has nothing that rides on the key', () => {
    const extension = [{ url: 'https://x.example', valueCode: 'x' }]
    for (const riding of [{ extension }, { id: 'x' }]) {
      const after = patient({ system: 'phone', _system: riding, value: 'a' })
      expect(verdict(policy, patient(), after)).toEqual([
        expect.stringMatching(
          /^! Patient\.telecom\[0\]\.system\.(extension\[0\]|id) may not be part of what is added$/,
        ),
      ])
    }
  })

  it('counts what has the key afterwards, not what had it before', () => {
    const total = change(
      'Patient',
      `- { added: "telecom[system = 'phone']", total: 2, open: true }
- { replaced: "telecom[value = 'a'].system", from: phone, to: fax, times: 0..1 }`,
    )
    const one = { system: 'phone', value: 'a' }
    const two = { system: 'phone', value: 'b', rank: 1 }
    expect(verdict(total, patient(one), patient({ ...one, system: 'fax' }, two))).not.toEqual(['it'])
  })

  it('may be one of those that stay, by a key below it', () => {
    const named = change(
      'Patient',
      '- { added: "contact[name.family = \'Ash\'].gender", holds: { $this: { is: male } } }',
    )
    const contact = (...names: string[]) => ({ name: { family: names[0] } })
    const before = { ...patient(), contact: [contact('Ash'), contact('Elm')] }
    expect(
      verdict(named, before, { ...before, contact: [{ ...contact('Ash'), gender: 'male' }, contact('Elm')] }),
    ).toEqual(['it'])
    expect(
      verdict(named, before, { ...before, contact: [contact('Ash'), { ...contact('Elm'), gender: 'male' }] }),
    ).toEqual(['! Patient.contact[1].gender was added'])
  })

  it('may come whole where only an element of it is named, with the key and nothing else', () => {
    const rank = change('Patient', '- { added: "telecom[system = \'phone\'].rank", holds: { $this: { is: 1 } } }')
    expect(verdict(rank, patient(), patient({ system: 'phone', rank: 1 }))).toEqual(['it'])
    expect(verdict(rank, patient(), patient({ system: 'phone', rank: 1, value: 'x' }))).not.toEqual(['it'])
    const riding = { system: 'phone', _system: { id: 'x' }, rank: 1 }
    expect(verdict(rank, patient(), patient(riding))).not.toEqual(['it'])
  })
})

describe('items with a key that come and go', () => {
  const policy = compiled(
    update(
      'Patient',
      `changes:
  come: [{ added: "telecom[system = 'email']", times: 1..*, holds: { value: { text: not blank } } }]
  go: [{ removed: "telecom[system = 'fax']", times: 1..*, open: true }]`,
    ),
  )
  const telecom = fc.record(
    {
      system: fc.constantFrom('email', 'email', 'fax', 'phone'),
      value: fc.constantFrom('a', 'b'),
      use: fc.constantFrom('home', 'work'),
      _system: fc.constant({ id: 'x' }),
    },
    { requiredKeys: [] },
  )
  const list: fc.Arbitrary<Telecom[]> = fc.array(
    telecom.filter((item) => Object.keys(item).length > 0),
    { maxLength: 4 },
  )
  const isPlainEmail = (item: Telecom) =>
    item.system === 'email' && item.value !== undefined && Object.keys(item).length === 2
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

  /** Whether taking some faxes out of one list, and some plain emails out of the other, can leave the same items. */
  const explained = ([x, ...xs]: readonly Telecom[], [y, ...ys]: readonly Telecom[]): boolean => {
    if (!x && !y) return true
    if (x && y && same(Object.entries(x).sort(), Object.entries(y).sort()) && explained(xs, ys)) return true
    if (x?.system === 'fax' && explained(xs, y ? [y, ...ys] : [])) return true
    return y !== undefined && isPlainEmail(y) && explained(x ? [x, ...xs] : [], ys)
  }

  it('are permitted only where nothing else differs', () => {
    let permitted = 0
    fc.assert(
      fc.property(list, list, (before, after) => {
        const said = verdict(policy, patient(...before), patient(...after))
        if (said[0]?.startsWith('!')) return
        permitted++
        expect(explained(before, after)).toBe(true)
      }),
      { numRuns: 3000 },
    )
    expect(permitted).toBeGreaterThan(50)
  })

  it('are permitted wherever they come to stand or stood', () => {
    const email = fc.record({ system: fc.constant('email'), value: fc.constantFrom('a', 'b') })
    fc.assert(
      fc.property(list, fc.nat(4), email, (before, at, item) => {
        const after = before.toSpliced(at, 0, item)
        expect(verdict(policy, patient(...before), patient(...after))).toEqual(['come'])
        const fax = { system: 'fax', value: item.value }
        expect(verdict(policy, patient(...before.toSpliced(at, 0, fax)), patient(...before))).toEqual(['go'])
      }),
      { numRuns: 500 },
    )
  })
})

describe('an item with a coding', () => {
  const policy = change(
    'Condition',
    `- added: "category[coding = '${snomed}|1']"\n  holds: { text: { text: not blank, times: 0..1 } }`,
  )

  it('is told by its system and its code together', () => {
    expect(verdict(policy, condition(), condition({ coding: [coding('1')], text: 'x' }))).toEqual(['it'])
    for (const other of [
      { system: snomed, code: '2' },
      { system: 'https://other.example', code: '1' },
      { code: '1' },
      { system: snomed },
      { system: `${snomed}|1` },
    ]) {
      expect(verdict(policy, condition(), condition({ coding: [other] }))).toEqual([
        '! Condition.category[0] was added',
      ])
    }
  })

  it.each([
    ['a display', [coding('1', { display: 'x' })], 'coding[0].display'],
    ['an extension of the code', [coding('1', { _code: { id: 'x' } })], 'coding[0].code.id'],
    ['another coding', [coding('1'), coding('2')], 'coding[1]'],
    ['the same coding again', [coding('1'), coding('1')], 'coding[1]'],
  ])('takes nothing along: %s', (_what, codings, at) => {
    expect(verdict(policy, condition(), condition({ coding: codings }))).toEqual([
      `! Condition.category[0].${at} may not be part of what is added`,
    ])
  })

  it('goes with what it holds', () => {
    const removal = change('Condition', `- { removed: "category[coding = '${snomed}|1']", open: true }`)
    const one = { coding: [coding('1', { display: 'x' })], text: 'x' }
    const two = { coding: [coding('2')] }
    expect(verdict(removal, condition(one, two), condition(two))).toEqual(['it'])
    expect(verdict(removal, condition(one, two), condition(one))).toEqual(['! Condition.category[1] was removed'])
  })
})

describe('what `rest` excepts by a key', () => {
  const rest = (except: string) => compiled(update('Patient', `rest: { permit-as: edit, except: ["${except}"] }`))
  const policy = rest("telecom[system = 'phone'].value")
  const phone = { system: 'phone', value: 'a' }

  it.each([
    [
      'leaves the key',
      patient(phone),
      patient({ system: 'email', value: 'a' }),
      'system differs from the stored version',
    ],
    [
      'comes into the key',
      patient({ system: 'email', value: 'a' }),
      patient(phone),
      'system differs from the stored version',
    ],
    ['loses the key', patient(phone), patient({ value: 'a' }), 'system was removed'],
    ['gets the key', patient({ value: 'a' }), patient(phone), 'system was added'],
    ['has another value', patient(phone), patient({ ...phone, value: 'b' }), 'value differs from the stored version'],
  ])('does not differ when an item %s', (_what, before, after, expected) => {
    expect(verdict(policy, before, after)).toEqual([`! Patient.telecom[0].${expected}`])
  })

  it('leaves the rest of the item, and every other item, open', () => {
    const email = { system: 'email', value: 'e' }
    expect(verdict(policy, patient(phone, email), patient({ ...phone, use: 'home' }, email))).toEqual(['edit'])
    expect(verdict(policy, patient(phone, email), patient(phone, { ...email, value: 'f' }))).toEqual(['edit'])
    expect(verdict(policy, patient(phone, email), patient(phone))).toEqual(['edit'])
    expect(verdict(policy, patient(email), patient({ ...email, system: 'fax' }))).toEqual(['edit'])
  })

  it('is not taken out of the exception by a coding more', () => {
    const text = compiled(
      update('Condition', `rest: { permit-as: edit, except: ["category[coding = '${snomed}|1'].text"] }`),
    )
    const before = condition({ coding: [coding('2')], text: 'x' })
    expect(verdict(text, before, condition({ coding: [coding('2'), coding('1')], text: 'x' }))).toEqual([
      '! Condition.category[0].coding[1] was added',
    ])
    expect(verdict(text, before, condition({ coding: [coding('1')], text: 'x' }))).toEqual([
      '! Condition.category[0].coding[0].code differs from the stored version',
    ])
    // The category is chosen by another coding then; what it says is the same.
    const chosen = condition({ coding: [coding('1')], text: 'x' })
    expect(verdict(text, chosen, condition({ coding: [coding('3'), coding('1')], text: 'x' }))).toEqual(['edit'])
  })

  it('is not taken out of the exception by what an item refers to', () => {
    const recorded = compiled(
      update(
        'Patient',
        "rest: { permit-as: edit, except: ['contained.ofType(Provenance)[target.reference refers to $this].recorded'] }",
      ),
    )
    const provenance = (target: string) => ({
      ...patient(),
      contained: [{ resourceType: 'Provenance', id: 'v', recorded: '2026-01-01', target: [{ reference: target }] }],
    })
    expect(verdict(recorded, provenance('#'), provenance('Patient/2'))).toEqual([
      '! Patient.contained[0].target[0].reference differs from the stored version',
    ])
    expect(verdict(recorded, provenance('#'), provenance('Patient/p1'))).toEqual(['edit'])
  })

  it('may be named from `$resource` on', () => {
    const gender = rest('$resource.gender')
    expect(verdict(gender, { ...patient(), gender: 'male' }, { ...patient(), gender: 'female' })).toEqual([
      '! Patient.gender differs from the stored version',
    ])
  })

  it('stays the same, value for value, whatever else is permitted', () => {
    const telecom = fc.record(
      {
        system: fc.constantFrom('phone', 'phone', 'email'),
        value: fc.constantFrom('a', 'b'),
        use: fc.constantFrom('home', 'work'),
      },
      { requiredKeys: [] },
    )
    const list = fc.array(
      telecom.filter((item) => Object.keys(item).length > 0),
      { maxLength: 4 },
    )
    const phones = (items: readonly Telecom[]) =>
      items.filter(({ system }) => system === 'phone').flatMap(({ value }) => value ?? [])
    let permitted = 0
    fc.assert(
      fc.property(list, list, (before, after) => {
        const said = verdict(policy, patient(...before), patient(...after))
        if (said[0]?.startsWith('!')) return
        permitted++
        expect(phones(after)).toEqual(phones(before))
      }),
      { numRuns: 3000 },
    )
    expect(permitted).toBeGreaterThan(100)
  })
})

describe('a condition that looks out of its subtree', () => {
  const policy = compiled(`policy: p
fhir: 4.0.1
resources:
  List:
    interactions: [update]
    update:
      if-match: required
      changes:
        replace:
          - added: contained.ofType(Condition)
            open: true
            holds:
              $resource.entry[item.reference refers to $this]: { open: true }
        entries:
          - { removed: entry, times: 0..*, open: true }
        references:
          - { replaced: entry.item.reference, from: '#c2', to: '#c1', times: 0..* }
`)
  const list = (contained: string[], entries: string[]) => ({
    resourceType: 'List',
    id: 'l1',
    status: 'current',
    mode: 'working',
    ...(contained.length && {
      contained: contained.map((id) => ({ resourceType: 'Condition', id, subject: { reference: 'Patient/1' } })),
    }),
    ...(entries.length && { entry: entries.map((reference) => ({ item: { reference } })) }),
  })

  it('sees what stands there in the new version', () => {
    expect(verdict(policy, list([], ['#c1']), list(['c1'], ['#c1']))).toEqual(['replace'])
  })

  it('does not take what goes for something that stands there', () => {
    expect(verdict(policy, list([], ['#c1', '#c3']), list(['c1'], ['#c3']))).toEqual(['! List.entry is missing'])
  })
})

describe('a key in a refusal', () => {
  const absent = (type: string, path: string, resource: object) => {
    const policy = change(type, `- { added: "${path}", open: true }\n- { removed: language, open: true }`)
    const said = verdict(policy, { ...resource, language: 'en' }, resource)
    return said[0]!.replace(/^! (.*) is missing$/, '$1')
  }

  it.each([
    ['Patient', "telecom[system = 'phone'].value", "Patient.telecom.where(system = 'phone').value", patient()],
    ['Patient', "contact[name.family = 'Ash']", "Patient.contact.where(name.family = 'Ash')", patient()],
    ['Patient', "name[given = 'O\\\\x']", "Patient.name.where(given.where($this = 'O\\\\x').exists())", patient()],
    [
      'Condition',
      `category[coding = '${snomed}|1']`,
      `Condition.category.where(coding.where(system = '${snomed}' and code = '1').exists())`,
      condition(),
    ],
    [
      'Condition',
      `stage[type = '${snomed}|1'].summary`,
      `Condition.stage.where(type.coding.where(system = '${snomed}' and code = '1').exists()).summary`,
      condition(),
    ],
    [
      'Condition',
      "extension('https://x.example').valueCoding[userSelected = 'true'].code",
      "Condition.extension('https://x.example').value.where(userSelected = true).code",
      condition(),
    ],
  ])('is FHIRPath: %s %s', (type, path, expected, resource) => {
    const said = absent(type, path, resource)
    expect(said).toBe(expected)
    expect(() => fhirpath.evaluate(resource, said, undefined, r4)).not.toThrow()
  })
})

describe('keys that do not compile', () => {
  it.each([
    ["telecom[sytem = 'phone']", '9:35 ContactPoint has no element `sytem`. Did you mean `system`?'],
    [
      'telecom[system = phone]',
      "9:34 The value in `[system = phone]` must stand in single quotes: `[system = 'phone']`.",
    ],
    [
      "telecom[period = 'x']",
      '9:35 `period` is a Period: items are told apart by a primitive, a Coding or a CodeableConcept.',
    ],
    ["identifier[type = 'x']", "`type` is a CodeableConcept: it is compared with `'system|code'`."],
    ["identifier[type = '|x']", "it is compared with `'system|code'`."],
    ["identifier[type = 'x|']", "it is compared with `'system|code'`."],
    ["telecom[system = '']", "`[system = '']` compares with nothing"],
    ["[system = 'phone'].value", "`[system = 'phone']` must follow an element name."],
    ["telecom.[system = 'phone']", "`[system = 'phone']` must follow an element name."],
    ["telecom[system = 'phone'", 'cannot be read from `[system'],
  ])('%s', (path, expected) => {
    const text = update('Patient', `changes:\n  it: [{ replaced: "${path}", from: a, to: b }]`)
    expect(mistakes(text)).toEqual([expect.stringContaining(expected)])
  })

  it('takes a parameter of a type that has no names for the mistake that it is', () => {
    const text = update('StructureMap', 'changes:\n  it: [{ added: "group.rule.target.parameter(\'x\')", open: true }]')
    expect(mistakes(text)).toEqual([expect.stringContaining('has no element `name`')])
  })

  const twice = (type: string, one: string, two: string) =>
    mistakes(update(type, `changes:\n  a: [{ added: "${one}", open: true }]\n  b: [{ added: "${two}", open: true }]`))

  it('are disjoint when their values differ and an item has one value only', () => {
    expect(twice('Patient', "telecom[system = 'phone']", "telecom[system = 'email']")).toEqual([])
    expect(twice('Patient', "telecom[system = 'phone']", "telecom[use = 'home']")).toHaveLength(1)
    expect(twice('Patient', "name[given = 'A']", "name[given = 'B']")).toHaveLength(1)
    expect(twice('Condition', "category[coding = 'https://s|a']", "category[coding = 'https://s|b']")).toHaveLength(1)
    expect(twice('Condition', "code.coding[system = 'https://s']", "code.coding[system = 'https://t']")).toEqual([])
  })
})
