import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import { Readable, type Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import httpProxy from 'http-proxy'
import { wholeAnswerMs, type UpstreamTimeouts } from './client.ts'

/** A read, as the gateway has rebuilt it. Only GETs without a body pass through; a HEAD is sent as its GET. */
export interface PassingRead {
  /** Path and query below the origin, as they are to be sent. */
  readonly path: string
  readonly headerFields: Readonly<Record<string, string>>
  /** The largest answer that is gathered, in bytes. */
  readonly maxBytes: number
  /** The header fields with which an answer is streamed on as it comes; undefined: it is gathered and returned. */
  streams(status: number, headerFields: IncomingHttpHeaders): Readonly<Record<string, string | string[]>> | undefined
}

/** What became of a read. */
export type PassedRead =
  /** The client has the answer, or as much of it as there was: then its connection has been ended. */
  | { readonly kind: 'streamed'; readonly status: number; readonly whole: boolean; readonly error?: unknown }
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headerFields: IncomingHttpHeaders
      readonly body: Buffer
    }
  | { readonly kind: 'too-large'; readonly status: number }
  | { readonly kind: 'unreachable' | 'too-slow'; readonly error: unknown }
  | { readonly kind: 'client-gone' }

export interface PassThrough {
  send(req: IncomingMessage, res: ServerResponse, read: PassingRead): Promise<PassedRead>
  close(): void
}

/** Proxies reads to one upstream over connections that are kept alive. */
export function createPassThrough(target: URL, timeouts: UpstreamTimeouts): PassThrough {
  const agent = new (target.protocol === 'https:' ? https : http).Agent({ keepAlive: true, maxSockets: 64 })
  const proxy = httpProxy.createProxyServer({
    target: target.origin,
    agent,
    // The path goes out as it was rebuilt, not as a URL parser would read it.
    toProxy: true,
    method: 'GET',
    proxyTimeout: timeouts.upstreamMs,
    selfHandleResponse: true,
  })
  const pending = new WeakMap<IncomingMessage, Pending>()

  proxy.on('proxyReq', (proxyReq, req) => {
    const { timedOut, upgraded } = pending.get(req)!
    proxyReq.once('timeout', timedOut)
    proxyReq.once('upgrade', (answer: IncomingMessage, socket: Duplex) => {
      socket.destroy()
      upgraded(answer)
    })
    const giveUp = () => {
      timedOut()
      proxyReq.destroy()
    }
    // Every informational answer and every byte starts the other time-outs anew.
    const whole = setTimeout(giveUp, wholeAnswerMs(timeouts))
    proxyReq.once('close', () => clearTimeout(whole))
    // How long an answer that is streamed takes is its client's doing, too.
    pending.get(req)!.streams = () => clearTimeout(whole)
    const { socket } = proxyReq
    if (!socket?.connecting) return
    const timer = setTimeout(giveUp, timeouts.connectMs)
    const stop = () => clearTimeout(timer)
    socket.once('connect', stop)
    socket.once('close', stop)
  })
  proxy.on('proxyRes', (proxyRes, req) => pending.get(req)!.answered(proxyRes))
  // The client went away before there was an answer.
  proxy.on('econnreset', (_error, req) => pending.get(req)!.gone())

  return {
    send: (req, res, read) =>
      new Promise((resolve) => {
        let slow = false
        /** An answer that is streaming tells its own end; Node's releases differ in what is told first. */
        const end = (passed: PassedRead) => {
          if (!res.headersSent) resolve(passed)
        }
        res.once('close', () => end({ kind: 'client-gone' }))
        const waiting: Pending = {
          streams() {},
          timedOut: () => {
            slow = true
          },
          answered: (proxyRes) => {
            relay(proxyRes, res, read, () => waiting.streams()).then(
              (passed) => resolve(passed),
              (error: unknown) => resolve({ kind: slow ? 'too-slow' : 'unreachable', error }),
            )
          },
          upgraded: ({ statusCode, headers }) =>
            resolve({ kind: 'answered', status: statusCode!, headerFields: headers, body: Buffer.alloc(0) }),
          gone: () => end({ kind: 'client-gone' }),
        }
        pending.set(req, waiting)
        // http-proxy sends what it finds in the request: that is put there, and nothing of the client's is left.
        req.url = read.path
        req.headers = { ...read.headerFields, host: target.host }
        proxy.web(req, res, { buffer: Readable.from([]) }, (error) =>
          end({ kind: slow ? 'too-slow' : 'unreachable', error }),
        )
      }),
    close: () => agent.destroy(),
  }
}

interface Pending {
  /** Called when the answer begins to go to the client. */
  streams: () => void
  timedOut(): void
  answered(proxyRes: IncomingMessage): void
  /** By a 101, which nobody asked for. */
  upgraded(answer: IncomingMessage): void
  gone(): void
}

/** So much of an answer is gathered before its first byte goes on, in bytes: one that breaks off before is a 502. */
const gatheredBytes = 256 * 1024

/** @throws {Error} when the answer breaks off */
function gatherStart(proxyRes: IncomingMessage): Promise<{ readonly start: Buffer; readonly whole: boolean }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const take = (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size <= gatheredBytes) return
      proxyRes.pause()
      settle(false)
    }
    const ended = () => settle(true)
    const failed = (error?: Error) => {
      release()
      reject(error ?? new Error('The answer broke off.'))
    }
    const closed = () => failed()
    const release = () => {
      proxyRes.off('data', take).off('end', ended).off('error', failed).off('close', closed)
    }
    const settle = (whole: boolean) => {
      release()
      resolve({ start: Buffer.concat(chunks), whole })
    }
    proxyRes.on('data', take).once('end', ended).once('error', failed).once('close', closed)
  })
}

/** @throws {Error} when the upstream's answer ends too early while it is gathered. */
async function relay(
  proxyRes: IncomingMessage,
  res: ServerResponse,
  read: PassingRead,
  streams: () => void,
): Promise<PassedRead> {
  const status = proxyRes.statusCode!
  const headerFields = read.streams(status, proxyRes.headers)
  if (headerFields) {
    const { start, whole } = await gatherStart(proxyRes)
    streams()
    res.writeHead(status, { ...headerFields })
    if (whole) {
      res.end(start)
      return { kind: 'streamed', status, whole }
    }
    try {
      res.write(start)
      // Ends both sides when either ends early: a client must not wait for the rest of an answer that never comes.
      await pipeline(proxyRes, res)
      return { kind: 'streamed', status, whole: true }
    } catch (error) {
      return { kind: 'streamed', status, whole: false, error }
    }
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of proxyRes as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > read.maxBytes) {
      proxyRes.destroy()
      return { kind: 'too-large', status }
    }
    chunks.push(chunk)
  }
  return { kind: 'answered', status, headerFields: proxyRes.headers, body: Buffer.concat(chunks) }
}
