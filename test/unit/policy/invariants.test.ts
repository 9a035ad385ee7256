import { describe, expect, it, onTestFinished } from 'vitest'
import type { Resource } from '../../../src/fhir/element.ts'
import { parseJson } from '../../../src/fhir/json.ts'
import { parseXml, writeXml } from '../../../src/fhir/xml.ts'
import { compilePolicy } from '../../../src/policy/compile.ts'
import type { Decision } from '../../../src/policy/decision.ts'
import { judge, judgeOperation } from '../../../src/policy/judge.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { plainRequest, type RequestFacts } from '../../../src/policy/request-facts.ts'
import { writeDiagnostic } from '../../../src/policy/source.ts'

type Json = Readonly<Record<string, unknown>>

function compiled(text: string): Policy {
  const result = compilePolicy('p.yaml', text)
  if (!result.ok) throw new Error(result.diagnostics.map(writeDiagnostic).join('\n'))
  return result.policy
}

/** A policy under which everything of an Encounter may be changed that keeps these invariants. */
function policyWith(...invariants: Json[]): Policy {
  const rules = {
    rest: { 'permit-as': 'edit' },
    invariants: invariants.map((own, i) => ({ rule: `rule ${i}`, ...own })),
  }
  const pinned = { 'if-match': 'required', ...rules }
  return compiled(
    JSON.stringify({
      policy: 'p',
      fhir: '4.0.1',
      resources: {
        Encounter: { interactions: ['update', 'create', 'delete'], update: pinned, create: rules, delete: pinned },
      },
    }),
  )
}

function read(json: Json, { definitions }: Policy): Resource {
  const parsed = parseJson(JSON.stringify({ resourceType: 'Encounter', ...json }), definitions)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
  return parsed.value
}

const before = { status: 'in-progress', class: { code: 'AMB' } }

/** Judges an update, on the road of FHIR JSON and on that of FHIR XML, which must come to the same. */
function update(policy: Policy, after: Json, stored: Json = before, request: RequestFacts = plainRequest('update')) {
  const judged = (road: (resource: Resource) => Resource): Decision =>
    judge(
      policy,
      {
        interaction: 'update',
        type: 'Encounter',
        before: road(read(stored, policy)),
        after: road(read(after, policy)),
      },
      { bases: [], maxRefusals: 50, request },
    )
  const json = judged((resource) => resource)
  const xml = judged((resource) => {
    const parsed = parseXml(writeXml(resource), policy.definitions)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
    return parsed.value
  })
  expect({ ...xml, after: undefined }).toEqual({ ...json, after: undefined })
  return json
}

/** `permitted`, or what is refused. */
function told(decision: Decision): string | string[] {
  return decision.verdict === 'permit' ? 'permitted' : decision.refusals.map(({ diagnostics }) => diagnostics)
}

const broken = ['Encounter breaks the rule `rule 0`. Rule 0.']
const unknown = (why: string) => [
  `Encounter cannot be shown to keep the rule \`rule 0\`: its condition ${why}. Rule 0.`,
]
const empty = unknown('gives nothing')
const several = unknown('gives several values')
const noBoolean = unknown('gives something that is not true or false')
const failed = unknown('cannot be evaluated on this resource')

const finished = { status: 'finished', class: { code: 'AMB' } }
const ended = { ...finished, period: { end: '2026-01-31T12:00:00Z' } }

describe('an invariant', () => {
  const hasEnd = policyWith({ require: "%after.status = 'finished' implies %after.period.end.exists()" })

  it('permits what keeps it', () => {
    expect(update(hasEnd, ended)).toMatchObject({ verdict: 'permit', permittedAs: ['edit'] })
  })

  it('refuses what breaks it', () => {
    expect(told(update(hasEnd, finished))).toEqual(broken)
  })

  it.each([
    ['true', 'permitted'],
    ['false', broken],
    ['(%after.id.exists() and {}).not()', 'permitted'],
    ['%after.period.end > @2020-01-01T00:00:00Z', empty],
    ['%before.id = %after.id', empty],
    ['%after.participant.period.exists().select(true | false)', several],
    ['%after.descendants().where($this is code)', several],
    ['%after.children().where($this is code)', noBoolean],
    ['%after.children().where($this is code).toInteger() = 1', empty],
    ['%after.descendants().toInteger() = 1', failed],
    ['%after.descendants().single().exists()', failed],
    ['%after.descendants().where($this).exists()', failed],
    ['iif(%after.children().first(), true, true)', failed],
  ])('that gives %s permits only when that is exactly true', (require, expected) => {
    expect(told(update(policyWith({ require }), finished))).toEqual(expected)
  })

  it.each([
    ['true', broken],
    ['false', 'permitted'],
    ['%before.id = %after.id', 'permitted'],
    ["%after.status = 'finished'", broken],
    ["%after.status = 'planned'", 'permitted'],
    ['%after.descendants().where($this is code)', several],
    ['%after.children().where($this is code)', noBoolean],
    ['%after.descendants().single().exists()', failed],
  ])('applies when %s is true, and refuses when that cannot be told', (when, expected) => {
    expect(told(update(policyWith({ when, require: 'false' }), finished))).toEqual(expected)
  })

  it('is asked of the change alone: what changes nothing is permitted, whatever was stored', () => {
    expect(update(hasEnd, finished, finished)).toMatchObject({ permittedAs: ['no-change'] })
  })

  it('is told beside everything else that is wrong', () => {
    const policy = compiled(`policy: p
fhir: 4.0.1
resources:
  Encounter:
    interactions: [update]
    update:
      if-match: required
      changes:
        ending: [{ replaced: status, from: in-progress, to: finished }]
      invariants:
        - rule: a finished encounter has an end
          require: "%after.period.end.exists()"
          at: period.end
          otherwise: { status: 400, issue: required, help: Send period.end. }
        - rule: an encounter has a subject
          when: "%after.subject.exists().not()"
          require: "false"
          at: subject.reference
          otherwise: { say: Say whom it is about. }
        - { rule: this one is kept, require: "%after.status.exists()" }
`)
    expect(update(policy, { ...finished, class: { code: 'IMP' } })).toMatchObject({
      verdict: 'deny',
      refusals: [
        { rule: 'Encounter.update', expression: 'Encounter.class.code' },
        {
          rule: 'Encounter.update/a finished encounter has an end',
          expression: 'Encounter.period.end',
          diagnostics: 'Encounter.period.end breaks the rule `a finished encounter has an end`. Send period.end.',
          answer: { status: 400, issue: 'required', text: 'A finished encounter has an end.' },
        },
        {
          rule: 'Encounter.update/an encounter has a subject',
          expression: 'Encounter.subject.reference',
          diagnostics:
            'Encounter.subject.reference breaks the rule `an encounter has a subject`. Say whom it is about.',
          answer: { status: 422, issue: 'business-rule', text: 'Say whom it is about.' },
        },
      ],
    })
  })

  it.each([
    [
      '3.0.2',
      "%after.reason.coding.where(code = 'a').exists() and %after.class.exists()",
      { reason: [{ coding: [{ code: 'a' }] }] },
    ],
    ['5.0.0', "%after.class.coding.where(code = 'a').exists() and %after.actualPeriod.exists().not()", {}],
  ])('knows the elements of FHIR %s', (fhir, require, own) => {
    const rules = { 'if-match': 'required', rest: { 'permit-as': 'edit' }, invariants: [{ rule: 'it', require }] }
    const policy = compiled(
      JSON.stringify({ policy: 'p', fhir, resources: { Encounter: { interactions: ['update'], update: rules } } }),
    )
    const coded = fhir === '5.0.0' ? [{ coding: [{ code: 'a' }] }] : { code: 'a' }
    expect(
      told(update(policy, { status: 'finished', class: coded, ...own }, { status: 'planned', class: coded })),
    ).toBe('permitted')
  })

  it('of every type that is not named is checked for each of them', () => {
    const policy = (require: string) =>
      JSON.stringify({
        policy: 'p',
        fhir: '4.0.1',
        resources: {
          '*': {
            interactions: ['create'],
            create: { rest: { 'permit-as': 'new' }, invariants: [{ rule: 'it', require }] },
          },
        },
      })
    expect(compilePolicy('p.yaml', policy("%after.id.exists() and Resource.language = 'en'"))).toMatchObject({
      ok: true,
    })
    const result = compilePolicy('p.yaml', policy("%after.status = 'active'"))
    const [first] = result.ok ? [] : result.diagnostics
    expect(first!.message).toMatch(/has no element `status`.* is among the types that `'\*'` stands for/)
  })

  it('is asked of what is left when the rest is put back, and that is what its refusal is about', () => {
    const policy = compiled(`policy: p
fhir: 4.0.1
resources:
  Encounter:
    interactions: [update]
    update:
      if-match: required
      changes:
        ending: [{ replaced: status, from: in-progress, to: finished }]
      rest: { restore-as: kept }
      invariants:
        - { rule: a finished encounter is ambulatory, require: "%after.class.code = 'AMB'", at: class.code }
`)
    const inpatient = { ...before, class: { code: 'IMP' } }
    expect(update(policy, { ...finished, class: { code: 'IMP' } })).toMatchObject({ permittedAs: ['ending', 'kept'] })
    expect(update(policy, finished, inpatient)).toMatchObject({
      refusals: [{ rule: 'Encounter.update/a finished encounter is ambulatory', expression: 'Encounter.class.code' }],
    })
  })

  it('names the element that `at` selects, with its index', () => {
    const policy = policyWith({ require: '%after.identifier.value.exists()', at: 'identifier.value' })
    const after = { ...finished, identifier: [{ system: 'https://a.example' }, { system: 'https://b.example' }] }
    expect(update(policy, after)).toMatchObject({ refusals: [{ expression: 'Encounter.identifier[0].value' }] })
  })

  it('sees nothing before a create and nothing after a delete', () => {
    const policy = policyWith(
      { when: "%interaction = 'create'", require: "%before.empty() and %resource = %after and status = 'finished'" },
      { when: "%interaction = 'delete'", require: "%after.empty() and %resource = %before and status = 'finished'" },
    )
    const surroundings = { bases: [], maxRefusals: 50 }
    const resource = read(finished, policy)
    for (const interaction of ['create', 'delete'] as const) {
      const [before, after] = interaction === 'create' ? [undefined, resource] : [resource, undefined]
      const request = plainRequest(interaction)
      const decision = judge(policy, { interaction, type: 'Encounter', before, after }, { ...surroundings, request })
      expect(told(decision)).toBe('permitted')
    }
  })

  it('is asked of the Parameters of an operation', () => {
    const policy = compiled(`policy: p
fhir: 4.0.1
resources: {}
system:
  interactions: []
  operations:
    $close:
      methods: [POST]
      changes: { close: [{ added: $this, open: true }] }
      invariants:
        - rule: one reason
          require: "parameter.where(name = 'reason').count() = 1 and %interaction = 'operation'"
`)
    const decide = (names: readonly string[]) => {
      const text = JSON.stringify({
        resourceType: 'Parameters',
        parameter: names.map((name) => ({ name, valueString: 'x' })),
      })
      const parameters = parseJson(text, policy.definitions)
      if (!parameters.ok) throw new Error(text)
      const surroundings = { bases: [], maxRefusals: 50, request: plainRequest('operation') }
      return told(judgeOperation(policy.system.operations.get('close')!.rules!, policy, parameters.value, surroundings))
    }
    expect(decide(['reason'])).toBe('permitted')
    expect(decide(['reason', 'reason'])).toEqual(['Parameters breaks the rule `one reason`. One reason.'])
  })

  it('sees the facts of the request', () => {
    const policy = policyWith({
      require:
        "%interaction = 'patch' and %scopes contains 'a' and %`header-x-role` = 'clerk' and %`header-x-other`.empty()",
    })
    const request = {
      interaction: 'patch',
      scopes: ['b', 'a'],
      headerFields: { 'x-role': ['clerk'], 'x-other': [] },
    } as const
    expect(told(update(policy, finished, before, request))).toBe('permitted')
    const twice = { ...request, headerFields: { ...request.headerFields, 'x-role': ['clerk', 'clerk'] } }
    expect(told(update(policy, finished, before, twice))).toEqual(broken)
    // A header field that the config does not name is no variable: nothing can be told of it.
    expect(told(update(policy, finished, before, { ...request, headerFields: {} }))).toEqual(failed)
  })
})

describe('what an invariant sees of a resource', () => {
  it.each([
    ['an extension beside a value', "status.extension('https://a.example').value = 'x' and status = 'finished'"],
    [
      'an extension instead of a value',
      "language.extension('https://a.example').exists() and language.hasValue().not()",
    ],
    ['the lists of both halves, in step', "hospitalization.extension.value.where($this = 'b').extension.value = 'y'"],
    ['contained resources', "contained.ofType(Patient).name.given.first() = 'Ann'"],
    ['the items of a contained list, with one that has no value', 'contained.ofType(Patient).name.given.count() = 3'],
    ['the type of a choice', "extension.value.ofType(Coding).code = 'c'"],
    ['a narrative, as its XHTML', "text.`div`.contains('<b>x</b>')"],
    ['a decimal with its digits', "length.value = 1.5 and length.value.toString() = '1.50'"],
    ['a boolean', 'participant.extension.value = false'],
    ['a reference', "subject.reference = 'Patient/p1'"],
    ['nothing that is not there', 'serviceType.exists().not()'],
  ])('is %s, in both formats', (_, require) => {
    const given = {
      given: ['Ann', null, 'Lee'],
      _given: [null, { extension: [{ url: 'https://a.example', valueCode: 'z' }] }, null],
    }
    const after = {
      ...finished,
      _status: { extension: [{ url: 'https://a.example', valueString: 'x' }] },
      _language: { extension: [{ url: 'https://a.example', valueString: 'x' }] },
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><b>x</b></div>' },
      contained: [{ resourceType: 'Patient', id: 'p1', name: [given] }],
      extension: [{ url: 'https://b.example', valueCoding: { code: 'c' } }],
      subject: { reference: 'Patient/p1' },
      participant: [{ extension: [{ url: 'https://c.example', valueBoolean: false }] }],
      length: { value: 'THE NUMBER' },
      hospitalization: {
        extension: [
          {
            url: 'https://d.example',
            valueString: 'b',
            _valueString: { extension: [{ url: 'https://e.example', valueString: 'y' }] },
          },
        ],
      },
    }
    const policy = policyWith({ require })
    const text = JSON.stringify({ resourceType: 'Encounter', ...after }).replace('"THE NUMBER"', '1.50')
    for (const road of ['json', 'xml']) {
      const json = parseJson(text, policy.definitions)
      if (!json.ok) throw new Error(JSON.stringify(json.faults))
      const resource = road === 'json' ? json : parseXml(writeXml(json.value), policy.definitions)
      if (!resource.ok) throw new Error(JSON.stringify(resource.faults))
      const write = {
        interaction: 'update',
        type: 'Encounter',
        before: read(before, policy),
        after: resource.value,
      } as const
      const request = plainRequest('update')
      expect(told(judge(policy, write, { bases: [], maxRefusals: 50, request }))).toBe('permitted')
    }
  })
})

describe('what FHIRPath cannot see as it is', () => {
  /** Judges an update whose JSON is given as text, so that numbers keep their digits. */
  const decide = (require: string, value: string, stored = value) => {
    const policy = policyWith({ require })
    const encounter = (number: string) => {
      const text = `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"length":{"value":${number}}}`
      const parsed = parseJson(text, policy.definitions)
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
      return parsed.value
    }
    const after = { ...encounter(value), children: new Map(encounter(value).children).set('language', languageEn) }
    const write = { interaction: 'update', type: 'Encounter', before: encounter(stored), after } as const
    return told(judge(policy, write, { bases: [], maxRefusals: 50, request: plainRequest('update') }))
  }
  const languageEn = read({ language: 'en' }, policyWith({ require: 'true' })).children.get('language')!
  const equal = '%before.length.value = %after.length.value'

  it.each([
    ['1.0', '1.00'],
    ['1e2', '100'],
    ['-0', '0'],
    ['12345678901234567890', '12345678901234567890'],
    ['0.12345678', '0.123456780000000000'],
    ['0.1234567890000', '0.123456789', failed],
  ] as const)(
    'numbers are compared by what they say: %s = %s',
    (value, stored, expected: string | string[] = 'permitted') => {
      expect(decide(equal, value, stored)).toEqual(expected)
    },
  )

  it.each([
    ['9007199254740993', '9007199254740992'],
    ['0.1234567', '0.1234568'],
    ['12345678901234567890', '12345678901234567891'],
  ])('numbers that JavaScript would take for one are two: %s, %s', (value, stored) => {
    expect(decide(equal, value, stored)).toEqual(broken)
  })

  it.each(['0.000000001', '123456789012345678901', '1e400', '1e-400', `1${'0'.repeat(70)}`, '1e99999'])(
    'a number beyond FHIRPath’s decimals, %s, refuses who looks at it and nobody else',
    (value) => {
      for (const require of [
        equal,
        '%before.length = %after.length',
        '%after.length.value > 0',
        '%after.descendants().exists()',
      ]) {
        expect(decide(require, value)).toEqual(failed)
      }
      expect(decide("%after.status = 'finished' and %after.length.exists()", value)).toBe('permitted')
    },
  )

  it.each([
    ["'9007199254740993'.toDecimal() = '9007199254740992'.toDecimal()", broken],
    ["'9007199254740993'.toInteger() = 9007199254740993", 'permitted'],
    [
      "'+1.50'.toDecimal() = 1.5 and true.toInteger() = 1 and '1.5'.toInteger().empty() and (2).toInteger() = 2",
      'permitted',
    ],
    ["'1234567890123456789012'.toInteger() > 1", failed],
    [`10${'.select($this * $this)'.repeat(40)} mod 7 = 1`, failed],
    [`5 mod (1 / 10${'.select($this * $this)'.repeat(6)}) = 1`, failed],
    [`10${'.select($this * $this)'.repeat(4)} > 1`, 'permitted'],
  ])('texts become numbers, and numbers are counted with, exactly or not at all: %s', (require, expected) => {
    expect(told(update(policyWith({ require }), finished))).toEqual(expected)
  })

  it.each([
    ['9007199254740993', '9007199254740992', broken],
    ['9'.repeat(20), '9'.repeat(20), 'permitted'],
    ['9'.repeat(500_000), '9'.repeat(500_000), failed],
    ['x', 'x', failed],
  ])('an integer of 64 bits is one, too', (size, other, expected) => {
    const rules = { 'if-match': 'required', rest: { 'permit-as': 'edit' } }
    const require = '%after.content.attachment.size = %before.content.attachment.size'
    const policy = compiled(
      JSON.stringify({
        policy: 'p',
        fhir: '5.0.0',
        resources: {
          DocumentReference: { interactions: ['update'], update: { ...rules, invariants: [{ rule: 'it', require }] } },
        },
      }),
    )
    const sized = (own: string, status: string) =>
      read({ resourceType: 'DocumentReference', status, content: [{ attachment: { size: own } }] }, policy)
    const write = { before: sized(size, 'current'), after: sized(other, 'superseded') }
    const surroundings = { bases: [], maxRefusals: 50, request: plainRequest('update') }
    const decision = judge(policy, { interaction: 'update', type: 'DocumentReference', ...write }, surroundings)
    const renamed = (text: string) =>
      text.replace('Encounter', 'DocumentReference').replaceAll('rule 0', 'it').replace('Rule 0', 'It')
    expect(told(decision)).toEqual(typeof expected === 'string' ? expected : expected.map(renamed))
  })

  it('an element by the name that tells a resource refuses all', () => {
    const policy = policyWith({ require: 'true' })
    const xml = (inner: string) =>
      `<Encounter xmlns="http://hl7.org/fhir"><status value="finished"/><class><code value="AMB"/>${inner}</class></Encounter>`
    const parsed = [xml('<resourceType value="Patient"/>'), xml('')].map((text) => parseXml(text, policy.definitions))
    const [after, stored] = parsed.map((one) => (one.ok ? one.value : undefined))
    const write = { interaction: 'update', type: 'Encounter', before: after, after: stored } as const
    expect(told(judge(policy, write, { bases: [], maxRefusals: 50, request: plainRequest('update') }))).toEqual(failed)
  })

  describe('dates', () => {
    const decide = (start: string, end: string, require = '%after.period.start < %after.period.end') => {
      const decisions = ['UTC', 'America/Los_Angeles', 'Pacific/Kiritimati'].map((zone) => {
        const own = process.env.TZ
        process.env.TZ = zone
        onTestFinished(() => {
          if (own === undefined) delete process.env.TZ
          else process.env.TZ = own
        })
        return told(update(policyWith({ require }), { ...finished, period: { start, end } }))
      })
      expect(new Set(decisions.map((decision) => String(decision))).size).toBe(1)
      return decisions[0]
    }

    it.each([
      ['2026-01-30', '2026-01-31', 'permitted'],
      ['2026-01', '2026-03-02', 'permitted'],
      ['2026-01-31T23:30:00-05:00', '2026-02-01T04:31:00Z', 'permitted'],
      ['2026-02-01T00:30:00+02:00', '2026-01-31T22:30:00Z', broken],
      ['2026-01-29', '2026-01-31T15:00:00Z', 'permitted'],
      ['2026-01-29T12:00:00Z', '2026-02', 'permitted'],
      ['2026-02-02', '2026-01-31T09:00:00Z', broken],
      ['2025', '2026-01-31T15:00:00Z', 'permitted'],
      ['2026-01', '2026-01-15T15:00:00Z', empty],
      ['2026-01-30', '2026-01-31T09:00:00Z', failed],
      ['2026-01-31', '2026-01-31T12:00:00Z', failed],
      ['2026-01', '2026-02-01T12:00:00Z', failed],
      ['2026-01-31T12:00:00', '2026-01-31T13:00:00Z', failed],
      ['2026-01-31T12:00:00', '2026-01-31T13:00:00', failed],
    ])('are compared the same in every time zone: %s, %s', (start, end, expected) => {
      expect(decide(start, end)).toEqual(expected)
    })

    it('are held apart from days by every comparison', () => {
      for (const require of [
        '(%after.period.start != %after.period.end)',
        '%after.period.start in %after.period.end',
      ]) {
        expect(decide('2026-01-31', '2026-02-01T04:30:00Z', require)).toEqual(failed)
      }
      expect(decide('2026-01-31T12:00:00Z', 'x', '%after.period.start >= @2026-01-31')).toEqual(failed)
    })

    it('are not counted with', () => {
      expect(decide('2026-01-31', 'x', '(%after.period.children().first() + 1) = 1')).toEqual(failed)
    })
  })

  it.each(['constructor', 'toString', 'prototype', 'length', 'then', 'invocationTable', 'toJSON'])(
    'an element named %s does no harm',
    (name) => {
      const stored = { ...before, class: { code: 'AMB', [name]: 'x' } }
      const require = "%after.class.code = 'AMB' and %after.descendants().count() > 2 and %after.class = %before.class"
      expect(told(update(policyWith({ require }), { ...stored, status: 'finished' }, stored))).toBe('permitted')
    },
  )
})

describe('an invariant that takes too long', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ system: `https://${i}.example`, value: `${i}` }))
  const long = 'a'.repeat(250_000)
  const extension = (valueString: string) => [{ url: 'https://a.example', valueString }]
  const quantity = (code: string) => [
    { url: 'https://a.example', valueQuantity: { value: 1, system: 'http://unitsofmeasure.org', code } },
  ]

  it.each([
    ['%after.identifier.all($this in %after.identifier)', { identifier: many(1000) }],
    ['%after.identifier.where(%after = %before).empty()', { identifier: many(1000) }],
    ['%after.identifier.value.isDistinct()', { identifier: many(6000) }],
    ['(%after.identifier.value | %after.identifier.system).exists()', { identifier: many(4000) }],
    ['%after.identifier.value.subsetOf(%after.identifier.value)', { identifier: many(6000) }],
    ['%after.identifier.all(%after.identifier.all(value.exists()))', { identifier: many(1000) }],
    ['%after.identifier.select(%after.descendants()).exists()', { identifier: many(1000) }],
    ["%after.extension.value.ofType(string).matches('(.*a){30}$')", { extension: extension(`${long}${long}b`) }],
    [
      '%after.extension.value.ofType(string).contains(%after.extension.value.ofType(string).substring(1))',
      { extension: extension(`${long}${long}`) },
    ],
    [`%after.status${'.select($this & $this)'.repeat(40)}.exists()`, {}],
    [
      `%after.extension.value.ofType(string).replace('a', '${'b'.repeat(3000)}').exists()`,
      { extension: extension(long) },
    ],
    [
      `%after.extension.value.ofType(string).replaceMatches('a', '${'$0'.repeat(1500)}').exists()`,
      { extension: extension(long) },
    ],
    [`%after.identifier.value.join('${'b'.repeat(3000)}').exists()`, { identifier: many(50_000) }],
    ["%after.extension.value.ofType(Quantity) = 1 'mg'", { extension: quantity(`mg${'.mg'.repeat(40_000)}`) }],
  ] as const)('refuses as too large: %s', (require, own) => {
    const policy = policyWith({ require: 'false' }, { require }, { require: 'false' })
    const write = {
      interaction: 'update',
      type: 'Encounter',
      before: read(before, policy),
      after: read({ ...finished, ...own }, policy),
    } as const
    const request = plainRequest('update')
    expect(judge(policy, write, { bases: [], maxRefusals: 50, request })).toMatchObject({
      verdict: 'deny',
      refusals: [{ rule: 'Encounter.update/rule 0' }, { cause: 'too-large' }],
    })
  })

  it('does not keep what else is wrong from being told', () => {
    const policy = compiled(`policy: p
fhir: 4.0.1
resources:
  Encounter:
    interactions: [update]
    update:
      if-match: required
      changes:
        ending: [{ replaced: status, from: in-progress, to: finished }]
      invariants:
        - { rule: slow, require: "%after.identifier.all($this in %before.identifier)" }
`)
    const stored = { ...before, identifier: many(1000) }
    expect(update(policy, { ...stored, status: 'finished', class: { code: 'IMP' } }, stored)).toMatchObject({
      refusals: [{ expression: 'Encounter.class.code' }, { cause: 'too-large' }],
    })
  })

  it('in report mode keeps nothing from being asked that is enforced, and refuses nothing', () => {
    const slow = { require: '%after.identifier.all($this in %before.identifier)', mode: 'report' }
    const stored = { ...before, identifier: many(1000) }
    const after = { ...stored, status: 'finished' }
    expect(update(policyWith(slow, { require: 'true' }), after, stored)).toMatchObject({
      verdict: 'permit',
      reported: [{ cause: 'too-large' }],
    })
    expect(update(policyWith(slow, { require: 'false' }), after, stored)).toMatchObject({
      verdict: 'deny',
      refusals: [{ rule: 'Encounter.update/rule 1' }],
      reported: [{ cause: 'too-large' }],
    })
  })
})
