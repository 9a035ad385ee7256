import { describe, expect, it } from 'vitest'
import { compiled, mistakes, verdict } from './small-policy.ts'

const policyWith = (rest: string, type = 'Patient') => `policy: p
fhir: 4.0.1
resources:
  ${type}:
    interactions: [update]
    update:
      if-match: required
      rest: ${rest}
`

const patient = {
  resourceType: 'Patient',
  id: 'p1',
  identifier: [
    { system: 'https://nhs.example', value: '1' },
    { system: 'https://local.example', value: 'A' },
  ],
  name: [{ family: 'Shaw', given: ['Ann', 'Mary'] }],
  gender: 'female',
  contact: [{ name: { text: 'Bob' } }],
}

describe('rest with `only`', () => {
  const policy = compiled(
    policyWith(
      `{ permit-as: edit, only: [name, gender, "identifier[system = 'https://local.example'].value"], except: [name.period] }`,
    ),
  )

  it.each<[string, object]>([
    ['a value', { gender: 'other' }],
    ['what stands beside a value', { _gender: { id: 'x' } }],
    ['a value that goes', { gender: undefined }],
    ['an item that comes', { name: [...patient.name, { family: 'Low' }] }],
    ['what lies below', { name: [{ family: 'Shaw', given: ['Ann'] }] }],
    ['the order of a list below', { name: [{ family: 'Shaw', given: ['Mary', 'Ann'] }] }],
    [
      'the value of the identifier that is named',
      { identifier: [patient.identifier[0], { system: 'https://local.example', value: 'B' }] },
    ],
  ])('permits %s', (_, change) => {
    expect(verdict(policy, patient, { ...patient, ...change })).toEqual(['edit'])
  })

  it('permits the order of a list that it names', () => {
    const two = { ...patient, name: [{ family: 'Shaw' }, { family: 'Low' }] }
    expect(verdict(policy, two, { ...two, name: two.name.toReversed() })).toEqual(['edit'])
  })

  it.each<[string, object, string]>([
    ['another element', { birthDate: '2000-01-01' }, 'Patient.birthDate'],
    ['what is excepted', { name: [{ ...patient.name[0], period: { start: '2026' } }] }, 'Patient.name[0].period'],
    [
      'another identifier',
      { identifier: [{ system: 'https://nhs.example', value: '2' }, patient.identifier[1]] },
      'Patient.identifier[0].value',
    ],
    [
      'an identifier that is given the named key',
      {
        identifier: [
          { system: 'https://local.example', value: '2' },
          { system: 'https://local.example', value: 'A' },
        ],
      },
      'Patient.identifier[0]',
    ],
    ['the order of another list', { identifier: patient.identifier.toReversed() }, 'Patient.identifier'],
    ['what FHIR does not define', { name: [{ ...patient.name[0], colour: 'red' }] }, 'Patient.name[0].colour'],
  ])('refuses %s', (_, change, path) => {
    const said = verdict(policy, patient, { ...patient, ...change })
    expect(said[0]).toContain(`! ${path}`)
  })

  it('puts back only what it names', () => {
    const restoring = compiled(policyWith('{ restore-as: kept, only: [gender] }'))
    expect(verdict(restoring, patient, { ...patient, gender: 'other' })).toEqual(['kept'])
    expect(verdict(restoring, patient, { ...patient, birthDate: '2000-01-01' })[0]).toContain('! Patient.birthDate')
  })

  it.each([
    ['{ permit-as: edit, only: [nmae] }', '8:39 Patient has no element `nmae`. Did you mean `name`?'],
    ['{ permit-as: edit, only: [] }', '8:38 Expected at least 1 item.'],
    ['{ permit-as: edit, only: [name, name.given] }', '8:45 `name.given` is named already, by `name`: leave it out.'],
    [
      '{ permit-as: edit, only: [name.given], except: [name] }',
      '8:39 `name.given` is excepted, by `name`: nothing of it is left.',
    ],
  ])('%s is a mistake', (rest, mistake) => {
    expect(mistakes(policyWith(rest))).toEqual([mistake])
  })
})
