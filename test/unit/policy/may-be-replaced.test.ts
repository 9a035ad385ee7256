import { describe, expect, it } from 'vitest'
import { compiled, verdict } from './small-policy.ts'

const policy = compiled(`policy: p
fhir: 4.0.1
resources:
  Patient:
    interactions: [update]
    update:
      if-match: required
      changes:
        ending:
          - { replaced: active, from: true, to: false }
          - { replaced: gender, from: [male, absent], to: unknown, times: 0..1 }
          - { replaced: telecom.use, from: home, to: old, times: 0..* }
`)

const telecom = (...uses: string[]) => uses.map((use, i) => ({ system: 'phone', value: `${i}`, use }))
const before = { resourceType: 'Patient', id: '1', active: true, gender: 'male', telecom: telecom('home', 'home') }
const ended = { ...before, active: false }

describe('a value that may be replaced (`times: 0..1`)', () => {
  it.each<[string, object]>([
    ['stays as it was', ended],
    ['is replaced', { ...ended, gender: 'unknown' }],
    ['is replaced wherever it is selected', { ...ended, telecom: telecom('old', 'old') }],
  ])('permits that it %s', (_, after) => {
    expect(verdict(policy, before, after)).toEqual(['ending'])
  })

  it('permits that there is none, before or after', () => {
    const { gender: _, telecom: _telecom, ...bare } = before
    expect(verdict(policy, bare, { ...bare, active: false })).toEqual(['ending'])
    expect(verdict(policy, bare, { ...bare, active: false, gender: 'unknown' })).toEqual(['ending'])
  })

  it.each<[string, object, string]>([
    ['goes to another value', { ...ended, gender: 'female' }, 'Patient.gender'],
    ['goes away', { ...ended, gender: undefined }, 'Patient.gender'],
    ['is replaced in some places only', { ...ended, telecom: telecom('old', 'home') }, 'Patient.telecom[1].use'],
    ['goes alone, without what the change demands', { ...before, gender: 'unknown' }, 'Patient.gender'],
  ])('refuses that it %s', (_, after, at) => {
    expect(verdict(policy, before, after)).toEqual([expect.stringContaining(at)])
  })
})
