import { readCriteria, readIfNoneExist } from '../../fhir/criteria.ts'
import type { Element } from '../../fhir/element.ts'
import { versionOfEntityTag } from '../../fhir/entity-tag.ts'
import type { Interaction } from '../../fhir/interaction.ts'
import type { Format } from '../../fhir/media-type.ts'
import type { PatchBounds } from '../../fhir/patch/patched.ts'
import { isFormatParameter, readQuery } from '../../fhir/target.ts'
import type { Policy } from '../../policy/policy.ts'
import type { Refusal } from '../../policy/refusal.ts'
import { mismatchOf } from '../../policy/refusals-of-bodies.ts'
import type { AskedWrite } from '../asked-write.ts'
import type { GovernedBase } from '../exchange.ts'
import { readPreconditions } from '../preconditions.ts'
import { readParts, type EntryParts, type Refuse, type RequestParts } from './entry-parts.ts'
import { expressionOfEntry, refusalOfEntry } from './entry-refusals.ts'
import { readEntryPatch } from './entry-patch.ts'
import { isWrite, nameInteraction } from './entry-target.ts'

/** What one entry of a Bundle asks. */
export type Entry =
  | { readonly kind: 'write'; readonly asked: AskedWrite; readonly fullUrl: string | undefined }
  | AskedRead
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal[] }

export interface AskedRead {
  readonly kind: 'read'
  /** What would have been refused of it if it were not for report mode. */
  readonly reported: readonly Refusal[]
  /** Its query has been written anew. */
  readonly interaction: Interaction
  /** The version that ifNoneMatch names: https://hl7.org/fhir/R4/http.html#cread */
  readonly unlessVersion: string | undefined
}

/** What the entries of a Bundle have in common. */
export interface EntryContext {
  readonly base: GovernedBase
  /** Absolute bases, without trailing slash, under which a URL names what is served here. */
  readonly knownBases: readonly string[]
  readonly format: Format
  readonly bounds: PatchBounds
}

/**
 * Reads one entry by the grammar of a request of its own: target, preconditions, resource. Everything that is wrong with
 * it is told at once. https://hl7.org/fhir/R4/http.html#transaction
 */
export function readEntry({ base, knownBases, format, bounds }: EntryContext, element: Element, index: number): Entry {
  const refusals: Refusal[] = []
  const add = (refusal: Refusal) => void refusals.push(refusalOfEntry(index, refusal))
  const refuse: Refuse = (cause, diagnostics, part) =>
    add({ cause, diagnostics, ...(part !== undefined && { expression: `${expressionOfEntry(index)}.${part}` }) })

  const parts = readParts(element, refuse)
  const { request, fullUrl } = parts
  const reported: Refusal[] = []
  const interaction = request && nameInteraction(base, knownBases, request, refuse, reported)
  if (!request || !interaction) return { kind: 'refused', refusals }
  if (!isWrite(interaction)) {
    const read = readRead(interaction, request, parts, refuse)
    return refusals.length > 0 ? { kind: 'refused', refusals } : { ...read, reported }
  }
  const conditions = readConditions(interaction, request, base.policy, refuse, add)
  const content =
    interaction.code === 'patch'
      ? readEntryPatch(parts.resource, { policy: base.policy, bounds, format }, refuse)
      : readContent(interaction, parts, format, refuse, add)
  if (refusals.length > 0 || !content) return { kind: 'refused', refusals }
  const { code, type = '', id } = interaction
  const { version, criteria } = conditions
  reported.push(...conditions.reported)
  return { kind: 'write', asked: { interaction: code, type, id, criteria, version, reported, ...content }, fullUrl }
}

function readRead(
  interaction: Interaction,
  request: RequestParts,
  { resource }: EntryParts,
  refuse: Refuse,
): Omit<AskedRead, 'reported'> {
  for (const name of ['if-match', 'if-none-exist', 'if-modified-since']) {
    if (request.fieldLines(name).length === 0) continue
    refuse('precondition-not-offered', `The precondition ${name} is not offered on this interaction; leave it out.`)
  }
  const [ifNoneMatch] = request.fieldLines('if-none-match')
  const unlessVersion = ifNoneMatch === undefined ? undefined : versionOfEntityTag(ifNoneMatch)
  if (ifNoneMatch !== undefined && (unlessVersion === undefined || interaction.code !== 'read')) {
    refuse('request-malformed', 'ifNoneMatch is one ETag, W/"<version id>", on a read.', 'request.ifNoneMatch')
  }
  if (resource) refuse('request-malformed', 'A read takes no resource; leave it out.', 'resource')
  const query = (readQuery(interaction.query) ?? [])
    .filter(([name]) => !isFormatParameter(name))
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
  return { kind: 'read', interaction: { ...interaction, query }, unlessVersion }
}

/** The version and the criteria that a write names. */
function readConditions(
  interaction: Interaction,
  request: RequestParts,
  policy: Policy,
  refuse: Refuse,
  add: (refusal: Refusal) => void,
): Pick<AskedWrite, 'version' | 'criteria' | 'reported'> {
  const { code, type = '', query, conditional } = interaction
  const preconditions = readPreconditions(interaction, request, policy)
  if (preconditions.kind === 'refused') preconditions.refusals.forEach(add)
  if (request.fieldLines('if-modified-since').length > 0) {
    refuse('precondition-not-offered', 'The precondition if-modified-since is not offered on a write; leave it out.')
  }
  if (!conditional && query !== '') {
    refuse('request-malformed', 'An entry that writes takes no query but criteria; leave it out.')
  }
  const ifNoneExist = code === 'create' ? request.fieldLines('if-none-exist')[0] : undefined
  const read = conditional
    ? readCriteria(query)
    : ifNoneExist === undefined
      ? undefined
      : readIfNoneExist(ifNoneExist, type)
  if (read && 'sentence' in read) {
    refuse('request-malformed', read.sentence, conditional ? 'request.url' : 'request.ifNoneExist')
  }
  const { version, reported } =
    preconditions.kind === 'met-later' ? preconditions : { version: undefined, reported: [] }
  return {
    version,
    reported,
    criteria: read && 'criteria' in read ? read.criteria : undefined,
  }
}

/** The resource that a write is to bring about; nothing for a delete. Undefined when it is refused. */
function readContent(
  { code, type = '', id }: Interaction,
  { resource }: EntryParts,
  format: Format,
  refuse: Refuse,
  add: (refusal: Refusal) => void,
): Pick<AskedWrite, 'content' | 'format'> | undefined {
  if (code === 'delete') {
    if (resource) refuse('request-malformed', 'A delete takes no resource; leave it out.', 'resource')
    return { content: { kind: 'nothing' }, format }
  }
  if (!resource) {
    refuse('body-malformed', 'The resource of the entry is missing.')
    return undefined
  }
  const mismatch = mismatchOf(resource, type, id)
  if (mismatch) add(mismatch)
  if (resource.type === 'Bundle') refuse('body-mismatch', 'A Bundle is not offered as the resource of an entry.')
  return { content: { kind: 'resource', resource }, format }
}
