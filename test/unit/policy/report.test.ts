import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/policy/decision.ts'
import { judge } from '../../../src/policy/judge.ts'
import { withoutServerOwned } from '../../../src/fhir/element.ts'
import { parseJson, writeJson } from '../../../src/fhir/json.ts'
import { plainRequest } from '../../../src/policy/request-facts.ts'
import { compiled, mistakes, verdict } from './small-policy.ts'

/** Where a setting may be put into the policy. */
interface Modes {
  readonly policy?: string
  readonly ruleSet?: string
  readonly status?: string
  readonly reason?: string
  readonly provenance?: string
  readonly entry?: string
  readonly item?: string
  readonly rest?: string
}

const line = (mode: string | undefined) => (mode === undefined ? '' : `mode: ${mode}, `)
const policyWith = ({ policy, ruleSet, status, reason, provenance, entry, item, rest }: Modes) =>
  compiled(`policy: p
fhir: 4.0.1
${policy === undefined ? '' : `mode: ${policy}`}
resources:
  Flag:
    interactions: [update]
    update:
      if-match: required
      ${ruleSet === undefined ? '' : `mode: ${ruleSet}`}
      changes:
        removal:
          - { ${line(status)}replaced: status, from: active, to: inactive, otherwise: { say: Active to inactive. } }
          - { ${line(reason)}added: extension('https://reason.example'), holds: { valueString: { text: not blank, otherwise: { say: Say why. } } }, otherwise: { say: A reason is needed. } }
          - { ${line(provenance)}appended: contained.ofType(Provenance), times: 0..1, as: $p, open: true, holds: { recorded: { is: '2026-01-01T00:00:00Z' } }, with: [{ ${line(entry)}appended: "contained.ofType(Basic)[subject.reference refers to $p]", times: 0..1, open: true }] }
        observation:
          for each: { ${line(item)}appended: contained.ofType(Observation), as: $o, open: true, holds: { status: { is: final } } }
          parts: [{ appended: "contained.ofType(Basic)[subject.reference refers to $o]", times: 0..1, open: true }]
      ${rest === undefined ? '' : `rest: ${rest}`}
`)

const stored = {
  resourceType: 'Flag',
  id: '1',
  extension: [{ url: 'https://a.example', valueString: 'a' }],
  status: 'active',
  category: [{ text: 'a' }],
  code: { text: 'Deaf' },
  subject: { reference: 'Patient/1' },
}
const extensions = (...added: object[]) => ({ extension: [...stored.extension, ...added] })
const reason = { url: 'https://reason.example', valueString: 'because' }
const blank = { ...reason, valueString: ' ' }

function decide(modes: Modes, changes: object, maxRefusals = 100): Decision {
  const policy = policyWith(modes)
  const read = (json: object) => {
    const result = parseJson(JSON.stringify(json), policy.definitions)
    if (!result.ok) throw new Error(JSON.stringify(result.faults))
    return withoutServerOwned(result.value)
  }
  return judge(
    policy,
    { interaction: 'update', type: 'Flag', before: read(stored), after: read({ ...stored, ...changes }) },
    { bases: [], maxRefusals, request: plainRequest('update') },
  )
}

/** `permit removal reported | what is reported`, or `deny what is refused | what is reported`. */
function told(decision: Decision): string {
  const at = (refusals: Decision extends infer D ? (D extends { reported?: infer R } ? R : never) : never) =>
    (refusals ?? []).map(({ rule, expression }) => `${rule!.replace('Flag.update', '')}@${expression}`).join(' ')
  const decided =
    decision.verdict === 'permit' ? `permit ${decision.permittedAs.join(' ')}` : `deny ${at(decision.refusals)}`
  return decision.reported ? `${decided} | ${at(decision.reported)}` : decided
}

const inactive = { status: 'inactive' }
const resolved = { status: 'entered-in-error' }
const edited = { code: { text: 'Other' } }
const lackingReason = ".removal.extension('https://reason.example')@Flag.extension('https://reason.example')"
const blankReason = ".removal.extension('https://reason.example')/valueString@Flag.extension[1].value"
const badStatus = '.removal.status@Flag.status'
const edit = '@Flag.code.text'
const permitted = { ...inactive, ...extensions(reason) }

describe('a rule in report mode', () => {
  it.each<[what: string, modes: Modes, changes: object, outcome: string]>([
    ['lets go on what lacks only what it asks', { reason: 'report' }, inactive, `permit reported | ${lackingReason}`],
    [
      'lets go on content that it would refuse',
      { reason: 'report' },
      { ...inactive, ...extensions(blank) },
      `permit reported | ${blankReason}`,
    ],
    [
      'lets go on a transition that it would refuse',
      { status: 'report' },
      { ...resolved, ...extensions(reason) },
      `permit reported | ${badStatus}`,
    ],
    ['says nothing of what is permitted', { reason: 'report', status: 'report' }, permitted, 'permit removal'],
    ['lets nothing else go on', { reason: 'report' }, { ...inactive, ...edited }, `deny ${edit} | ${lackingReason}`],
    [
      'does not excuse what another part refuses',
      { reason: 'report' },
      { ...resolved, ...extensions(blank) },
      `deny ${badStatus} | ${blankReason}`,
    ],
    ['does not excuse what another part lacks', { status: 'report' }, resolved, `deny ${badStatus}`],
    [
      'lets go on what is left of a change without it',
      { status: 'report' },
      extensions(reason),
      `permit reported | ${badStatus}`,
    ],
    [
      'does not stand for a change of which nothing is there',
      { status: 'report', reason: 'report' },
      edited,
      `deny ${edit}`,
    ],
    [
      'that is asked of an item lets an item go on',
      { item: 'report' },
      { contained: [{ resourceType: 'Observation', id: 'o', status: 'registered' }] },
      'permit reported | .observation.$o/status@Flag.contained[0].status',
    ],
    [
      'does not excuse what hangs on it and is enforced',
      { provenance: 'report', entry: 'enforce' },
      { ...permitted, contained: [{ resourceType: 'Provenance', id: 'p', language: 'en' }] },
      'deny .removal.contained.ofType(Provenance)/recorded@Flag.contained[0].recorded',
    ],
    [
      'excuses with what hangs on it, when that is in report mode as well',
      { provenance: 'report' },
      { ...permitted, contained: [{ resourceType: 'Provenance', id: 'p', recorded: '2025-01-01T00:00:00Z' }] },
      'permit reported | .removal.contained.ofType(Provenance)/recorded@Flag.contained[0].recorded',
    ],
  ])('%s', (_what, modes, changes, outcome) => {
    expect(told(decide(modes, changes))).toBe(outcome)
  })
})

describe('a rule set in report mode', () => {
  it.each<[what: string, modes: Modes, changes: object, outcome: string]>([
    [
      'lets everything go on',
      { ruleSet: 'report' },
      { ...resolved, ...edited, foo: 1 },
      `permit reported | ${badStatus} ${edit} @Flag.foo`,
    ],
    [
      'still names what is permitted',
      { ruleSet: 'report' },
      { ...permitted, ...edited },
      `permit removal reported | ${edit}`,
    ],
    [
      'but for a rule in it that is enforced',
      { ruleSet: 'report', reason: 'enforce' },
      inactive,
      `deny ${lackingReason}`,
    ],
    [
      'and says besides what it would refuse',
      { ruleSet: 'report', reason: 'enforce' },
      { ...inactive, ...edited },
      `deny ${lackingReason} | ${edit}`,
    ],
    [
      'and what a rule in it that is enforced says nothing of, goes on',
      { ruleSet: 'report', reason: 'enforce' },
      edited,
      `permit reported | ${edit}`,
    ],
    ['also where it is the whole policy that says so', { policy: 'report' }, edited, `permit reported | ${edit}`],
    ['but not where it says otherwise itself', { policy: 'report', ruleSet: 'enforce' }, edited, `deny ${edit}`],
  ])('%s', (_what, modes, changes, outcome) => {
    expect(told(decide(modes, changes))).toBe(outcome)
  })

  it('sends what was sent, and puts nothing back', () => {
    const rest = '{ restore-as: kept, except: [subject] }'
    expect(told(decide({ rest }, edited))).toBe('permit kept')
    const decision = decide({ rest, ruleSet: 'report' }, edited)
    expect(told(decision)).toBe(`permit reported | ${edit}`)
    expect(decision).not.toHaveProperty('restoration')
    const { after } = decision as Extract<Decision, { verdict: 'permit' }>
    expect(JSON.parse(writeJson(after!))).toEqual({ ...stored, ...edited })
  })
})

describe('what is put back beside a rule in report mode', () => {
  const rest = '{ restore-as: kept }'
  it('leaves what belongs to the change', () => {
    const decision = decide({ rest, reason: 'report' }, { ...inactive, ...extensions(blank), ...edited })
    expect(told(decision)).toBe(`permit reported kept | ${blankReason}`)
    expect(decision).toMatchObject({ restoration: { elements: [{ expression: 'Flag.code.text' }] } })
  })

  it('is put back where nothing of a change is there', () => {
    expect(told(decide({ rest, reason: 'report' }, edited))).toBe('permit kept')
  })
})

it('with a bound of one refusal, what is reported never takes the place of what is refused', () => {
  const many = { ...inactive, ...edited, subject: { reference: 'Patient/2' } }
  expect(told(decide({ reason: 'report' }, many, 1))).toBe(`deny ${edit} | ${lackingReason}`)
  expect(told(decide({ ruleSet: 'report', reason: 'enforce' }, many, 1))).toBe(`deny ${lackingReason} | ${edit}`)
})

describe('of a policy in report mode', () => {
  const write = { interaction: 'delete', type: 'Observation', after: undefined } as const
  const surroundings = { bases: [], maxRefusals: 9, request: plainRequest('delete') }

  it.each(['report', 'enforce'])('what there are no rules for is judged in its mode: %s', (policy) => {
    const before = parseJson('{"resourceType":"Observation"}', policyWith({}).definitions)
    if (!before.ok) throw new Error('unread')
    const decision = judge(policyWith({ policy }), { ...write, before: before.value }, surroundings)
    const refusals = [expect.objectContaining({ cause: 'interaction-not-offered' })]
    expect(decision).toMatchObject(
      policy === 'report'
        ? { verdict: 'permit', permittedAs: ['reported'], reported: refusals }
        : { verdict: 'deny', refusals },
    )
  })
})

it.each([
  ['update: { mode: report, if-match', 'update: { mode: reporting, if-match', 'Expected one of `enforce`, `report`.'],
  ['kept: category, as: $c', 'kept: category, as: $c, mode: report', '`mode` applies to `appended` items only'],
  ['methods: [POST]', 'methods: [POST], mode: report', 'There are no `changes` here'],
])('a mode where it says nothing is a mistake: %s', (piece, by, mistake) => {
  const text = `policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [update]
    operations: { $validate: { methods: [POST] } }
    update: { mode: report, if-match: required, changes: { a: { for each: { kept: category, as: $c }, parts: [{ replaced: $c.text, from: a, to: b }] } } }
`
  expect(mistakes(text)).toEqual([])
  expect(mistakes(text.replace(piece, by))).toEqual([expect.stringContaining(mistake)])
})

describe('a rule in report mode beside one that is enforced', () => {
  const policy = (mode: string) =>
    compiled(`policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [update]
    update:
      if-match: required
      changes:
        removal:
          - { replaced: status, from: active, to: inactive, otherwise: { say: a } }
          - { added: extension('https://reason.example'), open: true, otherwise: { say: b } }
        correction: [{ mode: ${mode}, replaced: status, from: inactive, to: active, otherwise: { say: c } }]
`)

  it.each([
    [
      'a transition that both refuse is refused',
      { status: 'entered-in-error' },
      ['! Flag.status may only go from `active` to `inactive`. a'],
    ],
    [
      'what the other one lacks is refused',
      { status: 'inactive' },
      ["! Flag.extension('https://reason.example') is missing. b"],
    ],
    ['what the other one permits is permitted', { status: 'inactive', ...extensions(reason) }, ['removal']],
  ])('%s', (_what, changes, outcome) => {
    for (const mode of ['enforce', 'report']) {
      expect(verdict(policy(mode), stored, { ...stored, ...changes }).slice(0, 1)).toEqual(outcome)
    }
  })
})

describe('an invariant', () => {
  const policy = (ruleSet: string, own: string) =>
    compiled(`policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [update]
    update:
      if-match: required
      mode: ${ruleSet}
      changes: { removal: [{ replaced: status, from: active, to: inactive }] }
      rest: { permit-as: edit }
      invariants:
        - { rule: it has a period, ${own}require: '%after.period.exists()', otherwise: { say: Give a period. } }
`)
  const broken = 'Flag breaks the rule `it has a period`. Give a period.'

  it.each([
    ['in report mode lets go on what breaks it', 'enforce', 'mode: report, ', ['removal', 'reported']],
    ['of a rule set in report mode does, too', 'report', '', ['removal', 'reported']],
    ['that is enforced in a rule set in report mode refuses', 'report', 'mode: enforce, ', [`! ${broken}`]],
    ['refuses', 'enforce', '', [`! ${broken}`]],
  ])('%s', (_what, ruleSet, own, outcome) => {
    expect(verdict(policy(ruleSet, own), stored, { ...stored, ...inactive })).toEqual(outcome)
  })
})
