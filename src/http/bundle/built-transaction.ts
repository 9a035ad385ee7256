import type { Resource } from '../../fhir/element.ts'
import { entityTagOf } from '../../fhir/entity-tag.ts'
import type { Decided } from '../decide-write.ts'
import type { AskedRead } from './entry.ts'
import { isPlaceholder } from './full-url.ts'
import { backbone, bundleOf, inner, primitive, type Part } from './tree.ts'

type Permitted = Extract<Decided, { kind: 'permitted' }>

/** An entry that is to be sent. */
export type Sendable = AskedRead | (Omit<Permitted, 'before'> & { readonly fullUrl: string | undefined })

/** The whole transaction, of what was read and judged and of nothing else. */
export function transactionOf(entries: readonly Sendable[]): Resource {
  return bundleOf(
    'transaction',
    entries.map((entry) => (entry.kind === 'read' ? partsOfRead(entry) : partsOfWrite(entry))),
  )
}

const requestOf = (method: string, url: string, ...conditions: readonly Part[]) =>
  backbone(
    'request',
    'Bundle.entry.request',
    primitive('method', 'code', method),
    primitive('url', 'uri', url),
    ...conditions,
  )

function partsOfRead({ interaction, unlessVersion }: AskedRead): readonly Part[] {
  const { method, path, query } = interaction
  const unless = unlessVersion === undefined ? undefined : entityTagOf(unlessVersion)
  return [
    requestOf(method, path.slice(1) + (query === '' ? '' : `?${query}`), primitive('ifNoneMatch', 'string', unless)),
  ]
}

/**
 * References between entries stay as they are written: the server puts the new ids in the place of each fullUrl. The judge
 * compares them as written, too, so a policy can state of such a reference no more than that it is one.
 */
function partsOfWrite({ write, fullUrl }: Extract<Sendable, { kind: 'permitted' }>): readonly Part[] {
  // A URL says nothing that type and id do not say.
  const placeholder = primitive('fullUrl', 'uri', fullUrl !== undefined && isPlaceholder(fullUrl) ? fullUrl : undefined)
  switch (write.interaction) {
    case 'create': {
      const unless = primitive('ifNoneExist', 'string', write.ifNoneExist)
      return [placeholder, inner('resource', write.resource), requestOf('POST', write.type, unless)]
    }
    case 'update': {
      const { id, version } = write.on
      const pin = primitive('ifMatch', 'string', entityTagOf(version))
      return [placeholder, inner('resource', write.resource), requestOf('PUT', `${write.type}/${id}`, pin)]
    }
    case 'delete':
      throw new Error('A delete cannot be pinned within a transaction.')
  }
}
