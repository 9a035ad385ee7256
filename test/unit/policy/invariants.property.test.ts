import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { definitionsOf, modelOf } from '../../../src/fhir/definitions.ts'
import { sameElement, type Resource } from '../../../src/fhir/element.ts'
import { parseJson } from '../../../src/fhir/json.ts'
import { parseXml, writeXml } from '../../../src/fhir/xml.ts'
import { compilePolicy } from '../../../src/policy/compile.ts'
import { judge } from '../../../src/policy/judge.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { plainRequest } from '../../../src/policy/request-facts.ts'

/** The package by itself, with nothing of ours around it. */
const { evaluate } = createRequire(import.meta.url)('fhirpath') as {
  evaluate(data: unknown, expression: string, variables: object, model: unknown): readonly unknown[]
}
const definitions = definitionsOf('R4')

const word = fc.constantFrom('a', 'b', '1', '22')
const patient = fc.record(
  {
    resourceType: fc.constant('Patient'),
    active: fc.boolean(),
    gender: fc.constantFrom('male', 'other'),
    birthDate: fc.constantFrom('2000', '2000-01-31'),
    multipleBirthInteger: fc.integer({ min: 1, max: 3 }),
    name: fc.array(
      fc.record(
        { use: fc.constantFrom('usual', 'old'), family: word, given: fc.array(word, { minLength: 1, maxLength: 3 }) },
        { requiredKeys: ['family'] },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    identifier: fc.array(fc.record({ system: word, value: word }), { minLength: 1, maxLength: 3 }),
    _gender: fc.constant({ extension: [{ url: 'a', valueString: 'a' }] }),
  },
  { requiredKeys: ['resourceType'] },
)

const words = fc.constantFrom(
  'gender',
  'name.use',
  'name.family',
  'name.given',
  'identifier.value',
  'identifier.system',
  "gender.extension('a').value",
)
const side = fc.constantFrom('%before', '%after', '%resource')
const texts = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(side, words).map((names) => names.join('.')) },
  { weight: 1, arbitrary: word.map((text) => `'${text}'`) },
  { weight: 1, arbitrary: fc.constant('{}') },
)
const ofText = fc
  .tuple(texts, fc.constantFrom('.first()', '.last()', '.tail()', '.distinct()', '.take(2)', ''))
  .map((all) => all.join(''))
const comparison = fc
  .tuple(ofText, fc.constantFrom('=', '!=', '~', '!~', '<', 'in', 'contains'), ofText)
  .map((all) => `(${all.join(' ')})`)
const itself = fc.constantFrom(
  "use = 'usual'",
  'given.exists()',
  "family.startsWith('a')",
  'given.count() > 1',
  'use.empty()',
  '$index < 1',
)
const leaf = fc.oneof(
  comparison,
  fc
    .tuple(
      ofText,
      fc.constantFrom(
        '.exists()',
        '.empty()',
        '.isDistinct()',
        ".matches('^[a-b]+$')",
        ".contains('a')",
        '.toInteger() > 1',
        '.length() = 1',
        '.hasValue()',
        '.single().exists()',
        '.count() = 2',
        '.toChars().count() > 1',
      ),
    )
    .map((all) => all.join('')),
  fc
    .tuple(side, fc.constantFrom('where', 'all', 'exists'), itself)
    .map(([from, name, criterion]) => `${from}.name.${name}(${criterion})${name === 'where' ? '.exists()' : ''}`),
  fc.tuple(side, side).map(([a, b]) => `${a}.identifier.subsetOf(${b}.identifier)`),
  fc.tuple(side, side).map(([a, b]) => `${a}.identifier = ${b}.identifier`),
  fc.tuple(side, side).map(([a, b]) => `(${a}.name.given | ${b}.name.family).count() > 2`),
  side.map((name) => `${name}.multipleBirth.ofType(integer) + 1 > 2`),
  side.map((name) => `${name}.birthDate >= @2000-01-31`),
  side.map((name) => `${name}.active`),
  fc.constantFrom('true', 'false', '{}', '%before.descendants().where($this is string).toInteger() > 0'),
)
const condition = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.tuple(tie('any'), fc.constantFrom('and', 'or', 'xor', 'implies'), tie('any')).map((all) => `(${all.join(' ')})`),
    tie('any').map((one) => `(${one}).not()`),
    fc.tuple(tie('any'), tie('any'), tie('any')).map((all) => `iif(${all.join(', ')})`),
  ),
})).any

function policyOf(require: string, when?: string): Policy | undefined {
  const rules = {
    'if-match': 'required',
    rest: { 'permit-as': 'edit' },
    invariants: [{ rule: 'it', require, ...(when !== undefined && { when }) }],
  }
  const compiled = compilePolicy(
    'p.yaml',
    JSON.stringify({ policy: 'p', fhir: '4.0.1', resources: { Patient: { interactions: ['update'], update: rules } } }),
  )
  return compiled.ok ? compiled.policy : undefined
}

const read = (json: object): Resource => {
  const parsed = parseJson(JSON.stringify(json), definitions)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
  return parsed.value
}
const asXml = (resource: Resource): Resource => {
  const parsed = parseXml(writeXml(resource), definitions)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
  return parsed.value
}
const decide = (policy: Policy, before: Resource, after: Resource) =>
  judge(
    policy,
    { interaction: 'update', type: 'Patient', before, after },
    { bases: [], maxRefusals: 10, request: plainRequest('update') },
  )

/** What the package says by itself of plain JSON: the value when it is one, else why there is none. */
function said(expression: string, before: object, after: object): unknown {
  const [left, right] = [before, after].map((json) => JSON.parse(JSON.stringify(json)) as object)
  try {
    const items = evaluate(right, expression, { before: left, after: right, resource: right }, modelOf('R4'))
    return items.length === 1 ? items[0] : `${items.length} items`
  } catch {
    return 'thrown'
  }
}

const pair = fc.tuple(patient, patient).filter(([before, after]) => !sameElement(read(before), read(after)))

describe('an invariant, whatever it says of whatever resource', () => {
  it('permits exactly what is true by the package alone, on plain JSON and on XML', () => {
    fc.assert(
      fc.property(condition, fc.array(pair, { minLength: 1, maxLength: 5 }), (require, pairs) => {
        const policy = policyOf(require)
        fc.pre(policy !== undefined)
        for (const [before, after] of pairs) {
          const expected = said(require, before, after) === true ? 'permit' : 'deny'
          const json = decide(policy, read(before), read(after))
          const xml = decide(policy, asXml(read(before)), asXml(read(after)))
          expect({ require, verdict: json.verdict }).toEqual({ require, verdict: expected })
          expect({ ...xml, after: undefined }).toEqual({ ...json, after: undefined })
        }
      }),
      { numRuns: 40 },
    )
  })

  it('applies exactly where its `when` is true, and refuses where that cannot be told', () => {
    fc.assert(
      fc.property(condition, pair, (when, [before, after]) => {
        const policy = policyOf('false', when)
        fc.pre(policy !== undefined)
        const outcome = said(when, before, after)
        const expected = outcome === false || outcome === '0 items' ? 'permit' : 'deny'
        const { verdict } = decide(policy, read(before), read(after))
        expect({ when, verdict }).toEqual({ when, verdict: expected })
      }),
      { numRuns: 60 },
    )
  })
})
