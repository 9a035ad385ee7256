import https from 'node:https'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the stub saw of one request. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: string
}

/** What the stub answers: data, or a function that does as it likes with the response. */
export type StubAnswer =
  | { readonly status: number; readonly headers?: http.OutgoingHttpHeaders; readonly body?: string | Buffer }
  | ((res: ServerResponse, req: IncomingMessage) => void)

export interface StubUpstream {
  /** Its FHIR base. */
  readonly url: URL
  readonly seen: readonly Seen[]
  /** Answers the requests from now on; the last one is repeated. `GET /fhir/Flag/1` or a method alone. */
  answers(table: Readonly<Record<string, StubAnswer>>): void
  /** How many connections to it are open. */
  connections(): Promise<number>
  close(): Promise<void>
}

/**
 * A server on loopback that answers what a test says and remembers what it was asked.
 * @param tls undefined: plain HTTP
 */
export async function startStubUpstream(tls?: https.ServerOptions): Promise<StubUpstream> {
  const seen: Seen[] = []
  let table: Readonly<Record<string, StubAnswer>> = {}
  const listener = (req: IncomingMessage, res: ServerResponse) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = req
      seen.push({ method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString() })
      const answer = table[`${method} ${url}`] ?? table[method]
      if (answer === undefined) res.writeHead(599).end()
      else if (typeof answer === 'function') answer(res, req)
      else res.writeHead(answer.status, answer.headers).end(answer.body)
    })
  }
  const server = tls ? https.createServer(tls, listener) : http.createServer(listener)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: new URL(`${tls ? 'https' : 'http'}://127.0.0.1:${port}/fhir`),
    seen,
    answers(answers) {
      table = answers
    },
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const json = 'application/fhir+json;charset=UTF-8'

/** A resource as a FHIR server gives it. */
export function resource(body: object | string, version?: string, status = 200): StubAnswer {
  return {
    status,
    headers: { 'content-type': json, ...(version !== undefined && { etag: `W/"${version}"` }), 'x-powered-by': 'stub' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }
}

/** An error as a FHIR server gives it. */
export function outcome(status: number, diagnostics: string): StubAnswer {
  const issue = [{ severity: 'error', code: 'processing', diagnostics }]
  return {
    status,
    headers: { 'content-type': json },
    body: JSON.stringify({ resourceType: 'OperationOutcome', issue }),
  }
}
