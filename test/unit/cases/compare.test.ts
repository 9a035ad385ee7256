import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Expected, ExpectedRefusal } from '../../../src/cases/case.ts'
import { compare } from '../../../src/cases/compare.ts'
import type { Outcome, SeenRefusal } from '../../../src/cases/run.ts'

const seen = (at: string, more: Partial<SeenRefusal> = {}): SeenRefusal => ({
  cause: 'change-not-permitted',
  status: 422,
  issue: 'business-rule',
  rule: 'Flag.update',
  at,
  diagnostics: `${at} differs.`,
  ...more,
})

const refuse = (...refusals: ExpectedRefusal[]): Expected => ({ kind: 'refuse', refusals, reported: [] })
const refused = (...refusals: SeenRefusal[]): Outcome => ({ kind: 'refuse', refusals, reported: [] })
const permit = (names: string[], restored: string[] = []): Expected => ({
  kind: 'permit',
  names,
  restored,
  reported: [],
})
const permitted = (names: string[], restored: string[] = []): Outcome => ({
  kind: 'permit',
  names,
  restored,
  reported: [],
})

describe('compare', () => {
  it.each<[string, Expected, Outcome]>([
    ['a permit under the same names in another order', permit(['a', 'b']), permitted(['b', 'a'])],
    ['the same paths put back', permit(['a'], ['Flag.x', 'Flag.y']), permitted(['a'], ['Flag.y', 'Flag.x'])],
    ['a refusal by its place', refuse({ at: 'Flag.x' }), refused(seen('Flag.x'))],
    [
      'a refusal by its words, in the text',
      refuse({ says: 'a reason' }),
      refused(seen('x', { text: 'It needs a reason.' })),
    ],
    ['a refusal by its words, in the diagnostics', refuse({ says: 'differs' }), refused(seen('x'))],
    ['refusals in another order', refuse({ at: 'a' }, { at: 'b' }), refused(seen('b'), seen('a'))],
    [
      'a broad refusal that would take the place of a narrow one',
      refuse({ status: 422 }, { at: 'a' }),
      refused(seen('a'), seen('b')),
    ],
    [
      'three refusals that only one pairing suits',
      refuse({ status: 422 }, { issue: 'business-rule', rule: 'r' }, { at: 'a' }),
      refused(seen('a'), seen('b', { rule: 'r' }), seen('c')),
    ],
    [
      'what is reported besides',
      { ...permit(['a']), reported: [{ at: 'b' }] },
      { ...permitted(['a']), reported: [seen('b')] },
    ],
  ])('finds nothing to tell of %s', (_, expected, outcome) => {
    expect(compare(expected, outcome)).toBeUndefined()
  })

  it.each<[string, Expected, Outcome, object]>([
    [
      'a permit instead of a refusal',
      refuse({ at: 'Flag.x', status: 422 }),
      permitted(['edit']),
      { expected: 'refused', got: 'permitted as edit', details: [{ kind: 'missing', text: '422 at Flag.x' }] },
    ],
    [
      'a refusal instead of a permit',
      permit(['edit'], ['Flag.y']),
      refused(seen('Flag.x')),
      {
        expected: 'permitted as edit, restoring Flag.y',
        got: 'refused',
        details: [{ kind: 'unexpected', text: '422 business-rule at Flag.x by Flag.update', says: 'Flag.x differs.' }],
      },
    ],
    [
      'other names',
      permit(['a', 'b']),
      permitted(['b', 'c']),
      {
        expected: 'permitted as a, b',
        got: 'permitted as b, c',
        details: [
          { kind: 'missing', text: 'permitted as a' },
          { kind: 'unexpected', text: 'permitted as c' },
        ],
      },
    ],
    [
      'a permit by no rule',
      permit(['a']),
      permitted([]),
      { got: 'permitted', details: [{ kind: 'missing', text: 'permitted as a' }] },
    ],
    [
      'a path that nobody expects to be put back',
      permit(['a']),
      permitted(['a'], ['Flag.x']),
      { details: [{ kind: 'unexpected', text: 'restored: Flag.x' }] },
    ],
    [
      'a refusal that is one too many',
      refuse({ at: 'a' }),
      refused(seen('a'), seen('a', { rule: 'r', code: 'NO' })),
      { details: [{ kind: 'unexpected', text: '422 NO at a by r', says: 'a differs.' }] },
    ],
    [
      'a refusal that no rule gives, one too many',
      refuse({ at: 'a' }),
      refused(seen('a'), { cause: 'body-mismatch', status: 400, issue: 'invalid', diagnostics: 'Not the same.' }),
      { details: [{ kind: 'unexpected', text: '400 invalid (body-mismatch)', says: 'Not the same.' }] },
    ],
    [
      'a refusal at the same place with other features',
      refuse({ at: 'a', status: 403, rule: 'r', says: 'no' }),
      refused(seen('a')),
      {
        details: [
          {
            kind: 'differing',
            text: '422 business-rule at a by Flag.update',
            features: [
              { name: 'rule', expected: 'r', got: 'Flag.update' },
              { name: 'status', expected: '403', got: '422' },
              { name: 'says', expected: 'no', got: 'a differs.' },
            ],
          },
        ],
      },
    ],
    [
      'a code where there is none',
      refuse({ at: 'a', code: 'NO' }),
      refused(seen('a')),
      { details: [{ kind: 'differing', features: [{ name: 'code', expected: 'NO', got: 'none' }] }] },
    ],
    [
      'the refusal that is most alike, of two by one rule',
      refuse({ rule: 'Flag.update', at: 'c', status: 422 }),
      refused(seen('a', { status: 400 }), seen('b')),
      { details: [{ kind: 'differing', text: '422 business-rule at b by Flag.update' }, { kind: 'unexpected' }] },
    ],
    [
      'what nobody expects to be reported',
      permit(['a']),
      { ...permitted(['a']), reported: [seen('b')] },
      {
        got: 'permitted as a',
        details: [{ kind: 'unexpected', text: 'reported: 422 business-rule at b by Flag.update' }],
      },
    ],
    [
      'what is refused instead of reported',
      { ...permit(['a']), reported: [{ at: 'b' }] },
      refused(seen('b')),
      { got: 'refused', details: [{ kind: 'unexpected' }, { kind: 'missing', text: 'reported: at b' }] },
    ],
    [
      'a refusal about something else altogether',
      refuse({ at: 'a', issue: 'required', says: 'a reason', rule: 'r' }),
      refused(seen('b')),
      { details: [{ kind: 'missing', text: 'required at a by r saying “a reason”' }, { kind: 'unexpected' }] },
    ],
  ])('tells of %s', (_, expected, outcome, mismatch) => {
    expect(compare(expected, outcome)).toMatchObject(mismatch)
  })

  it('agrees with trying out every pairing', () => {
    const features = fc.record(
      { at: fc.constantFrom('a', 'b'), status: fc.constantFrom(400, 422), rule: fc.constantFrom('r', 's') },
      { requiredKeys: [] },
    )
    const refusals = fc.array(features, { minLength: 1, maxLength: 5 })
    const all = fc.record({
      at: fc.constantFrom('a', 'b'),
      status: fc.constantFrom(400, 422),
      rule: fc.constantFrom('r', 's'),
    })
    fc.assert(
      fc.property(refusals, fc.array(all, { minLength: 1, maxLength: 5 }), (wanted, came) => {
        const outcome = refused(...came.map(({ at, ...more }) => seen(at, more)))
        const suits = (one: object, other: object) =>
          Object.entries(one).every(([name, value]) => (other as Record<string, unknown>)[name] === value)
        const pairs = (left: readonly object[], right: readonly object[]): boolean => {
          const [first, ...others] = left
          if (!first) return right.length === 0
          return right.some((one, i) => suits(first, one) && pairs(others, right.toSpliced(i, 1)))
        }
        expect(compare(refuse(...wanted), outcome) === undefined).toBe(pairs(wanted, came))
      }),
    )
  })
})
