import { diagnoseSchema } from '../policy/diagnose-schema.ts'
import { readSource, type Diagnostic, type Source } from '../policy/source.ts'
import { breakerOf, limitsOf, timeoutsOf, type BreakerTerms } from './bounds.ts'
import type {
  CorsSettings,
  DecisionSettings,
  GatewayConfig,
  ListenerSettings,
  ListenerTls,
  TracesSettings,
  UpstreamProfile,
} from './config.ts'
import type { UpstreamAccessSettings } from './load-upstream.ts'
import { gatewayFileSchema, type GatewaySettings } from './gateway-schema.ts'
import { tokenSettingsOf, type TokenSettings } from './token-settings.ts'

/** One base as gateway.yaml has it: its policy is a path still, its upstream may come from elsewhere. */
export interface BaseEntry {
  readonly path: string
  /** Path of the policy file, relative to gateway.yaml. */
  readonly policy: string
  readonly upstreamUrl?: URL
  readonly profile: UpstreamProfile
  readonly breaker?: BreakerTerms
  readonly access: UpstreamAccessSettings
  /** Undefined: no token is asked for. */
  readonly tokens?: TokenSettings
  readonly headerFieldsAsked: boolean
  readonly cors?: CorsSettings
}

/** The listener as gateway.yaml has it: certificates and keys are paths still, relative to gateway.yaml. */
export interface ListenerEntry extends Omit<ListenerSettings, 'tls'> {
  readonly tls?: Pick<ListenerTls, 'minimumVersion'> & {
    readonly certificate: string
    readonly key: string
    readonly clientCa?: string
  }
}

/** gateway.yaml, read and checked by itself. */
export interface GatewayFile extends Omit<GatewayConfig, 'bases' | 'listener'> {
  readonly listener: ListenerEntry
  readonly bases: readonly BaseEntry[]
  /** Decision records. What a process does with them stays as it is until it ends. */
  readonly decisions: DecisionSettings
  /** Where the log goes. */
  readonly log: 'stdout' | 'stderr'
  /** Whether a change of a file is taken by itself. */
  readonly reload: { readonly watch: boolean }
}

/**
 * Reads gateway.yaml. Every mistake is reported, each with its place.
 * @param file its name, as the mistakes shall show it
 */
export function readGatewayFile(
  file: string,
  text: string,
): { readonly source: Source; readonly settings?: GatewayFile; readonly diagnostics: readonly Diagnostic[] } {
  const source = readSource(file, text)
  if (source.diagnostics.length > 0) return { source, diagnostics: source.diagnostics.map(withoutSecrets) }
  const read = gatewayFileSchema.safeParse(source.data ?? {}, { reportInput: true })
  if (!read.success)
    return { source, diagnostics: diagnoseSchema(source, read.error, gatewayFileSchema).map(withoutSecrets) }
  const settings = settingsOf(read.data)
  const diagnostics = [
    ...overlaps(source, settings.bases),
    ...corsMistakes(source, settings.bases),
    ...tokensThatDoNotGoOn(source, read.data.bases),
    ...clashOfStreams(source, settings),
  ]
  return diagnostics.length > 0 ? { source, diagnostics } : { source, settings, diagnostics }
}

function settingsOf(data: GatewaySettings): GatewayFile {
  const { cache } = data
  return {
    bases: data.bases.map(({ path, policy, upstream, tokens, cors, 'header-fields': headerFields }) => ({
      path,
      policy,
      ...(upstream.url && { upstreamUrl: upstream.url }),
      profile: profileOf(upstream),
      headerFieldsAsked: headerFields === 'on',
      ...(upstream.breaker !== 'off' && { breaker: breakerOf(upstream.breaker) }),
      access: accessOf(upstream),
      ...(tokens !== 'off' && { tokens: tokenSettingsOf(tokens) }),
      ...(cors !== 'off' && { cors: corsOf(cors) }),
    })),
    limits: limitsOf(data.limits),
    timeouts: timeoutsOf(data.timeouts),
    listener: listenerOf(data.listener),
    cache: cache === 'off' ? 'off' : { bytes: cache.size, expireMs: cache.expire },
    traces: tracesOf(data.traces),
    forwardHeaderFields: data['forward-header-fields'],
    ruleHeaderFields: data['rule-header-fields'],
    decisions: decisionsOf(data.decisions),
    log: data.log,
    reload: data.reload,
  }
}

function listenerOf(listener: GatewaySettings['listener']): ListenerEntry {
  const { tls } = listener
  return {
    trustedProxies: listener['trusted-proxies'],
    forwardedIn: listener['forwarded-in'],
    ...(tls !== 'off' && {
      tls: {
        certificate: tls.certificate,
        key: tls.key,
        minimumVersion: tls['minimum-version'],
        ...(tls['client-ca'] !== undefined && { clientCa: tls['client-ca'] }),
      },
    }),
  }
}

function tracesOf(traces: GatewaySettings['traces']): 'off' | TracesSettings {
  if (traces === 'off') return 'off'
  const { endpoint, sample, incoming, 'service-name': serviceName } = traces
  return { endpoint, serviceName, sample, incoming }
}

function decisionsOf(decisions: GatewaySettings['decisions']): DecisionSettings {
  if (decisions === 'off') return 'off'
  const { 'caller-header-fields': callerHeaderFields, ...target } = decisions
  if (target.to !== 'audit-events') return { ...target, callerHeaderFields }
  const { to, url, fhir: release, queue, required } = target
  return {
    to,
    url: url.href,
    release,
    headerFile: target['header-file'],
    queue,
    queueBytes: target['queue-size'],
    required,
    callerHeaderFields,
  }
}

/** Who reads the log must not read the ids of records. */
function clashOfStreams(source: Source, { decisions, log }: GatewayFile): Diagnostic[] {
  if (decisions === 'off' || decisions.to !== log) return []
  const message =
    'The log goes to standard output, too, and who reads it must not read the ids of records. Set `log: stderr`.'
  return [source.diagnose(['decisions', 'to'], message)]
}

/** A line that is shown may hold a secret that should not be there. */
function withoutSecrets(diagnostic: Diagnostic): Diagnostic {
  const excerpt = diagnostic.excerpt.replaceAll(
    /(\b(?:client-secret|secret|password|token|value)["']?[ \t]*:[ \t]*)("[^"\n]*"?|'[^'\n]*'?|[^,}\n]*)/g,
    (_, key: string, value: string) => key + '*'.repeat(value.length),
  )
  return { ...diagnostic, excerpt }
}

/** A target must lie in one base only, else the order of the list would decide which policy judges it. */
function overlaps(source: Source, bases: readonly BaseEntry[]): Diagnostic[] {
  return bases.flatMap(({ path }, index) => {
    const other = bases.slice(0, index).find((before) => within(path, before.path) || within(before.path, path))
    return other === undefined
      ? []
      : [
          source.diagnose(
            ['bases', index, 'path'],
            `\`${path}\` overlaps \`${other.path}\`: one base may not lie within another.`,
          ),
        ]
  })
}

const within = (path: string, outer: string) => path === outer || path.startsWith(`${outer}/`)

function corsOf(cors: Exclude<GatewaySettings['bases'][number]['cors'], 'off'>): CorsSettings {
  const { origins, credentials, 'header-fields': headerFields, 'max-age': maxAgeMs } = cors
  return { origins, credentials, headerFields, maxAgeMs }
}

/** All origins are not given together with some, nor what a browser keeps for the gateway to all of them. */
function corsMistakes(source: Source, bases: readonly BaseEntry[]): Diagnostic[] {
  return bases.flatMap(({ cors }, index) => {
    if (!cors?.origins.includes('*')) return []
    const at = ['bases', index, 'cors']
    return [
      ...(cors.origins.length > 1
        ? [source.diagnose([...at, 'origins'], '`*` is all origins: name it alone, or name the origins.')]
        : []),
      ...(cors.credentials
        ? [
            source.diagnose(
              [...at, 'credentials'],
              'Credentials are not for all origins: name those that may use them.',
            ),
          ]
        : []),
    ]
  })
}

/** What the server is asked with credentials of the gateway's own has none of the caller's. */
function tokensThatDoNotGoOn(source: Source, bases: GatewaySettings['bases']): Diagnostic[] {
  return bases.flatMap(({ tokens, upstream }, index) => {
    if (tokens === 'off' || tokens.forward !== true || upstream.credentials === 'callers') return []
    const message = 'The upstream gets the `credentials` of the gateway instead: a caller’s token does not go on to it.'
    return [source.diagnose(['bases', index, 'tokens', 'forward'], message)]
  })
}

function accessOf({ tls, credentials }: GatewaySettings['bases'][number]['upstream']): UpstreamAccessSettings {
  return { ...(tls && { tls }), ...(credentials !== 'callers' && { credentials }) }
}

function profileOf(upstream: GatewaySettings['bases'][number]['upstream']): UpstreamProfile {
  const { 'paging-parameter': pagingParameter, 'pinned-delete': pinnedDelete } = upstream
  return {
    ...(pagingParameter !== undefined && { pagingParameter }),
    ...(pinnedDelete !== undefined && { pinnedDelete }),
  }
}
