import { parseJson, writeJson } from '../../src/fhir/json.ts'
import { definitionsOf } from '../../src/fhir/definitions.ts'
import { parseXml, writeXml } from '../../src/fhir/xml.ts'

/** Records of a reasonable-adjustments kind, as JSON, and the two forms in which they travel. */
export type Json = Record<string, unknown>

export type Format = 'json' | 'xml'

export const mediaType: Readonly<Record<Format, string>> = {
  json: 'application/fhir+json',
  xml: 'application/fhir+xml',
}

const patient = 'https://demographics.example/STU3/Patient/9000000009'

export const removalUrl = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-RemovalReason-1'

export function removal(code = 'DoesntApply', comment = 'The patient has asked for it.'): Json {
  const system = 'https://fhir.nhs.uk/STU3/CodeSystem/RARecord-RemovalReason-1'
  return {
    url: removalUrl,
    extension: [
      { url: 'removalReason', valueCodeableConcept: { coding: [{ system, code }] } },
      { url: 'supportingComment', valueString: comment },
    ],
  }
}

export function provenance(id: string, target: string, activity: 'CREATE' | 'UPDATE'): Json {
  return {
    resourceType: 'Provenance',
    id,
    target: [{ reference: target }],
    recorded: '2026-03-02T09:30:00+00:00',
    activity: { system: 'http://hl7.org/fhir/v3/DataOperation', code: activity },
    agent: [{ whoReference: { reference: 'https://directory.example/STU3/Practitioner/n42', display: 'Nurse A' } }],
  }
}

export function flag(id: string): Json {
  return {
    resourceType: 'Flag',
    id,
    contained: [provenance('p1', '#', 'CREATE')],
    extension: [
      {
        url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-AdjustmentCategory-1',
        valueCodeableConcept: {
          coding: [{ system: 'https://fhir.nhs.uk/STU3/CodeSystem/RARecord-AdjustmentCategory-1', code: '001' }],
        },
      },
    ],
    status: 'active',
    code: { coding: [{ system: 'http://snomed.info/sct', code: '796161000000101', display: 'Requires Easyread' }] },
    subject: { reference: patient },
  }
}

export function consent(id: string): Json {
  return {
    resourceType: 'Consent',
    id,
    extension: [
      { url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-ProxyRole-1', valueString: 'x' },
    ],
    status: 'active',
    patient: { reference: patient },
    policy: [{ authority: 'https://authority.example', uri: 'https://authority.example/policy' }],
  }
}

function condition(id: string, text: string): Json {
  return {
    resourceType: 'Condition',
    id,
    clinicalStatus: 'active',
    code: { text },
    subject: { reference: patient },
  }
}

export function list(id: string): Json {
  return {
    resourceType: 'List',
    id,
    contained: [condition('c1', 'Hearing'), condition('c2', 'Sight')],
    status: 'current',
    mode: 'changes',
    title: 'Reasonable adjustments',
    subject: { reference: patient },
    entry: [{ deleted: false, item: { reference: '#c1' } }, { item: { reference: '#c2' } }],
  }
}

export function removed(record: Json): Json {
  return { ...record, status: 'inactive', extension: [...(record['extension'] as Json[]), removal()] }
}

/** A List in which the first condition has been removed. */
export function withoutFirstCondition(record: Json): Json {
  const after = structuredClone(record) as { contained: Json[]; entry: Json[] } & Json
  Object.assign(after.contained[0]!, { clinicalStatus: 'inactive', extension: [removal()] })
  after.contained.push(provenance('p9', '#c1', 'UPDATE'))
  Object.assign(after.entry[0]!, { deleted: true })
  return after
}

const definitions = definitionsOf('STU3')

/** The text of a record in a format. */
export function written(record: Json, format: Format): string {
  const read = parseJson(JSON.stringify(record), definitions)
  if (!read.ok) throw new Error(JSON.stringify(read.faults))
  return format === 'json' ? writeJson(read.value) : writeXml(read.value)
}

/** A text in a format, as JSON without what belongs to the server. */
export function content(text: string, format: Format): Json {
  const read = format === 'json' ? parseJson(text, definitions) : parseXml(text, definitions)
  if (!read.ok) throw new Error(`${JSON.stringify(read.faults)} ${text}`)
  const json = JSON.parse(writeJson(read.value)) as Json
  const meta = json['meta'] as Json | undefined
  if (meta) {
    delete meta['versionId']
    delete meta['lastUpdated']
    if (Object.keys(meta).length === 0) delete json['meta']
  }
  return json
}
