import type { Resource } from '../../src/fhir/element.ts'
import { definitionsOf } from '../../src/fhir/definitions.ts'
import { parseJson } from '../../src/fhir/json.ts'
import { Effort, TooMuchEffort } from '../../src/policy/effort.ts'
import { evaluateExactly } from '../../src/policy/fhirpath/exactly.ts'
import { ExpressionCompiler } from '../../src/policy/fhirpath/expression.ts'
import { Meter } from '../../src/policy/fhirpath/meter.ts'
import { valuesOf } from '../../src/policy/fhirpath/values.ts'
import { maxSteps } from '../../src/policy/invariants.ts'
import { plainRequest } from '../../src/policy/request-facts.ts'

/**
 * How long the evaluation of expressions takes at worst, on resources as large as `limits` lets them be: what each took, and
 * how many of its steps. A step is meant to be about a microsecond; where one is many, the meter charges too little.
 */
const definitions = definitionsOf('R4')
const compiler = new ExpressionCompiler(definitions)

const read = (json: object): Resource => {
  const parsed = parseJson(JSON.stringify(json), definitions)
  if (!parsed.ok) throw new Error(parsed.faults[0]!.sentence)
  return parsed.value
}
const times = <T>(count: number, of: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i))
const observation = (own: object) => read({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, ...own })

const list = (count: number) =>
  read({
    resourceType: 'List',
    status: 'current',
    mode: 'working',
    entry: times(count, (i) => ({ item: { reference: `Condition/${i}` }, deleted: i % 2 === 0 })),
  })
const quantities = (count: number, code: (index: number) => string) =>
  observation({
    component: times(count, (i) => ({
      code: { text: 'x' },
      valueQuantity: { value: i, system: 'http://unitsofmeasure.org', code: code(i) },
    })),
  })
const text = (value: string) => observation({ valueString: value })
const deep = (depth: number, wide: number) => {
  let extension: object[] = times(wide, (i) => ({ url: `u${i}`, valueString: 'x' }))
  for (let i = 0; i < depth; i++) extension = [{ url: 'u', extension }]
  return observation({ extension })
}
const dates = (count: number, value: (index: number) => string) =>
  read({ resourceType: 'Patient', name: times(count, (i) => ({ period: { start: value(i), end: value(i) } })) })

const large = list(12_000)
const cases: readonly (readonly [expression: string, name: string, resource: Resource])[] = [
  ["%after.entry.where(item.reference = 'x').empty()", '12,000 entries', large],
  ['%after.entry.where(deleted and item.reference.exists()).count() > 1', '12,000 entries', large],
  ['%after.entry.all(item.exists() and deleted.exists())', '12,000 entries', large],
  ['%after.entry.all($this in %before.entry)', '12,000 entries', large],
  ['%after.entry.all(%before.entry.item.reference contains item.reference)', '12,000 entries', large],
  ['%after.entry.where(%before = %after).exists()', '12,000 entries', large],
  ['%after.entry.select(%before.entry.count()).distinct().count() = 1', '12,000 entries', large],
  ['%after.entry.item.reference.isDistinct()', '3,000 entries', list(3000)],
  ['%after.entry.item.reference.isDistinct()', '12,000 entries', large],
  ['%after.entry.isDistinct()', '3,000 entries', list(3000)],
  ['%before.entry.item.reference.subsetOf(%after.entry.item.reference)', '3,000 entries', list(3000)],
  ['%before.entry.subsetOf(%after.entry)', '3,000 entries', list(3000)],
  ['(%before.entry.item.reference | %after.entry.item.reference).count() > 1', '3,000 entries', list(3000)],
  ['%before.entry.intersect(%after.entry | %after.id).exists()', '3,000 entries', list(3000)],
  ['%after.descendants().count() > 1', '12,000 entries', large],
  ['%after.descendants() = %before.descendants()', '12,000 entries', large],
  ['%after.descendants().descendants().descendants().count() > 1', '40 deep, 10,000 wide', deep(40, 10_000)],
  ['%after.descendants() = %before.descendants()', '40 deep, 10,000 wide', deep(40, 10_000)],
  ['%after.descendants().all(descendants().count() < 100000)', '40 deep, 1,000 wide', deep(40, 1000)],
  ["%after.component.value.where($this = 5 'mg').exists()", '5,000 quantities', quantities(5000, () => 'g')],
  ["%after.component.value.where($this = 5 'mg').exists()", '5,000 units', quantities(5000, (i) => `g.m${i}`)],
  ["%after.component.value.where($this < 5 'mg').exists()", '5,000 units', quantities(5000, (i) => `foo${i}`)],
  ["%after.component.value.first() = 5 'mg'", 'a unit of 500,000', quantities(1, () => 'mg.'.repeat(166_000) + 'mg')],
  ["%after.component.value.first() = 5 'mg'", 'a unit of 3,000', quantities(1, () => 'mg.'.repeat(1000) + 'mg')],
  ['%after.component.value.isDistinct()', '400 units', quantities(400, (i) => `g.m${i}`)],
  ['(%after.component.value | %after.status).count() > 1', '280 units', quantities(280, (i) => `g.m${i}`)],
  ['%after.component.value.isDistinct()', '1,000 units', quantities(1000, (i) => `g.m${i}`)],
  ["%after.value.matches('(a+)+$')", '900,000 characters', text('a'.repeat(900_000) + 'b')],
  ["%after.value.matches('(.*a){30}$')", '900,000 characters', text('ab'.repeat(450_000))],
  ["%after.value.matchesFull('(a?){50}a{50}b')", '900,000 characters', text('a'.repeat(900_000))],
  ["%after.value.replaceMatches('a', '$0$0$0$0').length() > 1", '900,000 characters', text('a'.repeat(900_000))],
  ["%after.value.replace('a', 'bbbbbbbbbb').length() > 1", '900,000 characters', text('a'.repeat(900_000))],
  [`%after.value${'.select($this & $this)'.repeat(30)}.length() > 1`, '1,000 characters', text('a'.repeat(1000))],
  ["%after.value.split('a').count() > 1", '900,000 characters', text('a'.repeat(900_000))],
  ['%after.value.toChars().where($this = $this).count() > 1', '900,000 characters', text('a'.repeat(900_000))],
  ['%after.value.contains(%after.id)', '900,000 characters', text('a'.repeat(900_000))],
  ['%after.value.contains(%before.value)', '900,000 characters', text('b' + 'a'.repeat(450_000))],
  ['%after.value.contains(%after.value.substring(450000))', '900,000 characters', text('a'.repeat(900_000))],
  ["%after.value.upper().lower().trim().startsWith('a')", '900,000 characters', text('a'.repeat(900_000))],
  ['%after.name.all(period.start <= period.end)', '8,000 periods', dates(8000, () => '2026-01-31T12:00:00.123+01:00')],
  ['%after.name.period.start.isDistinct()', '1,400 dates', dates(1400, (i) => `2026-01-31T12:00:00.${1000 + i}+01:00`)],
  ['%after.name.period.start.isDistinct()', '2,000 periods', dates(2000, () => '2026-01-31T12:00:00.123+01:00')],
  [
    '%after.name.all(period.start <= period.end)',
    'a fraction of 400,000 digits',
    dates(1, () => `2026-01-31T12:00:00.${'1'.repeat(400_000)}Z`),
  ],
]

console.log('  ms      steps  µs/step  outcome')
for (const [expression, name, resource] of cases) {
  const compiled = compiler.compile(expression, { definition: resource.type, type: resource.type })
  if (!compiled.ok) throw new Error(`${expression}: ${JSON.stringify(compiled.mistakes)}`)
  const before = resource
  const started = process.cpuUsage()
  const effort = new Effort(maxSteps)
  let outcome: string
  try {
    const values = valuesOf(before, resource, plainRequest('update'))!
    outcome = evaluateExactly(compiled.expression, values, new Meter(effort))
  } catch (error) {
    if (!(error instanceof TooMuchEffort)) throw error
    outcome = 'too much'
  }
  // Of the processor, so that it does not count what else the machine does.
  const { user, system } = process.cpuUsage(started)
  const ms = (user + system) / 1000
  const steps = effort.spent
  const perStep = (ms * 1000) / Math.min(steps, maxSteps)
  console.log(
    `${ms.toFixed(0).padStart(5)} ${steps.toFixed(0).padStart(10)} ${perStep.toFixed(2).padStart(8)}  ${outcome.padEnd(9)} ${name}: ${expression.slice(0, 80)}`,
  )
}
