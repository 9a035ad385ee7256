import { isObject, listOf, onlyKeys, same, type Json, type JsonObject } from './plain-json.ts'

const removalUrl = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-RemovalReason-1'
const linkUrl = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-Provenance-1'
const systems = [
  'https://fhir.nhs.uk/STU3/CodeSystem/RARecord-RemovalReason-1',
  'https://fhir.nhs.uk/STU3/CodeSystem/CodeSystem-RARecord-RemovalReason-1',
]
const codes = ['Error', 'PatientDissent', 'ProxyDissent', 'DoesntApply', 'BestInterest']
const ownBase = 'https://clinicals.spineservices.nhs.uk/STU3'

/** The elements that the generators make up and FHIR does not know. */
const unknownElement = 'bogus'

export const hasRemovalReason = (resource: JsonObject) =>
  listOf(resource['extension']).some((extension) => extension['url'] === removalUrl)

/** A new Condition has none, under whichever name it is put. */
export const bringsRemovalReason = (resource: JsonObject) =>
  hasRemovalReason(resource) ||
  listOf(resource['modifierExtension']).some((extension) => extension['url'] === removalUrl)

/** What a resource is called relative to its server, and absolutely. */
export function ownNames(resource: JsonObject): string[] {
  const name = `${resource['resourceType']}/${resource['id']}`
  return [name, `${ownBase}/${name}`]
}

/** What a contained resource is called besides. */
export const containedNames = (resource: JsonObject) => [
  `#${resource['id']}`,
  `urn:uuid:${resource['id']}`,
  ...ownNames(resource),
]

export function refersTo(reference: Json | undefined, names: readonly string[]): boolean {
  return isObject(reference) && names.includes(String(reference['reference']))
}

/**
 * Whether one resource is the other, removed: its status from active to inactive, the reason and the comment added, and, if a
 * Provenance was appended, perhaps a link to it.
 */
export function isRemovalOf(before: JsonObject, after: JsonObject, status: string, appended?: JsonObject): boolean {
  if (before[status] !== 'active' || after[status] !== 'inactive' || hasRemovalReason(before)) return false
  const extensions = listOf(after['extension'])
  const removals = extensions.filter((extension) => extension['url'] === removalUrl)
  if (removals.length !== 1 || !isSoundRemoval(removals[0]!)) return false

  // Everything else must be as it was, once what the removal brought is taken away.
  const others = extensions.filter((extension) => extension['url'] !== removalUrl)
  return withoutLink(others, listOf(before['extension']), appended).some((kept) => {
    const restored: JsonObject = { ...after, [status]: 'active' }
    set(restored, 'extension', kept)
    return same(restored, before)
  })
}

/** The extensions as they may have been before a link to the appended Provenance was added, or as they are. */
function withoutLink(extensions: JsonObject[], stored: JsonObject[], appended: JsonObject | undefined): JsonObject[][] {
  const possible = [extensions]
  if (appended === undefined) return possible
  const linkCount = (list: JsonObject[]) =>
    list
      .filter((e) => e['url'] === linkUrl)
      .flatMap((e) => listOf(e['extension']).filter((s) => s['url'] === 'updated')).length
  if (linkCount(extensions) !== 1 || linkCount(stored) !== 0) return possible
  extensions.forEach((extension, i) => {
    if (extension['url'] !== linkUrl) return
    const subs = listOf(extension['extension'])
    const link = subs.find((s) => s['url'] === 'updated')
    if (!link || !isSoundLink(link, appended)) return
    const others = subs.filter((s) => s !== link)
    const before = { ...extension }
    set(before, 'extension', others)
    if (others.length > 0) possible.push(extensions.with(i, before))
    // It may come whole, with the link alone, where there was none: there is one of it at most.
    else if (same(Object.keys(before), ['url']) && !stored.some((e) => e['url'] === linkUrl))
      possible.push(extensions.toSpliced(i, 1))
  })
  return possible
}

function isSoundLink(link: JsonObject, provenance: JsonObject): boolean {
  const reference = link['valueReference']
  return (
    onlyKeys(link, ['url', 'valueReference']) &&
    isObject(reference) &&
    onlyKeys(reference, ['reference', 'display']) &&
    refersTo(reference, containedNames(provenance))
  )
}

function isSoundRemoval(extension: JsonObject): boolean {
  const subs = listOf(extension['extension'])
  const reason = subs.filter((s) => s['url'] === 'removalReason')
  const comment = subs.filter((s) => s['url'] === 'supportingComment')
  if (!onlyKeys(extension, ['url', 'extension']) || subs.length !== 2 || reason.length !== 1 || comment.length !== 1)
    return false
  if (!onlyKeys(reason[0]!, ['url', 'valueCodeableConcept']) || !onlyKeys(comment[0]!, ['url', 'valueString']))
    return false
  if (typeof comment[0]!['valueString'] !== 'string' || isBlank(comment[0]!['valueString'])) return false
  const concept = reason[0]!['valueCodeableConcept']
  if (!isObject(concept) || !onlyKeys(concept, ['coding', 'text'])) return false
  const codings = listOf(concept['coding'])
  const listed = codings.filter((coding) => systems.includes(String(coding['system'])))
  return (
    codings.every((coding) => onlyKeys(coding, ['system', 'version', 'code', 'display', 'userSelected'])) &&
    listed.length > 0 &&
    listed.every((coding) => codes.includes(String(coding['code'])))
  )
}

/** White space, and characters that show nothing. */
const isBlank = (text: string) =>
  /^[\s\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\u2800\u3164\ufeff]*$/.test(text)

/** A Provenance that may be appended: with one target, of these names, and an activity that is absent or this one. */
export function provenanceAbout(resource: JsonObject, names: readonly string[], activity: 'CREATE' | 'UPDATE') {
  const targets = listOf(resource['target'])
  const coding = resource['activity']
  return (
    resource['resourceType'] === 'Provenance' &&
    !hasNarrative(resource) &&
    !hasUnknown(resource) &&
    targets.length === 1 &&
    refersTo(targets[0], names) &&
    (coding === undefined ||
      (isObject(coding) && coding['system'] === 'http://hl7.org/fhir/v3/DataOperation' && coding['code'] === activity))
  )
}

export const hasNarrative = (resource: JsonObject) => resource['text'] !== undefined

/** Nobody can say what an element means that FHIR does not define: none may be added. */
export function hasUnknown(json: Json): boolean {
  if (Array.isArray(json)) return json.some(hasUnknown)
  if (!isObject(json)) return false
  return Object.keys(json).some((name) => name === unknownElement || hasUnknown(json[name]!))
}

/** The same but for a list under one name; an empty one is none. */
function set(object: JsonObject, name: string, list: Json[]): void {
  if (list.length > 0) object[name] = list
  else delete object[name]
}
