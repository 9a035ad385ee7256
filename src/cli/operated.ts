import type { Server } from 'node:http'
import { idHasher } from '../audit/id-hash.ts'
import type { Log } from '../audit/log.ts'
import { createMetrics, type Metrics } from '../audit/metrics.ts'
import { requestLog } from '../audit/request-log.ts'
import type { Traces } from '../audit/traces.ts'
import type { DecisionSettings, GatewayConfig } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { expiryOf } from '../config/tls-files.ts'
import { placeOf } from '../config/reload.ts'
import { createGateway, type Gateway } from '../gateway.ts'
import { createAdmin } from '../http/admin.ts'
import type { WorkerState } from './cluster/messages.ts'
import { openDecisions } from './decisions.ts'
import type { Diagnostic } from '../policy/source.ts'
import { policiesInForce } from './policies.ts'
import { watchUpstreams } from './readiness.ts'
import type { Attempt } from './reload.ts'

/** A gateway with what its operator sees of it: the log, the metrics, its readiness and the policies in force. */
export interface OperatedGateway {
  readonly gateway: Gateway
  /** The admin port, not listening yet. */
  readonly admin: Server
  /** What the admin port shows, for one that several processes share. */
  state(): WorkerState
  readonly metrics: Metrics
  /** Serves another config from now on. */
  reconfigure(config: GatewayConfig): void
  /** Writes down what became of an attempt to take another config, when it is over. */
  tried(attempt: Attempt): void
  /** Opens anew what other programs rotate. */
  reopen(): void
  /** Lets what is in flight end, and writes what waits. */
  close(): Promise<void>
}

/**
 * @param stop aborted when no more requests are taken
 * @param traces undefined: no spans are made
 */
export function operateGateway(
  config: GatewayConfig,
  { publicUrl, logHashKey }: Environment,
  log: Log,
  stop: AbortSignal,
  traces?: Traces,
  decisionSettings: DecisionSettings = 'off',
): OperatedGateway {
  const accounts = openDecisions(decisionSettings, config.timeouts, log, {
    decisions: (...counted) => metrics.decisions(...counted),
    auditEvent: (result) => metrics.auditEvent(result),
  })
  const decisions = accounts?.decisions
  const writeLine = requestLog(log, idHasher(logHashKey))
  const gateway: Gateway = createGateway({
    config,
    ...(publicUrl && { publicUrl }),
    ...(decisions && { decisions }),
    record(record) {
      const traceId = traces?.traceId()
      writeLine(traceId === undefined ? record : { ...record, traceId })
      metrics.record(record)
      traces?.recorded(record)
    },
    observers: {
      upstream: (record) => metrics.upstream(record),
      cache: (base, event) => metrics.cache(base, event),
      breaker(base, state) {
        if (state === 'open') log.warn({ base }, 'breaker open: nothing is sent to the upstream for a while')
        if (state === 'closed') log.info({ base }, 'breaker closed')
      },
      ...(traces && { traces }),
    },
  })
  const upstreams = watchUpstreams(gateway, log)
  const metrics = createMetrics({
    ...gateway,
    upstreams: () => upstreams.now(false).bases,
    certificates: () => certificatesOf(gateway.config()),
    ...(accounts && { decisionQueueBytes: accounts.queueBytes }),
  })
  const policies = policiesInForce(gateway)
  const state = () => ({ readiness: upstreams.now(stop.aborted), policies: policies.now() })
  const admin = createAdmin({
    readiness: () => state().readiness,
    policies: () => state().policies,
    metrics: metrics.text,
    metricsContentType: metrics.contentType,
  })
  return {
    gateway,
    admin,
    state,
    metrics,
    reconfigure(config) {
      gateway.reconfigure(config)
      upstreams.follow(config)
    },
    tried(attempt) {
      policies.tried(attempt)
      metrics.reloaded(attempt.result)
      const { cause } = attempt
      if (attempt.result === 'applied') {
        log.info({ cause, bases: basesOf(gateway.config()) }, 'reloaded')
        return logDoubts(log, attempt.doubts ?? [])
      }
      const { mistakes, error } = attempt
      log.error({ cause, mistakes, error }, 'not reloaded: what was in force stays in force')
    },
    reopen: () => decisions?.reopen(),
    async close() {
      upstreams.stop()
      await gateway.drain()
      await decisions?.close()
      admin.close()
      admin.closeAllConnections()
    },
  }
}

/** What keeps nobody from serving, and wants somebody's eye. */
export function logDoubts(log: Log, doubts: readonly Diagnostic[]): void {
  if (doubts.length > 0) log.warn({ doubts: doubts.map(placeOf) }, 'serving all the same')
}

function certificatesOf({ listener: { tls } }: GatewayConfig) {
  const expires = tls && expiryOf(tls.identity.certificate)
  return expires === undefined ? [] : [{ use: 'listener' as const, expires }]
}

/** Which policy governs each base, for the log. */
export function basesOf({ bases }: GatewayConfig) {
  return bases.map(({ path, policy: { name, digest } }) => ({ path, policy: name, digest }))
}
