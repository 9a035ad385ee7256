import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fhirBaseUrlExpected, parseFhirBaseUrl } from './upstream-url.ts'

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

export type LogLevel = (typeof logLevels)[number]

/** What the environment says of serving, with what holds where it says nothing. */
export interface Environment {
  /** FHIR base URL of the only base's upstream; undefined: as gateway.yaml says, else the sandbox. */
  readonly upstreamUrl?: URL
  /** Address to listen on; undefined: loopback with the sandbox, else all interfaces. */
  readonly host?: string
  /** 0: any free one. */
  readonly port: number
  /** 0: any free one. */
  readonly adminPort: number
  /** The URL under which clients reach us, without path; undefined: from the Host header field. */
  readonly publicUrl?: URL
  /** How many processes answer requests. */
  readonly workers: number
  readonly logLevel: LogLevel
  /** The key of the hashes that stand for resource ids in the log; undefined: a random one per process. */
  readonly logHashKey?: string
}

/** One environment variable, for `--help` and the documentation. */
export const variables: readonly (readonly [name: string, meaning: string])[] = [
  ['UPSTREAM_URL', 'FHIR base URL of the server behind the gateway. Unset: as gateway.yaml says, else the sandbox.'],
  ['PORT', 'Port of the gateway, 0 for any free one. Unset: 8080.'],
  ['ADMIN_PORT', 'Port of health and metrics, 0 for any free one. Unset: 9090.'],
  ['HOST', 'Address to listen on. Unset: 127.0.0.1 with the sandbox, else all interfaces.'],
  [
    'PUBLIC_URL',
    'URL under which clients reach the gateway, without path. Unset: as a trusted proxy says, else from the Host header field.',
  ],
  ['CONFIG', 'A folder with a gateway.yaml, or such a file. Unset: the one that comes with the program.'],
  ['WORKERS', 'How many processes answer requests: a number, or auto for as many as there are processors. Unset: 1.'],
  ['LOG_LEVEL', `${logLevels.join(', ')}. Unset: info.`],
  ['LOG_HASH_KEY', 'Key of the hashes that stand for resource ids in the log, 16 characters or more. Unset: random.'],
  ['LOG_HASH_KEY_FILE', 'A file that holds that key, instead of LOG_HASH_KEY.'],
]

export type EnvironmentRead =
  | { readonly ok: true; readonly environment: Environment }
  | { readonly ok: false; readonly mistakes: readonly string[] }

/**
 * Reads the environment variables; an empty one counts as unset. All mistakes are told at once, one sentence each, and
 * none repeats a value: a URL or a key may hold a secret.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): EnvironmentRead {
  const mistakes: string[] = []
  const read = <T>(name: string, parse: (text: string) => T | undefined, expected: string): T | undefined => {
    const text = env[name]
    if (text === undefined || text === '') return undefined
    const value = parse(text)
    if (value === undefined) mistakes.push(`${name}: expected ${expected}.`)
    return value
  }

  const upstreamUrl = read('UPSTREAM_URL', parseFhirBaseUrl, fhirBaseUrlExpected)
  const publicUrl = read('PUBLIC_URL', parseOrigin, 'an http or https URL without path, such as `https://fhir.example`')
  const host = read('HOST', parseHost, 'an IP address or a host name')
  const port = read('PORT', parsePort, portExpected) ?? 8080
  const adminPort = read('ADMIN_PORT', parsePort, portExpected) ?? 9090
  if (port === adminPort && port !== 0) mistakes.push(`PORT and ADMIN_PORT: expected two ports, and both are ${port}.`)
  const workers = read('WORKERS', parseWorkers, 'a whole number from 1 to 256, or `auto`') ?? 1
  const logLevel = read('LOG_LEVEL', parseLogLevel, `one of ${logLevels.join(', ')}`) ?? 'info'
  const logHashKey =
    read('LOG_HASH_KEY', parseKey, keyExpected) ??
    read('LOG_HASH_KEY_FILE', readKeyFile, `the path of a readable file that holds ${keyExpected}`)
  if (env.LOG_HASH_KEY && env.LOG_HASH_KEY_FILE) {
    mistakes.push('LOG_HASH_KEY and LOG_HASH_KEY_FILE: expected one of them, and both are set.')
  }

  if (mistakes.length > 0) return { ok: false, mistakes }
  return {
    ok: true,
    environment: {
      port,
      adminPort,
      workers,
      logLevel,
      ...(upstreamUrl && { upstreamUrl }),
      ...(host !== undefined && { host }),
      ...(publicUrl && { publicUrl }),
      ...(logHashKey !== undefined && { logHashKey }),
    },
  }
}

const portExpected = 'a whole number from 0 to 65535'

function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined
}

function parseOrigin(text: string): URL | undefined {
  const url = parseFhirBaseUrl(text)
  return url?.pathname === '/' ? url : undefined
}

function parseWorkers(text: string): number | undefined {
  if (text === 'auto') return availableParallelism()
  return /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 256 ? Number(text) : undefined
}

const parseHost = (text: string) => (/^[0-9A-Za-z.:_%-]+$/.test(text) ? text : undefined)

const parseLogLevel = (text: string) => logLevels.find((level) => level === text)

const keyExpected = 'a text of 16 characters or more'

const parseKey = (text: string) => (text.length >= 16 ? text : undefined)

function readKeyFile(path: string): string | undefined {
  try {
    return parseKey(readFileSync(path, 'utf8').trim())
  } catch {
    return undefined
  }
}
