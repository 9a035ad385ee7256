import { isObject, listOf, type Json, type JsonObject } from './plain-json.ts'
import type { Random } from './random.ts'
import { condition, entry, link, linkUrl, provenance, referenceTo, removalReason } from './resources.ts'

/** Makes of a stored resource one that is sent: changes that the rules know, mostly whole, and others that they do not. */
export function changed(random: Random, stored: JsonObject): JsonObject {
  const resource = structuredClone(stored)
  if (resource['resourceType'] === 'List') changeList(random, resource)
  else if (random.chance(0.85)) removeItem(random, resource)
  if (random.chance(0.45)) for (let i = random.int(3); i >= 0; i--) mutate(random, resource)
  return resource
}

/** Each step of a change is taken, or rarely forgotten. */
const step = (random: Random) => !random.chance(0.03)

const items = (resource: JsonObject, name: string) =>
  ((resource[name] as Json[] | undefined) ??= []) && (resource[name] as Json[])

function put(random: Random, list: Json[], added: JsonObject): void {
  list.splice(random.chance(0.97) ? list.length : random.int(list.length + 1), 0, added)
}

function removeItem(random: Random, resource: JsonObject): void {
  markRemoved(random, resource, 'status')
  if (!random.chance(0.5)) return
  const own = random.pick([
    '#',
    `${resource['resourceType']}/f1`,
    `https://clinicals.spineservices.nhs.uk/STU3/${resource['resourceType']}/f1`,
  ])
  put(random, items(resource, 'contained'), provenance(random, 'p9', own, 'UPDATE'))
  if (random.chance(0.03)) put(random, items(resource, 'contained'), provenance(random, 'p8', own, 'UPDATE'))
  if (random.chance(0.5)) addLink(random, resource, 'p9')
}

function markRemoved(random: Random, resource: JsonObject, status: string): void {
  if (step(random))
    resource[status] = random.chance(0.98) ? 'inactive' : random.pick(['active', 'entered-in-error', 'resolved'])
  if (!step(random)) return
  const extensions = items(resource, 'extension')
  extensions.splice(random.int(extensions.length + 1), 0, removalReason(random))
}

function addLink(random: Random, resource: JsonObject, id: string): void {
  const extensions = items(resource, 'extension')
  const there = listOf(extensions).find((extension) => extension['url'] === linkUrl)
  const updated = link('updated', referenceTo(random, 'Provenance', id))
  if (there && random.chance(0.95)) put(random, items(there, 'extension'), updated)
  else put(random, extensions, { url: linkUrl, extension: [updated] })
}

function changeList(random: Random, resource: JsonObject): void {
  for (const stored of listOf(resource['contained']).slice()) {
    if (stored['resourceType'] === 'Condition' && random.chance(0.4)) removeCondition(random, resource, stored)
  }
  for (let n = 5; random.chance(0.35) && n < 8; n++) addCondition(random, resource, n)
}

function removeCondition(random: Random, resource: JsonObject, stored: JsonObject): void {
  const id = String(stored['id'])
  markRemoved(random, stored, 'clinicalStatus')
  for (const one of listOf(resource['entry'])) {
    const { item } = one
    const reference = isObject(item) ? String(item['reference']) : ''
    if (reference.endsWith(id) && step(random)) one['deleted'] = true
  }
  if (!random.chance(0.5)) return
  const provenanceId = `u${id}`
  put(
    random,
    items(resource, 'contained'),
    provenance(random, provenanceId, referenceTo(random, 'Condition', id), 'UPDATE'),
  )
  if (random.chance(0.5)) addLink(random, stored, provenanceId)
  if (random.chance(0.5)) put(random, items(resource, 'entry'), entry(random, 'Provenance', provenanceId))
}

function addCondition(random: Random, resource: JsonObject, n: number): void {
  const added = condition(random, `c${n}`, random.chance(0.97) ? 'active' : 'inactive')
  if (random.chance(0.02)) added[random.pick(['extension', 'modifierExtension'])] = [removalReason(random)]
  put(random, items(resource, 'contained'), added)
  if (step(random)) put(random, items(resource, 'entry'), entry(random, 'Condition', `c${n}`))
  if (!random.chance(0.5)) return
  put(
    random,
    items(resource, 'contained'),
    provenance(random, `p${n}`, referenceTo(random, 'Condition', `c${n}`), 'CREATE'),
  )
  if (random.chance(0.5)) put(random, items(resource, 'entry'), entry(random, 'Provenance', `p${n}`))
}

/** Every object and every list of a resource. */
function containers(json: Json, found: (JsonObject | Json[])[] = []): (JsonObject | Json[])[] {
  if (typeof json !== 'object' || json === null) return found
  found.push(json)
  for (const child of Object.values(json)) containers(child, found)
  return found
}

/** One change somewhere, whether the rules know it or not. */
function mutate(random: Random, resource: JsonObject): void {
  const place = random.pick(containers(resource).filter((container) => Object.keys(container).length > 0))
  if (Array.isArray(place)) mutateList(random, place)
  else mutateObject(random, place)
}

function mutateList(random: Random, list: Json[]): void {
  const i = random.int(list.length)
  const j = random.int(list.length)
  switch (random.int(5)) {
    case 0:
      list.splice(i, 1)
      break
    case 1:
      list.splice(j, 0, structuredClone(list[i]!))
      break
    case 2:
      ;[list[i], list[j]] = [list[j]!, list[i]!]
      break
    case 3:
      list.reverse()
      break
    default:
      list.push(...list.splice(i, 1))
  }
}

function mutateObject(random: Random, object: JsonObject): void {
  const name = random.pick(Object.keys(object))
  const value = object[name]
  switch (random.int(6)) {
    case 0:
      delete object[name]
      break
    case 1:
      // A narrative's text is XHTML, in which not every text can stand.
      if (typeof value === 'string' && name !== 'div')
        object[name] = random.pick(['active', 'inactive', '#c1', '#', 'x', value.toUpperCase(), `${value} `])
      else if (typeof value === 'boolean') object[name] = !value
      break
    case 2:
      if (typeof value !== 'object' && !name.startsWith('_') && name !== 'resourceType')
        object[`_${name}`] = { id: 'x' }
      else object['id'] = 'x'
      break
    case 3:
      object[random.chance(0.5) && ('reference' in object || 'system' in object) ? 'display' : 'bogus'] = 'x'
      break
    case 4:
      items(object, 'extension').push({ url: 'https://a.example', valueString: '1' })
      break
    default: {
      const [added, values] = random.pick(additions(object))
      object[added] = structuredClone(random.pick(values))
    }
  }
}

/** What FHIR knows in such an object, beside what the generators put there. */
function additions(object: JsonObject): readonly (readonly [string, readonly Json[]])[] {
  const identifier = { value: 'x' }
  if ('item' in object) {
    return [
      ['deleted', [true, false, 'true']],
      ['flag', [{ text: 'x' }]],
      ['item', [{ reference: '#c1' }, { identifier }]],
      ['date', ['2026-02-02']],
    ]
  }
  if ('reference' in object) return [['identifier', [identifier]]]
  const ofAnyResource: readonly (readonly [string, readonly Json[]])[] = [
    ['modifierExtension', [[{ url: 'https://a.example', valueBoolean: true }]]],
    ['language', ['en', 'de']],
    ['implicitRules', ['https://a.example']],
  ]
  switch (object['resourceType']) {
    case 'Flag':
      return [...ofAnyResource, ['period', [{ start: '2026-01-01' }]], ['identifier', [[identifier]]]]
    case 'Consent':
      return [...ofAnyResource, ['dateTime', ['2026-01-01']], ['identifier', [identifier]]]
    case 'Condition':
      return [...ofAnyResource, ['note', [[{ text: 'x' }]]], ['identifier', [[identifier]]]]
    case 'List':
      return [...ofAnyResource, ['note', [[{ text: 'x' }]]], ['title', ['x']]]
    case 'Provenance':
      return [...ofAnyResource, ['policy', [['https://a.example']]], ['period', [{ start: '2026-01-01' }]]]
    default:
      return [['bogus', ['x']]]
  }
}
