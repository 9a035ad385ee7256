import { readFileSync, statSync } from 'node:fs'
import type { Format } from '../fhir/media-type.ts'
import { formatOfAnswer, mediaTypeOf } from '../fhir/media-type.ts'
import { createUpstreamClient } from '../upstream/client.ts'
import { sentenceOfReply } from './server-answer.ts'

/**
 * The bytes of a resource and their format, or one sentence that says why there are none: what was named is mistaken, or a
 * FHIR server did not give it. It holds nothing of a record.
 */
export type RecordRead =
  | { readonly bytes: Uint8Array; readonly format: Format }
  | { readonly mistake: string }
  | { readonly unanswered: string }

/** A resource, or one version of it, on a FHIR server. */
export interface RecordUrl {
  readonly origin: string
  /** `[base]`, without trailing slash. */
  readonly base: string
  readonly path: string
}

export interface RecordReading {
  readonly headerFields: Readonly<Record<string, string>>
  /** In which a server is asked. */
  readonly format: Format
  /** Standard input, whole. */
  stdin(): Promise<Uint8Array>
}

/** The largest record, in bytes. */
const maxBytes = 64 * 1024 * 1024

const timeouts = { connectMs: 10_000, firstByteMs: 60_000, betweenPartsMs: 60_000, wholeMs: 120_000 }

export const isUrl = (source: string) => /^https?:\/\//i.test(source)

/** Reads `[base]/[type]/[id]` and `[base]/[type]/[id]/_history/[version]`; undefined for what is neither. */
export function recordUrl(text: string): RecordUrl | undefined {
  if (!URL.canParse(text)) return undefined
  const { origin, pathname, username, password, search, hash } = new URL(text)
  if (username !== '' || password !== '' || search !== '' || hash !== '') return undefined
  const id = '[A-Za-z0-9\\-.]{1,64}'
  const found = new RegExp(`^(?<base>.*)/[A-Z][A-Za-z]+/${id}(?:/_history/${id})?$`).exec(pathname)
  return found ? { origin, base: origin + found.groups!.base!, path: pathname } : undefined
}

/** Reads a file, standard input (`-`), or the URL of a resource on a FHIR server. What it is in is told by its content. */
export async function readRecord(source: string, reading: RecordReading): Promise<RecordRead> {
  if (isUrl(source)) return readFromServer(source, reading)
  if (source === '-') return withFormat(await reading.stdin())
  try {
    const size = statSync(source, { throwIfNoEntry: false })?.size
    if (size === undefined) return { mistake: 'There is no such file.' }
    if (size > maxBytes) return { mistake: 'The file is larger than 64 MiB.' }
    return withFormat(readFileSync(source))
  } catch {
    return { mistake: 'The file cannot be read.' }
  }
}

/** FHIR XML begins with `<`, FHIR JSON with anything else. */
function withFormat(bytes: Uint8Array): RecordRead {
  const start = Buffer.from(bytes.subarray(0, 1000))
    .toString('latin1')
    .replace(/^\u00EF\u00BB\u00BF/, '')
  return { bytes, format: start.trimStart().startsWith('<') ? 'xml' : 'json' }
}

async function readFromServer(source: string, { headerFields, format }: RecordReading): Promise<RecordRead> {
  const url = recordUrl(source)
  if (!url) {
    return { mistake: 'Expected the URL of a resource, [base]/[type]/[id] or [base]/[type]/[id]/_history/[version].' }
  }
  const client = createUpstreamClient(url.origin, timeouts)
  try {
    const reply = await client.send({
      method: 'GET',
      path: url.path,
      headerFields: {
        ...headerFields,
        accept: mediaTypeOf[format],
        'accept-encoding': 'identity',
        'cache-control': 'no-cache',
      },
      maxBytes,
    })
    if (reply.kind !== 'answered' || reply.status !== 200) return { unanswered: sentenceOfReply(reply) }
    const answered = formatOfAnswer(reply.headerFields['content-type'])
    if (!answered) return { unanswered: 'The FHIR server’s answer is neither FHIR JSON nor FHIR XML.' }
    return { bytes: reply.body, format: answered }
  } finally {
    await client.close()
  }
}
