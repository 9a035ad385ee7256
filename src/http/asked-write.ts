import { readResource } from '../fhir/body.ts'
import { isFormatOnly, readCriteria, readIfNoneExist } from '../fhir/criteria.ts'
import type { Resource } from '../fhir/element.ts'
import { acceptedMediaTypes, formatOfBody, type Format } from '../fhir/media-type.ts'
import { malformedBody, mismatchOf } from '../policy/refusals-of-bodies.ts'
import type { Refusal } from '../policy/refusal.ts'
import { decodeUtf8 } from '../fhir/unicode.ts'
import { bodyBounds, readBody } from './body.ts'
import type { Exchange } from './exchange.ts'
import { acceptedPatchTypes, patchOfParameters, patchOfText, textFormOf, type PatchContent } from './patch-content.ts'
import type { Preconditions } from './preconditions.ts'
import { refuse, type Reply } from './reply.ts'

/** What a write is to bring about, as the client has it. */
export type Content =
  { readonly kind: 'resource'; readonly resource: Resource } | PatchContent['content'] | { readonly kind: 'nothing' }

/** A write whose preconditions and body have been read, whichever way it came. */
export interface AskedWrite {
  readonly interaction: 'create' | 'update' | 'patch' | 'delete'
  readonly type: string
  /** Undefined for a create, and where criteria stand for it. */
  readonly id: string | undefined
  /** The criteria of a conditional interaction, written anew. */
  readonly criteria: string | undefined
  /** The version that If-Match names; without it, it is the current one. */
  readonly version: string | undefined
  /** What would have been refused of the request if it were not for report mode. */
  readonly reported: readonly Refusal[]
  /** The format in which before and after are compared, and in which after is sent. */
  readonly format: Format
  readonly content: Content
}

export type ReadWrite =
  { readonly ok: true; readonly write: AskedWrite } | { readonly ok: false; readonly reply: Reply }

const refused = (reply: Reply) => ({ ok: false, reply }) as const

/** Reads what a request asks for; its preconditions have been read before, and met as far as they are known. */
export async function readWrite(
  exchange: Exchange,
  interaction: AskedWrite['interaction'],
  type: string,
  { version, reported }: Extract<Preconditions, { kind: 'met-later' }>,
): Promise<ReadWrite> {
  const { interaction: asked, head } = exchange
  if (asked.id !== undefined && !isFormatOnly(asked.query)) {
    return refused(
      refuse('request-malformed', 'This target takes no query but `_format` and `_pretty`; leave the rest out.'),
    )
  }
  const ifNoneExist = interaction === 'create' ? head.fieldLines('if-none-exist')[0] : undefined
  const read =
    ifNoneExist !== undefined
      ? readIfNoneExist(ifNoneExist, type)
      : asked.conditional
        ? readCriteria(asked.query)
        : undefined
  if (read && 'sentence' in read) return refused(refuse('request-malformed', read.sentence))
  const about = { interaction, type, id: asked.id, criteria: read?.criteria, version, reported }
  if (interaction === 'delete') return { ok: true, write: { ...about, format: 'json', content: { kind: 'nothing' } } }
  if (interaction === 'patch') {
    const patch = await readPatch(exchange)
    return patch.ok ? { ok: true, write: { ...about, ...patch.patch } } : patch
  }
  const { id } = asked
  const sent = await readSentResource(exchange, (format) =>
    id === undefined || version === undefined
      ? undefined
      : exchange.base.storedVersions.peek({ type, id, version, format, callerFields: exchange.callerFields }),
  )
  if (!sent.ok) return sent
  const { resource, format } = sent
  const mismatch = mismatchOf(resource, type, asked.id)
  if (mismatch) return refused({ kind: 'refused', refusals: [mismatch] })
  // What is new comes before what is copied, here and wherever each update passes: the other way round it takes ten times as
  // long on Node 20, up to 9 µs.
  return { ok: true, write: { format, content: { kind: 'resource', resource }, ...about } }
}

/** Reads a patch in one of its forms; it is applied when the stored version is known. */
async function readPatch(
  exchange: Exchange,
): Promise<{ readonly ok: true; readonly patch: PatchContent } | { readonly ok: false; readonly reply: Reply }> {
  const { base, config, head } = exchange
  const { definitions, release } = base.policy
  const { nesting, elements, bodyBytes } = config.limits
  const bounds = { nesting, elements, characters: bodyBytes }
  const contentType = head.headerFields['content-type']
  const form = textFormOf(contentType)
  if (form) {
    const body = await readSentBytes(exchange)
    if (!body.ok) return body
    const text = decodeUtf8(body.bytes)
    return text.ok
      ? { ok: true, patch: patchOfText(form, text.value, definitions, bounds) }
      : refused({ kind: 'refused', refusals: malformedBody(text.faults) })
  }
  const offered = acceptedPatchTypes(release)
  if (release === 'STU3' || 'sentence' in formatOfBody(contentType, release)) {
    return refused(refuse('media-type', `Send a patch as one of: ${offered}.`, { 'accept-patch': offered }))
  }
  const sent = await readSentResource(exchange)
  if (!sent.ok) return sent
  if (sent.resource.type !== 'Parameters') {
    return refused(refuse('body-mismatch', 'A patch in FHIR’s own form is a Parameters resource.'))
  }
  return { ok: true, patch: patchOfParameters(sent.resource, sent.format, definitions, bounds) }
}

type Sent =
  | { readonly ok: true; readonly resource: Resource; readonly format: Format }
  | { readonly ok: false; readonly reply: Reply }

/**
 * Reads and parses a body that is a resource.
 * @param like gives a resource that it is much the same as, if there is one, when the body is there
 */
export async function readSentResource(
  exchange: Exchange,
  like?: (format: Format) => Promise<Resource | undefined> | undefined,
): Promise<Sent> {
  const { base, config, head } = exchange
  const { definitions, release } = base.policy
  const taken = formatOfBody(head.headerFields['content-type'], release)
  if ('sentence' in taken) return refused(refuse('media-type', taken.sentence, { accept: acceptedMediaTypes }))
  const body = await readSentBytes(exchange)
  if (!body.ok) return body
  const known = await like?.(taken.format)
  const parsed = readResource(body.bytes, taken.format, definitions, config.limits, known)
  return parsed.ok
    ? { ok: true, resource: parsed.value, format: taken.format }
    : refused({ kind: 'refused', refusals: malformedBody(parsed.faults) })
}

function readSentBytes(exchange: Exchange) {
  const { head, req, res } = exchange
  return readBody(head, req, res, bodyBounds(exchange))
}
