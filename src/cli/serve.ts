import { createLog } from '../audit/log.ts'
import type { Environment } from '../config/environment.ts'
import { kindOfTls } from '../config/reload.ts'
import { rememberFiles } from '../config/files.ts'
import { loadConfig, needsSandbox, upstreamMistake, withUpstream } from '../config/load.ts'
import { writeMistakes } from './config-mistakes.ts'
import { decisionsMistake } from './decisions.ts'
import { listen, localOrigin } from './listen.ts'
import { openTraces } from './open-traces.ts'
import { basesOf, logDoubts, operateGateway } from './operated.ts'
import { keepReloading } from './reload.ts'
import { sandboxFor } from './sandbox.ts'

export interface ServeOptions {
  readonly environment: Environment
  /** A folder with a gateway.yaml, or such a file. */
  readonly configPath: string
  /** Aborted when the process is asked to end. */
  readonly stop: AbortSignal
  /** Has the listener called whenever the process is asked to read its config again. */
  readonly onReloadAsked: (listener: () => void) => void
  /** Opens the stream to which the log goes. */
  readonly openLog: (to: 'stdout' | 'stderr') => {
    /** One JSON object per line. */
    readonly logTo: { write(line: string): void }
    /** To a person at a terminal. */
    readonly tell: (text: string) => void
  }
}

/**
 * Serves until `stop`, then lets what is in flight end.
 * @returns undefined after a stop; else why it cannot be served, for a person
 */
export async function serve(options: ServeOptions): Promise<string | undefined> {
  const { environment, configPath, stop } = options
  const { upstreamUrl } = environment
  const files = rememberFiles()
  const result = loadConfig(configPath, files.read)
  if (!result.ok) return writeMistakes(result)
  const { loaded } = result
  const { decisions, log: to } = loaded
  const mistake = upstreamMistake(loaded, upstreamUrl) ?? decisionsMistake(decisions, to)
  if (mistake !== undefined) return `${mistake}\n`

  const sandbox = needsSandbox(loaded, upstreamUrl) ? await sandboxFor(loaded) : undefined
  if (sandbox && 'mistake' in sandbox) return `${sandbox.mistake}\n`

  const { logTo, tell } = options.openLog(to)
  const log = createLog(environment.logLevel, logTo)
  if (environment.logHashKey === undefined) {
    log.info({}, 'LOG_HASH_KEY is unset: hashes of ids in this log compare with each other only until the process ends')
  }
  const config = withUpstream(loaded, upstreamUrl ?? sandbox?.url)
  const opened = config.traces === 'off' ? undefined : await openTraces(config.traces, log)
  if (opened && 'mistake' in opened) {
    await sandbox?.close()
    return `${opened.mistake}\n`
  }
  const operated = operateGateway(config, environment, log, stop, opened?.traces, decisions)
  const { gateway, admin, reconfigure, tried } = operated
  const close = async () => {
    await operated.close()
    await opened?.close()
    await sandbox?.close()
  }
  const cannot = async (mistake: string) => {
    await close()
    return `${mistake}\n`
  }

  const host = environment.host ?? (sandbox ? '127.0.0.1' : undefined)
  const own = await listen(gateway.server, { host, port: environment.port, variable: 'PORT' })
  if ('mistake' in own) return cannot(own.mistake)
  const ofAdmin = await listen(admin, { host, port: environment.adminPort, variable: 'ADMIN_PORT' })
  if ('mistake' in ofAdmin) return cannot(ofAdmin.mistake)
  logDoubts(log, loaded.doubts)
  log.info({ port: own.port, adminPort: ofAdmin.port, bases: basesOf(config) }, 'listening')

  const origin = localOrigin(host, own.port, config.listener.tls ? 'https' : 'http')
  tell(`Gateway: ${config.bases.map(({ path }) => origin + path).join(', ')}\n`)
  tell(`Health and metrics: ${localOrigin(host, ofAdmin.port)}\n`)
  if (sandbox) tell(sandbox.greeting(origin + config.bases[0]!.path))

  const standing = { upstreamUrl, sandbox, traces: config.traces, decisions, log: to, tls: kindOfTls(config.listener) }
  const reloading = keepReloading({ configPath, standing, loaded, files, reconfigure, tried })
  options.onReloadAsked(() => {
    operated.reopen()
    reloading.now()
  })
  await stopped(stop)
  reloading.stop()
  log.info({ inFlight: gateway.inFlight() }, 'leaving')
  await gateway.leave()
  log.info({ inFlight: gateway.inFlight() }, 'draining')
  await close()
  log.info({}, 'stopped')
  return undefined
}

function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve()
    else stop.addEventListener('abort', () => resolve(), { once: true })
  })
}
