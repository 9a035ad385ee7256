import { mayPassList } from './oracle-list.ts'
import { provenanceAbout, isRemovalOf, ownNames } from './oracle-removal.ts'
import { isObject, listOf, same, without, type Json, type JsonObject } from './plain-json.ts'

/**
 * Says whether an update of a Flag, a Consent or a List may pass, written plainly and apart from the judge: on plain JSON
 * values, straight from the API's rules, without differences, claims or policy files.
 */
export function mayPass(stored: JsonObject, sent: JsonObject): boolean {
  const before = withoutServers(stored)
  const after = withoutServers(sent)
  if (same(before, after)) return true
  return after['resourceType'] === 'List' ? mayPassList(before, after) : mayPassItem(before, after)
}

/** A Flag or a Consent: a removal is all that may happen to it, and one Provenance about it may be appended. */
function mayPassItem(before: JsonObject, after: JsonObject): boolean {
  const stored = listOf(before['contained'])
  const contained = listOf(after['contained'])
  const appended = contained.slice(stored.length)
  if (appended.length > 1 || !same(contained.slice(0, stored.length), stored)) return false
  const names = ['#', ...ownNames(after)]
  if (appended.some((resource) => !provenanceAbout(resource, names, 'UPDATE'))) return false
  return isRemovalOf(without(before, 'contained'), without(after, 'contained'), 'status', appended[0])
}

/** Without the values that belong to the server, which are not compared; what hangs on them stays. */
function withoutServers(resource: JsonObject): JsonObject {
  const copy = without(resource, 'meta')
  if (isObject(resource['meta'])) {
    const meta = without(resource['meta'], 'versionId', 'lastUpdated')
    if (Object.keys(meta).length > 0) copy['meta'] = meta
  }
  if (Array.isArray(copy['contained'])) {
    copy['contained'] = copy['contained'].map((item): Json => (isObject(item) ? withoutServers(item) : item))
  }
  return copy
}
