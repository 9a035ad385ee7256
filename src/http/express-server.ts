import http, { type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { TlsOptions } from 'node:tls'
import express from 'express'

/**
 * An HTTP server whose requests go through an Express app to `serve`, which answers all of them.
 * @param tls undefined: plain HTTP
 * What Express cannot read as a URL goes there as well: it never answers by itself.
 */
export function createExpressServer(
  options: ServerOptions,
  tls: TlsOptions | undefined,
  serve: (req: IncomingMessage, res: ServerResponse) => Promise<void>,
): Server {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(serve)

  // Express gives every request and response its own prototypes. On Node 20 a change of prototype costs 93 µs of CPU time,
  // two thirds of all that Express takes (47 of 140 µs are left), and makes what comes after it slower. Here they have
  // these prototypes from their birth, so that Express changes nothing. An app that is mounted would have others again.
  class Request extends http.IncomingMessage {}
  class Response<Req extends IncomingMessage> extends http.ServerResponse<Req> {}
  Object.setPrototypeOf(Request.prototype, app.request)
  Object.setPrototypeOf(Response.prototype, app.response)
  app.request = Request.prototype as express.Request
  app.response = Response.prototype as express.Response

  const listener = (req: IncomingMessage, res: ServerResponse) => {
    const otherwise = (error?: unknown) => {
      if (error !== undefined) res.destroy()
      else void serve(req, res)
    }
    app(req as express.Request, res as express.Response, otherwise)
  }
  const both = { ...options, IncomingMessage: Request, ServerResponse: Response }
  const server = tls ? https.createServer({ ...both, ...tls }, listener) : http.createServer(both, listener)
  // Express sees these, too: http/handle.ts decides by the header field.
  server.on('checkContinue', listener)
  server.on('checkExpectation', listener)
  return server
}
