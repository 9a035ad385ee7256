import { createHash, randomUUID } from 'node:crypto'
import type { Base } from '../config/config.ts'
import { writeResource } from '../fhir/body.ts'
import type { Resource } from '../fhir/element.ts'
import { mediaTypeOf, type Format } from '../fhir/media-type.ts'
import { readQuery } from '../fhir/target.ts'
import { escapeXml } from '../fhir/xml-text.ts'
import { narrowStatement } from '../policy/metadata/narrow.ts'
import { baseUrls } from '../upstream/base-urls.ts'
import type { StatementRead } from '../upstream/capability-statements.ts'
import type { Exchange } from './exchange.ts'
import { patchTypes } from './patch-content.ts'
import { relayError, relayFailure } from './relay.ts'
import { fail, type Reply } from './reply.ts'

/** A CapabilityStatement as it is sent, and its entity tag. */
export interface WrittenStatement {
  readonly body: string
  readonly entityTag: string
}

/** The statements of one base, as they are told by one policy. */
export interface WrittenStatements {
  /** @param own our FHIR base, without trailing slash */
  of(statement: Resource, format: Format, own: string): WrittenStatement
}

interface Written {
  readonly of: Resource
  /** What stands around our URL. */
  readonly parts: readonly string[]
  readonly digest: string
}

/** Stands for our URL: without PUBLIC_URL that is each client's to say, and what has been narrowed is good for all of them. */
const ourUrl = `urn:uuid:${randomUUID()}`

const digestOf = (text: string) => createHash('sha256').update(text).digest('base64url')

/** A statement is narrowed once for each format, which may take a tenth of a second: it may be megabytes. */
export function writeStatements(base: Base): WrittenStatements {
  const { policy, upstream } = base
  const known = new Map<Format, Written>()
  const write = (statement: Resource, format: Format): Written => {
    const narrowed = narrowStatement(statement, policy, {
      url: ourUrl,
      ownUrl: baseUrls(ourUrl, upstream.url).url,
      pinsDeletes: upstream.profile.pinnedDelete !== undefined,
      patchTypes: patchTypes(policy.release),
      cors: base.cors !== undefined,
      ...(base.tokens && {
        security: {
          service: base.tokens.scopes === 'off' ? 'OAuth' : 'SMART-on-FHIR',
          description: 'A bearer token (RFC 6750) is asked for, but not at /metadata.',
        },
      }),
    })
    const parts = writeResource(narrowed, format).split(ourUrl)
    return { of: statement, parts, digest: digestOf(parts.join()) }
  }
  return {
    of(statement, format, own) {
      const before = known.get(format)
      const written = before?.of === statement ? before : write(statement, format)
      known.set(format, written)
      const url = format === 'json' ? JSON.stringify(own).slice(1, -1) : escapeXml(own)
      return { body: written.parts.join(url), entityTag: `"${digestOf(`${own} ${written.digest}`)}"` }
    },
  }
}

/** What is wrong with the query of `/metadata`; undefined when the whole statement answers it. */
export function faultOfQuery(query: string): string | undefined {
  for (const [name, value] of readQuery(query) ?? []) {
    if (name === 'mode' && value !== 'full')
      return 'Of the modes of /metadata only `full` is offered, which is what comes without it.'
    if (name !== 'mode' && !wholeAnswers.has(name))
      return 'A parameter of this request has no meaning on /metadata; leave it out.'
  }
  return undefined
}

/** A server may answer with the whole where a part would do: https://hl7.org/fhir/R4/search.html#summary */
const wholeAnswers = new Set(['_format', '_pretty', '_summary', '_elements'])

/**
 * `/metadata`: what the upstream says of itself, narrowed to what the policy lets through, with our URL.
 * @param ifNoneMatch the lines of the client's If-None-Match
 */
export async function tellCapabilities(
  exchange: Pick<Exchange, 'base' | 'config' | 'urls' | 'callerFields'>,
  format: Format,
  ifNoneMatch: readonly string[],
): Promise<Reply> {
  const { base, urls } = exchange
  const { read, personal } = await readStatement(exchange, format)
  switch (read.kind) {
    case 'read': {
      const { body, entityTag } = base.written.of(read.statement, format, urls.own)
      const headerFields = {
        etag: entityTag,
        'cache-control': personal ? 'private, no-cache' : 'no-cache',
        vary: 'Accept',
      }
      if (matches(ifNoneMatch, entityTag)) return { kind: 'relayed', status: 304, headerFields }
      const contentType = `${mediaTypeOf[format]};charset=utf-8`
      return { kind: 'relayed', status: 200, headerFields: { ...headerFields, 'content-type': contentType }, body }
    }
    case 'told':
      return relayError(exchange, read.reply, false)
    case 'unusable': {
      const { upstreamStatus, reason } = read
      return fail('upstream-unusable', `The FHIR server’s CapabilityStatement cannot be used. ${reason}`, {
        upstreamStatus,
      })
    }
    case 'unreachable':
    case 'too-slow':
    case 'unavailable':
      return relayFailure(read)
  }
}

/** A server that tells nothing without credentials, or something else to each tenant, is asked for each caller. */
async function readStatement(
  { base, config, callerFields }: Pick<Exchange, 'base' | 'config' | 'callerFields'>,
  format: Format,
): Promise<{ readonly read: StatementRead; readonly personal: boolean }> {
  const ask = async () => ({ read: await base.statements.for(format, callerFields), personal: true })
  if (config.forwardHeaderFields.some((name) => name in callerFields)) return ask()
  const read = await base.statements.kept(format)
  const wantsCredentials = read.kind === 'told' && (read.reply.status === 401 || read.reply.status === 403)
  return wantsCredentials && 'authorization' in callerFields ? ask() : { read, personal: false }
}

/** RFC 9110, section 13.1.2: `*`, or a list of which one is the same but for W/. */
function matches(ifNoneMatch: readonly string[], entityTag: string): boolean {
  const text = ifNoneMatch.join(',')
  if (text.trim() === '*') return true
  return [...text.matchAll(/(?:W\/)?("[^"]*")/g)].some(([, tag]) => tag === entityTag)
}
