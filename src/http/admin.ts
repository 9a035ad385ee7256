import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { BreakerState } from '../upstream/breaker.ts'
import type { Readiness } from '../upstream/readiness.ts'

/** Whether one base can be served. */
export type BaseReadiness = { readonly path: string; readonly breaker?: BreakerState } & Readiness

/** What the admin port shows. */
export interface AdminSources {
  readiness(): { readonly ready: boolean; readonly reason?: string; readonly bases: readonly BaseReadiness[] }
  policies(): object
  metrics(): Promise<string>
  readonly metricsContentType: string
}

/**
 * The admin port: `/health/live` (the process answers), `/health/ready` (requests can be served: 200, else 503 and why),
 * `/policies` (which are in force, and what became of the last reload) and `/metrics`. It is not meant for clients, and
 * says nothing of requests but numbers.
 */
export function createAdmin(sources: AdminSources): Server {
  return createServer((request, response) => {
    answer(sources, request, response).catch(() => {
      if (response.headersSent) response.destroy()
      else sendJson(response, 500, { error: 'The metrics cannot be told.' })
    })
  })
}

async function answer(sources: AdminSources, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD')
    return sendJson(response, 405, { error: 'Only GET and HEAD are offered here.' })
  }
  switch (request.url?.split('?', 1)[0]) {
    case '/health/live':
      return sendJson(response, 200, { live: true })
    case '/health/ready': {
      const readiness = sources.readiness()
      return sendJson(response, readiness.ready ? 200 : 503, readiness)
    }
    case '/policies':
      return sendJson(response, 200, sources.policies())
    case '/metrics':
      return send(response, 200, sources.metricsContentType, await sources.metrics())
    default:
      return sendJson(response, 404, { error: 'There are /health/live, /health/ready, /policies and /metrics.' })
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, 'application/json', `${JSON.stringify(body)}\n`)
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Cache-Control': 'no-store' })
  response.end(body)
}
