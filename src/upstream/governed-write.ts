import { writeResource } from '../fhir/body.ts'
import type { Resource } from '../fhir/element.ts'
import type { Format } from '../fhir/media-type.ts'
import type { UpstreamClient, UpstreamReply } from './client.ts'
import { writeFields } from './header-fields.ts'

/** A write that was judged and permitted. */
export interface GovernedWrite {
  readonly interaction: 'create' | 'update'
  readonly type: string
  /** update: the id and the version that was judged. */
  readonly on?: { readonly id: string; readonly version: string }
  /** What was judged, without what belongs to the server. */
  readonly resource: Resource
  readonly sentFormat: Format
  readonly askedFormat: Format
  readonly callerFields: Readonly<Record<string, string>>
  /** The largest answer, in bytes. */
  readonly maxBytes: number
}

/**
 * Sends a write that is built from what was judged, and from nothing else. Once: whether a write whose answer is lost
 * was stored cannot be known, so it is never sent again.
 */
export function sendWrite(client: UpstreamClient, basePath: string, write: GovernedWrite): Promise<UpstreamReply> {
  const { interaction, type, on, resource, sentFormat, askedFormat, callerFields, maxBytes } = write
  return client.send({
    method: interaction === 'update' ? 'PUT' : 'POST',
    path: on ? `${basePath}/${type}/${on.id}` : `${basePath}/${type}`,
    headerFields: writeFields(callerFields, sentFormat, askedFormat, on?.version),
    body: writeResource(resource, sentFormat),
    maxBytes,
  })
}

/** A create's id is the server's to give: FHIR has it ignore the one that was sent, so that one is not sent on. */
export function withoutId(resource: Resource): Resource {
  if (!resource.children.has('id')) return resource
  const children = new Map(resource.children)
  children.delete('id')
  return { ...resource, children }
}
