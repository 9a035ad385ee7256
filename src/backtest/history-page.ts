import { versionOfEntityTag } from '../fhir/entity-tag.ts'
import { isFhirId } from '../fhir/reading.ts'
import { itemsOf, membersOf, textIn, wholeOf, type Slice } from './json-slices.ts'
import type { ToldVersion } from './version.ts'

/** One page of a history. https://hl7.org/fhir/R4/http.html#history */
export interface HistoryPage {
  /** In the order in which the server tells them: the newest first. */
  readonly versions: readonly ToldVersion[]
  /** Entries that do not say of which resource they tell. */
  readonly nameless: number
  /** How many versions there are on all pages, when the server says so. */
  readonly total: number | undefined
  /** The URL of the next page, as written. */
  readonly next: string | undefined
}

/** Reads a Bundle of type history; undefined for what is none. The resources in it are sliced out, not read. */
export function readHistoryPage(text: string): HistoryPage | undefined {
  const bundle = membersOf(text, wholeOf(text))
  if (!bundle || stringAt(text, bundle, 'resourceType') !== 'Bundle') return undefined
  if (stringAt(text, bundle, 'type') !== 'history') return undefined
  const links = listAt(text, bundle, 'link')
  const entries = listAt(text, bundle, 'entry')
  if (!links || !entries) return undefined
  const next = links
    .map((link) => membersOf(text, link))
    .find((link) => link && stringAt(text, link, 'relation') === 'next')
  const url = next && stringAt(text, next, 'url')
  if (next && url === undefined) return undefined
  const versions = entries.map((entry) => versionOfEntry(text, entry))
  const told = versions.filter((version) => version !== undefined)
  const total = bundle.get('total')
  return {
    versions: told,
    nameless: versions.length - told.length,
    total:
      total && /^\d{1,15}$/.test(text.slice(total.start, total.end))
        ? Number(text.slice(total.start, total.end))
        : undefined,
    next: url,
  }
}

/** A version on a line of its own, as in the NDJSON of a bulk export; undefined when it does not say what it is. */
export function readVersion(text: string): ToldVersion | undefined {
  return versionOfResource(text, wholeOf(text))
}

type Members = ReadonlyMap<string, Slice>

function stringAt(text: string, members: Members, name: string): string | undefined {
  const slice = members.get(name)
  return slice && textIn(text, slice)
}

/** Empty when it is absent, undefined when it is no list. */
function listAt(text: string, members: Members, name: string): readonly Slice[] | undefined {
  const slice = members.get(name)
  return slice ? itemsOf(text, slice) : []
}

function objectAt(text: string, members: Members, name: string): Members {
  const slice = members.get(name)
  return (slice && membersOf(text, slice)) ?? new Map()
}

function versionOfEntry(text: string, slice: Slice): ToldVersion | undefined {
  const entry = membersOf(text, slice)
  if (!entry) return undefined
  const request = objectAt(text, entry, 'request')
  const response = objectAt(text, entry, 'response')
  const stored = entry.get('resource')
  const own = stored && versionOfResource(text, stored)
  const url = stringAt(text, request, 'url') ?? ''
  const named = nameIn(url) ?? nameIn(stringAt(text, entry, 'fullUrl') ?? '')
  const { type, id } = own ?? named ?? {}
  if (type === undefined || id === undefined) return undefined
  const deleted = stringAt(text, request, 'method') === 'DELETE'
  const etag = stringAt(text, response, 'etag')
  return {
    type,
    id,
    version: own?.version ?? (etag === undefined ? undefined : versionOfEntityTag(etag)) ?? nameIn(url)?.version,
    at: own?.at ?? stringAt(text, response, 'lastModified'),
    state: deleted ? 'deleted' : stored ? 'stored' : 'unreadable',
    text: stored && !deleted ? text.slice(stored.start, stored.end) : undefined,
  }
}

function versionOfResource(text: string, slice: Slice): ToldVersion | undefined {
  const resource = membersOf(text, slice)
  if (!resource) return undefined
  const type = stringAt(text, resource, 'resourceType')
  const id = stringAt(text, resource, 'id')
  if (type === undefined || id === undefined || !nameIn(`${type}/${id}`)) return undefined
  const meta = objectAt(text, resource, 'meta')
  const version = stringAt(text, meta, 'versionId')
  return {
    type,
    id,
    version: version !== undefined && isFhirId(version) ? version : undefined,
    at: stringAt(text, meta, 'lastUpdated'),
    state: 'stored',
    text: text.slice(slice.start, slice.end),
  }
}

/** The end of a URL: `[type]/[id]`, `[type]/[id]/_history/[version]`. */
function nameIn(url: string): { readonly type: string; readonly id: string; readonly version?: string } | undefined {
  const id = '[A-Za-z0-9\\-.]{1,64}'
  const found = new RegExp(`(?:^|/)([A-Z][A-Za-z]{0,63})/(${id})(?:/_history/(${id}))?$`).exec(url)
  if (!found) return undefined
  return { type: found[1]!, id: found[2]!, ...(found[3] !== undefined && { version: found[3] }) }
}
