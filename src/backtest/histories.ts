import { keyOf, type Version } from './version.ts'

/** What a version that a history tells comes to, beside the newer ones that it has told. */
export type Step =
  /** A history that nobody has seen before. */
  | { readonly kind: 'history' }
  /** A write of the past, to be judged: a create has no before, a delete no after. */
  | {
      readonly kind: 'write'
      readonly interaction: 'create' | 'update' | 'delete'
      readonly before: Version | undefined
      readonly after: Version
    }
  /** A write of which one side cannot be read. */
  | { readonly kind: 'unreadable-write' }
  /** Versions between two that follow each other in the history are not there: the two are no pair. */
  | { readonly kind: 'gap'; readonly missing: number }
  /** The first version is not there: what is the oldest was not created as it stands. */
  | { readonly kind: 'no-beginning' }
  /** A version that was told before: pages shift when something is written meanwhile. */
  | { readonly kind: 'seen-again' }

/** Whether version ids are numbers that count up by one, so that what is missing shows, or say nothing. */
export type VersionIds = 'counted' | 'opaque'

/** What must be known of the histories to go on with them. */
export interface HistoriesState {
  /** The oldest version seen of each history that may go on. */
  readonly open: readonly Version[]
  /** `[type]/[id]` of each history that has been seen whole. */
  readonly closed: readonly string[]
}

/**
 * Pairs the versions of resources as histories tell them, the newest of each first; different resources may be mixed. One
 * short entry is kept for each resource, and no content.
 */
export class Histories {
  readonly #versionIds: VersionIds
  readonly #open = new Map<string, Version>()
  readonly #closed: Set<string>

  constructor(versionIds: VersionIds, state: HistoriesState = { open: [], closed: [] }) {
    this.#versionIds = versionIds
    for (const version of state.open) this.#open.set(keyOf(version), version)
    this.#closed = new Set(state.closed)
  }

  get state(): HistoriesState {
    return { open: [...this.#open.values()], closed: [...this.#closed] }
  }

  get size(): number {
    return this.#open.size + this.#closed.size
  }

  /** Whether an older version of it would still be paired. */
  isOpen(key: string): boolean {
    return this.#open.has(key)
  }

  take(version: Version): readonly Step[] {
    const key = keyOf(version)
    if (this.#closed.has(key)) return [{ kind: 'seen-again' }]
    const newer = this.#open.get(key)
    if (newer && !this.#isOlder(version, newer)) return [{ kind: 'seen-again' }]
    const steps: Step[] = newer ? this.#between(version, newer) : [{ kind: 'history' }]
    if (this.#isFirst(version)) {
      steps.push(...creation(version))
      this.#open.delete(key)
      this.#closed.add(key)
    } else this.#open.set(key, version)
    return steps
  }

  /** Nothing older will be told. What has been seen is forgotten, one history after another. */
  *end(): Generator<{ readonly oldest: Version; readonly steps: readonly Step[] }> {
    for (const [key, oldest] of this.#open) {
      const begins = this.#counted(oldest) === undefined
      yield { oldest, steps: begins ? creation(oldest) : [{ kind: 'no-beginning' }] }
      this.#open.delete(key)
    }
    this.#closed.clear()
  }

  #between(before: Version, after: Version): Step[] {
    const [older, newer] = [this.#counted(before), this.#counted(after)]
    if (older !== undefined && newer !== undefined && newer - older > 1) {
      return [{ kind: 'gap', missing: newer - older - 1 }]
    }
    if (after.state === 'deleted' && before.state === 'deleted') return []
    if (before.state === 'deleted') return creation(after)
    if (after.state === 'unreadable' || before.state === 'unreadable') return [{ kind: 'unreadable-write' }]
    return [{ kind: 'write', interaction: after.state === 'deleted' ? 'delete' : 'update', before, after }]
  }

  #isFirst(version: Version): boolean {
    return this.#counted(version) === 1
  }

  #counted({ version }: Version): number | undefined {
    return this.#versionIds === 'counted' && version !== undefined && /^\d{1,15}$/.test(version)
      ? Number(version)
      : undefined
  }

  /** By their numbers, else by their times; where neither tells, the server’s order does. */
  #isOlder(version: Version, newer: Version): boolean {
    if (version.version !== undefined && version.version === newer.version) return false
    const [one, other] = [this.#counted(version), this.#counted(newer)]
    if (one !== undefined && other !== undefined) return one < other
    const [at, newerAt] = [timeOf(version), timeOf(newer)]
    return at === undefined || newerAt === undefined || at <= newerAt
  }
}

function creation(version: Version): Step[] {
  switch (version.state) {
    case 'stored':
      return [{ kind: 'write', interaction: 'create', before: undefined, after: version }]
    case 'unreadable':
      return [{ kind: 'unreadable-write' }]
    case 'deleted':
      return []
  }
}

/** Milliseconds; undefined where the time is not told, or not as FHIR writes an instant. */
export function timeOf({ at }: Pick<Version, 'at'>): number | undefined {
  const time = at === undefined ? Number.NaN : Date.parse(at)
  return Number.isNaN(time) ? undefined : time
}
