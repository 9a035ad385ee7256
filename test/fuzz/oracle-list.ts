import {
  containedNames,
  hasNarrative,
  bringsRemovalReason,
  hasUnknown,
  isRemovalOf,
  provenanceAbout,
  refersTo,
} from './oracle-removal.ts'
import { isObject, listOf, onlyKeys, same, without, type JsonObject } from './plain-json.ts'

/**
 * A List: contained Conditions may be removed, and Conditions may be added, several at once. Everything that was there stays
 * in its place; what comes is appended, and each thing that comes belongs to one of these Conditions.
 */
export function mayPassList(before: JsonObject, after: JsonObject): boolean {
  if (!same(without(before, 'contained', 'entry'), without(after, 'contained', 'entry'))) return false
  const contained = listOf(after['contained'])
  const entries = listOf(after['entry'])
  const storedContained = listOf(before['contained'])
  const storedEntries = listOf(before['entry'])
  if (contained.length < storedContained.length || entries.length < storedEntries.length) return false

  const newResources = contained.slice(storedContained.length)
  const newEntries = entries.slice(storedEntries.length)
  const added = newResources.filter((resource) => resource['resourceType'] === 'Condition')
  const provenances = newResources.filter((resource) => resource['resourceType'] === 'Provenance')
  if (added.length + provenances.length !== newResources.length) return false

  // What has been found to belong to a Condition; in the end nothing may be left over.
  const explained = new Set<JsonObject>()

  /** At most one Provenance about a Condition, with at most one entry of its own. */
  const provenancesOf = (condition: JsonObject, activity: 'CREATE' | 'UPDATE'): JsonObject[] | undefined => {
    const names = containedNames(condition)
    const about = provenances.filter((provenance) =>
      listOf(provenance['target']).some((target) => refersTo(target, names)),
    )
    if (about.length > 1 || about.some((provenance) => !provenanceAbout(provenance, names, activity))) return undefined
    for (const provenance of about) {
      const own = newEntries.filter((entry) => refersTo(entry['item'], containedNames(provenance)))
      if (own.length > 1 || !own.every(isSoundNewEntry)) return undefined
      for (const item of [provenance, ...own]) explained.add(item)
    }
    return about
  }

  const entriesToDelete = new Set<number>()
  for (const [i, stored] of storedContained.entries()) {
    const condition = contained[i]!
    if (same(stored, condition)) continue
    if (stored['resourceType'] !== 'Condition') return false
    const about = provenancesOf(stored, 'UPDATE')
    if (!about || !isRemovalOf(stored, condition, 'clinicalStatus', about[0])) return false
    const own = [...storedEntries.keys()].filter((k) => refersTo(storedEntries[k]!['item'], containedNames(stored)))
    if (own.length === 0) return false
    for (const k of own) entriesToDelete.add(k)
  }
  for (const [k, stored] of storedEntries.entries()) {
    const entry = entries[k]!
    if (entriesToDelete.has(k) ? !isDeletionOf(stored, entry) : !same(stored, entry)) return false
  }

  for (const condition of added) {
    if (condition['clinicalStatus'] !== 'active' || bringsRemovalReason(condition)) return false
    if (hasNarrative(condition) || hasUnknown(condition)) return false
    const own = newEntries.filter((entry) => refersTo(entry['item'], containedNames(condition)))
    if (own.length !== 1 || !isSoundNewEntry(own[0]!) || !provenancesOf(condition, 'CREATE')) return false
    for (const item of [condition, ...own]) explained.add(item)
  }
  return [...newResources, ...newEntries].every((item) => explained.has(item))
}

/** `deleted` from false, or absent, to true, and nothing else. */
function isDeletionOf(stored: JsonObject, entry: JsonObject): boolean {
  return (
    (stored['deleted'] === undefined || stored['deleted'] === false) &&
    entry['deleted'] === true &&
    same(without(stored, 'deleted'), without(entry, 'deleted'))
  )
}

/** An entry that comes: it refers, it is not deleted, it may have a date, and that is all. */
function isSoundNewEntry(entry: JsonObject): boolean {
  const item = entry['item']
  return (
    onlyKeys(entry, ['item', 'deleted', 'date', '_date']) &&
    isObject(item) &&
    onlyKeys(item, ['reference', 'display']) &&
    (entry['deleted'] === undefined || entry['deleted'] === false) &&
    !hasUnknown(entry)
  )
}
