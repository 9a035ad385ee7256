import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sameElement, withoutServerOwned, type Resource } from '../../../src/fhir/element.ts'
import { parseJson } from '../../../src/fhir/json.ts'
import { parseXml, writeXml } from '../../../src/fhir/xml.ts'
import { align } from '../../../src/policy/align.ts'
import { compilePolicy } from '../../../src/policy/compile.ts'
import type { Decision } from '../../../src/policy/decision.ts'
import { judge } from '../../../src/policy/judge.ts'
import { plainRequest } from '../../../src/policy/request-facts.ts'
import { rebuild } from '../../../src/policy/rebuild.ts'
import { mayPass } from '../../fuzz/oracle.ts'
import type { Json, JsonObject } from '../../fuzz/plain-json.ts'

const compiled = compilePolicy(
  'nhs',
  readFileSync(new URL('../../../config/policies/nhs-reasonable-adjustments-stu3.yaml', import.meta.url), 'utf8'),
)
if (!compiled.ok) throw new Error('the policy does not compile')
const { policy } = compiled

function tree(json: JsonObject): Resource | undefined {
  const read = parseJson(JSON.stringify(json), policy.definitions)
  return read.ok ? withoutServerOwned(read.value) : undefined
}

function decide(before: Resource, after: Resource): Decision {
  return judge(
    policy,
    { interaction: 'update', type: before.type, before, after },
    { bases: [], maxRefusals: 1000, request: plainRequest('update') },
  )
}

const removalUrl = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-RemovalReason-1'
const linkUrl = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-Provenance-1'

const coding = fc.record(
  {
    system: fc.constantFrom(
      'https://fhir.nhs.uk/STU3/CodeSystem/RARecord-RemovalReason-1',
      'https://fhir.nhs.uk/STU3/CodeSystem/CodeSystem-RARecord-RemovalReason-1',
      'https://elsewhere.example',
    ),
    code: fc.constantFrom('Error', 'BestInterest', 'Whim', 'error'),
    display: fc.constantFrom('x', 'y'),
    userSelected: fc.boolean(),
  },
  { requiredKeys: ['system', 'code'] },
)
const comment = fc.constantFrom('because', ' ', '\u00a0\u200b', 'x')
const removal = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      url: fc.constant(removalUrl),
      extension: fc.tuple(
        fc.record({
          url: fc.constant('removalReason'),
          valueCodeableConcept: fc.record({ coding: fc.array(coding, { minLength: 1, maxLength: 2 }) }),
        }),
        fc.record({ url: fc.constant('supportingComment'), valueString: comment }),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ url: fc.constant(removalUrl), valueString: comment }) },
  {
    weight: 1,
    arbitrary: fc.record({
      url: fc.constant(removalUrl),
      extension: fc.array(
        fc.record({
          url: fc.constantFrom('removalReason', 'supportingComment', 'other'),
          valueString: fc.constantFrom('a', 'b'),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  },
)
const other = fc.record({
  url: fc.constantFrom('https://a.example', 'https://b.example'),
  valueString: fc.constantFrom('1', '2'),
})
const link = fc.record({
  url: fc.constant(linkUrl),
  extension: fc.array(
    fc.record({
      url: fc.constantFrom('created', 'updated'),
      valueReference: fc.record({ reference: fc.constantFrom('#p1', '#p2', 'Provenance/p2') }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
})
const provenance = (id: fc.Arbitrary<string>) =>
  fc.record(
    {
      resourceType: fc.constant('Provenance'),
      id,
      target: fc.array(
        fc.record({ reference: fc.constantFrom('#', 'Flag/f1', '#p1', 'https://elsewhere.example/Flag/f1') }),
        { minLength: 1, maxLength: 2 },
      ),
      activity: fc.record({
        system: fc.constant('http://hl7.org/fhir/v3/DataOperation'),
        code: fc.constantFrom('UPDATE', 'CREATE'),
      }),
      recorded: fc.constant('2026-01-01T00:00:00Z'),
      text: fc.constant({ status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' }),
    },
    { requiredKeys: ['resourceType', 'id', 'target', 'recorded'] },
  )

const flag: fc.Arbitrary<JsonObject> = fc
  .record(
    {
      resourceType: fc.constant('Flag'),
      id: fc.constant('f1'),
      status: fc.constantFrom('active', 'active', 'active', 'inactive', 'entered-in-error'),
      contained: fc.tuple(provenance(fc.constant('p1'))),
      extension: fc.array(fc.oneof(other, other, link), { minLength: 1, maxLength: 3 }),
      code: fc.record({
        coding: fc.array(fc.record({ code: fc.constantFrom('1', '2', '3') }), { minLength: 1, maxLength: 3 }),
      }),
      subject: fc.record({ reference: fc.constant('Patient/1') }),
    },
    { requiredKeys: ['resourceType', 'id', 'status', 'subject'] },
  )
  .map((value) => structuredClone(value) as unknown as JsonObject)

type Mutation = (resource: JsonObject) => void
const list = (resource: JsonObject, name: string): Json[] =>
  ((resource[name] as Json[] | undefined) ??= [] as Json[]) && (resource[name] as Json[])
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('inactive', 'inactive', 'active', 'entered-in-error').map(
      (status): Mutation =>
        (r) =>
          void (r['status'] = status),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(removal, fc.nat(3)).map(
      ([e, i]): Mutation =>
        (r) =>
          void list(r, 'extension').splice(i, 0, e as unknown as Json),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(provenance(fc.constantFrom('p2', 'p3')), fc.boolean()).map(
      ([p, front]): Mutation =>
        (r) =>
          void (front && r['contained']
            ? list(r, 'contained').unshift(p as unknown as Json)
            : list(r, 'contained').push(p as unknown as Json)),
    ),
  },
  {
    weight: 2,
    arbitrary: link.map(
      (l): Mutation =>
        (r) =>
          void list(r, 'extension').push(l as unknown as Json),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant(
      ((r) => void (r['extension'] && (r['extension'] = (r['extension'] as Json[]).toReversed()))) as Mutation,
    ),
  },
  { weight: 1, arbitrary: fc.constant(((r) => void (r['contained'] && list(r, 'contained').pop())) as Mutation) },
  { weight: 1, arbitrary: fc.constant(((r) => void (r['period'] = { start: '2026-01-01' })) as Mutation) },
  { weight: 1, arbitrary: fc.constant(((r) => void (r['_status'] = { id: 'x' })) as Mutation) },
  {
    weight: 1,
    arbitrary: other.map(
      (e): Mutation =>
        (r) =>
          void list(r, 'extension').push(e as unknown as Json),
    ),
  },
  { weight: 1, arbitrary: fc.constant(((r) => void delete r['code']) as Mutation) },
)

function tidy(resource: JsonObject): JsonObject {
  for (const name of ['extension', 'contained'])
    if ((resource[name] as Json[] | undefined)?.length === 0) delete resource[name]
  return resource
}

const pair = fc.tuple(flag, fc.array(mutation, { maxLength: 4 })).map(([before, mutations]) => {
  const after = structuredClone(before)
  for (const mutate of mutations) mutate(after)
  return { before, after: tidy(after) }
})

/** The same value with the keys of every object in reverse order. */
function reversed(json: Json): Json {
  if (Array.isArray(json)) return json.map(reversed)
  if (json === null || typeof json !== 'object') return json
  return Object.fromEntries(
    Object.entries(json)
      .toReversed()
      .map(([key, value]) => [key, reversed(value)]),
  )
}

const identities = (decision: Decision) =>
  decision.verdict === 'permit'
    ? decision.permittedAs
    : decision.refusals.map((r) => `${r.rule} ${r.expression} ${r.diagnostics}`).sort()

const runs = { numRuns: 3000 }

describe('the judge, for any pair of resources', () => {
  it('finds differences that rebuild after from before', () => {
    fc.assert(
      fc.property(flag, pair, ({ ...one }, { after }) => {
        const before = tree(one)
        const sent = tree(after)
        fc.pre(before !== undefined && sent !== undefined)
        const { differences } = align(before, sent, new Map())
        expect(sameElement(rebuild(before, differences)!, sent)).toBe(true)
      }),
      runs,
    )
  })

  it('permits exactly what a plain reading of the rules permits', () => {
    const seen = { permit: 0, deny: 0 }
    fc.assert(
      fc.property(pair, ({ before, after }) => {
        const stored = tree(before)
        const sent = tree(after)
        fc.pre(stored !== undefined && sent !== undefined)
        const decision = decide(stored, sent)
        seen[decision.verdict]++
        expect(decision.verdict).toBe(mayPass(before, after) ? 'permit' : 'deny')
      }),
      runs,
    )
    expect(Math.min(seen.permit, seen.deny)).toBeGreaterThan(100)
  })

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(pair, ({ before, after }) => {
        const stored = tree(before)
        const sent = tree(after)
        const turned = tree(reversed(after) as JsonObject)
        fc.pre(stored !== undefined && sent !== undefined && turned !== undefined)
        expect(identities(decide(stored, turned))).toEqual(identities(decide(stored, sent)))
      }),
      runs,
    )
  })

  it('decides alike for the JSON and the XML form of a pair', () => {
    const xml = (resource: Resource): Resource => {
      const read = parseXml(writeXml(resource), policy.definitions)
      if (!read.ok) throw new Error(JSON.stringify(read.faults))
      return withoutServerOwned(read.value)
    }
    fc.assert(
      fc.property(pair, ({ before, after }) => {
        const stored = tree(before)
        const sent = tree(after)
        fc.pre(stored !== undefined && sent !== undefined)
        expect(identities(decide(xml(stored), xml(sent)))).toEqual(identities(decide(stored, sent)))
      }),
      { numRuns: 1000 },
    )
  })
})
