import type { IncomingHttpHeaders } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { valuesOf } from './header-fields.ts'

const inflate = promisify(gunzip)

/** The body of an answer without its content coding; undefined when that is unknown, does not hold, or gives too many bytes. */
export async function decoded(
  { headerFields, body }: { readonly headerFields: IncomingHttpHeaders; readonly body: Buffer },
  maxBytes: number,
): Promise<Buffer | undefined> {
  switch (valuesOf(headerFields['content-encoding']).join(',').toLowerCase() || 'identity') {
    case 'identity':
      return body
    case 'gzip':
      return inflate(body, { maxOutputLength: maxBytes }).catch(() => undefined)
    default:
      return undefined
  }
}
