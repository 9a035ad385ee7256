import type { UpstreamClient } from './client.ts'
import type { Credentials } from './credentials.ts'
import type { PassThrough } from './pass-through.ts'

type HeaderFields = Readonly<Record<string, string>>

/** A client that shows credentials of the gateway's own; those of the caller go no further. */
export function clientWithCredentials(client: UpstreamClient, credentials: Credentials): UpstreamClient {
  return {
    ...client,
    async send(request) {
      const own = await ownFields(credentials)
      if ('error' in own) return unreachable(own.error)
      const reply = await client.send({ ...request, headerFields: shown(request.headerFields, own.headerFields) })
      if (reply.kind !== 'answered' || reply.status !== 401) return reply
      credentials.refused(own.headerFields)
      return unreachable(refusedError())
    },
  }
}

/** Reads that pass through, likewise. */
export function passThroughWithCredentials(passThrough: PassThrough, credentials: Credentials): PassThrough {
  return {
    ...passThrough,
    async send(req, res, read) {
      const own = await ownFields(credentials)
      if ('error' in own) return unreachable(own.error)
      const passed = await passThrough.send(req, res, {
        ...read,
        headerFields: shown(read.headerFields, own.headerFields),
      })
      if (passed.kind !== 'answered' || passed.status !== 401) return passed
      credentials.refused(own.headerFields)
      return unreachable(refusedError())
    },
  }
}

/** Nothing has been stored: who is not known has not been heard. The caller cannot mend it, so that it is no 401 of theirs. */
const unreachable = (error: unknown) => ({ kind: 'unreachable', sent: false, error }) as const

const refusedError = () =>
  Object.assign(new Error('The upstream refused the credentials of the gateway.'), { code: 'CREDENTIALS_REFUSED' })

function shown(callers: HeaderFields, own: HeaderFields): HeaderFields {
  const fields: Record<string, string> = { ...callers }
  delete fields['authorization']
  return { ...fields, ...own }
}

async function ownFields(credentials: Credentials) {
  try {
    return { headerFields: await credentials.headerFields() }
  } catch (error) {
    return {
      error: Object.assign(new Error('There are no credentials.', { cause: error }), { code: 'NO_CREDENTIALS' }),
    }
  }
}
