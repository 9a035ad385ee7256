import { randomUUID } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { DecisionSink } from './audit/decisions/sink.ts'
import { Server as TlsServer } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import type { RecordRequest } from './audit/request-record.ts'
import type { GatewayConfig } from './config/config.ts'
import { boundTaking } from './http/answer-taken.ts'
import { answerBareConnections } from './http/connections.ts'
import { createExpressServer } from './http/express-server.ts'
import { handle, type Handling } from './http/handle.ts'
import { holdBodies } from './http/held-bodies.ts'
import type { Observers } from './http/observed-upstream.ts'
import { serveByTurns } from './http/served.ts'
import { tracedJudge, tracedRequest } from './http/traced.ts'
import { secureContextOf, tlsOptionsOf } from './http/tls.ts'
import { judge as judgeWrite } from './policy/judge.ts'
import type { BreakerState } from './upstream/breaker.ts'

export interface GatewayOptions {
  readonly config: GatewayConfig
  /** The URL under which clients reach us, without path; undefined: from the Host header field. */
  readonly publicUrl?: URL
  /** Called once for every request, when it has been answered. */
  readonly record: RecordRequest
  /** Told of what goes on, beside the records. */
  readonly observers?: Observers
  /** Takes a record of each decision on a write; undefined: none are kept. */
  readonly decisions?: DecisionSink
  readonly judge?: typeof judgeWrite
}

export interface Gateway {
  /** Not listening yet. */
  readonly server: Server
  /** By which new requests are answered. */
  config(): GatewayConfig
  /**
   * Has new requests answered by another config, all of it at once; those in flight end by the one with which they began.
   * A base whose upstream stays the same keeps its connections and stored versions.
   */
  reconfigure(config: GatewayConfig): void
  /** How many requests are being answered. */
  inFlight(): number
  /** Drops what is cached of the upstreams: a server that was restored may use version numbers again. */
  forgetStoredVersions(): void
  /** The state of the breaker of each base that has one. */
  breakers(): readonly { readonly base: string; readonly state: BreakerState }[]
  /** What the caches of stored versions hold, by base. */
  storedVersions(): readonly { readonly base: string; readonly entries: number; readonly bytes: number }[]
  /**
   * Has every connection end with its next answer, and takes requests as before for `timeouts.drainDelayMs`: who sends them
   * here learns in that time, from readiness, to send them elsewhere.
   */
  leave(): Promise<void>
  /**
   * Stops accepting, lets what is in flight end (at most `timeouts.drainMs`, then connections are cut), and closes the
   * connections to the upstreams.
   */
  drain(): Promise<void>
}

/** How often Node looks for requests that take too long, in milliseconds. */
const checkEveryMs = 1000

/** The body has a deadline of its own, which can be answered properly: `requestTimeout` is for what comes after an answer. */
function serverBounds({ limits, timeouts: { headerSectionMs, bodyMs, idleMs } }: GatewayConfig) {
  return {
    headersTimeout: headerSectionMs,
    requestTimeout: headerSectionMs + bodyMs + 2 * checkEveryMs,
    keepAliveTimeout: idleMs,
    maxConnections: limits.connections,
  }
}

/** The gateway: one HTTP server in front of the configured bases. What happens to a request is in http/handle.ts. */
export function createGateway(options: GatewayOptions): Gateway {
  const { config, publicUrl, record, observers, decisions, judge = judgeWrite } = options
  const traces = observers?.traces
  const served = serveByTurns(config, observers)
  const answering = new Map<Duplex, ServerResponse[]>()
  let inFlight = 0
  let left: Promise<void> | undefined
  let drained: Promise<void> | undefined

  const handling: Handling = {
    publicUrl,
    judge: traces ? tracedJudge(judge, traces) : judge,
    record,
    decisions,
    newRequestId: randomUUID,
    isDraining: () => drained !== undefined,
    inFlight: () => inFlight,
    bodies: holdBodies(),
  }

  /**
   * What is answered on a connection, until that ends. A Map or a Set whose entries come and go with each request is rebuilt every
   * few requests, and each one that was leads to the next one: once the garbage collector has put one among the old objects, it
   * keeps all that follow, with what was read of their requests, until it looks at everything. One update in 100 took 18 ms
   * instead of 9 with 32 clients.
   */
  const answeredOn = (socket: Duplex): ServerResponse[] => {
    const known = answering.get(socket)
    if (known) return known
    const responses: ServerResponse[] = []
    if (!socket.destroyed) {
      answering.set(socket, responses)
      socket.once('close', () => answering.delete(socket))
    }
    return responses
  }

  const serve = async (req: IncomingMessage, res: ServerResponse) => {
    const ofSocket = answeredOn(req.socket)
    ofSocket.push(res)
    inFlight++
    if (left ?? drained) res.shouldKeepAlive = false
    const turn = served.begin()
    const { serving } = turn
    try {
      if (traces) await traces.during(tracedRequest(req), () => handle(handling, serving, req, res))
      else await handle(handling, serving, req, res)
      boundTaking(res, serving.config.timeouts.answerTakenMs)
    } catch {
      // It answers its own faults: only their recording can fail here, and there is nobody left to tell.
      res.destroy()
    } finally {
      inFlight--
      served.end(turn)
      ofSocket.splice(ofSocket.indexOf(res), 1)
      if (drained) server.closeIdleConnections()
    }
  }

  const server = createExpressServer(
    {
      insecureHTTPParser: false,
      // A missing Host is answered with an OperationOutcome, too.
      requireHostHeader: false,
      // This one cannot be changed later: a shorter time to receive a request is then kept to within it.
      connectionsCheckingInterval: Math.min(checkEveryMs, config.timeouts.headerSectionMs),
    },
    config.listener.tls && tlsOptionsOf(config.listener.tls, config.timeouts.headerSectionMs),
    serve,
  )
  Object.assign(server, serverBounds(config))
  answerBareConnections(
    server,
    (socket) => [...(answering.get(socket) ?? [])],
    ({ cause, status }) =>
      record({ requestId: randomUUID(), decision: 'refused', refusedBy: [cause], status, milliseconds: 0 }),
  )

  /** Every answer from now on is the last one of its connection. */
  const closeConnections = () => {
    for (const responses of answering.values()) for (const res of responses) res.shouldKeepAlive = false
  }
  const leave = async () => {
    closeConnections()
    await setTimeout(served.now().config.timeouts.drainDelayMs)
  }
  const drain = async () => {
    closeConnections()
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
    server.closeIdleConnections()
    // A client may have gone away while its write is under way: that one is waited for as well.
    const clients = () => [...new Set(served.open().map(({ client }) => client))]
    const ended = closed.then(() => Promise.all(clients().map((client) => client.close())))
    const late = new AbortController()
    const over = setTimeout(served.now().config.timeouts.drainMs, 'over', { signal: late.signal }).catch(() => 'ended')
    if ((await Promise.race([ended, over])) === 'over') {
      // First the upstreams, so that who waits for one is still told that the outcome is not known.
      await Promise.all(clients().map((client) => client.destroy()))
      // By then they have written their answers.
      await setImmediate()
      server.closeAllConnections()
    }
    late.abort()
    for (const { passThrough } of served.open()) passThrough.close()
  }
  return {
    server,
    config: () => served.now().config,
    reconfigure(config) {
      const { tls } = config.listener
      const isAnother = !isDeepStrictEqual(tls, served.now().config.listener.tls)
      // Connections that are open keep the certificate that they have been shown.
      if (tls && isAnother && server instanceof TlsServer) server.setSecureContext(secureContextOf(tls))
      served.replace(config)
      Object.assign(server, serverBounds(config))
    },
    inFlight: () => inFlight,
    forgetStoredVersions: () => {
      for (const { storedVersions, statements } of served.open()) {
        storedVersions.forget()
        statements.forget()
      }
    },
    breakers: () =>
      served.now().bases.flatMap(({ path, breaker }) => (breaker ? [{ base: path, state: breaker.state() }] : [])),
    storedVersions: () =>
      served.now().bases.map(({ path, storedVersions }) => ({ base: path, ...storedVersions.held() })),
    leave: () => (left ??= leave()),
    drain: () => (drained ??= drain()),
  }
}
