import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { isUnder, readQuery } from '../fhir/target.ts'
import { askedFormat, type Asked } from '../fhir/media-type.ts'
import type { Refusal } from '../policy/refusal.ts'

/** What stands before the body of a request, as data. */
export interface RequestHead {
  readonly method: string
  /** As it came. */
  readonly target: string
  readonly headerFields: IncomingHttpHeaders
  /** Every line of a header field, as it came: Node joins or drops repeats. The name in lower case. */
  fieldLines(name: string): readonly string[]
  /** Whether it came over TLS. */
  readonly secure: boolean
  /** The address at the other end of the connection; empty when that is gone. */
  peer(): string
}

export function requestHead(req: IncomingMessage): RequestHead {
  const lines = linesByName(req.rawHeaders)
  return {
    method: req.method!,
    target: req.url!,
    headerFields: req.headers,
    fieldLines: (name) => lines.get(name) ?? [],
    secure: 'encrypted' in req.socket,
    peer: () => req.socket.remoteAddress ?? '',
  }
}

/** More than a dozen are asked for on every request. */
function linesByName(rawHeaders: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, string[]>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    const known = lines.get(name)
    if (known) known.push(rawHeaders[i + 1]!)
    else lines.set(name, [rawHeaders[i + 1]!])
  }
  return lines
}

/** The base, of several, under which a target lies: the longest. */
export function baseOf<T extends { readonly path: string }>(bases: readonly T[], target: string): T | undefined {
  let longest: T | undefined
  for (const base of bases) {
    if (isUnder(base.path, target) && base.path.length > (longest?.path.length ?? -1)) longest = base
  }
  return longest
}

/** The format that a client asks for, also of a target that is refused. */
export function askedBy({ target, headerFields }: RequestHead): Asked {
  const at = target.indexOf('?')
  const parameters = at < 0 ? [] : (readQuery(target.slice(at + 1)) ?? [])
  return askedFormat(parameters.find(([name]) => name === '_format')?.[1], headerFields.accept)
}

const onlyOnce = ['host', 'content-type', 'content-encoding', 'content-length', 'authorization', 'transfer-encoding']
const methodOverrides = ['x-http-method-override', 'x-http-method', 'x-method-override']

/** Host (RFC 9110, section 7.2), as far as it is taken. */
export const hostPattern = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/

/** What is wrong with the header fields of any request. */
export function refusalsOfHead(head: RequestHead): readonly Refusal[] {
  const refusals: Refusal[] = []
  const refuse = (diagnostics: string) => refusals.push({ cause: 'request-malformed', diagnostics })
  for (const name of onlyOnce) {
    if (head.fieldLines(name).length > 1) refuse(`The header field ${name} occurs more than once; send it once.`)
  }
  if (!hostPattern.test(head.fieldLines('host')[0] ?? '')) refuse('The header field host is missing or malformed.')
  for (const name of methodOverrides) {
    if (head.fieldLines(name).length > 0) refuse(`The header field ${name} is not offered; use the HTTP method itself.`)
  }
  const coding = head.headerFields['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') refuse('No transfer coding but chunked is offered.')
  return refusals
}

/** Whether a body follows. `Content-Length: 0` is none. */
export function hasBody({ headerFields }: RequestHead): boolean {
  return headerFields['transfer-encoding'] !== undefined || Number(headerFields['content-length'] ?? 0) !== 0
}
