import { describe, expect, it } from 'vitest'
import { bounds } from '../../../src/cases/bodies.ts'
import { maxRefusals } from '../../../src/cases/run.ts'
import { readGatewayFile } from '../../../src/config/gateway-file.ts'
import { compiled } from '../policy/small-policy.ts'
import { outcome, run } from './small-suite.ts'

const flagXml = (inside: string) =>
  `<Flag xmlns="http://hl7.org/fhir"><id value="f1"/>${inside}<code><text value="Hearing"/></code><subject><reference value="Patient/1"/></subject></Flag>`
const reasonXml = '<extension url="https://reason.example"><valueString value="Moved"/></extension>'

describe('a case', () => {
  it.each<[string, string, string[]]>([
    ['an update by a change', 'before: flag\nchange: *removal\npermit: removal', ['permitted as removal']],
    ['an update that changes nothing', 'before: flag\nchange: []\npermit: no-change', ['permitted as no-change']],
    [
      'an update by a body of its own',
      'before: flag\nafter: { <<: *flag, status: inactive }\npermit: removal',
      ["400 Flag.extension('https://reason.example') Flag.update.removal.reason"],
    ],
    [
      'an update with what is put back',
      'before: flag\nchange: [{ op: replace, path: /code/text, value: Sight }]\npermit: kept',
      ['permitted as kept', 'restored Flag.code.text'],
    ],
    ['a create', 'create: flag\npermit: new', ['permitted as new']],
    [
      'a create with a change',
      'create: inactive\nchange: [{ op: replace, path: /status, value: active }]\npermit: new',
      ['permitted as new'],
    ],
    ['a delete', 'delete: inactive\npermit: remove', ['permitted as remove']],
    [
      'a delete with a change',
      'delete: flag\nchange: [{ op: replace, path: /status, value: inactive }]\npermit: remove',
      ['permitted as remove'],
    ],
    ['a refused delete', 'delete: flag\npermit: remove', ['422 Flag.status Flag.delete.remove.inactive/status']],
    [
      'an operation on an instance',
      'operation: $close\non: Flag/f1\nparameters: { resourceType: Parameters, parameter: [{ name: why, valueString: x }] }\npermit: close',
      ['permitted as close'],
    ],
    [
      'an operation on a level on which it is not open',
      'operation: $close\non: Flag\nparameters: { resourceType: Parameters }\npermit: close',
      ['405 interaction-not-offered'],
    ],
    [
      'an operation whose body is no Parameters',
      'operation: $close\non: Flag/f1\nparameters: flag\npermit: close',
      ['400 body-mismatch'],
    ],
    ['an interaction that is not open', 'create: observation\npermit: []', ['405 interaction-not-offered']],
    [
      'a patch where no patch is open',
      'before: observation\nchange: []\nrequest: { interaction: patch }\npermit: []',
      ['405 interaction-not-offered'],
    ],
    [
      'a patch',
      'before: flag\nchange: *removal\nrequest: { interaction: patch }\npermit: removal',
      ['permitted as removal'],
    ],
    [
      'a patch that does not apply',
      'before: flag\nchange: [{ op: remove, path: /period }]\nrequest: { interaction: patch }\npermit: removal',
      ['422 patch-not-applicable'],
    ],
    [
      'a patch that is none',
      'before: flag\nchange: [{ op: add, path: period }]\nrequest: { interaction: patch }\npermit: removal',
      ['400 body-malformed'],
    ],
    [
      'a body with another id',
      'before: flag\nafter: { <<: *flag, id: f2 }\npermit: no-change',
      ['400 body-mismatch Flag.id'],
    ],
    [
      'a body without an id',
      'before: flag\nafter: { json: \'{"resourceType":"Flag"}\' }\npermit: no-change',
      ['400 body-mismatch Flag.id'],
    ],
    ['a body of another type', 'before: flag\nafter: observation\npermit: no-change', ['400 body-mismatch']],
    ['a create of another type than its target', 'create: observation\non: Flag\npermit: new', ['400 body-mismatch']],
    ['a body that is no JSON', "before: flag\nafter: { json: '{' }\npermit: no-change", ['400 body-malformed']],
    ['a body that is no XML', "before: flag\nafter: { xml: '' }\npermit: no-change", ['400 body-malformed']],
    [
      'a malformed element',
      'before: flag\nafter: { <<: *flag, status: [active] }\npermit: no-change',
      ['400 body-malformed Flag.status'],
    ],
    [
      'a malformed body that a change makes',
      'before: flag\nchange: [{ op: add, path: /code/coding, value: {} }]\npermit: no-change',
      ['400 body-malformed Flag.code.coding'],
    ],
    [
      'a malformed create, by its own type',
      'create: { resourceType: Flag, code: [] }\npermit: new',
      ['400 body-malformed Flag.code'],
    ],
    [
      'a number with another digit',
      'before: observation\nchange: [{ op: replace, path: /valueQuantity/value, value: 4.100 }]\nrequest: { scopes: [lab] }\npermit: edit',
      ['permitted as edit'],
    ],
    [
      'a number with the same digits',
      'before: observation\nchange: [{ op: replace, path: /valueQuantity/value, value: 4.10 }]\npermit: no-change',
      ['permitted as no-change'],
    ],
    [
      'a request without the scope that a rule asks for',
      'before: observation\nchange: [{ op: replace, path: /code/text, value: Sodium }]\npermit: edit',
      ['422 Observation Observation.update/only a lab writes results'],
    ],
    [
      'what belongs to the server',
      'before: { <<: *flag, meta: { versionId: 1a } }\nafter: { <<: *flag, meta: { versionId: 2b, lastUpdated: "2026-01-01T00:00:00Z" } }\npermit: no-change',
      ['permitted as no-change'],
    ],
  ])('is judged as the gateway would: %s', (_, one, expected) => {
    expect(outcome(one)).toEqual(expected)
  })

  it.each<[string, string, string[]]>([
    [
      'both in XML',
      'before: { file: before.xml }\nafter: { file: after.xml }\npermit: removal',
      ['permitted as removal'],
    ],
    ['the body in XML', 'before: flag\nafter: { file: after.xml }\npermit: removal', ['permitted as removal']],
    [
      'the stored resource in XML',
      'before: { file: before.xml }\nafter: { file: after.json }\npermit: removal',
      ['permitted as removal'],
    ],
    [
      'the stored resource in XML, with a change',
      'before: { file: before.xml }\nchange: *removal\npermit: removal',
      ['permitted as removal'],
    ],
    [
      'a create in XML, with a change',
      'create: { file: before.xml }\nchange: [{ op: replace, path: /status, value: inactive }]\npermit: new',
      ['422 Flag.status Flag.create.new.active/status'],
    ],
    [
      'an element that FHIR does not define, in XML',
      'before: flag\nafter: { file: strange.xml }\npermit: removal',
      ['permitted as kept', 'restored Flag.colour'],
    ],
    ['bytes that are no UTF-8', 'create: { file: latin.json }\non: Flag\npermit: new', ['400 body-malformed']],
  ])('takes bodies from files: %s', (_, one, expected) => {
    const files = {
      'before.xml': flagXml('<status value="active"/>'),
      'after.xml': flagXml(`${reasonXml}<status value="inactive"/>`),
      'after.json': JSON.stringify({
        resourceType: 'Flag',
        id: 'f1',
        extension: [{ url: 'https://reason.example', valueString: 'Moved' }],
        status: 'inactive',
        code: { text: 'Hearing' },
        subject: { reference: 'Patient/1' },
      }),
      'strange.xml': flagXml('<status value="active"/><colour value="red"/>'),
      'latin.json': Uint8Array.from([...'{"resourceType":"Flag","id":"'].map((c) => c.charCodeAt(0)).concat([0xe9])),
    }
    expect(outcome(one, files)).toEqual(expected)
  })

  it('is judged by a policy in report mode as the gateway would, also where nothing is open', () => {
    const reporting = compiled(`policy: p
fhir: 4.0.1
mode: report
resources:
  Flag:
    interactions: [update]
    update: { if-match: required, changes: { removal: [{ replaced: status, from: active, to: inactive }] } }
`)
    const results = run(
      `cases:
  - { case: update, before: flag, change: [{ op: remove, path: /code }], permit: reported, reported: [{ at: code, rule: Flag.update }] }
  - { case: patch, before: flag, change: [{ op: replace, path: /status, value: inactive }], request: { interaction: patch }, permit: removal, reported: [{ cause: interaction-not-offered, at: patch }] }
  - { case: delete, delete: flag, permit: reported, reported: [{ cause: interaction-not-offered, at: delete }] }
  - { case: other type, create: observation, permit: reported, reported: [{ cause: interaction-not-offered, at: create }] }
  - { case: operation, operation: $x, on: Flag, parameters: flag, permit: [], reported: [{ cause: interaction-not-offered, at: Flag.$x }] }
  - { case: malformed, create: { resourceType: Flag, code: [] }, refuse: [{ cause: body-malformed }], reported: [{ cause: interaction-not-offered, at: create }] }
`,
      {},
      reporting,
    )
    expect(results.flatMap(({ case: { name }, mismatch }) => (mismatch ? [[name, mismatch]] : []))).toEqual([])
  })

  it('is run with each of several bodies, under the name of each', () => {
    const results = run(
      `cases:
  - case: a status is refused
    create: [flag, inactive, { resourceType: Flag, status: entered-in-error }, { file: f.json }]
    refuse: [{ rule: new.active/status, at: status }]
`,
      { 'f.json': '{"resourceType":"Flag","status":"x"}' },
    )
    expect(results.map(({ case: { name, group }, mismatch }) => [name, group, mismatch === undefined])).toEqual([
      ['a status is refused (flag)', 'Flag', false],
      ['a status is refused (inactive)', 'Flag', true],
      ['a status is refused (3)', 'Flag', true],
      ['a status is refused (f.json)', 'Flag', true],
    ])
  })

  it('knows its place in the file', () => {
    const [first, second] = run(
      'cases:\n  - case: one\n    create: flag\n    permit: new\n  - create: flag\n    case: two\n    permit: new\n',
    )
    expect(second!.case.line - first!.case.line).toBe(4)
    expect(first!.case.file).toBe('small.cases.yaml')
  })

  it('is judged within the bounds that hold where gateway.yaml says nothing', () => {
    const { limits } = readGatewayFile('gateway.yaml', 'bases: [{ path: /a, policy: p.yaml }]').settings!
    expect({ ...bounds, refusals: maxRefusals }).toEqual({
      nesting: limits.nesting,
      elements: limits.elements,
      refusals: limits.refusals,
    })
  })
})
