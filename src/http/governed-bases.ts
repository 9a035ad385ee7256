import { isDeepStrictEqual } from 'node:util'
import type { Base, GatewayConfig } from '../config/config.ts'
import { createUpstreamClient } from '../upstream/client.ts'
import { createPassThrough } from '../upstream/pass-through.ts'
import { createStoredVersions } from '../upstream/stored-versions.ts'
import type { GovernedBase } from './exchange.ts'

/** A config with what stands behind its bases. */
export interface Serving {
  readonly config: GatewayConfig
  readonly bases: readonly GovernedBase[]
}

/**
 * The bases of a config, each with its own connections and its own cache.
 * @param before what has been served until now: a base of the same path keeps its connections when its upstream and the
 *   time-outs are the same, and its stored versions when they would be read and kept in the same way
 */
export function governBases(config: GatewayConfig, before?: Serving): Serving {
  return { config, bases: config.bases.map((base) => governBase(base, config, before)) }
}

function governBase(base: Base, config: GatewayConfig, before: Serving | undefined): GovernedBase {
  const { url } = base.upstream
  const upstreamPath = url.pathname.replace(/\/$/, '')
  const known = before?.bases.find(({ path }) => path === base.path)
  const connections =
    known && isDeepStrictEqual(connectionTerms(known, before!.config), connectionTerms(base, config))
      ? { client: known.client, passThrough: known.passThrough }
      : {
          client: createUpstreamClient(url.origin, config.timeouts),
          passThrough: createPassThrough(url, config.timeouts),
        }
  const { client } = connections
  const { definitions } = base.policy
  const storedVersions =
    known?.client === client &&
    known.policy.definitions === definitions &&
    isDeepStrictEqual(cacheTerms(before!.config), cacheTerms(config))
      ? known.storedVersions
      : createStoredVersions({ client, basePath: upstreamPath, definitions, ...cacheTerms(config) })
  return { ...base, ...connections, upstreamPath, storedVersions }
}

function connectionTerms({ upstream }: Base, { timeouts }: GatewayConfig) {
  return { url: upstream.url.href, connectMs: timeouts.connectMs, upstreamMs: timeouts.upstreamMs }
}

/** A tree was read within these bounds, and carries the types of its FHIR version. */
function cacheTerms({ limits, cache }: GatewayConfig) {
  return { maxBytes: limits.storedBytes, nesting: limits.nesting, elements: limits.elements, cache }
}
