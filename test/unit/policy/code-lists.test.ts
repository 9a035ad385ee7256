import { describe, expect, it } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { parseJson } from '../../../src/fhir/json.ts'
import { writeXml } from '../../../src/fhir/xml.ts'
import { compilePolicy } from '../../../src/policy/compile.ts'
import { compiled, mistakes, verdict } from './small-policy.ts'

const url = 'https://reasons.example'
const codeSystem = {
  resourceType: 'CodeSystem',
  url,
  status: 'active',
  content: 'complete',
  concept: [{ code: 'a', display: 'A', concept: [{ code: 'b' }] }, { code: 'c' }],
}
const include = (...concepts: string[]) => ({
  system: url,
  ...(concepts.length && { concept: concepts.map((code) => ({ code })) }),
})
const valueSet = (compose: object, more: object = {}) => ({
  resourceType: 'ValueSet',
  status: 'active',
  compose,
  ...more,
})
const expanded = (expansion: object) => ({
  resourceType: 'ValueSet',
  status: 'active',
  expansion: { timestamp: '2026-01-01', ...expansion },
})

const policyOf = (count: number) => `policy: p
fhir: 4.0.1
lists:
  reasons:
    file: ${count === 1 ? 'f0' : `[${Array.from({ length: count }, (_, i) => `f${i}`).join(', ')}]`}
resources:
  Flag:
    interactions: [create]
    create:
      changes:
        new: [{ added: $this, open: true, holds: { code: { coded: reasons } } }]
`
type File = object | string
const reader = (files: readonly File[]) => (path: string) => {
  const file = files[Number(path.slice(1))]
  return typeof file === 'object' ? JSON.stringify(file) : file
}

/** Which of some codes, each in the first system unless another is named, the list of these files has. */
function codesOf(...files: File[]): string {
  const policy = compiled(policyOf(files.length), reader(files))
  const candidates = ['a', 'b', 'c', 'd', 'other|a', 'other|x']
  return candidates
    .filter((candidate) => {
      const [code, system] = candidate.split('|').toReversed()
      const coding = { system: system === undefined ? url : `https://${system}.example`, code }
      const flag = {
        resourceType: 'Flag',
        status: 'active',
        subject: { reference: 'Patient/1' },
        code: { coding: [coding] },
      }
      return verdict(policy, undefined, flag)[0] === 'new'
    })
    .join(' ')
}

const wrong = (...files: File[]) => mistakes(policyOf(files.length), reader(files))

describe('a list of coded values from files', () => {
  it('is a code system, with the concepts of its concepts', () => {
    expect(codesOf(codeSystem)).toBe('a b c')
  })

  it('is several code systems, each with its own codes', () => {
    const other = { ...codeSystem, url: 'https://other.example', concept: [{ code: 'x' }] }
    expect(codesOf(codeSystem, other)).toBe('a b c other|x')
  })

  it('leaves out what is not selectable, by whatever name the system calls that', () => {
    const property = (code: string) => [{ code, valueBoolean: true }]
    const concept = [
      { code: 'a', property: property('notSelectable'), concept: [{ code: 'b' }] },
      { code: 'c', property: property('group') },
      { code: 'd', property: property('other') },
    ]
    const named = { code: 'group', uri: 'http://hl7.org/fhir/concept-properties#notSelectable', type: 'boolean' }
    const other = { code: 'other', type: 'boolean' }
    expect(codesOf({ ...codeSystem, property: [named, other], concept })).toBe('b d')
  })

  it('is the concepts that a value set includes, without those that it excludes', () => {
    expect(codesOf(valueSet({ include: [include('a', 'b', 'c')] }))).toBe('a b c')
    expect(codesOf(valueSet({ include: [include('a', 'b')], exclude: [include('b')] }))).toBe('a')
    const elsewhere = { system: 'https://other.example', concept: [{ code: 'x' }] }
    expect(codesOf(valueSet({ include: [include('a'), elsewhere], exclude: [{ system: url }] }))).toBe('other|x')
  })

  it('is all of a code system that a value set includes, when its file is there', () => {
    expect(codesOf(valueSet({ include: [include()], exclude: [include('b')] }), codeSystem)).toBe('a c')
    expect(codesOf(valueSet({ include: [include('b')] }), codeSystem)).toBe('b')
  })

  it('is what is in a value set that it includes, and in several only what is in all', () => {
    const named = (name: string, ...codes: string[]) =>
      valueSet({ include: [include(...codes)] }, { url: `https://${name}.example` })
    const one = named('one', 'a', 'b')
    const two = named('two', 'b', 'c')
    const both = { valueSet: ['https://one.example', 'https://two.example'] }
    expect(codesOf(valueSet({ include: [both] }), one, two)).toBe('b')
    expect(codesOf(valueSet({ include: both.valueSet.map((each) => ({ valueSet: [each] })) }), one, two)).toBe('a b c')
    expect(codesOf(valueSet({ include: [{ ...include('a'), valueSet: [both.valueSet[0]] }] }), one)).toBe('a')
    expect(codesOf(one, two)).toBe('a b c')
  })

  it('is an expansion, where there is one, without what is abstract', () => {
    const contains = [
      { system: url, code: 'a', abstract: true, contains: [{ system: url, code: 'b' }] },
      { display: 'A group', contains: [{ system: url, code: 'c' }] },
    ]
    expect(codesOf(expanded({ total: 3, contains }))).toBe('b c')
  })

  it('may be FHIR XML, and of any FHIR version that is carried', () => {
    const read = parseJson(JSON.stringify(codeSystem), definitionsOf('R4'))
    if (!read.ok) throw new Error(JSON.stringify(read.faults))
    expect(codesOf(`<?xml version="1.0" encoding="UTF-8"?>\n${writeXml(read.value)}`)).toBe('a b c')
    expect(codesOf({ ...codeSystem, versionAlgorithmString: 'semver' })).toBe('a b c')
    expect(codesOf(valueSet({ include: [include('a')] }, { extensible: true }))).toBe('a')
  })

  it('takes each code in its own system only', () => {
    const other = { system: 'https://other.example', concept: [{ code: 'x' }] }
    expect(codesOf(valueSet({ include: [include('a'), other] }))).toBe('a other|x')
  })

  it('has a digest that covers every file, under its name', () => {
    const digest = (files: File[]) => {
      const result = compilePolicy('p.yaml', policyOf(2), reader(files))
      return result.ok ? result.policy.digest : undefined
    }
    const other = { ...codeSystem, url: 'https://other.example' }
    expect(digest([codeSystem, other])).toBe(digest([codeSystem, other]))
    expect(digest([codeSystem, other])).not.toBe(digest([other, codeSystem]))
    expect(digest([codeSystem, other])).not.toBe(digest([codeSystem, { ...other, concept: [{ code: 'x' }] }]))
  })
})

describe('a list that cannot be told from its files', () => {
  const include2 = valueSet({ include: [{ valueSet: ['https://two.example'] }] }, { url: 'https://one.example' })
  it.each<[string, File[], string]>([
    ['no file', [], 'There is no file `f0` beside the policy.'],
    ['another resource', [{ resourceType: 'Patient' }], 'Expected a CodeSystem or a ValueSet: this is a Patient.'],
    ['no resource', ['{}'], 'This is not a resource that can be read for its codes.'],
    ['no JSON', ['{'], 'This is not a resource that can be read for its codes.'],
    ['no XML', ['<CodeSystem'], 'This is not a resource that can be read for its codes.'],
    ['what FHIR does not define', [{ ...codeSystem, bogus: 'x' }], 'It holds an element that FHIR does not define.'],
    [
      'a modifier',
      [{ ...codeSystem, modifierExtension: [{ url: 'https://x.example', valueBoolean: true }] }],
      'It holds `modifierExtension`, which may change what it says.',
    ],
    ['a code system without url', [{ ...codeSystem, url: undefined }], 'This CodeSystem has no `url`'],
    [
      'a fragment',
      [{ ...codeSystem, content: 'fragment' }],
      'This CodeSystem is `fragment`, not `complete`: not all of its codes are in the file.',
    ],
    ['no content', [{ ...codeSystem, content: undefined }], 'does not say that its content is `complete`'],
    ['a code system without concepts', [{ ...codeSystem, concept: undefined }], 'This list holds no codes.'],
    ['a concept without code', [{ ...codeSystem, concept: [{ display: 'x' }] }], 'A concept has no code.'],
    ['a value set without content', [valueSet({}, { compose: undefined })], 'has neither `compose` nor `expansion`.'],
    [
      'a filter',
      [valueSet({ include: [{ system: url, filter: [{ property: 'concept', op: 'is-a', value: 'a' }] }] })],
      'This ValueSet includes by a filter, which cannot be evaluated. List the concepts.',
    ],
    [
      'a filter that excludes',
      [
        valueSet({
          include: [include('a')],
          exclude: [{ system: url, filter: [{ property: 'concept', op: 'is-a', value: 'a' }] }],
        }),
      ],
      'This ValueSet excludes by a filter',
    ],
    [
      'a whole system whose file is not there',
      [valueSet({ include: [include()] })],
      `This ValueSet includes all of \`${url}\`: name the file of that CodeSystem, too.`,
    ],
    [
      'a value set whose file is not there',
      [include2],
      'This ValueSet includes the ValueSet `https://two.example`: name its file, too.',
    ],
    [
      'a value set that includes itself',
      [
        include2,
        valueSet({ include: [{ valueSet: ['https://one.example'] }] }, { url: 'https://two.example' }),
        valueSet({ include: [include('a')] }),
      ],
      'This ValueSet includes itself.',
    ],
    ['an include of nothing', [valueSet({ include: [{ concept: [{ code: 'a' }] }] })], 'something without a system.'],
    [
      'another version of a code system',
      [valueSet({ include: [{ ...include(), version: '2' }] }), { ...codeSystem, version: '1' }],
      'This is version `1` of the CodeSystem: version `2` is included.',
    ],
    [
      'a code that the code system does not have',
      [valueSet({ include: [include('x')] }), codeSystem],
      `\`x\` is not a code of the file of \`${url}\`.`,
    ],
    ['the same code system twice', [codeSystem, codeSystem], 'There are two files of the CodeSystem'],
    [
      'a code system that no value set includes',
      [valueSet({ include: [{ system: 'https://other.example', concept: [{ code: 'x' }] }] }), codeSystem],
      'No value set of this list includes this CodeSystem.',
    ],
    [
      'inactive codes that are left out',
      [valueSet({ inactive: false, include: [include('a')] })],
      '`compose.inactive` is false',
    ],
    ['nothing left', [valueSet({ include: [include('a')], exclude: [include('a')] })], 'This list holds no codes.'],
    ['a page of an expansion', [expanded({ total: 2, contains: [{ system: url, code: 'a' }] })], 'does not hold all'],
    [
      'a limited expansion',
      [
        expanded({
          parameter: [{ name: 'limitedExpansion', valueBoolean: true }],
          contains: [{ system: url, code: 'a' }],
        }),
      ],
      'does not hold all',
    ],
    [
      'an expansion that was too costly',
      [
        expanded({
          extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/valueset-toocostly', valueBoolean: true }],
          contains: [{ system: url, code: 'a' }],
        }),
      ],
      'does not hold all',
    ],
    ['an expansion without system', [expanded({ contains: [{ code: 'a' }] })], '`a` of the expansion has no system.'],
  ])('is a mistake: %s', (_what, files, expected) => {
    const found = files.length === 0 ? mistakes(policyOf(1), () => undefined) : wrong(...files)
    expect(found).toEqual([expect.stringContaining(expected)])
    expect(found[0]).toMatch(files.length < 2 ? /^5:11 / : /^5:(12|16|20) /)
  })

  it('says why a file may not be read', () => {
    expect(mistakes(policyOf(1), () => ({ mistake: 'It lies elsewhere.' }))).toEqual(['5:11 It lies elsewhere.'])
  })

  it('says no more than twenty of a list', () => {
    const concept = Array.from({ length: 100 }, (_, i) => ({ code: `x${i}` }))
    expect(wrong(valueSet({ include: [{ system: url, concept }] }), codeSystem)).toHaveLength(20)
  })
})
