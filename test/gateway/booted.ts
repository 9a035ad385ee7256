import { readFileSync } from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Traces } from '../../src/audit/traces.ts'
import type { RequestRecord } from '../../src/audit/request-record.ts'
import type { BreakerTerms } from '../../src/config/bounds.ts'
import type { Base, CorsSettings, GatewayConfig, TokenTerms, UpstreamProfile } from '../../src/config/config.ts'
import { readBeside } from '../../src/config/load.ts'
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { startStubUpstream, type StubUpstream } from './stub-upstream.ts'

export const nhsPolicy = () => shippedPolicy('nhs-reasonable-adjustments-stu3.yaml')

export function shippedPolicy(file: string): Policy {
  const path = fileURLToPath(new URL(`../../config/policies/${file}`, import.meta.url))
  const compiled = compilePolicy(file, readFileSync(path, 'utf8'), readBeside(path, dirname(dirname(path))))
  if (!compiled.ok) throw new Error('The policy does not compile.')
  return compiled.policy
}

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export interface Booted {
  readonly gateway: Gateway
  readonly upstream: StubUpstream
  readonly origin: string
  readonly port: number
  /** One for every request that has been answered. */
  readonly records: readonly RequestRecord[]
  /** Resolves when so many requests have been recorded. */
  recorded(count: number): Promise<void>
  send(method: string, target: string, headers?: http.OutgoingHttpHeaders, body?: string | Buffer): Promise<Answer>
  /** Writes bytes to a new connection and gives all that comes back until it is closed. */
  raw(...parts: readonly string[]): Promise<string>
  /** Has what is booted served with other settings, of which those that are not said are the usual ones. */
  reconfigure(settings: Settings): void
  close(): Promise<void>
}

/** What a test sets of the configuration. */
export interface Settings {
  /** Of the base: `/STU3` with the NHS policy unless it is said. */
  readonly path?: string
  readonly policy?: Policy
  readonly profile?: UpstreamProfile
  readonly tokens?: TokenTerms
  readonly headerFieldsAsked?: boolean
  readonly cors?: CorsSettings
  readonly breaker?: BreakerTerms
  /** How the upstream is come to. */
  readonly access?: Pick<Base['upstream'], 'tls' | 'credentials'>
  readonly limits?: Partial<GatewayConfig['limits']>
  /** `requestMs` and `upstreamMs` stand for those that they stand for in gateway.yaml. */
  readonly timeouts?: Partial<GatewayConfig['timeouts']> & { readonly requestMs?: number; readonly upstreamMs?: number }
  readonly listener?: Partial<GatewayConfig['listener']>
  readonly cache?: GatewayConfig['cache']
  readonly forwardHeaderFields?: readonly string[]
  readonly ruleHeaderFields?: readonly string[]
  readonly publicUrl?: URL
  readonly judge?: GatewayOptions['judge']
  readonly traces?: Traces
  readonly decisions?: GatewayOptions['decisions']
  /** Instead of the stub's. */
  readonly upstreamUrl?: URL
}

/** As `boot`, until the test ends. */
export async function bootAndClose(settings: Settings = {}): Promise<Booted> {
  const booted = await boot(settings)
  onTestFinished(() => booted.close())
  return booted
}

/** The real gateway with the real policy on a free port, in front of a stub. */
export async function boot(settings: Settings = {}): Promise<Booted> {
  const upstream = await startStubUpstream()
  const records: RequestRecord[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const gateway = createGateway({
    config: configOf(settings, upstream),
    record: (record) => {
      settings.traces?.recorded(record)
      records.push(record)
      for (const { count, resolve } of waiting) if (records.length >= count) resolve()
    },
    ...(settings.publicUrl && { publicUrl: settings.publicUrl }),
    ...(settings.judge && { judge: settings.judge }),
    ...(settings.traces && { observers: { upstream() {}, cache() {}, breaker() {}, traces: settings.traces } }),
    ...(settings.decisions && { decisions: settings.decisions }),
  })
  await new Promise<void>((resolve) => {
    gateway.server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = gateway.server.address() as AddressInfo
  return {
    gateway,
    upstream,
    port,
    origin: `http://127.0.0.1:${port}`,
    records,
    recorded: (count) =>
      new Promise((resolve) => {
        if (records.length >= count) resolve()
        else waiting.push({ count, resolve })
      }),
    send: (method, target, headers = {}, body) => request(port, method, target, headers, body),
    raw: (...parts) => raw(port, parts),
    reconfigure: (other) => gateway.reconfigure(configOf(other, upstream)),
    async close() {
      // First, so that no test ends by its time-out because the gateway waits for a stub that never answers.
      await upstream.close()
      await gateway.drain()
    },
  }
}

export function configOf(settings: Settings, upstream: StubUpstream): GatewayConfig {
  return {
    bases: [
      {
        path: settings.path ?? '/STU3',
        policy: settings.policy ?? nhsPolicy(),
        upstream: {
          url: settings.upstreamUrl ?? upstream.url,
          profile: settings.profile ?? { pagingParameter: '_getpages' },
          ...(settings.breaker && { breaker: settings.breaker }),
          ...settings.access,
        },
        ...(settings.tokens && { tokens: settings.tokens }),
        headerFieldsAsked: settings.headerFieldsAsked ?? false,
        ...(settings.cors && { cors: settings.cors }),
      },
    ],
    limits: {
      bodyBytes: 64 * 1024,
      nesting: 50,
      elements: 5000,
      bundleEntries: 10,
      storedBytes: 64 * 1024,
      rewriteBytes: 256 * 1024,
      refusals: 20,
      connections: 1000,
      inFlight: 1000,
      heldBytes: 64 * 1024 * 1024,
      rate: 'off',
      clientRate: 'off',
      ...settings.limits,
    },
    timeouts: timeoutsOf(settings.timeouts),
    listener: { trustedProxies: [], forwardedIn: 'x-forwarded', ...settings.listener },
    traces: 'off',
    cache: settings.cache ?? { bytes: 1024 * 1024, expireMs: 60_000 },
    forwardHeaderFields: settings.forwardHeaderFields ?? [],
    ruleHeaderFields: settings.ruleHeaderFields ?? [],
  }
}

function timeoutsOf({
  requestMs = 5000,
  upstreamMs = 5000,
  ...others
}: Settings['timeouts'] = {}): GatewayConfig['timeouts'] {
  return {
    headerSectionMs: requestMs,
    bodyMs: requestMs,
    answerTakenMs: 5000,
    idleMs: 5000,
    connectMs: 1000,
    firstByteMs: upstreamMs,
    betweenPartsMs: upstreamMs,
    wholeMs: 2 * upstreamMs,
    drainDelayMs: 0,
    drainMs: 2000,
    ...others,
  }
}

export function request(
  port: number,
  method: string,
  path: string,
  headers: http.OutgoingHttpHeaders,
  body: string | Buffer | undefined,
  agent: http.Agent | false = false,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = http.request({ host: '127.0.0.1', port, method, path, headers, agent }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', reject)
      res.on('end', () =>
        resolve({ status: res.statusCode!, headers: res.headers, body: Buffer.concat(chunks).toString() }),
      )
    })
    req.on('error', reject)
    req.end(body)
  })
}

function raw(port: number, parts: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
    for (const part of parts) socket.write(part, 'latin1')
  })
}
