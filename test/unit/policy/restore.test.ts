import { describe, expect, it } from 'vitest'
import { withoutServerOwned, type Resource } from '../../../src/fhir/element.ts'
import { parseJson, writeJson } from '../../../src/fhir/json.ts'
import { parseXml, writeXml } from '../../../src/fhir/xml.ts'
import type { Decision } from '../../../src/policy/decision.ts'
import { judge } from '../../../src/policy/judge.ts'
import { plainRequest } from '../../../src/policy/request-facts.ts'
import { compiled, mistakes } from './small-policy.ts'

const text = `policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [update]
    update:
      if-match: required
      changes:
        removal:
          - { replaced: status, from: active, to: inactive, otherwise: { say: Only active to inactive. } }
          - added: extension('https://reason.example')
            holds: { valueString: { text: not blank, otherwise: { say: Give a reason. } } }
            otherwise: { say: A removal needs a reason. }
          - { appended: contained.ofType(Provenance), times: 0..1, open: true }
        end:
          - { replaced: period.end, from: absent, to: ['2026-02-01'] }
        note:
          - added: extension('https://note.example')
            times: 0..1
            holds: { valueString: { text: not blank, max-length: 5 } }
      rest: { restore-as: kept, except: [identifier, subject] }
`
const policy = compiled(text)

const stored = {
  resourceType: 'Flag',
  id: '1',
  identifier: [{ system: 'https://ids.example', value: '7' }],
  status: 'active',
  category: [{ text: 'a' }, { text: 'b' }],
  code: { coding: [{ code: '1', display: 'One' }] },
  subject: { reference: 'Patient/1' },
  period: { start: '2026-01-01' },
}
const reason = { url: 'https://reason.example', valueString: 'because' }
const removal = { extension: [reason], status: 'inactive' }

function read(json: object, format: 'json' | 'xml' = 'json'): Resource {
  const result = parseJson(JSON.stringify(json), policy.definitions)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  if (format === 'json') return withoutServerOwned(result.value)
  const again = parseXml(writeXml(result.value), policy.definitions)
  if (!again.ok) throw new Error(JSON.stringify(again.faults))
  return withoutServerOwned(again.value)
}

function decide(changes: object, before: object = stored, maxRefusals = 100): Decision {
  return judge(
    policy,
    { interaction: 'update', type: 'Flag', before: read(before), after: read({ ...before, ...changes }) },
    { bases: [], maxRefusals, request: plainRequest('update') },
  )
}

function permitted(decision: Decision) {
  if (decision.verdict === 'deny') throw new Error(JSON.stringify(decision.refusals))
  return {
    as: decision.permittedAs,
    sent: JSON.parse(writeJson(decision.after!)) as object,
    restored: decision.restoration?.elements.map(({ expression }) => expression) ?? [],
  }
}
const refused = (decision: Decision) =>
  decision.verdict === 'permit' ? 'permitted' : decision.refusals.map(({ expression }) => expression)

describe('what no change claims is put back', () => {
  it('while what a complete change claims is kept', () => {
    expect(permitted(decide({ ...removal, code: { text: 'other' }, language: 'en' }))).toEqual({
      as: ['removal', 'kept'],
      sent: { ...stored, ...removal },
      restored: ['Flag.code.text', 'Flag.code.coding[0]', 'Flag.language'],
    })
  })

  it('and when nothing is left, that is permitted under the name alone', () => {
    expect(permitted(decide({ category: [{ text: 'b' }, { text: 'a' }], period: undefined }))).toEqual({
      as: ['kept'],
      sent: stored,
      restored: ['Flag.category', 'Flag.period'],
    })
  })

  it('and nothing is said of it where there is nothing', () => {
    expect(decide(removal)).toMatchObject({ permittedAs: ['removal'] })
    expect(decide(removal)).not.toHaveProperty('restoration')
    expect(decide({})).toMatchObject({ permittedAs: ['no-change'] })
  })

  it('is told with element, rule and sentence, and no content', () => {
    expect(decide({ language: 'en', code: { coding: [{ code: '1', display: 'Two' }] } })).toMatchObject({
      restoration: {
        count: 2,
        elements: [
          {
            rule: 'Flag.update',
            expression: 'Flag.code.coding[0].display',
            diagnostics: 'Flag.code.coding[0].display differs from the stored version: what is stored was kept.',
          },
          {
            rule: 'Flag.update',
            expression: 'Flag.language',
            diagnostics: 'Flag.language was added: what is stored was kept.',
          },
        ],
      },
    })
  })

  it('is counted, and listed within the bound', () => {
    const language = { language: 'en', category: undefined, code: undefined, period: undefined }
    const decision = decide(language, stored, 2)
    expect(decision).toMatchObject({ restoration: { count: 5 } })
    expect(permitted(decision).restored).toHaveLength(2)
  })

  it('also where the FHIR version does not define it', () => {
    expect(permitted(decide({ ...removal, foo: 'x', bar: [{ baz: 1 }] }))).toEqual({
      as: ['removal', 'kept'],
      sent: { ...stored, ...removal },
      restored: ['Flag.foo', 'Flag.bar[0]'],
    })
  })

  it('also another shape of what the FHIR version does not define', () => {
    expect(permitted(decide({ foo: ['x'] }, { ...stored, foo: 'x' }))).toMatchObject({
      as: ['kept'],
      restored: ['Flag.foo'],
    })
  })

  it('leaves what is appended behind the items that come back', () => {
    const [first, second] = [
      { resourceType: 'Provenance', id: 'a' },
      { resourceType: 'Basic', id: 'b' },
    ].map((one) => ({
      ...one,
      language: 'en',
    }))
    const third = { resourceType: 'Provenance', id: 'c', language: 'en' }
    const before = { ...stored, contained: [first, second] }
    const decision = decide({ ...removal, contained: [first, third] }, before)
    expect(permitted(decision).sent).toMatchObject({ contained: [first, second, third] })
  })

  it('and in XML what is kept stands in the order of FHIR', () => {
    const { resourceType, id, status: _, code: _code, ...others } = stored
    const sent = { resourceType, id, language: 'en', ...removal, ...others, code: { text: 'other' } }
    const decision = judge(
      policy,
      { interaction: 'update', type: 'Flag', before: read(stored, 'xml'), after: read(sent, 'xml') },
      { bases: [], maxRefusals: 9, request: plainRequest('update') },
    )
    if (decision.verdict === 'deny') throw new Error('refused')
    const { after } = decision
    expect([...after!.children.keys()]).toEqual([
      'id',
      'extension',
      'identifier',
      'status',
      'category',
      'code',
      'subject',
      'period',
    ])
    expect(writeXml(after!)).not.toContain('other')
  })
})

describe('nothing is put back, and it is refused,', () => {
  it.each<[why: string, changes: object, at: readonly string[]]>([
    [
      'while a change is begun and not complete',
      { status: 'inactive', language: 'en' },
      ["Flag.extension('https://reason.example')"],
    ],
    ['while something is nearly allowed', { status: 'entered-in-error', language: 'en' }, ['Flag.status']],
    [
      'while what is right is not what it must be',
      { ...removal, extension: [{ ...reason, valueString: ' ' }], language: 'en' },
      ['Flag.extension[0].value'],
    ],
    [
      'while a change of optional parts alone is wrong in one of them',
      { extension: [{ url: 'https://note.example', valueString: 'too long' }], language: 'en' },
      ['Flag.extension[0].value'],
    ],
    [
      'where an exception is concerned',
      { ...removal, subject: { reference: 'Patient/2' }, language: 'en' },
      ['Flag.subject.reference'],
    ],
    ['where an exception lies in what differs', { identifier: undefined }, ['Flag.identifier[0]']],
    [
      'where it would modify the meaning of the rest',
      { ...removal, modifierExtension: [{ url: 'https://not.example', valueBoolean: true }] },
      ['Flag.modifierExtension[0]'],
    ],
    [
      'where rules apply that must be understood',
      { ...removal, implicitRules: 'https://rules.example' },
      ['Flag.implicitRules'],
    ],
    [
      'beside a claimed part of the same value',
      { period: { start: '2025-12-31', end: '2026-02-01' } },
      ['Flag.period.start'],
    ],
    ['on a value that is claimed', { ...removal, _status: { id: 'x' } }, ['Flag.status.id']],
    [
      'where something kept refers to what would be left out',
      {
        ...removal,
        contained: [
          { resourceType: 'Practitioner', id: 'who', active: true },
          { resourceType: 'Provenance', id: 'p', agent: [{ who: { reference: '#who' } }] },
        ],
      },
      ['Flag.contained[0]'],
    ],
  ])('%s', (_why, changes, at) => {
    expect(refused(decide(changes))).toEqual(at)
  })
})

it('what is left is judged again, and refused as it was sent when it is not permitted', () => {
  const onlyOne = compiled(`policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [update]
    update:
      if-match: required
      changes:
        sign: [{ added: contained.ofType(Provenance), total: 1, open: true }]
      rest: { restore-as: kept }
`)
  const withProvenance = (id: string) =>
    read({ ...stored, contained: [{ resourceType: 'Provenance', id, language: 'en' }] })
  const decision = judge(
    onlyOne,
    { interaction: 'update', type: 'Flag', before: withProvenance('a'), after: withProvenance('b') },
    { bases: [], maxRefusals: 9, request: plainRequest('update') },
  )
  expect(decision).toMatchObject({
    verdict: 'deny',
    refusals: [{ diagnostics: 'Flag.contained[0] was removed. The policy does not permit this change.' }],
  })
})

describe('a policy that puts back', () => {
  const broken = (piece: string, by: string) => mistakes(text.replace(piece, by))

  it.each([
    ['without a name', 'restore-as: kept, ', '', '21:7 Expected exactly one of `permit-as` and `restore-as`.'],
    [
      'and permits as well',
      'restore-as: kept',
      'restore-as: kept, permit-as: edit',
      '21:7 Expected exactly one of `permit-as` and `restore-as`.',
    ],
    ['with a path that is none', 'subject]', 'subjct]', '21:54 Flag has no element `subjct`. Did you mean `subject`?'],
  ])('%s is a mistake', (_what, piece, by, mistake) => {
    expect(broken(piece, by)).toEqual([mistake])
  })

  it.each([
    ['create', 'A create has nothing stored to put back: `restore-as` applies to updates only.'],
    ['delete', 'Of a delete nothing can be put back: `restore-as` applies to updates only.'],
  ])('in a %s is a mistake', (interaction, mistake) => {
    const policyText = `policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [${interaction}]
    ${interaction}:
${interaction === 'delete' ? '      if-match: required\n' : ''}      rest: { restore-as: kept }
`
    expect(mistakes(policyText)).toEqual([expect.stringContaining(mistake)])
  })
})
