import { expect, test } from 'vitest'
import { baseUrls } from '../../../src/upstream/base-urls.ts'
import { withoutInternals } from '../../../src/upstream/upstream-outcome.ts'

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
  ['java.lang.NullPointerException', undefined],
  [undefined, undefined],
])('%j is told on as %j', (text, expected) => {
  expect(withoutInternals(text, urls)).toBe(expected)
})
