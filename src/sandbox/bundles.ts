import { randomUUID } from 'node:crypto'
import type { Definitions } from '../fhir/definitions.ts'
import type { SandboxAnswer } from './message.ts'
import { type Plain, resourceOf } from './lenient.ts'
import type { Version } from './store.ts'
import { instantOf } from './stored-form.ts'

const defaultCount = 20
const keptSearches = 200

/** What a search found, kept so that its further pages can be asked for. */
interface Found {
  readonly id: string
  readonly at: Date
  readonly versions: readonly Version[]
}

interface Page {
  readonly versions: readonly Version[]
  readonly offset: number
  readonly count: number
}

/** Answers searches and histories page by page. */
export class Bundles {
  readonly #definitions: Definitions
  readonly #clock: () => Date
  readonly #searches = new Map<string, Found>()

  constructor(definitions: Definitions, clock: () => Date) {
    this.#definitions = definitions
    this.#clock = clock
  }

  /**
   * The first page of a search. Its links to others are like HAPI's: `[base]?_getpages=…&_getpagesoffset=…`.
   * @param self the URL that was asked for
   */
  search(versions: readonly Version[], query: URLSearchParams, base: string, self: string): SandboxAnswer {
    const found: Found = { id: randomUUID(), at: this.#clock(), versions }
    this.#searches.set(found.id, found)
    if (this.#searches.size > keptSearches) this.#searches.delete(this.#searches.keys().next().value!)
    return this.#searchPage(found, 0, query, base, self)
  }

  /** A further page of a search by the parameters of its link; undefined when the search is not known (any more). */
  further(query: URLSearchParams, base: string): SandboxAnswer | undefined {
    const found = this.#searches.get(query.get('_getpages') ?? '')
    return found && this.#searchPage(found, numberOf(query, '_getpagesoffset') ?? 0, query, base, `${base}?${query}`)
  }

  /** @param url of the history, without query */
  history(versions: readonly Version[], query: URLSearchParams, base: string, url: string): SandboxAnswer {
    const page = { versions, offset: numberOf(query, '_offset') ?? 0, count: numberOf(query, '_count') ?? defaultCount }
    const linkTo = (offset: number) => `${url}?_count=${page.count}&_offset=${offset}`
    const self = query.size > 0 ? `${url}?${query}` : url
    const id = randomUUID()
    const answer = this.#answer('history', id, this.#clock(), page, linksOf(page, self, linkTo), (version) => ({
      fullUrl: `${base}/${version.type}/${version.id}`,
      resource: version.resource,
      request: { method: methodOf(version), url: `${version.type}/${version.id}/_history/${version.version}` },
    }))
    return { ...answer, fields: { ...answer.fields, 'Content-Location': `${base}/Bundle/${id}` } }
  }

  #searchPage(found: Found, offset: number, query: URLSearchParams, base: string, self: string): SandboxAnswer {
    const page = { versions: found.versions, offset, count: numberOf(query, '_count') ?? defaultCount }
    const linkTo = (to: number) => {
      const parameters = new URLSearchParams({ _getpages: found.id, _getpagesoffset: `${to}`, _count: `${page.count}` })
      for (const name of ['_format', '_pretty']) if (query.has(name)) parameters.set(name, query.get(name)!)
      return `${base}?${parameters}&_bundletype=searchset`
    }
    const id = offset === 0 ? found.id : randomUUID()
    return this.#answer('searchset', id, found.at, page, linksOf(page, self, linkTo), (version) => ({
      fullUrl: `${base}/${version.type}/${version.id}`,
      resource: version.resource,
      search: { mode: 'match' },
    }))
  }

  #answer(
    type: string,
    id: string,
    at: Date,
    page: Page,
    link: Plain,
    entry: (version: Version) => Plain,
  ): SandboxAnswer {
    const plain = {
      resourceType: 'Bundle',
      id,
      meta: { lastUpdated: instantOf(at) },
      type,
      total: page.versions.length,
      link,
      entry: page.versions.slice(page.offset, page.offset + page.count).map(entry),
    }
    const fields = { 'Last-Modified': at.toUTCString() }
    return { status: 200, resource: resourceOf(plain, this.#definitions)!, fields }
  }
}

function linksOf({ versions, offset, count }: Page, self: string, linkTo: (offset: number) => string): Plain {
  const links = [{ relation: 'self', url: self }]
  if (count > 0 && offset + count < versions.length) links.push({ relation: 'next', url: linkTo(offset + count) })
  if (count > 0 && offset > 0) links.push({ relation: 'previous', url: linkTo(Math.max(0, offset - count)) })
  return links
}

function methodOf(version: Version): string {
  if (!version.resource) return 'DELETE'
  return version.version === 1 ? 'POST' : 'PUT'
}

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name) ?? ''
  return /^\d+$/.test(value) ? Number(value) : undefined
}
