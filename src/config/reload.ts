import type { FhirRelease } from '../fhir/version.ts'
import type { Diagnostic } from '../policy/source.ts'
import type { GatewayConfig, ListenerSettings } from './config.ts'
import type { ReadFile } from './files.ts'
import { loadConfig, needsSandbox, upstreamMistake, withUpstream, type LoadedConfig } from './load.ts'

/** What a process keeps until it ends, whatever gateway.yaml says later. */
export interface Standing {
  /** UPSTREAM_URL */
  readonly upstreamUrl: URL | undefined
  /** The sandbox, where it stands in for an upstream that nobody named. */
  readonly sandbox: { readonly url: URL; readonly release: FhirRelease } | undefined
  readonly settled: Settled
}

/** Settings that hold until the process ends: as texts, which another process can be told, and compare. */
export interface Settled {
  /** Spans are made from the start of the process on, or never. */
  readonly traces: string
  /** Where decision records and the log go: what is accounted for must not change unseen. */
  readonly decisions: string
  readonly log: string
  /** What clients are spoken to in. */
  readonly tls: KindOfTls
}

export const settledOf = ({ traces, decisions, log, listener }: LoadedConfig): Settled => ({
  traces: JSON.stringify(traces),
  decisions: JSON.stringify(decisions),
  log,
  tls: kindOfTls(listener),
})

/** `mutual`: each client shows a certificate, too. */
type KindOfTls = 'off' | 'one-sided' | 'mutual'

function kindOfTls({ tls }: ListenerSettings): KindOfTls {
  return tls ? (tls.clientAuthorities === undefined ? 'one-sided' : 'mutual') : 'off'
}

/** One mistake, without the line of the file, which may hold what is nobody's business. */
export interface Mistake {
  readonly file?: string
  readonly line?: number
  readonly column?: number
  readonly path?: string
  readonly message: string
}

export type LoadedAgain =
  | { readonly ok: true; readonly loaded: LoadedConfig; readonly config: GatewayConfig }
  | {
      readonly ok: false
      readonly mistakes: readonly Mistake[]
      /** A fault of the gateway. */
      readonly error?: unknown
    }

/** Reads everything anew for a process that serves. It is either all right, or nothing of it is taken. Never throws. */
export function loadAgain(configPath: string, standing: Standing, read?: ReadFile): LoadedAgain {
  try {
    return load(configPath, standing, read)
  } catch (error) {
    return { ok: false, mistakes: [{ message: 'The gateway failed to read its config.' }], error }
  }
}

function load(configPath: string, standing: Standing, read: ReadFile | undefined): LoadedAgain {
  const result = loadConfig(configPath, read)
  if (!result.ok) {
    return {
      ok: false,
      mistakes: 'mistake' in result ? [{ message: result.mistake }] : result.diagnostics.map(placeOf),
    }
  }
  const { loaded } = result
  const message = upstreamMistake(loaded, standing.upstreamUrl) ?? restartReason(loaded, standing)
  if (message !== undefined) return { ok: false, mistakes: [{ file: loaded.file, message }] }
  return { ok: true, loaded, config: withUpstream(loaded, standing.upstreamUrl ?? standing.sandbox?.url) }
}

/** A diagnostic without the line of the file. */
export const placeOf = ({ file, line, column, path, message }: Diagnostic): Mistake => ({
  file,
  line,
  column,
  path,
  message,
})

/** Why a process cannot go on with a config, one sentence; undefined when it can. */
export function restartReason(loaded: LoadedConfig, standing: Standing): string | undefined {
  const { upstreamUrl, sandbox, settled } = standing
  const now = settledOf(loaded)
  for (const name of ['traces', 'decisions', 'log'] as const) {
    if (now[name] !== settled[name]) return `This needs a restart: \`${name}\` has changed.`
  }
  if ((now.tls === 'off') !== (settled.tls === 'off'))
    return 'This needs a restart: `listener.tls` is switched on or off.'
  if (now.tls !== settled.tls) return 'This needs a restart: `listener.tls.client-ca` is there or is not.'
  const needed = needsSandbox(loaded, upstreamUrl)
  if (needed && !sandbox) return 'This needs a restart: the only base has no upstream any more, and no sandbox runs.'
  if (!needed && sandbox) return 'This needs a restart: an upstream is named, and the sandbox stands in for it.'
  const { release, fhirVersion } = loaded.bases[0]!.compiled
  return sandbox && release !== sandbox.release
    ? `This needs a restart: the policy is written for FHIR ${fhirVersion}, and the sandbox speaks ${sandbox.release}.`
    : undefined
}
