import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  grantsOf,
  needsOf,
  readScopeNeeds,
  type ScopeAction,
  type ScopedInteraction,
} from '../../../src/fhir/smart-scopes.ts'

const actions = ['c', 'r', 'u', 'd', 's'] as const satisfies readonly ScopeAction[]

/** What scopes let their holder do with a Flag, and with another type. */
function lettersOf(scopes: string, patientCounts = false) {
  const grants = grantsOf(scopes.split(' '), patientCounts)
  const on = (type: string) => actions.filter((action) => grants.allows({ type, action })).join('')
  return `${on('Flag')}|${on('List')}|${on('*')}`
}

describe('scopes of SMART App Launch', () => {
  // https://hl7.org/fhir/smart-app-launch/1.0.0/scopes-and-launch-context/
  it.each([
    ['user/Flag.read', 'rs||'],
    ['user/Flag.write', 'cud||'],
    ['user/Flag.*', 'cruds||'],
    ['user/*.read', 'rs|rs|rs'],
    ['user/*.write', 'cud|cud|cud'],
    ['user/*.*', 'cruds|cruds|cruds'],
    ['system/Flag.read', 'rs||'],
    ['openid profile fhirUser launch launch/patient offline_access online_access', '||'],
  ])('of version 1: %s', (scopes, letters) => expect(lettersOf(scopes)).toBe(letters))

  // https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
  it.each([
    ['user/Flag.c', 'c||'],
    ['user/Flag.r', 'r||'],
    ['user/Flag.u', 'u||'],
    ['user/Flag.d', 'd||'],
    ['user/Flag.s', 's||'],
    ['user/Flag.rs', 'rs||'],
    ['user/Flag.cruds', 'cruds||'],
    ['system/*.rs', 'rs|rs|rs'],
    ['system/*.cruds', 'cruds|cruds|cruds'],
    ['user/Flag.r system/Flag.s user/List.u', 'rs|u|'],
  ])('of version 2: %s', (scopes, letters) => expect(lettersOf(scopes)).toBe(letters))

  it.each([
    'user/Flag.rs?category=http://terminology.hl7.org/CodeSystem/flag-category|clinical',
    'user/Flag.cruds?',
    'user/Flag.sr',
    'user/Flag.rr',
    'user/Flag.x',
    'user/Flag.',
    'user/Flag',
    'user/.read',
    'user/flag.read',
    'user/Fla*.read',
    'User/Flag.read',
    'USER/Flag.READ',
    'user/Flag.Read',
    'user/Flag.readwrite',
    'user/Flag.read.write',
    ' user/Flag.read,',
    'xuser/Flag.read',
    'practitioner/Flag.read',
    'https://example.org/user/Flag.read',
    'user/Flag.read\nuser/*.write',
    '/Flag.read',
    '',
  ])('that are none grant nothing: %j', (scope) => {
    const grants = grantsOf([scope], true)
    for (const action of actions) {
      for (const type of ['Flag', '*', 'constructor']) expect(grants.allows({ type, action })).toBe(false)
    }
  })

  it('within the compartment of a patient count only where somebody enforces that', () => {
    expect(lettersOf('patient/Flag.read patient/List.cruds')).toBe('||')
    expect(lettersOf('patient/Flag.read patient/List.cruds', true)).toBe('rs|cruds|')
    expect(lettersOf('patient/*.cruds user/Flag.r')).toBe('r||')
  })

  it('grant together what each of them grants, and nothing else', () => {
    const level = fc.constantFrom('user', 'system', 'patient')
    const type = fc.constantFrom('Flag', 'List', '*')
    const suffix = fc.constantFrom('read', 'write', '*', 'c', 'rs', 'cruds', 'ud', 'sr', 'x', 'rs?a=b')
    const scope = fc.tuple(level, type, suffix).map(([l, t, s]) => `${l}/${t}.${s}`)
    fc.assert(
      fc.property(
        fc.array(scope),
        type,
        fc.constantFrom(...actions),
        fc.boolean(),
        (scopes, on, action, patientCounts) => {
          const allows = (...some: string[]) => grantsOf(some, patientCounts).allows({ type: on, action })
          expect(allows(...scopes)).toBe(scopes.some((one) => allows(one)))
        },
      ),
    )
  })

  it.each([
    ['user/Flag.r', 'user'],
    ['system/Flag.r', 'system'],
    ['system/Flag.r user/Flag.r', 'user'],
    ['patient/Flag.r', 'user'],
    ['', 'user'],
  ])('say on whose behalf: %s', (scopes, level) => expect(grantsOf(scopes.split(' '), true).level).toBe(level))
})

describe('what is needed for', () => {
  const needs = (interaction: ScopedInteraction) => needsOf(interaction).map(({ type, action }) => `${type}.${action}`)

  it.each([
    ['read', 'Flag.r'],
    ['vread', 'Flag.r'],
    ['history-instance', 'Flag.r'],
    ['search-type', 'Flag.s'],
    ['history-type', 'Flag.s'],
    ['create', 'Flag.c'],
    ['update', 'Flag.u'],
    ['patch', 'Flag.u'],
    ['delete', 'Flag.d'],
  ] as const)('%s of a type: %s', (code, need) => expect(needs({ code, type: 'Flag', query: '' })).toEqual([need]))

  it.each(['search-system', 'history-system'] as const)('%s: all types', (code) =>
    expect(needs({ code, query: '' })).toEqual(['*.s']),
  )

  it.each(['create', 'update', 'patch', 'delete'] as const)('a conditional %s: a search, too', (code) => {
    const [first, ...rest] = needs({ code, type: 'Flag', query: 'subject:Patient.name=a', conditional: true })
    expect([first, ...rest]).toEqual([`Flag.${code[0] === 'p' ? 'u' : code[0]}`, 'Flag.s', 'Patient.s'])
  })

  it.each([
    ['status=active&patient=9000000009&_count=5', []],
    ['code:text=a.b&date=ge2026-01-01', []],
    ['_include=Flag:subject:Patient', ['Patient.r']],
    ['_include=Flag:subject', ['*.r']],
    ['_include=Flag:*:Patient', ['*.r']],
    ['_include=*', ['*.r']],
    ['_include:iterate=Flag:subject:Patient', ['Patient.r']],
    ['_include%3Arecurse=Flag:subject', ['*.r']],
    ['_revinclude=Provenance:target', ['Provenance.s']],
    ['_revinclude:iterate=*', ['*.s']],
    ['_has:Observation:patient:code=1', ['Observation.s']],
    ['_has:Observation:patient:_has:AuditEvent:entity:agent=1', ['Observation.s', 'AuditEvent.s']],
    ['_has:Observation:patient:performer.name=1', ['Observation.s', '*.s']],
    ['_has:x=1', ['*.s']],
    ['subject:Patient._has:Observation:patient:code=1', ['Patient.s', 'Observation.s']],
    ['patient._has:Observation:patient:code=1', ['Patient.s', 'Observation.s']],
    ['_has:Encounter:x:patient._has:Observation:patient:code=1', ['Encounter.s', 'Patient.s', 'Observation.s']],
    ['_list=42', ['List.r']],
    ['_sort=-subject:Patient.name,date', ['Patient.s']],
    ['subject:Patient.name=a', ['Patient.s']],
    ['subject.name=a', ['*.s']],
    ['patient.identifier=a', ['Patient.s']],
    ['patient:Group.name=a', ['Group.s']],
    ['patient.organization.name=a', ['Patient.s', '*.s']],
    ['patient.general-practitioner:Practitioner.name=a', ['Patient.s', 'Practitioner.s']],
    ['subject:exact.name=a', ['*.s']],
    ['_filter=name eq a', ['*.s']],
    ['_query=everything', ['*.s']],
  ])('a search with %s', (query, further) =>
    expect(needs({ code: 'search-type', type: 'Flag', query })).toEqual(['Flag.s', ...further]),
  )
})

describe('what gateway.yaml says of an operation', () => {
  it.each([
    ['Flag.u', ['Flag.u']],
    ['*.rs', ['*.r', '*.s']],
    ['Flag.cruds', ['Flag.c', 'Flag.r', 'Flag.u', 'Flag.d', 'Flag.s']],
    ['Flag.ur', undefined],
    ['Flag.', undefined],
    ['flag.r', undefined],
    ['user/Flag.r', undefined],
  ])('%s', (text, needs) => expect(readScopeNeeds(text)?.map(({ type, action }) => `${type}.${action}`)).toEqual(needs))
})
