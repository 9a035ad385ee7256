/**
 * Says whether an update of a Flag or a Consent may pass, written plainly and apart from the judge: on plain JSON values,
 * straight from the API's rules, without differences, claims or policy files.
 */
const removalUrl = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-RemovalReason-1'
const linkUrl = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-Provenance-1'
const systems = [
  'https://fhir.nhs.uk/STU3/CodeSystem/RARecord-RemovalReason-1',
  'https://fhir.nhs.uk/STU3/CodeSystem/CodeSystem-RARecord-RemovalReason-1',
]
const codes = ['Error', 'PatientDissent', 'ProxyDissent', 'DoesntApply', 'BestInterest']

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
export type JsonObject = { [name: string]: Json }

export function mayPass(before: JsonObject, after: JsonObject): boolean {
  if (same(before, after)) return true
  if (before['status'] !== 'active' || after['status'] !== 'inactive') return false

  const extensions = listOf(after['extension'])
  const storedExtensions = listOf(before['extension'])
  if (storedExtensions.some((e) => e['url'] === removalUrl)) return false
  const removals = extensions.filter((e) => e['url'] === removalUrl)
  if (removals.length !== 1 || !soundRemoval(removals[0]!)) return false

  const stored = listOf(before['contained'])
  const contained = listOf(after['contained'])
  const appended = contained.slice(stored.length)
  if (appended.length > 1 || !same(contained.slice(0, stored.length), stored)) return false
  if (appended.some((resource) => !soundProvenance(resource, String(after['id']), String(after['resourceType']))))
    return false

  // Everything else must be as it was, once what the removal brought is taken away.
  const rest = extensions.filter((e) => e['url'] !== removalUrl)
  const provenance = appended[0]?.['id']
  return withoutLink(rest, storedExtensions, provenance).some((kept) => {
    const restored: JsonObject = { ...after, status: 'active' }
    set(restored, 'contained', stored)
    set(restored, 'extension', kept)
    return same(restored, before)
  })
}

/** The extensions as they may have been before a link to the appended Provenance was added, or as they are. */
function withoutLink(extensions: JsonObject[], stored: JsonObject[], provenance: Json | undefined): JsonObject[][] {
  const possible = [extensions]
  if (provenance === undefined) return possible
  const linkCount = (list: JsonObject[]) =>
    list
      .filter((e) => e['url'] === linkUrl)
      .flatMap((e) => listOf(e['extension']).filter((s) => s['url'] === 'updated')).length
  if (linkCount(extensions) !== 1 || linkCount(stored) !== 0) return possible
  extensions.forEach((extension, i) => {
    if (extension['url'] !== linkUrl) return
    const subs = listOf(extension['extension'])
    const link = subs.find((s) => s['url'] === 'updated')
    if (!link || !soundLink(link, provenance)) return
    const others = subs.filter((s) => s !== link)
    const before = { ...extension }
    set(before, 'extension', others)
    if (others.length > 0) possible.push(extensions.with(i, before))
    else if (same(Object.keys(before), ['url'])) possible.push(extensions.toSpliced(i, 1))
  })
  return possible
}

function soundLink(link: JsonObject, provenance: Json): boolean {
  const reference = link['valueReference'] as JsonObject | undefined
  return (
    onlyKeys(link, ['url', 'valueReference']) &&
    reference !== undefined &&
    onlyKeys(reference, ['reference', 'display']) &&
    [`#${provenance}`, `urn:uuid:${provenance}`, `Provenance/${provenance}`].includes(String(reference['reference']))
  )
}

function soundRemoval(extension: JsonObject): boolean {
  const subs = listOf(extension['extension'])
  const reason = subs.filter((s) => s['url'] === 'removalReason')
  const comment = subs.filter((s) => s['url'] === 'supportingComment')
  if (!onlyKeys(extension, ['url', 'extension']) || subs.length !== 2 || reason.length !== 1 || comment.length !== 1)
    return false
  if (!onlyKeys(reason[0]!, ['url', 'valueCodeableConcept']) || !onlyKeys(comment[0]!, ['url', 'valueString']))
    return false
  if (typeof comment[0]!['valueString'] !== 'string' || !/[^\s\u00a0\u200b\ufeff]/.test(comment[0]!['valueString']))
    return false
  const concept = reason[0]!['valueCodeableConcept'] as JsonObject | undefined
  if (!concept || !onlyKeys(concept, ['coding', 'text'])) return false
  const codings = listOf(concept['coding'])
  const listed = codings.filter((coding) => systems.includes(String(coding['system'])))
  return (
    codings.every((coding) => onlyKeys(coding, ['system', 'version', 'code', 'display', 'userSelected'])) &&
    listed.length > 0 &&
    listed.every((coding) => codes.includes(String(coding['code'])))
  )
}

function soundProvenance(resource: JsonObject, id: string, type: string): boolean {
  const targets = listOf(resource['target'])
  const target = targets[0]
  const activity = resource['activity'] as JsonObject | undefined
  return (
    resource['resourceType'] === 'Provenance' &&
    resource['text'] === undefined &&
    targets.length === 1 &&
    onlyKeys(target!, ['reference', 'display']) &&
    ['#', `${type}/${id}`].includes(String(target!['reference'])) &&
    (activity === undefined ||
      (activity['system'] === 'http://hl7.org/fhir/v3/DataOperation' && activity['code'] === 'UPDATE'))
  )
}

function set(object: JsonObject, name: string, list: Json[]): void {
  if (list.length > 0) object[name] = list
  else delete object[name]
}

const listOf = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? (value as JsonObject[]) : [])
const onlyKeys = (object: JsonObject, keys: string[]) => Object.keys(object).every((key) => keys.includes(key))

export function same(a: Json, b: Json): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => key in b && same((a as JsonObject)[key]!, (b as JsonObject)[key]!))
  )
}
