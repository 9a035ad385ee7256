import { createHash } from 'node:crypto'
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { readHistoryPage, readVersion } from '../../backtest/history-page.ts'
import { timeOf, type VersionIds } from '../../backtest/histories.ts'
import { CannotGoOn, type Batch, type HistorySource } from '../../backtest/sources.ts'
import type { Position } from '../../backtest/state.ts'
import { keyOf, type ToldVersion } from '../../backtest/version.ts'
import { decodeUtf8 } from '../../fhir/unicode.ts'
import { linesOf } from './lines.ts'

export interface NdjsonReading {
  readonly files: readonly string[]
  /** Only these types; empty for all. */
  readonly types: ReadonlySet<string>
  readonly versionIds: VersionIds
  /** How much is kept in memory until it is sorted, in characters; when there is more, it all goes through temporary files. */
  readonly keptCharacters: number
  readonly stop: AbortSignal
}

/** Fixed, so that a state says the same whenever it is gone on from. */
const count = 256

const batchSize = 500

/**
 * Reads versions of resources from files with one on each line, or one history Bundle. They are parted by a hash of type
 * and id so that the versions of one resource come together, and each part is sorted by itself.
 */
export function ndjsonSource(reading: NdjsonReading): HistorySource {
  const folder: { path?: string } = {}
  return {
    batches: (from) => batches(reading, from, folder),
    textOf: () => Promise.resolve(undefined),
    close() {
      if (folder.path !== undefined) rmSync(folder.path, { recursive: true, force: true })
      return Promise.resolve()
    },
  }
}

async function* batches(
  reading: NdjsonReading,
  from: Position,
  folder: { path?: string },
): AsyncGenerator<Batch, void, undefined> {
  const parts = new Parts(reading.keptCharacters, folder)
  let nameless = 0
  const namelessAt: string[] = []
  for (const file of reading.files) {
    for await (const { bytes, number } of lines(file)) {
      if (reading.stop.aborted) return
      const versions = versionsOf(bytes)
      // What was counted before an interruption is not counted again.
      if (!versions && from.target === 0) {
        nameless++
        if (namelessAt.length < 100) namelessAt.push(`${basename(file)}:${number}`)
      }
      for (const version of versions ?? []) {
        if (reading.types.size > 0 && !reading.types.has(version.type)) continue
        const part = partOf(version)
        if (part >= from.target) parts.add(part, version)
      }
    }
  }
  let done = 0
  for (let part = from.target; part < count; part++) {
    const sorted = newestFirst(await parts.take(part), reading.versionIds)
    if (sorted.length === 0 && part !== from.target && part !== count - 1) continue
    for (let start = 0; start === 0 || start < sorted.length; start += batchSize) {
      const versions = sorted.slice(start, start + batchSize)
      const endsTarget = start + batchSize >= sorted.length
      done += versions.length
      const isFirst = part === from.target && start === 0
      yield {
        versions,
        nameless: isFirst ? nameless : 0,
        namelessAt: isFirst ? namelessAt : [],
        endsTarget,
        position: endsTarget ? { target: part + 1, told: 0 } : undefined,
        progress: {
          target: reading.files.length === 1 ? basename(reading.files[0]!) : 'files',
          done,
          total: parts.total,
        },
      }
    }
  }
}

async function* lines(file: string) {
  try {
    yield* linesOf(file)
  } catch (error) {
    if (error instanceof CannotGoOn) throw error
    throw new CannotGoOn(`${file} cannot be read to its end.`, { cause: error })
  }
}

/** The versions that a line tells of; undefined when it does not say which they are. Nothing for an empty line. */
function versionsOf(bytes: Buffer): readonly ToldVersion[] | undefined {
  const text = decodeUtf8(bytes)
  if (!text.ok) return undefined
  if (text.value.trim() === '') return []
  const page = readHistoryPage(text.value)
  if (page) return page.nameless === 0 ? page.versions : undefined
  const version = readVersion(text.value)
  return version && [version]
}

function partOf(version: ToldVersion): number {
  return createHash('sha256').update(keyOf(version)).digest()[0]!
}

/** Versions in parts: in memory while there is little, else in temporary files that only this user can read. */
class Parts {
  readonly #waiting: string[][] = Array.from({ length: count }, () => [])
  readonly #most: number
  readonly #folder: { path?: string }
  #characters = 0
  total = 0

  constructor(most: number, folder: { path?: string }) {
    this.#most = most
    this.#folder = folder
  }

  add(part: number, version: ToldVersion): void {
    const line = JSON.stringify(version)
    this.#waiting[part]!.push(line)
    this.#characters += line.length
    this.total++
    if (this.#characters > this.#most) this.#write()
  }

  /** In the order in which they were added. */
  async take(part: number): Promise<ToldVersion[]> {
    const versions: ToldVersion[] = []
    const file = this.#file(part)
    if (file !== undefined && statSync(file, { throwIfNoEntry: false })) {
      for await (const { bytes } of linesOf(file)) versions.push(JSON.parse(bytes.toString('utf8')) as ToldVersion)
      rmSync(file)
    }
    for (const line of this.#waiting[part]!.splice(0)) versions.push(JSON.parse(line) as ToldVersion)
    return versions
  }

  #file(part: number): string | undefined {
    return this.#folder.path === undefined ? undefined : join(this.#folder.path, `${part}.ndjson`)
  }

  #write(): void {
    this.#folder.path ??= mkdtempSync(join(tmpdir(), 'fhir-policy-gateway-'))
    for (const [part, lines] of this.#waiting.entries()) {
      if (lines.length > 0) appendFileSync(this.#file(part)!, `${lines.join('\n')}\n`, { mode: 0o600 })
      this.#waiting[part] = []
    }
    this.#characters = 0
  }
}

/** The versions of one resource together, the newest first: by their numbers, else by their times, else as they came. */
function newestFirst(versions: readonly ToldVersion[], versionIds: VersionIds): ToldVersion[] {
  const byResource = new Map<string, ToldVersion[]>()
  for (const version of versions) {
    const own = byResource.get(keyOf(version))
    if (own) own.push(version)
    else byResource.set(keyOf(version), [version])
  }
  return [...byResource.values()].flatMap((own) => {
    const numbered = versionIds === 'counted' && own.every(({ version }) => /^\d{1,15}$/.test(version ?? ''))
    const order = (version: ToldVersion) => (numbered ? Number(version.version) : (timeOf(version) ?? Infinity))
    return own
      .map((version, index) => ({ version, index, order: order(version) }))
      .sort((a, b) => (a.order === b.order ? b.index - a.index : b.order > a.order ? 1 : -1))
      .map(({ version }) => version)
  })
}
