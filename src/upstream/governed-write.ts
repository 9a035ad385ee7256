import { writeResource } from '../fhir/body.ts'
import type { Resource } from '../fhir/element.ts'
import { entityTagOf } from '../fhir/entity-tag.ts'
import type { Format } from '../fhir/media-type.ts'
import type { UpstreamClient, UpstreamReply } from './client.ts'
import { bodyFields, mergedFields, writeFields, type HeaderFields } from './header-fields.ts'

/** A write that was judged and permitted, as it is sent. */
export type GovernedWrite =
  | {
      readonly interaction: 'create'
      readonly type: string
      /** What was judged, without what belongs to the server. */
      readonly resource: Resource
      /** Created only when a search with these criteria finds nothing. */
      readonly ifNoneExist?: string
    }
  /** Pinned to the version that was judged. */
  | {
      readonly interaction: 'update'
      readonly type: string
      readonly on: { readonly id: string; readonly version: string }
      readonly resource: Resource
    }
  | {
      readonly interaction: 'delete'
      readonly type: string
      readonly on: { readonly id: string; readonly version: string }
    }

/** How a write is sent, and how its answer is wanted. */
export interface Sending {
  readonly sentFormat: Format
  readonly askedFormat: Format
  readonly callerFields: HeaderFields
  /** The largest answer, in bytes. */
  readonly maxBytes: number
}

/**
 * Sends a write that is built from what was judged, and from nothing else. Once: whether a write whose answer is lost
 * was stored cannot be known, so it is never sent again.
 */
export function sendWrite(
  client: UpstreamClient,
  basePath: string,
  write: GovernedWrite,
  { sentFormat, askedFormat, callerFields, maxBytes }: Sending,
): Promise<UpstreamReply> {
  const type = `${basePath}/${write.type}`
  const fieldsOf = (...own: readonly HeaderFields[]) => mergedFields(callerFields, writeFields(askedFormat), ...own)
  switch (write.interaction) {
    case 'create':
      return client.send({
        method: 'POST',
        path: type,
        headerFields: fieldsOf(
          bodyFields(sentFormat),
          write.ifNoneExist === undefined ? {} : { 'if-none-exist': write.ifNoneExist },
        ),
        body: writeResource(write.resource, sentFormat),
        maxBytes,
      })
    case 'update':
      return client.send({
        method: 'PUT',
        path: `${type}/${write.on.id}`,
        headerFields: fieldsOf(bodyFields(sentFormat), { 'if-match': entityTagOf(write.on.version) }),
        body: writeResource(write.resource, sentFormat),
        maxBytes,
      })
    case 'delete':
      // The version in the path is what pins it: servers that take this form ignore If-Match on a DELETE.
      return client.send({
        method: 'DELETE',
        path: `${type}/${write.on.id}/_history/${write.on.version}`,
        headerFields: fieldsOf({ 'if-match': entityTagOf(write.on.version) }),
        maxBytes,
      })
  }
}
