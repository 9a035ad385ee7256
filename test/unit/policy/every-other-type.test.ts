import { describe, expect, it } from 'vitest'
import { offers } from '../../../src/policy/policy.ts'
import type { Interaction } from '../../../src/fhir/interaction.ts'
import { compiled, mistakes, verdict } from './small-policy.ts'

const policyOf = (others: string) => `policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [read]
  Patient:
    interactions: [update]
    update: { if-match: required, changes: { rename: [{ removed: name, open: true }] } }
  '*':
    interactions: [update]
    update:
      if-match: required
${others.replaceAll(/^/gm, '      ')}
`
const policy = compiled(
  policyOf(
    'changes:\n  speak: [{ replaced: language, from: en, to: de }]\nrest: { permit-as: edit, except: [meta.tag, language] }',
  ),
)
const basic = { resourceType: 'Basic', id: 'b1', code: { text: 'x' }, language: 'en' }

describe('the rules of every other type', () => {
  it('hold for each type that the policy does not name', () => {
    expect(verdict(policy, basic, { ...basic, language: 'de' })).toEqual(['speak'])
    expect(verdict(policy, basic, { ...basic, code: { text: 'y' } })).toEqual(['edit'])
    expect(verdict(policy, basic, { ...basic, language: 'fr' })).toEqual([
      '! Basic.language may only go from `en` to `de`',
    ])
    const binary = { resourceType: 'Binary', id: 'b1', contentType: 'text/plain', language: 'en' }
    expect(verdict(policy, binary, { ...binary, language: 'de' })).toEqual(['speak'])
  })

  it('do not hold for a type that it names', () => {
    const patient = { resourceType: 'Patient', id: 'p1', language: 'en' }
    expect(verdict(policy, patient, { ...patient, language: 'de' })).toEqual([
      '! Patient.language differs from the stored version',
    ])
    const update = (type: string): Interaction => ({ code: 'update', method: 'PUT', type, id: 'x' }) as Interaction
    expect(offers(policy, update('Flag'))).toBe(false)
    expect(offers(policy, update('Basic'))).toBe(true)
  })

  it('cover every type of the FHIR version, and have one name for all', () => {
    expect(policy.others).toEqual(
      new Set([...policy.definitions.resourceTypes].filter((type) => !/^(Flag|Patient)$/.test(type))),
    )
    expect(policy.resources.size).toBe(policy.definitions.resourceTypes.size)
    expect(policy.resources.get('Basic')!.update!.changes[0]!.id).toBe('*.update.speak')
  })

  it.each([
    [
      'a path that not every type has',
      'rest: { permit-as: edit, except: [language, status] }',
      "13:51 AdverseEvent has no element `status`. AdverseEvent is among the types that `'*'` stands for: give it rules of its own.",
    ],
    [
      'a path that no type has',
      'rest: { permit-as: edit, except: [langauge] }',
      '13:41 Account has no element `langauge`. Did you mean `language`?',
    ],
    [
      'a mistake that is the same for all',
      'changes:\n  a: [{ added: meta.tag, open: true }]\n  b: [{ added: meta.tag, open: true }]',
      '15:9 `meta.tag` can be claimed by `a` and by `b`',
    ],
  ])('are checked against all of them: %s', (_what, others, expected) => {
    expect(mistakes(policyOf(others))).toEqual([expect.stringContaining(expected)])
  })
})
