import { describe, expect, it } from 'vitest'
import { compiled, mistakes, verdict } from './small-policy.ts'

const reasons = 'lists: { reasons: { system: https://reasons.example, codes: [a, b] } }'
const text = (oneOf: string) => `policy: p
fhir: 4.0.1
${oneOf.includes('coded: reasons') ? reasons : ''}
resources:
  Flag:
    interactions: [update]
    update:
      if-match: required
      changes:
        it:
          - added: extension('https://reason.example')
            otherwise: { say: A reason is needed. }
            ${oneOf}
`
const policy = compiled(
  text(`one-of:
              - { valueCode: { is: [a, b] } }
              - { valueCodeableConcept: { coded: reasons } }
              - { valueString: { text: not blank, otherwise: { say: Say why. } } }`),
)

const flag = (...extension: object[]) => ({
  resourceType: 'Flag',
  id: 'f1',
  status: 'active',
  ...(extension.length && { extension }),
})
const reason = (more: object) => flag({ url: 'https://reason.example', ...more })
const said = (after: object, of = policy) => verdict(of, flag(), after)

describe('exactly one of several alternatives', () => {
  it('is there, whichever it is', () => {
    expect(said(reason({ valueCode: 'a' }))).toEqual(['it'])
    const concept = { coding: [{ system: 'https://reasons.example', code: 'b' }] }
    expect(said(reason({ valueCodeableConcept: concept }))).toEqual(['it'])
  })

  it('must hold', () => {
    expect(said(reason({ valueCode: 'c' }))).toEqual([
      '! Flag.extension[0].value must be `a` or `b`. A reason is needed.',
    ])
    expect(said(reason({ valueString: ' ' }))).toEqual(['! Flag.extension[0].value is blank. Say why.'])
  })

  it('is missing when none is there', () => {
    expect(said(reason({ id: 'x' }))).toEqual([
      '! Flag.extension[0].value is missing: one of `valueCode`, `valueCodeableConcept`, `valueString` must be there. A reason is needed.',
      '! Flag.extension[0].id may not be part of what is added. A reason is needed.',
    ])
  })

  it('is one too many when two are there, however well they hold', () => {
    const named = compiled(
      text('one-of: [{ system: { is: a } }, { value: { text: not blank } }]').replace(
        "extension('https://reason.example')",
        'identifier',
      ),
    )
    expect(said({ ...flag(), identifier: [{ value: 'a' }] }, named)).toEqual(['it'])
    expect(said({ ...flag(), identifier: [{ system: 'a', value: 'a' }] }, named)).toEqual([
      '! Flag.identifier[0].value is one too many: only one of `system`, `value` may be there. A reason is needed.',
    ])
  })

  it('accounts for nothing else', () => {
    expect(said(reason({ valueInteger: 1 }))).toEqual([
      expect.stringContaining('Flag.extension[0].value is missing'),
      '! Flag.extension[0].value may not be part of what is added. A reason is needed.',
    ])
    expect(said(reason({ valueCode: 'a', _valueCode: { id: 'x' } }))).toEqual([
      '! Flag.extension[0].value.id may not be part of what is added. A reason is needed.',
    ])
  })

  it('has an answer of its own', () => {
    const own = compiled(
      text(`one-of:
              alternatives: [{ valueCode: { is: a } }, { valueString: { text: not blank } }]
              otherwise: { say: One value. }`),
    )
    expect(said(reason({ id: 'x' }), own)).toEqual([
      '! Flag.extension[0].value is missing: one of `valueCode`, `valueString` must be there. One value.',
      '! Flag.extension[0].id may not be part of what is added. A reason is needed.',
    ])
  })

  it('may be several conditions together, and stand below an element', () => {
    const groups = compiled(
      text(`holds:
              extension('who'):
                one-of:
                  - { valueReference: { holds: { reference: { text: not blank } } } }
                  - { extension('first'): { holds: { valueString: { text: not blank } } }, extension('last'): { holds: { valueString: { text: not blank } } } }`),
    )
    const who = (...extension: object[]) => reason({ extension: [{ url: 'who', extension }] })
    const part = (url: string) => ({ url, valueString: 'x' })
    expect(said(who(part('first'), part('last')), groups)).toEqual(['it'])
    expect(said(who(part('first')), groups)).toEqual([
      "! Flag.extension[0].extension[0].extension('last') is missing. A reason is needed.",
    ])
  })

  it.each([
    ['one alternative', 'one-of: [{ valueCode: { is: a } }]', 'Expected at least 2 items.'],
    ['an empty alternative', 'one-of: [{ valueCode: { is: a } }, {}]', '13:48 An alternative needs a condition.'],
    [
      'an unknown element',
      'one-of: [{ valueCode: { is: a } }, { valueKode: { is: a } }]',
      '13:50 Extension has no element `valueKode`.',
    ],
    [
      'a place where nothing is held',
      'one-of: { alternatives: [{ valueCode: { is: a } }] }',
      'Expected at least 2 items.',
    ],
  ])('does not compile with %s', (_what, oneOf, expected) => {
    const found = mistakes(text(oneOf))
    expect(found).toEqual([expect.stringContaining(expected)])
  })
})
