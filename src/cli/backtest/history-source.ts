import { readHistoryPage, readVersion } from '../../backtest/history-page.ts'
import { CannotGoOn, type Batch, type HistorySource } from '../../backtest/sources.ts'
import type { Position } from '../../backtest/state.ts'
import type { Version } from '../../backtest/version.ts'
import { mediaTypeOf, formatOfAnswer } from '../../fhir/media-type.ts'
import { decodeUtf8 } from '../../fhir/unicode.ts'
import type { UpstreamClient, UpstreamReply } from '../../upstream/client.ts'
import { sentenceOfReply } from '../server-answer.ts'
import { waitingTime } from './retry-after.ts'

export interface HistoryReading {
  readonly client: UpstreamClient
  /** The FHIR base, without trailing slash. */
  readonly upstream: URL
  /** Credentials. */
  readonly headerFields: Readonly<Record<string, string>>
  /** `Flag`, `Flag/1`, or empty for everything. */
  readonly targets: readonly string[]
  /** How many versions are asked for at once. */
  readonly pageSize: number
  /** The largest page. */
  readonly maxBytes: number
  readonly stop: AbortSignal
  /** Resolves after some milliseconds, or rejects when it is stopped. */
  wait(milliseconds: number, stop: AbortSignal): Promise<void>
  now(): number
}

/** How often something is asked anew when the server wants to be left alone for a while. */
const attempts = 6

/** Reads histories of a FHIR server by their `next` links, one page at a time and one ahead. */
export function historySource(reading: HistoryReading): HistorySource {
  const { client, stop } = reading
  const giveUp = () => void client.destroy()
  stop.addEventListener('abort', giveUp, { once: true })
  return {
    batches: (from) => batches(reading, from),
    textOf: (version) => textOf(reading, version),
    async close() {
      stop.removeEventListener('abort', giveUp)
      await client.destroy()
    },
  }
}

async function* batches(reading: HistoryReading, from: Position): AsyncGenerator<Batch, void, undefined> {
  const { targets, upstream, pageSize } = reading
  const base = upstream.pathname.replace(/\/$/, '')
  for (let target = from.target; target < targets.length; target++) {
    const name = targets[target]!
    const resumed = target === from.target ? from : undefined
    let told = resumed?.told ?? 0
    let path: string | undefined =
      resumed?.next ?? `${base}${name === '' ? '' : `/${name}`}/_history?_count=${pageSize}`
    let coming = ask(reading, path)
    while (path !== undefined) {
      const page = pageOf(await coming)
      const next: string | undefined = page.next === undefined ? undefined : nextPath(page.next, upstream)
      if (next === path) throw new CannotGoOn('The FHIR server’s link to the next page leads to the same page.')
      if (next !== undefined) {
        coming = ask(reading, next)
        // It is awaited after this page has been judged; should it fail until then, that is no fault of its own.
        coming.catch(() => undefined)
      }
      told += page.versions.length + page.nameless
      yield {
        versions: page.versions,
        nameless: page.nameless,
        namelessAt: [],
        endsTarget: next === undefined,
        position: next === undefined ? { target: target + 1, told: 0 } : { target, next, told },
        progress: { target: name === '' ? 'all types' : name, done: told, total: page.total },
      }
      path = next
    }
  }
}

function pageOf(reply: UpstreamReply) {
  if (reply.kind === 'too-large') {
    throw new CannotGoOn(
      'A page of the history is larger than the bound: ask for fewer versions at once (--page-size).',
    )
  }
  if (reply.kind !== 'answered' || reply.status !== 200) throw new CannotGoOn(sentenceOfReply(reply))
  const text = formatOfAnswer(reply.headerFields['content-type']) === 'json' ? decodeUtf8(reply.body) : undefined
  const page = text?.ok ? readHistoryPage(text.value) : undefined
  if (!page) throw new CannotGoOn('The FHIR server’s answer is not a history in FHIR JSON.')
  return page
}

/** The credentials go to the origin that the operator has named, and nowhere else. */
function nextPath(link: string, upstream: URL): string {
  const base = `${upstream.href.replace(/\/$/, '')}/`
  const url = URL.canParse(link, base) ? new URL(link, base) : undefined
  if (url?.origin !== upstream.origin) {
    throw new CannotGoOn(
      'The FHIR server’s link to the next page leads to another address than --upstream: name the one that the server has for itself.',
    )
  }
  return url.pathname + url.search
}

/** A version that waited too long to be kept, read by its number. */
async function textOf(reading: HistoryReading, version: Version): Promise<string | undefined> {
  if (version.version === undefined) return undefined
  const base = reading.upstream.pathname.replace(/\/$/, '')
  const reply = await ask(reading, `${base}/${version.type}/${version.id}/_history/${version.version}`)
  if (reply.kind === 'answered' && (reply.status === 404 || reply.status === 410)) return undefined
  if (reply.kind !== 'answered' || reply.status !== 200) throw new CannotGoOn(sentenceOfReply(reply))
  const text = decodeUtf8(reply.body)
  const read = text.ok ? readVersion(text.value) : undefined
  const isIt = read?.type === version.type && read.id === version.id && read.version === version.version
  return isIt ? read.text : undefined
}

/** Asks, and asks anew as long as the server wants to be asked later. */
async function ask(reading: HistoryReading, path: string): Promise<UpstreamReply> {
  for (let attempt = 1; ; attempt++) {
    const reply = await reading.client.send({
      method: 'GET',
      path,
      headerFields: { ...reading.headerFields, accept: mediaTypeOf.json, 'accept-encoding': 'identity' },
      maxBytes: reading.maxBytes,
    })
    const isBusy = reply.kind === 'answered' && (reply.status === 429 || reply.status === 503)
    if (!isBusy || attempt === attempts) return reply
    const milliseconds = waitingTime(reply.headerFields['retry-after'], attempt, reading.now())
    if (milliseconds === undefined) {
      throw new CannotGoOn(`The FHIR server answered ${reply.status}, and wants to be asked again only much later.`)
    }
    await reading.wait(milliseconds, reading.stop)
  }
}
