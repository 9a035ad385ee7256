import type { Definitions } from '../fhir/definitions.ts'
import { type Resource, sameElement, withoutServerOwned } from '../fhir/element.ts'
import { identified, mergedForward, storedForm } from './stored-form.ts'

/** One version of a resource; without `resource` it says that the resource was deleted then. */
export interface Version {
  readonly type: string
  readonly id: string
  readonly version: number
  readonly lastUpdated: Date
  readonly resource?: Resource
}

export type Update =
  { readonly kind: 'created' | 'updated'; readonly version: Version } | { readonly kind: 'not-current' }

/** Every version of every resource, in memory. It judges no content; like HAPI, it takes what it can read. */
export class Store {
  readonly #definitions: Definitions
  readonly #clock: () => Date
  /** By type, then by id; versions in ascending order. */
  readonly #versions = new Map<string, Map<string, Version[]>>()
  #lastAssigned = 0

  constructor(definitions: Definitions, clock: () => Date) {
    this.#definitions = definitions
    this.#clock = clock
  }

  types(): readonly string[] {
    return [...this.#versions.keys()].sort()
  }

  /** Oldest first; empty for an id that was never there. */
  history(type: string, id: string): readonly Version[] {
    return this.#versions.get(type)?.get(id) ?? []
  }

  current(type: string, id: string): Version | undefined {
    return this.history(type, id).at(-1)
  }

  /** The current versions of a type, deleted ones left out, in the order in which the ids came. */
  all(type: string): readonly (Version & { readonly resource: Resource })[] {
    const histories = [...(this.#versions.get(type)?.values() ?? [])]
    return histories.map((versions) => versions.at(-1)!).filter(isStored)
  }

  create(body: Resource): Version {
    let id: string
    do id = String((this.#lastAssigned += 1))
    while (this.history(body.type, id).length > 0)
    return this.#append(storedForm(body), id, 1)
  }

  /**
   * As HAPI does it: an unknown id is created whatever `ifMatch` says; a deleted one is revived after the version number of
   * its deletion; what changes nothing makes no version. `lastUpdated` is for records that are loaded from files.
   */
  update(body: Resource, id: string, ifMatch?: number, lastUpdated?: Date): Update {
    const current = this.current(body.type, id)
    const sent = storedForm(body)
    if (!current) return { kind: 'created', version: this.#append(sent, id, 1, lastUpdated) }
    if (ifMatch !== undefined && ifMatch !== current.version) return { kind: 'not-current' }
    const last = this.history(body.type, id).findLast(isStored)!.resource
    const merged = mergedForward(sent, last, this.#definitions)
    if (!current.resource) {
      return { kind: 'created', version: this.#append(merged, id, current.version + 1, lastUpdated) }
    }
    const next = identified(merged, { ...current }, this.#definitions)
    if (sameElement(withoutServerOwned(next), withoutServerOwned(current.resource))) {
      return { kind: 'updated', version: current }
    }
    return { kind: 'updated', version: this.#append(merged, id, current.version + 1, lastUpdated) }
  }

  /** The tombstone; undefined when there is nothing to delete. */
  delete(type: string, id: string): Version | undefined {
    const current = this.current(type, id)
    if (!current?.resource) return undefined
    const tombstone: Version = { type, id, version: current.version + 1, lastUpdated: this.#clock() }
    this.#versions.get(type)!.get(id)!.push(tombstone)
    return tombstone
  }

  #append(content: Resource, id: string, number: number, at?: Date): Version {
    const identity = { id, version: number, lastUpdated: at ?? this.#clock() }
    const resource = identified(content, identity, this.#definitions)
    const version: Version = { type: content.type, ...identity, resource }
    let ids = this.#versions.get(content.type)
    if (!ids) this.#versions.set(content.type, (ids = new Map()))
    const versions = ids.get(id)
    if (versions) versions.push(version)
    else ids.set(id, [version])
    return version
  }
}

export function isStored(version: Version): version is Version & { readonly resource: Resource } {
  return version.resource !== undefined
}
