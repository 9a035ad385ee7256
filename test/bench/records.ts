/** The records that the benchmark sends and finds stored, in the sizes that such records have. All of it is ASCII. */
import { readFileSync } from 'node:fs'
import { readResource, writeResource } from '../../src/fhir/body.ts'
import { definitionsOf } from '../../src/fhir/definitions.ts'

/** Stands for the id wherever one is; programs/ put others in its place, of the same length. */
export const idPlaceholder = '0123456789'

export interface Item {
  readonly resourceType: string
  readonly [name: string]: unknown
}

const shipped = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../config/sandbox/${name}.json`, import.meta.url), 'utf8')) as Item

const provenanceOf = (id: string, target: string, code: 'CREATE' | 'UPDATE') => ({
  resourceType: 'Provenance',
  id,
  target: [{ reference: target }],
  recorded: '2026-03-02T09:30:00+00:00',
  activity: { system: 'http://hl7.org/fhir/v3/DataOperation', code, display: code.toLowerCase() },
  agent: [
    {
      role: [{ text: 'Learning disability nurse' }],
      whoReference: {
        reference: 'https://directory.example/STU3/Practitioner/n42',
        display: 'Nurse Ada Quill',
      },
      onBehalfOfReference: {
        reference: 'https://directory.example/STU3/Organization/o7',
        display: 'Fernbank Community Team',
      },
    },
  ],
})

const removalReason = {
  url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-RemovalReason-1',
  extension: [
    {
      url: 'removalReason',
      valueCodeableConcept: {
        coding: [
          {
            system: 'https://fhir.nhs.uk/STU3/CodeSystem/RARecord-RemovalReason-1',
            code: 'DoesntApply',
            display: 'No longer applies',
          },
        ],
      },
    },
    { url: 'supportingComment', valueString: 'Reads ordinary print again.' },
  ],
}

const shippedFlag = shipped('flag-1')
const ofFlag = shippedFlag as Item & {
  readonly meta: object
  readonly contained: readonly object[]
  readonly extension: readonly object[]
}

/** As it is stored: 2.5 KB. */
export const flag = {
  ...ofFlag,
  id: idPlaceholder,
  meta: { versionId: '1', ...ofFlag.meta },
  contained: [
    ...ofFlag.contained,
    provenanceOf('p2', 'https://directory.example/STU3/Appointment/a1', 'CREATE'),
    provenanceOf('p3', 'https://directory.example/STU3/Appointment/a2', 'CREATE'),
  ],
}

/** As a client removes it: 3 KB. */
export const removedFlag = {
  ...flag,
  extension: [...flag.extension, removalReason],
  status: 'inactive',
}

/** Refused for five reasons, one for each element that differs. */
export const editedFlag = {
  ...flag,
  language: 'en-GB',
  subject: { reference: 'https://demographics.example/STU3/Patient/9000000017' },
  period: { start: '2026-03-02', end: '2026-12-31' },
  author: { reference: 'https://directory.example/STU3/Practitioner/n43' },
  encounter: { reference: 'https://directory.example/STU3/Encounter/e1' },
}

const conditionOf = (id: string) => ({
  resourceType: 'Condition',
  id,
  clinicalStatus: 'active',
  category: [{ text: 'Issue' }],
  code: { coding: [{ system: 'http://snomed.info/sct', code: '15188001', display: 'Hearing loss' }] },
  subject: { reference: 'https://demographics.example/STU3/Patient/9000000009' },
  assertedDate: '2026-03-02',
})

const shippedList = shipped('list-1')

/** A List of impairments with an entry each; 50 of them are 19 KB. */
export function listOf(conditions: number) {
  const ids = Array.from({ length: conditions }, (_, at) => `c${at}`)
  return {
    ...shippedList,
    id: idPlaceholder,
    meta: { versionId: '1', ...(shippedList['meta'] as object) },
    contained: ids.map(conditionOf),
    entry: ids.map((id) => ({ deleted: false, date: '2026-03-02', item: { reference: `#${id}` } })),
  }
}

/** The same when the one in the middle has been removed. */
export function listWithout(conditions: number) {
  const list = listOf(conditions)
  const removed = `c${Math.floor(conditions / 2)}`
  return {
    ...list,
    contained: list.contained.map((condition) =>
      condition.id === removed ? { ...condition, extension: [removalReason], clinicalStatus: 'inactive' } : condition,
    ),
    entry: list.entry.map((entry) => (entry.item.reference === `#${removed}` ? { ...entry, deleted: true } : entry)),
  }
}

/** A page of a search: 200 KB, of a server that writes its own URLs into it. */
export const searchPage = {
  resourceType: 'Bundle',
  id: 'page-1',
  type: 'searchset',
  total: 80,
  link: [
    { relation: 'self', url: '{origin}/STU3/Flag?status=active&_count=80' },
    { relation: 'next', url: '{origin}/STU3?_getpages=6b1e6f0c&_getpagesoffset=80&_count=80' },
  ],
  entry: Array.from({ length: 80 }, (_, at) => ({
    fullUrl: `{origin}/STU3/Flag/f${at}`,
    resource: { ...flag, id: `f${at}` },
    search: { mode: 'match' },
  })),
}

/** 2 KB, FHIR R4. */
export const observation = {
  resourceType: 'Observation',
  id: idPlaceholder,
  meta: { versionId: '1', lastUpdated: '2026-03-02T09:30:00.000+00:00' },
  contained: ['p1', 'p2', 'p3'].map((id) => ({
    resourceType: 'Practitioner',
    id,
    identifier: [{ system: 'https://directory.example/ids', value: `N-${id}` }],
    name: [{ family: 'Quill', given: ['Ada'], prefix: ['Nurse'] }],
    telecom: [{ system: 'phone', value: '01632 960001', use: 'work' }],
    address: [{ line: ['1 Fernbank Road'], city: 'Millrace', postalCode: 'MR1 1AA' }],
  })),
  identifier: [{ system: 'https://lab.example/ids', value: 'A-1' }],
  status: 'preliminary',
  category: [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] },
  ],
  code: { coding: [{ system: 'http://loinc.org', code: '2823-3', display: 'Potassium' }] },
  subject: { reference: 'Patient/p1' },
  effectiveDateTime: '2026-03-02T09:00:00+00:00',
  performer: ['p1', 'p2', 'p3'].map((id) => ({ reference: `#${id}` })),
  valueQuantity: { value: 4.1, unit: 'mmol/l', system: 'http://unitsofmeasure.org', code: 'mmol/L' },
  note: [{ text: 'Taken while fasting.' }, { text: 'Repeated because the first sample was haemolysed.' }],
}

export const correction = [{ op: 'replace', path: '/valueQuantity/value', value: 4.3 }]

export const capabilityOf = (fhirVersion: string) => ({
  resourceType: 'CapabilityStatement',
  status: 'active',
  date: '2026-01-01',
  kind: 'instance',
  fhirVersion,
  format: ['json', 'xml'],
})

/** The same resource in FHIR XML. */
export function inXml(resource: object): string {
  const bytes = Buffer.from(JSON.stringify(resource))
  const read = readResource(bytes, 'json', definitionsOf('STU3'), { nesting: 64 })
  if (!read.ok) throw new Error('A record of the benchmark is not well-formed.')
  return writeResource(read.value, 'xml')
}
