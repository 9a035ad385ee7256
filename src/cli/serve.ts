import { createLog } from '../audit/log.ts'
import type { Environment } from '../config/environment.ts'
import { rememberFiles } from '../config/files.ts'
import { restartReason, settledOf } from '../config/reload.ts'
import { loadConfig, needsSandbox, upstreamMistake, withUpstream, type LoadedConfig } from '../config/load.ts'
import { serveTogether, type PrimaryOptions } from './cluster/primary.ts'
import type { Seat } from './cluster/worker.ts'
import { writeMistakes, writePlaces } from './config-mistakes.ts'
import { decisionsMistake, decisionsOfWorker } from './decisions.ts'
import { listen, localOrigin } from './listen.ts'
import { openTraces } from './open-traces.ts'
import { basesOf, logDoubts, operateGateway } from './operated.ts'
import { keepReloading } from './reload.ts'
import { stopped } from './stopped.ts'

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
  /** The program itself, for the processes that serve together where WORKERS is more than 1. */
  readonly program: string
  /** The place of this process among them. */
  readonly seat: Seat | undefined
}

/** Loaded only where it is needed. */
async function startSandbox(loaded: LoadedConfig) {
  const { sandboxFor } = await import('./sandbox.ts')
  return sandboxFor(loaded)
}

/**
 * Serves until `stop`, then lets what is in flight end.
 * @returns undefined after a stop; else why it cannot be served, for a person
 */
export async function serve(options: ServeOptions): Promise<string | undefined> {
  const { environment, configPath, stop, seat } = options
  const { upstreamUrl } = environment
  const files = rememberFiles()
  const result = loadConfig(configPath, files.read)
  // What a worker says goes into the log.
  if (!result.ok) return seat ? writePlaces(result) : writeMistakes(result)
  const { loaded } = result
  const { decisions, log: to } = loaded
  const mistake = upstreamMistake(loaded, upstreamUrl) ?? decisionsMistake(decisions, to)
  if (mistake !== undefined) return `${mistake}\n`

  const running = !seat && needsSandbox(loaded, upstreamUrl) ? await startSandbox(loaded) : undefined
  if (running && 'mistake' in running) return `${running.mistake}\n`
  const sandbox = seat ? seat.sandbox : running
  const settled = seat?.settled ?? settledOf(loaded)
  const standing = { upstreamUrl, sandbox, settled }
  const changed = seat && restartReason(loaded, standing)
  if (changed !== undefined) return `${changed}\n`
  const host = environment.host ?? (sandbox ? '127.0.0.1' : undefined)

  const { logTo, tell } = options.openLog(to)
  const log = createLog(environment.logLevel, logTo, seat?.number)
  if (environment.logHashKey === undefined) {
    log.info({}, 'LOG_HASH_KEY is unset: hashes of ids in this log compare with each other only until the process ends')
  }
  const config = withUpstream(loaded, upstreamUrl ?? sandbox?.url)
  const greet = (port: number, adminPort: number) => {
    const origin = localOrigin(host, port, config.listener.tls ? 'https' : 'http')
    // At once, so that no line of the log comes in between.
    tell(
      [
        `Gateway: ${config.bases.map(({ path }) => origin + path).join(', ')}`,
        `Health and metrics: ${localOrigin(host, adminPort)}`,
        running?.greeting(origin + config.bases[0]!.path) ?? '',
      ].join('\n'),
    )
  }
  if (!seat && environment.workers > 1) {
    // What the workers write to the other stream is handed on there.
    const other = to === 'stdout' ? 'stderr' : 'stdout'
    const streams = { [to]: logTo, [other]: options.openLog(other).logTo } as PrimaryOptions['streams']
    const mistake = await serveTogether({ ...options, host, sandbox, settled, log, streams, greet })
    await running?.close()
    return mistake
  }
  const opened = config.traces === 'off' ? undefined : await openTraces(config.traces, log)
  if (opened && 'mistake' in opened) {
    await running?.close()
    return `${opened.mistake}\n`
  }
  const operated = operateGateway(
    config,
    environment,
    log,
    stop,
    opened?.traces,
    decisionsOfWorker(decisions, seat?.number),
  )
  const { gateway, admin, reconfigure, tried } = operated
  const close = async () => {
    await operated.close()
    await opened?.close()
    await running?.close()
  }
  const cannot = async (mistake: string) => {
    await close()
    return `${mistake}\n`
  }

  const own = await listen(gateway.server, { host, port: environment.port, variable: 'PORT' })
  if ('mistake' in own) return cannot(own.mistake)
  // That of several processes is the primary's.
  const ofAdmin = seat ? undefined : await listen(admin, { host, port: environment.adminPort, variable: 'ADMIN_PORT' })
  if (ofAdmin && 'mistake' in ofAdmin) return cannot(ofAdmin.mistake)
  logDoubts(log, loaded.doubts)
  const here = ofAdmin ? { adminPort: ofAdmin.port } : { pid: process.pid }
  log.info({ port: own.port, ...here, bases: basesOf(config) }, 'listening')
  if (ofAdmin) greet(own.port, ofAdmin.port)
  seat?.serves(own.port, operated)

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
