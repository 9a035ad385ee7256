import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gunzipSync, gzipSync } from 'node:zlib'
import { writeResource } from '../fhir/body.ts'
import type { Resource } from '../fhir/element.ts'
import { type Format, mediaTypeOf } from '../fhir/media-type.ts'

/** A request as the sandbox reads it: everything that leads somewhere at all is taken. */
export interface SandboxRequest {
  readonly method: string
  /** The decoded segments of the path below the base, empty ones left out; undefined outside of the base. */
  readonly segments: readonly string[] | undefined
  readonly query: URLSearchParams
  /** The first field line of a name in lower case. */
  readonly field: (name: string) => string | undefined
  readonly body: Uint8Array
  /** The FHIR base URL, by the Host header field. */
  readonly base: string
}

export interface SandboxAnswer {
  readonly status: number
  readonly fields?: Readonly<Record<string, string>>
  readonly resource?: Resource
}

const largestBody = 16 * 1024 * 1024

/** @throws {UnreadableBody} when the body is too large or not what Content-Encoding says */
export async function readRequest(request: IncomingMessage, basePath: string): Promise<SandboxRequest> {
  const target = request.url ?? '/'
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const [first, ...segments] = path
    .split('/')
    .map(decoded)
    .filter((segment) => segment !== '')
  const field = (name: string) => request.headersDistinct[name]?.[0]
  return {
    method: request.method ?? 'GET',
    segments: first === basePath.slice(1) ? segments : undefined,
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark)),
    field,
    body: inflated(await bytesOf(request), field('content-encoding')),
    base: `http://${field('host') ?? 'localhost'}${basePath}`,
  }
}

export class UnreadableBody extends Error {}

export function writeAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: SandboxAnswer,
  format: Format,
): void {
  response.statusCode = answer.status
  response.setHeader('X-Powered-By', 'Sandbox FHIR Server')
  response.setHeader('X-Request-ID', randomUUID())
  for (const [name, value] of Object.entries(answer.fields ?? {})) response.setHeader(name, value)
  if (!answer.resource) {
    response.end()
    return
  }
  response.setHeader('Content-Type', `${mediaTypeOf[format]};charset=UTF-8`)
  const text = writeResource(answer.resource, format)
  const acceptable = request.headers['accept-encoding'] ?? ''
  if (/\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(acceptable)) {
    response.setHeader('Content-Encoding', 'gzip')
    response.write(request.method === 'HEAD' ? '' : gzipSync(text))
  } else {
    response.write(request.method === 'HEAD' ? '' : text)
  }
  response.end()
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > largestBody) throw new UnreadableBody('The body is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function inflated(bytes: Buffer, encoding: string | undefined): Uint8Array {
  if (encoding?.toLowerCase() !== 'gzip') return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: largestBody })
  } catch {
    throw new UnreadableBody('The body is not what Content-Encoding says, or too large')
  }
}

/** HAPI takes ids that are percent-encoded twice, too. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(decodeURIComponent(segment))
  } catch {
    return segment
  }
}
