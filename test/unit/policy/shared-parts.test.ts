import { describe, expect, it } from 'vitest'
import { compiled, mistakes, verdict } from './small-policy.ts'

const policyOf = (part: string, use: string) => `policy: p
fhir: 4.0.1
parts:
  record:
    appended: $resource.contained.ofType(Provenance)[target.reference refers to $this]
${part.replaceAll(/^/gm, '    ')}
resources:
  List:
    interactions: [update]
    update:
      if-match: required
      changes:
        it:
          for each: { kept: contained.ofType(Condition), as: $condition }
          parts:
            - ${use}
`
const extension = [{ url: 'https://note.example', valueReference: { reference: '#p' } }]
const conditions = (...noted: boolean[]) =>
  noted.map((own, i) => ({
    resourceType: 'Condition',
    id: `c${i}`,
    subject: { reference: 'Patient/1' },
    ...(own && { extension }),
  }))
const provenance = (...targets: string[]) => ({
  resourceType: 'Provenance',
  id: 'p',
  recorded: '2026-01-01T00:00:00Z',
  agent: [{ who: { display: 'x' } }],
  target: targets.map((reference) => ({ reference })),
})
const list = (contained: object[], more: object = {}) => ({
  resourceType: 'List',
  id: 'l1',
  status: 'current',
  mode: 'working',
  contained,
  ...more,
})

describe('a shared part that is used on a variable', () => {
  it('means that variable by `$this` in its further parts, too', () => {
    for (const root of ['', '$this.']) {
      const further = `${root}extension('https://note.example')[valueReference.reference refers to $p]`
      const part = `open: true\nas: $p\nwith:\n  - { added: "${further}", open: true }`
      const policy = compiled(policyOf(part, '{ use: record, on: $condition }'))
      const before = list(conditions(false, false))
      expect(verdict(policy, before, list([...conditions(true, false), provenance('#c0')]))).toEqual(['it'])
      expect(verdict(policy, before, list([...conditions(false, true), provenance('#c0')]))).not.toEqual(['it'])
      expect(
        verdict(policy, before, list([...conditions(false, false), provenance('#c0')], { extension })),
      ).not.toEqual(['it'])
    }
  })

  it('keeps that meaning where another of its settings is replaced', () => {
    const policy = compiled(
      policyOf(
        'open: true\none-of:\n  - { target: { refers to: $this } }\n  - { entity: { open: true } }',
        "{ use: record, on: $condition, holds: { recorded: { is: '2026-01-01T00:00:00Z' } } }",
      ),
    )
    const before = list(conditions(false))
    expect(verdict(policy, before, list([...conditions(false), provenance('#c0')]))).toEqual(['it'])
    // Two targets are too many of a condition on one.
    expect(verdict(policy, before, list([...conditions(false), provenance('#c0', '#')]))).not.toEqual(['it'])
  })

  it('has its mistakes told where they stand, whatever is replaced', () => {
    const text = policyOf(
      'open: true\nlacks: targett',
      '{ use: record, on: $condition, holds: { recordet: { open: true } } }',
    )
    expect(mistakes(text)).toEqual([
      '7:12 Provenance has no element `targett`. Did you mean `target`?',
      '17:55 Provenance has no element `recordet`. Did you mean `recorded`?',
    ])
  })
})
