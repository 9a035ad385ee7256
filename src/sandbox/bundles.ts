import { randomUUID } from 'node:crypto'
import type { Definitions } from '../fhir/definitions.ts'
import { entityTagOf } from '../fhir/entity-tag.ts'
import type { Resource } from '../fhir/element.ts'
import { type Plain, resourceOf } from './lenient.ts'
import type { Version } from './store.ts'
import { instantOf } from './stored-form.ts'

const defaultCount = 20
const keptResults = 200

/** What a search or a history found, kept so that its further pages can be asked for. */
interface Result {
  readonly id: string
  readonly type: 'searchset' | 'history'
  readonly versions: readonly Version[]
  readonly lastUpdated: Date
}

/** Answers searches and histories page by page, with links like HAPI's: `[base]?_getpages=…&_getpagesoffset=…`. */
export class Bundles {
  readonly #definitions: Definitions
  readonly #clock: () => Date
  readonly #results = new Map<string, Result>()

  constructor(definitions: Definitions, clock: () => Date) {
    this.#definitions = definitions
    this.#clock = clock
  }

  /**
   * The first page.
   * @param self the URL that was asked for
   */
  first(
    type: Result['type'],
    versions: readonly Version[],
    query: URLSearchParams,
    base: string,
    self: string,
  ): Resource {
    const result: Result = { id: randomUUID(), type, versions, lastUpdated: this.#clock() }
    this.#results.set(result.id, result)
    if (this.#results.size > keptResults) this.#results.delete(this.#results.keys().next().value!)
    return this.#page(result, 0, countOf(query), base, self, query)
  }

  /** A further page by the parameters of its link; undefined when the search is not known (any more). */
  further(query: URLSearchParams, base: string): Resource | undefined {
    const result = this.#results.get(query.get('_getpages') ?? '')
    if (!result) return undefined
    const offset = Math.max(0, Number.parseInt(query.get('_getpagesoffset') ?? '0', 10) || 0)
    return this.#page(result, offset, countOf(query), base, `${base}?${query}`, query)
  }

  #page(result: Result, offset: number, count: number, base: string, self: string, query: URLSearchParams): Resource {
    const { id, type, versions, lastUpdated } = result
    const page = versions.slice(offset, offset + count)
    const linkTo = (at: number) => {
      const parameters = new URLSearchParams({ _getpages: id, _getpagesoffset: String(at), _count: String(count) })
      for (const name of ['_format', '_pretty']) if (query.has(name)) parameters.set(name, query.get(name)!)
      parameters.set('_bundletype', type)
      return `${base}?${parameters}`
    }
    const link = [{ relation: 'self', url: self }]
    if (count > 0 && offset + count < versions.length) link.push({ relation: 'next', url: linkTo(offset + count) })
    if (count > 0 && offset > 0) link.push({ relation: 'previous', url: linkTo(Math.max(0, offset - count)) })
    const plain = {
      resourceType: 'Bundle',
      id: offset === 0 ? id : randomUUID(),
      meta: { lastUpdated: instantOf(lastUpdated) },
      type,
      total: versions.length,
      link,
      entry: page.map((version) => (type === 'searchset' ? searchEntry(version, base) : historyEntry(version, base))),
    }
    return resourceOf(plain, this.#definitions)!
  }
}

function countOf(query: URLSearchParams): number {
  const count = Number.parseInt(query.get('_count') ?? '', 10)
  return count >= 0 ? count : defaultCount
}

function searchEntry({ type, id, resource }: Version, base: string): Plain {
  return { fullUrl: `${base}/${type}/${id}`, resource, search: { mode: 'match' } }
}

const methods = { create: 'POST', update: 'PUT', delete: 'DELETE' } as const
const statuses = { create: '201 Created', update: '200 OK', delete: '204 No Content' } as const

function historyEntry({ type, id, version, lastUpdated, resource, by }: Version, base: string): Plain {
  return {
    fullUrl: `${base}/${type}/${id}`,
    resource,
    request: { method: methods[by], url: by === 'create' ? type : `${type}/${id}` },
    response: {
      status: by === 'update' && version === 1 ? statuses.create : statuses[by],
      etag: entityTagOf(String(version)),
      lastModified: instantOf(lastUpdated),
    },
  }
}
