import { statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { compilePolicy, type Compiled, type ReadBeside } from '../policy/compile.ts'
import type { Ask } from '../policy/compile-context.ts'
import { didYouMean } from '../policy/did-you-mean.ts'
import type { Policy } from '../policy/policy.ts'
import type { Diagnostic } from '../policy/source.ts'
import type { CorsSettings, DecisionSettings, GatewayConfig, ListenerSettings, TokenTerms } from './config.ts'
import { readFile, type ReadFile } from './files.ts'
import { loadListener } from './load-listener.ts'
import { readGatewayFile, type BaseEntry, type GatewayFile } from './gateway-file.ts'
import { loadAccess, type LoadedAccess } from './load-upstream.ts'
import { readKeySet } from './key-file.ts'
import type { TokenSettings } from './token-settings.ts'

/** A config whose policies are compiled, and whose upstreams may still be open. */
export interface LoadedConfig extends Omit<GatewayFile, 'bases' | 'listener'> {
  /** The folder of gateway.yaml. */
  readonly folder: string
  /** The name of gateway.yaml as messages show it. */
  readonly file: string
  readonly bases: readonly (Omit<BaseEntry, 'tokens' | 'access'> & {
    readonly access: Pick<LoadedAccess, 'tls' | 'credentials'>
    readonly compiled: Policy
    readonly tokens?: TokenTerms
  })[]
  readonly listener: ListenerSettings
  /** What keeps nobody from serving, and wants somebody's eye: a certificate that is not valid today. */
  readonly doubts: readonly Diagnostic[]
}

export type Loaded =
  | { readonly ok: true; readonly loaded: LoadedConfig }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[]; readonly policies: number }
  | { readonly ok: false; readonly mistake: string }

/**
 * Reads gateway.yaml and compiles the policies that it names. Every mistake of all of them is reported at once.
 * @param path a folder with a gateway.yaml, or such a file
 * @param read how its files are read
 */
export function loadConfig(path: string, read: ReadFile = readFile): Loaded {
  const file = resolve(isFolder(path) ? join(path, 'gateway.yaml') : path)
  const text = read(file)
  if (typeof text !== 'string') return { ok: false, mistake: unreadable(`config file ${shown(file)}`, text.code) }

  const { source, settings, diagnostics: mistakes } = readGatewayFile(shown(file), text)
  if (!settings) return { ok: false, diagnostics: mistakes, policies: 0 }

  const readNamed = (named: string) => {
    const namedFile = resolve(dirname(file), named)
    const text = read(namedFile)
    return typeof text === 'string' ? { text } : { mistake: unreadable(`file \`${shown(namedFile)}\``, text.code) }
  }
  const {
    listener,
    mistakes: mistakesOfListener,
    ...ofListener
  } = loadListener(settings.listener, readNamed, source.diagnose)
  const doubts = [...ofListener.doubts]
  const diagnostics: Diagnostic[] = [...mistakesOfListener]
  const compiled = new Map<string, Extract<Compiled, { ok: true }>>()
  const bases = settings.bases.flatMap((base, index) => {
    const policyFile = resolve(dirname(file), base.policy)
    let result = compiled.get(policyFile)
    if (!result) {
      const policyText = read(policyFile)
      if (typeof policyText !== 'string') {
        const message = unreadable(`file \`${shown(policyFile)}\``, policyText.code)
        diagnostics.push(source.diagnose(['bases', index, 'policy'], message))
        return []
      }
      const policyResult = compilePolicy(shown(policyFile), policyText, readBeside(policyFile, dirname(file), read))
      if (!policyResult.ok) {
        diagnostics.push(...policyResult.diagnostics)
        return []
      }
      result = policyResult
      compiled.set(policyFile, result)
      diagnostics.push(...mistakesOfAsks(result.asks, settings.ruleHeaderFields, shown(file)))
    }
    const { tokens: tokenSettings, access, ...others } = base
    const {
      mistakes,
      doubts: more,
      ...loadedAccess
    } = loadAccess(access, tokenSettings !== undefined, readNamed, (at, message) =>
      source.diagnose(['bases', index, 'upstream', ...at], message),
    )
    diagnostics.push(...mistakes)
    doubts.push(...more)
    const rest = { ...others, access: loadedAccess }
    if (!tokenSettings) {
      diagnostics.push(...mistakesWithoutTokens(result.asks, base.path))
      return [{ ...rest, compiled: result.policy }]
    }
    const tokens = tokenTermsOf(tokenSettings, dirname(file), read)
    if ('mistake' in tokens) {
      diagnostics.push(source.diagnose(['bases', index, 'tokens', 'jwks', 'file'], tokens.mistake))
      return []
    }
    return [{ ...rest, compiled: result.policy, tokens: tokens.terms }]
  })

  if (settings.limits.clientRate !== 'off' && !settings.bases.some(({ tokens }) => tokens !== undefined)) {
    const message = 'No base has `tokens`, so that no client is known: this would hold nobody off.'
    diagnostics.push(source.diagnose(['limits', 'client-rate'], message))
  }
  const { decisions: records } = settings
  const needsRelease = records !== 'off' && records.to === 'audit-events' && records.release === undefined
  if (needsRelease && bases.some(({ compiled: policy }) => policy.release === 'R5')) {
    const message =
      'An AuditEvent is made for STU3 or R4, and a policy is written for R5: say which one the server speaks.'
    diagnostics.push(source.diagnose(['decisions'], `${message} Set \`fhir\`.`))
  }
  if (diagnostics.length > 0) {
    return { ok: false, diagnostics, policies: new Set(settings.bases.map((base) => base.policy)).size }
  }
  const decisions = withAbsolutePaths(settings.decisions, dirname(file))
  const found = { bases, listener, doubts, decisions }
  return { ok: true, loaded: { ...settings, ...found, folder: dirname(file), file: shown(file) } }
}

function withAbsolutePaths(decisions: DecisionSettings, folder: string): DecisionSettings {
  if (decisions === 'off' || decisions.to === 'stdout') return decisions
  if (decisions.to === 'file') return { ...decisions, file: resolve(folder, decisions.file) }
  const { queue, headerFile } = decisions
  return {
    ...decisions,
    queue: resolve(folder, queue),
    headerFile: headerFile === undefined ? undefined : resolve(folder, headerFile),
  }
}

/** What rules ask of a request, and the gateway does not know: they could never pass. */
function mistakesOfAsks(asks: readonly Ask[], headerFields: readonly string[], file: string): Diagnostic[] {
  return asks.flatMap(({ headerField, diagnose }) => {
    if (headerField === undefined || headerFields.includes(headerField)) return []
    const hint = didYouMean(headerField, headerFields)
    return [diagnose(`The header field \`${headerField}\` is not among the \`rule-header-fields\` of ${file}.${hint}`)]
  })
}

/** Rules that ask about scopes, on a base where nobody has any. */
function mistakesWithoutTokens(asks: readonly Ask[], path: string): Diagnostic[] {
  return asks.flatMap(({ headerField, diagnose }) =>
    headerField === undefined
      ? [diagnose(`The base \`${path}\` has no \`tokens\`, so that there are no scopes: this could never pass.`)]
      : [],
  )
}

/** The keys of a file, where they stand in one, are read with the config. */
function tokenTermsOf(
  { keys, ...settings }: TokenSettings,
  folder: string,
  read: ReadFile,
): { readonly terms: TokenTerms } | { readonly mistake: string } {
  if ('url' in keys) return { terms: { ...settings, keys } }
  const file = resolve(folder, keys.file)
  const text = read(file)
  if (typeof text !== 'string') return { mistake: unreadable(`file \`${shown(file)}\``, text.code) }
  const keySet = readKeySet(text, settings.algorithms)
  return 'mistake' in keySet
    ? { mistake: `\`${shown(file)}\` cannot be used. ${keySet.mistake}` }
    : { terms: { ...settings, keys: keySet } }
}

/** Whether a file is a policy rather than a gateway.yaml, whatever its name is. */
export function isPolicyFile(path: string, read: ReadFile = readFile): boolean {
  const text = isFolder(path) ? undefined : read(resolve(path))
  return typeof text === 'string' && isPolicyText(text)
}

/** The same of a text. */
export const isPolicyText = (text: string): boolean => /^policy\s*:/m.test(text)

export type LoadedPolicy =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[]; readonly policies: 1 }
  | { readonly ok: false; readonly mistake: string }

/**
 * Reads one policy file, whether a config names it or not. What it names is read from the folder of the gateway.yaml above
 * it, as the gateway would, else from its own folder.
 * @param read how its files are read
 */
export function loadPolicy(path: string, read: ReadFile = readFile): LoadedPolicy {
  const file = resolve(path)
  const text = read(file)
  if (typeof text !== 'string') return { ok: false, mistake: unreadable(`file ${shown(file)}`, text.code) }
  const compiled = compilePolicy(
    shown(file),
    text,
    readBeside(file, folderOfConfig(dirname(file)) ?? dirname(file), read),
  )
  return compiled.ok ? compiled : { ...compiled, policies: 1 }
}

function folderOfConfig(folder: string): string | undefined {
  if (typeof readFile(join(folder, 'gateway.yaml')) === 'string') return folder
  return dirname(folder) === folder ? undefined : folderOfConfig(dirname(folder))
}

/** Why a config and UPSTREAM_URL do not go together; undefined when they do. */
export function upstreamMistake(loaded: LoadedConfig, upstreamUrl: URL | undefined): string | undefined {
  const { bases, file } = loaded
  if (bases.length === 1) return undefined
  if (upstreamUrl) {
    return `UPSTREAM_URL names the upstream of the only base, and ${file} has ${bases.length}. Unset it, and give each base its upstream.url there.`
  }
  const open = bases.filter((base) => !base.upstreamUrl).map((base) => base.path)
  return open.length === 0
    ? undefined
    : `${file} has ${bases.length} bases, and each needs its upstream.url: ${open.join(', ')} ${open.length === 1 ? 'has' : 'have'} none.`
}

/** Whether the only base has no upstream at all, so that the sandbox stands in for it. */
export function needsSandbox(loaded: LoadedConfig, upstreamUrl: URL | undefined): boolean {
  return upstreamUrl === undefined && loaded.bases.every((base) => !base.upstreamUrl)
}

/** Closes what was left open: the upstream of the only base, which goes before the one in gateway.yaml. */
export function withUpstream(loaded: LoadedConfig, upstreamUrl: URL | undefined): GatewayConfig {
  const { limits, timeouts, listener, cache, traces, forwardHeaderFields, ruleHeaderFields } = loaded
  return {
    bases: loaded.bases.map(
      ({ path, compiled, upstreamUrl: own, profile, access, breaker, tokens, cors, headerFieldsAsked }) => {
        const url = upstreamUrl ?? own
        if (!url) throw new Error(`The base ${path} has no upstream.`)
        return {
          path,
          policy: compiled,
          upstream: { url, profile, ...access, ...(breaker && { breaker }) },
          headerFieldsAsked,
          ...(tokens && { tokens }),
          ...(cors && { cors: headerFieldsAsked ? withFields(cors, compiled) : cors }),
        }
      },
    ),
    limits,
    timeouts,
    listener,
    cache,
    traces,
    forwardHeaderFields,
    ruleHeaderFields,
  }
}

/** What is asked of pages they may send. */
function withFields(cors: CorsSettings, { headerFields }: Policy): CorsSettings {
  const asked = headerFields.map(({ name }) => name.toLowerCase())
  return { ...cors, headerFields: [...new Set([...cors.headerFields, ...asked])] }
}

/** A path as messages show it: relative where it lies below the working folder. */
export function shown(path: string): string {
  const below = relative(process.cwd(), path)
  return below === '' || below.startsWith('..') ? path : below
}

/**
 * Reads what a policy file names, relative to it.
 * @param folder the only folder, with those in it, from which files are read
 */
export function readBeside(policyFile: string, folder: string, read: ReadFile = readFile): ReadBeside {
  return (path) => {
    const file = resolve(dirname(policyFile), path)
    const below = relative(folder, file)
    if (below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) {
      return {
        mistake: `\`${path}\` leads out of the folder of the config, ${shown(folder)}: only files in it are read.`,
      }
    }
    const text = read(file)
    if (typeof text === 'string') return text
    return absent.has(text.code) ? undefined : { mistake: unreadable(`file \`${path}\``, text.code) }
  }
}

/** Whether there is a folder of that name. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

const absent: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR'])

function unreadable(what: string, code: string): string {
  if (absent.has(code)) return `There is no ${what}.`
  return code === 'EFBIG' ? `The ${what} is larger than 16 MiB.` : `The ${what} cannot be read (${code}).`
}
