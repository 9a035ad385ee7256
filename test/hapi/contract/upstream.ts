import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON with FHIR's media type; text and bytes as they are. */
  readonly body?: object | string | Buffer
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly bytes: Buffer
  readonly text: string
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into resources of every type
export type Json = any

/** A FHIR server as it is asked on the wire: paths go out as written, nothing is retried, inflated or followed. */
export class Upstream {
  readonly #getBase: () => string

  constructor(getBase: () => string) {
    this.#getBase = getBase
  }

  get base(): string {
    return this.#getBase()
  }

  /** Path and query, from the FHIR base on. */
  send(method: string, path: string, { headers = {}, body }: Ask = {}): Promise<Answer> {
    const base = new URL(this.base)
    const structured = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)
    const payload = structured ? JSON.stringify(body) : body
    const fields: Record<string, string> = structured
      ? { 'content-type': 'application/fhir+json', ...headers }
      : headers
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        {
          method,
          host: base.hostname,
          port: base.port || 80,
          path: base.pathname.replace(/\/$/, '') + path,
          headers: payload === undefined ? fields : { 'content-length': Buffer.byteLength(payload), ...fields },
        },
        (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('error', reject)
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('end', () => {
            const bytes = Buffer.concat(chunks)
            const received = incoming.headers as Record<string, string | undefined>
            resolve({ status: incoming.statusCode ?? 0, headers: received, bytes, text: bytes.toString() })
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(payload)
    })
  }

  /** A PUT of a JSON resource to its own place. Whatever it is answered with. */
  put(resource: Json, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.send('PUT', pathOf(resource), { body: resource, headers })
  }

  /** A resource that is stored, in version 1, under an id that nothing had before. */
  async stored(resource: Json): Promise<Json> {
    const created = { ...resource, id: resource.id ?? freshId() }
    const answer = await this.put(created)
    requireStatus(answer, 201)
    return created
  }

  /** What a GET of the resource answers now. */
  async read(resource: Json): Promise<Json> {
    const answer = await this.send('GET', pathOf(resource))
    requireStatus(answer, 200)
    return JSON.parse(answer.text)
  }

  /** The version id of what is stored now. */
  async version(resource: Json): Promise<string> {
    const { meta } = await this.read(resource)
    return meta.versionId
  }
}

export function pathOf(resource: Json): string {
  return `/${resource.resourceType}/${resource.id}`
}

/** Not all digits: HAPI lets clients choose no such id. */
export function freshId(): string {
  return `c-${randomUUID()}`
}

export function flag(content: object = {}): Json {
  return { resourceType: 'Flag', status: 'active', code: { text: 'Step-free access' }, ...content }
}

export function jsonOf(answer: Answer): Json {
  return JSON.parse(answer.text)
}

/** The status of an answer that is an OperationOutcome with an error in it. */
export function refusal(answer: Answer): number {
  const { resourceType, issue } = jsonOf(answer)
  if (resourceType === 'OperationOutcome' && issue[0].severity === 'error') return answer.status
  throw new Error(`Not an OperationOutcome with an error: ${answer.text}`)
}

function requireStatus(answer: Answer, status: number): void {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`)
}
