import { isDeepStrictEqual } from 'node:util'
import { withinRanges } from '../config/address-range.ts'
import type { BreakerTerms, Rate, Timeouts } from '../config/bounds.ts'
import type { Base, GatewayConfig } from '../config/config.ts'
import { remembering } from '../fhir/remembering.ts'
import { baseUrls } from '../upstream/base-urls.ts'
import { createBreaker } from '../upstream/breaker.ts'
import { createCapabilityStatements } from '../upstream/capability-statements.ts'
import { createCredentials } from '../upstream/credentials.ts'
import { createPool } from '../upstream/pool.ts'
import { clientWithCredentials, passThroughWithCredentials } from '../upstream/with-credentials.ts'
import { createUpstreamClient } from '../upstream/client.ts'
import { createPassThrough } from '../upstream/pass-through.ts'
import { createStoredVersions } from '../upstream/stored-versions.ts'
import { policyLabel } from '../policy/policy.ts'
import { createTokenCheck } from '../tokens/token-check.ts'
import type { Proxies } from './arrival.ts'
import { writeStatements } from './capabilities.ts'
import type { GovernedBase } from './exchange.ts'
import { guardedClient, guardedPassThrough } from './guarded-upstream.ts'
import { observedClient, observedPassThrough, type Observers } from './observed-upstream.ts'
import { limitRate, type RateLimit } from './rate.ts'

/** A config with what stands behind its bases. */
export interface Serving {
  readonly config: GatewayConfig
  readonly bases: readonly GovernedBase[]
  readonly proxies: Proxies
  /** By IP address; undefined: as many requests as come. */
  readonly rate: RateLimit | undefined
  /** By the client that a token names. */
  readonly clientRate: RateLimit | undefined
}

/**
 * The bases of a config, each with its own connections and its own cache.
 * @param observers told of what goes on with the upstreams
 * @param before what has been served until now: a base of the same path keeps its connections when its upstream and the
 *   time-outs are the same, and its stored versions when they would be read and kept in the same way; clients keep their
 *   counts when the rate is the same
 */
export function governBases(config: GatewayConfig, observers?: Observers, before?: Serving): Serving {
  const { trustedProxies, forwardedIn } = config.listener
  const { rate, clientRate } = config.limits
  return {
    config,
    bases: config.bases.map((base) => governBase(base, config, observers, before)),
    proxies: { trusts: withinRanges(trustedProxies), toldIn: forwardedIn },
    rate: limited(rate, before?.rate),
    clientRate: limited(clientRate, before?.clientRate),
  }
}

function limited(rate: 'off' | Rate, before: RateLimit | undefined): RateLimit | undefined {
  if (rate === 'off') return undefined
  return isDeepStrictEqual(rate, before?.rate) ? before : limitRate(rate)
}

function governBase(
  base: Base,
  config: GatewayConfig,
  observers: Observers | undefined,
  before: Serving | undefined,
): GovernedBase {
  const { url } = base.upstream
  const upstreamPath = url.pathname.replace(/\/$/, '')
  const known = before?.bases.find(({ path }) => path === base.path)
  const connections =
    known && isDeepStrictEqual(connectionTerms(known, before!.config), connectionTerms(base, config))
      ? connectionsOf(known)
      : connect(base, config, observers)
  const { client } = connections
  const { definitions } = base.policy
  const storedVersions =
    known?.client === client &&
    known.policy.definitions === definitions &&
    isDeepStrictEqual(cacheTerms(before!.config), cacheTerms(config))
      ? known.storedVersions
      : createStoredVersions({
          client: connections.versionClient,
          upstream: url,
          definitions,
          ...cacheTerms(config),
          ...(observers && { observe: (event) => observers.cache(base.path, event) }),
        })
  const { limits } = config
  const statements = createCapabilityStatements({
    client,
    basePath: upstreamPath,
    definitions,
    bounds: { nesting: limits.nesting },
    maxBytes: limits.rewriteBytes,
  })
  return {
    ...base,
    ...connections,
    upstreamPath,
    urlsUnder: remembering((own) => baseUrls(own, url)),
    policyLabel: policyLabel(base.policy),
    storedVersions,
    statements,
    written: writeStatements(base),
    tokenCheck: tokenCheckOf(base, known),
  }
}

/** The same terms keep the keys, and the tokens that have been verified. */
function tokenCheckOf({ tokens }: Base, known: GovernedBase | undefined) {
  if (!tokens) return undefined
  const before = known?.tokenCheck
  return before && isDeepStrictEqual(before.terms, tokens) ? before : createTokenCheck(tokens)
}

type Connections = Pick<GovernedBase, 'client' | 'versionClient' | 'passThrough' | 'breaker'>

const connectionsOf = ({ client, versionClient, passThrough, breaker }: GovernedBase): Connections => ({
  client,
  versionClient,
  passThrough,
  breaker,
})

function connect(base: Base, { timeouts }: GatewayConfig, observers: Observers | undefined): Connections {
  const { path, upstream } = base
  const { client, passThrough } = openUpstream(upstream, timeouts)
  const connections = {
    client: observers ? observedClient(client, path, observers) : client,
    versionClient: observers ? observedClient(client, path, observers, 'stored-version') : client,
    passThrough: observers ? observedPassThrough(passThrough, path, observers) : passThrough,
  }
  return upstream.breaker
    ? guard(connections, base, upstream.breaker, observers)
    : { ...connections, breaker: undefined }
}

/** What is sent and observed is what the breaker lets through. */
function guard(
  { client, versionClient, passThrough }: Omit<Connections, 'breaker'>,
  { path, upstream }: Base,
  terms: BreakerTerms,
  observers: Observers | undefined,
): Connections {
  const breaker = createBreaker(
    terms,
    () => performance.now(),
    (state) => observers?.breaker(path, state),
  )
  const basePath = upstream.url.pathname.replace(/\/$/, '')
  return {
    client: guardedClient(client, breaker, basePath),
    versionClient: guardedClient(versionClient, breaker, basePath),
    passThrough: guardedPassThrough(passThrough, breaker),
    breaker,
  }
}

function openUpstream({ url, tls, credentials }: Base['upstream'], timeouts: Timeouts) {
  const client = createUpstreamClient(url.origin, timeouts, createPool(url.origin, timeouts, tls))
  const passThrough = createPassThrough(url, timeouts, createPool(url.origin, timeouts, tls))
  if (!credentials) return { client, passThrough }
  const own = createCredentials(credentials, timeouts.firstByteMs)
  return {
    client: clientWithCredentials(client, own),
    passThrough: passThroughWithCredentials(passThrough, own),
  }
}

function connectionTerms({ upstream }: Base, { timeouts }: GatewayConfig) {
  const { connectMs, firstByteMs, betweenPartsMs, wholeMs, answerTakenMs } = timeouts
  const { url, tls, credentials, breaker } = upstream
  return { url: url.href, tls, credentials, breaker, connectMs, firstByteMs, betweenPartsMs, wholeMs, answerTakenMs }
}

/** A tree was read within these bounds, and carries the types of its FHIR version. */
function cacheTerms({ limits, cache }: GatewayConfig) {
  return { maxBytes: limits.storedBytes, nesting: limits.nesting, elements: limits.elements, cache }
}
