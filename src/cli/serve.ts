import { idHasher } from '../audit/id-hash.ts'
import { createLog, type Log } from '../audit/log.ts'
import { createMetrics } from '../audit/metrics.ts'
import { requestLog } from '../audit/request-log.ts'
import type { GatewayConfig } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { loadConfig, needsSandbox, upstreamMistake, withUpstream } from '../config/load.ts'
import { createGateway, type Gateway } from '../gateway.ts'
import { createAdmin } from '../http/admin.ts'
import { writeMistakes } from './config-mistakes.ts'
import { listen, localOrigin } from './listen.ts'
import { readinessOf, watchUpstreams } from './readiness.ts'
import { sandboxFor } from './sandbox.ts'

export interface ServeOptions {
  readonly environment: Environment
  /** A folder with a gateway.yaml, or such a file. */
  readonly configPath: string
  /** Aborted when the process is asked to end. */
  readonly stop: AbortSignal
  /** Where the log goes, one JSON object per line. */
  readonly logTo: { write(line: string): void }
  /** To a person at a terminal. */
  readonly tell: (text: string) => void
}

/**
 * Serves until `stop`, then lets what is in flight end.
 * @returns undefined after a stop; else why it cannot be served, for a person
 */
export async function serve(options: ServeOptions): Promise<string | undefined> {
  const { environment, configPath, stop, tell } = options
  const result = loadConfig(configPath)
  if (!result.ok) return writeMistakes(result)
  const { loaded } = result
  const mistake = upstreamMistake(loaded, environment.upstreamUrl)
  if (mistake !== undefined) return `${mistake}\n`

  const sandbox = needsSandbox(loaded, environment.upstreamUrl) ? await sandboxFor(loaded) : undefined
  if (sandbox && 'mistake' in sandbox) return `${sandbox.mistake}\n`

  const config = withUpstream(loaded, sandbox?.url ?? environment.upstreamUrl)
  const host = environment.host ?? (sandbox ? '127.0.0.1' : undefined)

  const log = createLog(environment.logLevel, options.logTo)
  if (environment.logHashKey === undefined) {
    log.info({}, 'LOG_HASH_KEY is unset: hashes of ids in this log compare with each other only until the process ends')
  }
  const { gateway, metrics } = meteredGateway(config, environment, log)
  const watches = watchUpstreams(config, gateway, log)
  const admin = createAdmin({
    readiness: () => readinessOf(watches, stop.aborted),
    metrics: metrics.text,
    metricsContentType: metrics.contentType,
  })
  const close = async () => {
    for (const { watch } of watches) watch.stop()
    await gateway.drain()
    admin.close()
    admin.closeAllConnections()
    await sandbox?.close()
  }

  const places = [
    [gateway.server, { host, port: environment.port, variable: 'PORT' }],
    [admin, { host, port: environment.adminPort, variable: 'ADMIN_PORT' }],
  ] as const
  const ports: number[] = []
  for (const [server, place] of places) {
    const listening = await listen(server, place)
    if ('mistake' in listening) {
      await close()
      return `${listening.mistake}\n`
    }
    ports.push(listening.port)
  }
  const [port = 0, adminPort = 0] = ports
  log.info(
    {
      port,
      adminPort,
      bases: config.bases.map(({ path, policy }) => ({ path, policy: policy.name, digest: policy.digest })),
    },
    'listening',
  )

  const origin = localOrigin(host, port)
  tell(`Gateway: ${config.bases.map(({ path }) => origin + path).join(', ')}\n`)
  tell(`Health and metrics: ${localOrigin(host, adminPort)}\n`)
  if (sandbox) tell(sandbox.greeting(origin + config.bases[0]!.path))

  await stopped(stop)
  log.info({ inFlight: gateway.inFlight() }, 'draining')
  await close()
  log.info({}, 'stopped')
  return undefined
}

function meteredGateway(config: GatewayConfig, { publicUrl, logHashKey }: Environment, log: Log) {
  const writeLine = requestLog(log, idHasher(logHashKey))
  const metrics = createMetrics(() => gateway.inFlight())
  const gateway: Gateway = createGateway({
    config,
    ...(publicUrl && { publicUrl }),
    record(record) {
      writeLine(record)
      metrics.record(record)
    },
  })
  return { gateway, metrics }
}

function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve()
    else stop.addEventListener('abort', () => resolve(), { once: true })
  })
}
