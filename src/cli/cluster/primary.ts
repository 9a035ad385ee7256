import { randomBytes } from 'node:crypto'
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { Log } from '../../audit/log.ts'
import { definitions } from '../../audit/metric-definitions.ts'
import type { Environment } from '../../config/environment.ts'
import type { Settled, Standing } from '../../config/reload.ts'
import { createAdmin } from '../../http/admin.ts'
import { listen } from '../listen.ts'
import { stopped } from '../stopped.ts'
import type { MetricsAsJson } from './messages.ts'
import { mergedMetrics, mergedPolicies, mergedReadiness } from './merged.ts'
import { startPool, type Pool, type PoolOptions } from './pool.ts'

export interface PrimaryOptions {
  readonly environment: Environment
  /** The program that each worker runs. */
  readonly program: string
  readonly host: string | undefined
  readonly sandbox: Standing['sandbox']
  readonly settled: Settled
  readonly stop: AbortSignal
  readonly onReloadAsked: (listener: () => void) => void
  readonly log: Log
  /** Where the lines go that the workers write. */
  readonly streams: PoolOptions['streams']
  /** Tells a person where it is served. */
  readonly greet: (port: number, adminPort: number) => void
}

/**
 * Has several processes serve, behind one admin port that speaks for all of them, until `stop`; then lets what is in flight
 * end in each.
 * @returns undefined after a stop; else why it cannot be served, for a person
 */
export async function serveTogether(options: PrimaryOptions): Promise<string | undefined> {
  const { environment, program, host, sandbox, settled, stop, log, streams } = options
  const { workers, adminPort } = environment
  const pool = startPool({
    count: workers,
    program,
    start: {
      kind: 'start',
      sandbox: sandbox && { url: sandbox.url.href, release: sandbox.release },
      settled,
      logHashKey: environment.logHashKey ?? randomBytes(32).toString('base64url'),
    },
    log,
    streams,
  })
  const own = ownMetrics(pool)
  const admin = createAdmin({
    readiness: () => mergedReadiness(pool.states(), stop.aborted),
    policies: () => mergedPolicies(pool.states()),
    metrics: async () => mergedMetrics([...(await pool.metrics()), await own()]).metrics(),
    metricsContentType: new Registry().contentType,
  })
  const close = async () => {
    await pool.stop()
    admin.close()
    admin.closeAllConnections()
  }
  const ofAdmin = await listen(admin, { host, port: adminPort, variable: 'ADMIN_PORT' })
  const started = 'mistake' in ofAdmin ? ofAdmin : await Promise.race([pool.started, stopped(stop)])
  if (started && 'mistake' in started) {
    await close()
    return `${started.mistake.trimEnd()}\n`
  }
  if (started && 'port' in ofAdmin) {
    log.info({ workers, port: started.port, adminPort: ofAdmin.port }, 'workers listening')
    options.greet(started.port, ofAdmin.port)
    options.onReloadAsked(pool.reload)
    await stopped(stop)
  }
  log.info({ workers: pool.states().length }, 'draining workers')
  await close()
  log.info({}, 'all workers stopped')
  return undefined
}

/** What only the primary knows, and its part of the machine; what Node.js tells of it says nothing of requests. */
function ownMetrics(pool: Pool): () => Promise<MetricsAsJson> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const { fhir_gateway_workers: workers, fhir_gateway_worker_ends_total: ends } = definitions
  registry.registerMetric(
    new Gauge({
      name: 'fhir_gateway_workers',
      help: workers.help,
      registers: [],
      collect() {
        this.set(pool.states().length)
      },
    }),
  )
  registry.registerMetric(
    new Counter({
      name: 'fhir_gateway_worker_ends_total',
      help: ends.help,
      registers: [],
      collect() {
        this.reset()
        this.inc(pool.ended())
      },
    }),
  )
  return async () => (await registry.getMetricsAsJSON()).filter(({ name }) => /^(?:fhir_gateway|process)_/.test(name))
}
