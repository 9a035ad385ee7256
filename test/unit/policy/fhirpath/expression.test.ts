import { describe, expect, it } from 'vitest'
import { definitionsOf } from '../../../../src/fhir/definitions.ts'
import { ExpressionCompiler } from '../../../../src/policy/fhirpath/expression.ts'
import { functions, refusedFunctions } from '../../../../src/policy/fhirpath/functions.ts'

const encounter = { definition: 'Encounter', type: 'Encounter' }
const compiler = new ExpressionCompiler(definitionsOf('R4'))

/** `column message` for each mistake; the column counts from 1, and is 0 for the expression as a whole. */
function mistakes(text: string): string[] {
  const compiled = compiler.compile(text, encounter)
  if (compiled.ok) return []
  return compiled.mistakes.map(({ span, message }) => `${(span?.offset ?? -1) + 1} ${message}`)
}

describe('an expression of a policy', () => {
  it.each([
    "%after.status = 'finished' implies %after.period.end.exists()",
    "Encounter.status = 'finished'",
    "Resource.id = 'a'",
    "status in ('planned' | 'arrived')",
    "%before.where(status = 'finished').exists() implies %after.where(status = 'finished').exists()",
    "%after.extension('https://a.example').value.ofType(Coding).code = 'a'",
    "%after.extension('https://a.example').value.code = 'a'",
    "%after.status.extension('https://a.example').exists()",
    '%after.contained.where($this is Patient).birthDate.exists()',
    "%after.contained.ofType(Patient).name.where(use = 'usual').count() <= 1",
    '%after.length.value > 3.5 and %after.length < 4',
    '%after.participant.all(individual.exists())',
    '%before.identifier.subsetOf(%after.identifier)',
    '(%before.identifier | %after.identifier).count() = %after.identifier.count()',
    'iif(%before.exists(), %before.status = %after.status, true)',
    '%after.period.start <= %after.period.end',
    "%after.period.start >= @2020-01-01 or %after.period.end.toString().startsWith('2020')",
    "%interaction = 'update' and %scopes contains 'a' and %`header-x-role` = 'b'",
    "%after.status.matches('^[a-z-]+$') and %after.id.matchesFull('[a-z]', 'im')",
    '%after.descendants().where($this is Coding).system.exists()',
    '%after.participant.select(individual.exists()).allTrue()',
    '{}.empty()',
    `%after.status = '${'('.repeat(100)}'`,
  ])('is sound: %s', (text) => {
    expect(mistakes(text)).toEqual([])
  })

  it.each([
    ["%befor.status = 'a'", '1 There is no variable `%befor`. Did you mean `%before`?'],
    ["%headers = 'a'", '1 There is no variable `%headers`. A header field is written %`header-x-name`.'],
    ["%`header-X-Role` = 'a'", '1 A header field is asked for by its name in lower case: %`header-x-name`.'],
    ["%ucum = 'a'", '1 There is no variable `%ucum`.'],
    ["%after.stauts = 'a'", '8 `Encounter` has no element `stauts`. Did you mean `status`?'],
    ['%after.period.where(strat < end).exists()', '21 `Period` has no element `strat`. Did you mean `start`?'],
    ["%after.status.code = 'a'", '15 `code` has no element `code`.'],
    ['Patient.name.exists()', '1 `Encounter` has no element `Patient`.'],
    [
      "%after.extension('a').valueString = 'a'",
      '23 FHIRPath names a choice without its type: `value`, or `value.ofType(…)`.',
    ],
    ['%after.class.is(Period)', '17 What stands here is `Coding`, and never `Period`.'],
    ['%after.class is Codign', '14 FHIR R4 has no type `Codign`.'],
    ['%after.status', '0 This gives `code`, and only what is exactly true passes: compare it, or ask `.exists()`.'],
    ['{}', '0 This gives nothing, and only what is exactly true passes'],
    [
      '%after.status and true',
      '1 `and` needs what is true or false, and this is `code`: compare it, or ask `.exists()`.',
    ],
    ['%after.participant.where(individual).exists()', '26 `where` needs what is true or false'],
    ['%after.status.not()', '15 `not` needs what is true or false'],
    ['%after.participant.period.start.allTrue()', '33 `allTrue` needs what is true or false'],
    ["%after.period.end > '2020'", '19 `dateTime` is never compared with `String`. A date is written `@2026-01-31`'],
    ['%after.status = true', '15 `code` is never compared with `Boolean`.'],
    ['%after.participant.period = %after.period.end', '27 `Period` is never compared with `dateTime`.'],
    ['%after.length * 2 = 4', '15 Quantities are compared, and not counted with here: use their `value`.'],
    ['%after.status.exists', '15 To call the function, write `exists()`.'],
    ['%after.status.wher(true)', '15 There is no function `wher` in a policy. Did you mean `where`?'],
    ['%after.status.exists(true, true)', '15 `exists` takes 0 or 1 parameters.'],
    ["%after.status.matches('(a')", '23 This is no pattern: missing closing ): `(a`.'],
    [
      "%after.status.matches('(?=a)b')",
      '23 This is no pattern: invalid or unsupported Perl syntax: `(?=`. Patterns look neither ahead nor back.',
    ],
    [
      "%after.status.matches('(a)\\\\1')",
      '23 This is no pattern: invalid escape sequence: `\\1`. Patterns look neither ahead nor back.',
    ],
    ["%after.status.matches('a{1000}b{1000}')", '23 The pattern is too large: repeat less in it.'],
    [
      '%after.status.matches(%after.id)',
      '23 The pattern of `matches` must be written in the policy, between quotation marks.',
    ],
    ["%after.status.matches('a', 'g')", '28 The flags of a pattern are `i` and `m`.'],
    ['%after.period.start + 1 day < %after.period.end', '21 Dates are compared, and not counted with here'],
    ['%after.period.end > @2020-01-31T12:00:00', '21 A time of a day needs its time zone: `@2026-01-31T12:00:00Z`.'],
    ['%after.period.end > @2020-13-01', '21 `@2020-13-01` is no value.'],
    ["Coding { code: 'a' } = 'a'", '1 This form of FHIRPath is not offered in a policy.'],
    ['%after.status = ', '0 The FHIRPath expression ends too early.'],
    ["%after.status = 'a')", '20 FHIRPath does not expect `)` here.'],
    ["%after.text.div = 'a'", '13 FHIRPath does not expect `div` here. An element of that name is written between'],
    ["%after.status # 'a'", '15 This cannot be read as FHIRPath.'],
    ['%after.participant.aggregate($total and true)', '20 `aggregate` is not offered in a policy.'],
    [`${'('.repeat(26)}true${')'.repeat(26)}`, '0 Brackets may be 25 deep: split the rule.'],
    [`${"(')' = ')' and ".repeat(26)}true${')'.repeat(26)}`, '0 Brackets may be 25 deep: split the rule.'],
    [`true${' and true'.repeat(200)}`, '0 The expression is nested too deeply: split the rule.'],
    [`'${'a'.repeat(4000)}' = 'a'`, '0 An expression has at most 4000 characters: split the rule.'],
  ])('is a mistake: %s', (text, mistake) => {
    expect(mistakes(text)).toEqual([expect.stringContaining(mistake)])
  })

  it('tells every mistake of it, in the order of the text', () => {
    expect(mistakes('%after.staus = %befor.id and now() > %after.perod.end')).toEqual([
      expect.stringContaining('8 `Encounter` has no element `staus`'),
      expect.stringContaining('16 There is no variable `%befor`'),
      expect.stringContaining('30 `now` is not offered'),
      expect.stringContaining('45 `Encounter` has no element `perod`'),
    ])
  })

  it.each([...refusedFunctions])('says why `%s` is not offered', (name, why) => {
    expect(mistakes(`%after.status.${name}()`)).toEqual([`15 \`${name}\` is not offered in a policy. ${why}`])
    expect(functions.has(name)).toBe(false)
  })

  it('tells what it asks of the request, and where', () => {
    expect(compiler.compile("%scopes contains 'a' and %`header-x-role`.exists()", encounter)).toMatchObject({
      ok: true,
      asks: [
        { headerField: undefined, span: { offset: 0, length: 7 } },
        { headerField: 'x-role', span: { offset: 25, length: 16 } },
      ],
    })
  })
})
