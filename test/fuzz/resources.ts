import type { Json, JsonObject } from './plain-json.ts'
import type { Random } from './random.ts'

export const removalUrl = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-RemovalReason-1'
export const linkUrl = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-Provenance-1'
const ownBase = 'https://clinicals.spineservices.nhs.uk/STU3'
const operation = 'http://hl7.org/fhir/v3/DataOperation'

/** One of the ways in which a contained resource is referred to; rarely one that means another. */
export function referenceTo(random: Random, type: string, id: string): string {
  const own = [`#${id}`, `#${id}`, `urn:uuid:${id}`, `${type}/${id}`, `${ownBase}/${type}/${id}`]
  if (!random.chance(0.03)) return random.pick(own)
  return random.pick([
    `https://elsewhere.example/${type}/${id}`,
    `${ownBase}x/${type}/${id}`,
    `#${id}x`,
    `Patient/${id}`,
  ])
}

/** A Provenance about something, mostly as it should be. */
export function provenance(random: Random, id: string, target: string, activity: 'CREATE' | 'UPDATE'): JsonObject {
  const resource: JsonObject = {
    resourceType: 'Provenance',
    id,
    target: [{ reference: target }],
    recorded: '2026-01-01T00:00:00Z',
  }
  if (random.chance(0.7)) {
    const code = random.chance(0.05) ? random.pick(['CREATE', 'UPDATE', 'DELETE']) : activity
    resource['activity'] = { system: random.chance(0.03) ? 'https://elsewhere.example' : operation, code }
  }
  if (random.chance(0.03))
    resource['text'] = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' }
  if (random.chance(0.03)) (resource['target'] as Json[]).push({ reference: random.pick([target, '#', '#c1']) })
  if (random.chance(0.2))
    resource['agent'] = [{ role: [{ text: 'nurse' }], whoReference: { reference: 'Practitioner/1' } }]
  return resource
}

/** The extension of a removal, mostly as it should be. */
export function removalReason(random: Random): JsonObject {
  const coding = (): JsonObject => ({
    system: random.pick([
      'https://fhir.nhs.uk/STU3/CodeSystem/RARecord-RemovalReason-1',
      'https://fhir.nhs.uk/STU3/CodeSystem/CodeSystem-RARecord-RemovalReason-1',
      ...(random.chance(0.1) ? ['https://elsewhere.example'] : []),
    ]),
    code: random.chance(0.05)
      ? random.pick(['Whim', 'error', ' Error'])
      : random.pick(['Error', 'PatientDissent', 'BestInterest']),
    ...(random.chance(0.2) && { display: 'x' }),
    ...(random.chance(0.1) && { userSelected: true }),
    ...(random.chance(0.02) && { id: 'x' }),
  })
  const concept: JsonObject = { coding: random.chance(0.15) ? [coding(), coding()] : [coding()] }
  if (random.chance(0.1)) concept['text'] = 'x'
  const blank = [' ', '\u00a0\u200b', '\u2800', '\u00ad', '\u2060 \ufeff', '\t']
  const subs: JsonObject[] = [
    { url: 'removalReason', valueCodeableConcept: concept },
    {
      url: 'supportingComment',
      valueString: random.chance(0.05) ? random.pick(blank) : random.pick(['because', '\u200bx']),
    },
  ]
  if (random.chance(0.3)) subs.reverse()
  if (random.chance(0.02)) subs.pop()
  if (random.chance(0.02)) subs.push({ url: random.pick(['removalReason', 'other']), valueString: 'x' })
  return { url: removalUrl, extension: subs }
}

export const link = (name: string, reference: string): JsonObject => ({ url: name, valueReference: { reference } })

function otherExtension(random: Random): JsonObject {
  return { url: random.pick(['https://a.example', 'https://b.example']), valueString: random.pick(['1', '2']) }
}

function maybeExtensions(random: Random, resource: JsonObject): void {
  if (random.chance(0.5)) return
  const extensions: JsonObject[] = []
  for (let i = random.int(3); i >= 0; i--) {
    if (random.chance(0.7)) extensions.push(otherExtension(random))
    else extensions.push({ url: linkUrl, extension: [link(random.chance(0.9) ? 'created' : 'updated', '#p1')] })
  }
  if (random.chance(0.03)) extensions.push(removalReason(random))
  resource['extension'] = extensions
}

function maybeMeta(random: Random, resource: JsonObject): void {
  if (random.chance(0.5)) return
  const meta: JsonObject = { versionId: random.pick(['1', '2']), lastUpdated: '2026-01-01T00:00:00Z' }
  if (random.chance(0.5)) meta['profile'] = ['https://profile.example']
  if (random.chance(0.05)) meta['_versionId'] = { extension: [otherExtension(random)] }
  resource['meta'] = meta
}

const status = (random: Random, others: readonly string[]) => (random.chance(0.85) ? 'active' : random.pick(others))

function item(random: Random, type: 'Flag' | 'Consent'): JsonObject {
  const resource: JsonObject = {
    resourceType: type,
    id: 'f1',
    status: status(random, ['inactive', 'entered-in-error']),
  }
  maybeMeta(random, resource)
  maybeExtensions(random, resource)
  if (random.chance(0.4)) {
    resource['contained'] = [provenance(random, 'p1', random.pick(['#', `${type}/f1`]), 'CREATE')]
  }
  const codings = Array.from({ length: random.int(3) + 1 }, () => ({ code: random.pick(['1', '2', '3']) }))
  if (type === 'Flag') {
    resource['code'] = { coding: codings }
    resource['subject'] = { reference: 'Patient/1' }
  } else {
    resource['category'] = [{ coding: codings }]
    resource['patient'] = { reference: 'Patient/1' }
  }
  return resource
}

/** A contained Condition. */
export function condition(random: Random, id: string, clinicalStatus: string): JsonObject {
  const resource: JsonObject = { resourceType: 'Condition', id, clinicalStatus }
  maybeMeta(random, resource)
  if (random.chance(0.5)) resource['code'] = { coding: [{ code: random.pick(['1', '2']) }] }
  if (random.chance(0.5)) resource['subject'] = { reference: 'Patient/1' }
  return resource
}

/** An entry of a List. */
export function entry(random: Random, type: string, id: string): JsonObject {
  const made: JsonObject = { item: { reference: referenceTo(random, type, id) } }
  if (random.chance(0.6)) made['deleted'] = false
  if (random.chance(0.5)) made['date'] = '2026-01-01'
  return made
}

function list(random: Random): JsonObject {
  const contained: JsonObject[] = []
  const entries: JsonObject[] = []
  const count = random.int(4)
  for (let n = 1; n <= count; n++) {
    const made = condition(random, `c${n}`, status(random, ['inactive', 'resolved']))
    maybeExtensions(random, made)
    contained.push(made)
    if (random.chance(0.95)) entries.push(entry(random, 'Condition', `c${n}`))
    if (random.chance(0.05)) entries.push(entry(random, 'Condition', `c${n}`))
    if (random.chance(made['clinicalStatus'] === 'active' ? 0.05 : 0.6)) {
      for (const one of entries.slice(-1)) one['deleted'] = true
    }
    if (random.chance(0.5)) {
      contained.push(provenance(random, `p${n}`, `#c${n}`, 'CREATE'))
      if (random.chance(0.7)) entries.push(entry(random, 'Provenance', `p${n}`))
    }
  }
  const resource: JsonObject = { resourceType: 'List', id: 'l1', status: 'current', mode: 'changes' }
  maybeMeta(random, resource)
  if (contained.length > 0) resource['contained'] = contained
  if (entries.length > 0) resource['entry'] = entries
  return resource
}

/** A resource as it may be stored. */
export function storedResource(random: Random): JsonObject {
  const kind = random.int(4)
  return kind === 0 ? item(random, 'Flag') : kind === 1 ? item(random, 'Consent') : list(random)
}
