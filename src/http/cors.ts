import type { CorsSettings } from '../config/config.ts'
import type { Named } from './name-interaction.ts'
import type { HeaderFields, Reply } from './reply.ts'
import type { RequestHead } from './request-head.ts'

/** What a page needs to set for everything that is offered here, beside what every page may set. */
const askedWith = [
  'Accept',
  'Authorization',
  'Cache-Control',
  'Content-Type',
  'If-Match',
  'If-Modified-Since',
  'If-None-Exist',
  'If-None-Match',
  'Prefer',
  'Traceparent',
  'Tracestate',
  'X-Correlation-ID',
  'X-Request-ID',
]

/** What a page needs to read of an answer, beside what every page may read. */
const exposed = [
  'Accept',
  'Accept-Patch',
  'Allow',
  'Content-Location',
  'Date',
  'ETag',
  'FHIR-Policy-Report',
  'Link',
  'Location',
  'Retry-After',
  'Warning',
  'WWW-Authenticate',
  'X-Correlation-ID',
  'X-Request-ID',
]

const none: HeaderFields = {}

const isNone = (fields: HeaderFields) => {
  for (const _ in fields) return false
  return true
}

/** The header fields of every answer on a base that let pages of its origins read it, errors included. */
export function corsFields(cors: CorsSettings | undefined, head: RequestHead): HeaderFields {
  if (!cors) return none
  const anyOrigin = cors.origins.includes('*')
  const allowed = anyOrigin ? '*' : originOf(head, cors.origins)
  return {
    ...(allowed !== undefined && {
      'access-control-allow-origin': allowed,
      'access-control-expose-headers': exposed.join(', '),
      ...(cors.credentials && { 'access-control-allow-credentials': 'true' }),
    }),
    // Also without an origin: a cache would have that answer to give to a page.
    ...(!anyOrigin && { vary: 'Origin' }),
  }
}

/** The method that a page of an allowed origin asks whether it may use; undefined where that is not what is asked. */
function preflightMethod(cors: CorsSettings, head: RequestHead): string | undefined {
  if (head.method !== 'OPTIONS') return undefined
  const [method, ...others] = head.fieldLines('access-control-request-method')
  if (method === undefined || others.length > 0) return undefined
  const allowed = cors.origins.includes('*') ? head.fieldLines('origin').length === 1 : originOf(head, cors.origins)
  return allowed ? method : undefined
}

/**
 * Answers a page that asks whether it may use a method: yes where the policy opens it, else as the method itself would be
 * answered. Undefined where that is not what is asked.
 */
export function namePreflight(
  cors: CorsSettings | undefined,
  head: RequestHead,
  name: (head: RequestHead) => Named,
): Named | undefined {
  const method = cors && preflightMethod(cors, head)
  if (method === undefined) return undefined
  const named = name({ ...head, method })
  return named.kind === 'interaction' ? { kind: 'answered', reply: preflightReply(cors!, method) } : named
}

function preflightReply(cors: CorsSettings, method: string): Reply {
  const headerFields = {
    'access-control-allow-methods': method,
    'access-control-allow-headers': [...askedWith, ...cors.headerFields].join(', '),
    'access-control-max-age': String(Math.floor(cors.maxAgeMs / 1000)),
  }
  return { kind: 'relayed', status: 204, headerFields }
}

/** The header fields of an answer with those of CORS: both may say what it varies with. */
export function withCors(fields: HeaderFields, cors: HeaderFields): HeaderFields {
  if (isNone(cors)) return fields
  const vary = [fields['vary'] ?? [], cors['vary'] ?? []].flat()
  return { ...fields, ...cors, ...(vary.length > 0 && { vary: vary.join(', ') }) }
}

function originOf(head: RequestHead, origins: readonly string[]): string | undefined {
  const [origin, ...others] = head.fieldLines('origin')
  return origin !== undefined && others.length === 0 && origins.includes(origin) ? origin : undefined
}
