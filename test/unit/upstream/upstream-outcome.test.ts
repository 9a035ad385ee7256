import { expect, test } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { parseJson } from '../../../src/fhir/json.ts'
import { baseUrls } from '../../../src/upstream/base-urls.ts'
import { issuesOf, withoutInternals } from '../../../src/upstream/upstream-outcome.ts'

const urls = baseUrls('https://ours.example/STU3', new URL('http://hapi:8080/fhir'))

test.each([
  ['HAPI-2001: Resource Flag/1 is not known', 'HAPI-2001: Resource Flag/1 is not known'],
  [
    'HAPI-0389: Failed to call access method: java.lang.NullPointerException: x',
    'HAPI-0389: Failed to call access method: x',
  ],
  [
    'ca.uhn.fhir.rest.server.exceptions.InternalErrorException: HAPI-0550: no\n\tat ca.uhn.fhir.A.b(A.java:12)\n\tat c.d(E.java:1)',
    'HAPI-0550: no',
  ],
  ['failed at org.postgresql.Driver.connect(Driver.java:1)', 'failed'],
  ['Connection to jdbc:postgresql://db.internal:5432/hapi refused', 'Connection to [removed] refused'],
  [
    'see http://hapi:8080/fhir/Flag/1 and http://hapi:8080/tester',
    'see https://ours.example/STU3/Flag/1 and [removed]/tester',
  ],
  ['hapi:8080 said no', '[removed] said no'],
  ['10.0.0.7:8080 refused', '[removed] refused'],
  [
    'Flag.code.coding and https://fhir.nhs.uk/STU3/StructureDefinition/X-1',
    'Flag.code.coding and https://fhir.nhs.uk/STU3/StructureDefinition/X-1',
  ],
  ['hapi is a word', 'hapi is a word'],
  ['at 10.0.0.7.', 'at [removed].'],
  ['could not connect to pg-main.internal.example:5432', 'could not connect to [removed]'],
  ['see http://pg.internal.example/x, or ask', 'see [removed], or ask'],
  ['see http://pg:5432/x', 'see [removed]'],
  ['see https://pg.example:8443/x', 'see [removed]'],
  ['see https://me:secret@pg.example/x', 'see [removed]'],
  ['see ldaps://directory.example/x', 'see [removed]'],
  ['fhir-db.fhir.svc.cluster.local refused', '[removed] refused'],
  ['db:5432 and db-1:80 refused', '[removed] and [removed] refused'],
  ['at fe80::1 port 5432', 'at [removed] port 5432'],
  ['at fe80::1.', 'at [removed].'],
  ['at [2001:db8::7]:5432', 'at [removed]'],
  ['at 2001:db8:0:0:0:0:0:7%eth0', 'at [removed]'],
  ['login with user=hapi password="a b" failed', 'login with [removed] [removed] failed'],
  ['Flag.extension[0].url at 10:30:45, line:12', 'Flag.extension[0].url at 10:30:45, line:12'],
  [
    'urn:oid:2.16.840.1.113883.2.1.4.1 and urn:iso:std:iso:11073:10101',
    'urn:oid:2.16.840.1.113883.2.1.4.1 and urn:iso:std:iso:11073:10101',
  ],
  ['http://snomed.info/sct|1, (http://hl7.org/fhir).', 'http://snomed.info/sct|1, (http://hl7.org/fhir).'],
  ['java.lang.NullPointerException', undefined],
  [undefined, undefined],
])('%j is told on as %j', (text, expected) => {
  expect(withoutInternals(text, urls)).toBe(expected)
})

test('a text is cut between two words, so that half a host is not told', () => {
  const told = withoutInternals(`${'word '.repeat(397)}pg.internal.example refused`, urls)!
  expect(told).toBe('word '.repeat(397).trim())
})

test.each([' ', '\n', '[', 'a.', 'a:', '"', ':', 'at ', 'http://', 'user="', 'a-'])(
  'a text of a million times %j is cleaned at once',
  (part) => {
    expect(withoutInternals(`x ${part.repeat(1_000_000)}y`, urls)).toMatch(/^x/)
  },
)

test('of the codings of an issue each that has a system and a code is told on, ten at most', () => {
  const coding = [
    { system: 'https://codes.example/one', code: 'a', display: 'A' },
    { code: 'b' },
    ...Array.from({ length: 20 }, (_, i) => ({ system: 'https://codes.example/two', code: `c${i}` })),
  ]
  const outcome = {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'invalid', details: { coding } }],
  }
  const read = parseJson(JSON.stringify(outcome), definitionsOf('R4'))
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  expect(issuesOf(read.value, 'R4', urls)[0]!.details).toEqual({ coding: [coding[0], ...coding.slice(2, 10)] })
})
