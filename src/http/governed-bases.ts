import type { GatewayConfig } from '../config/config.ts'
import { createUpstreamClient } from '../upstream/client.ts'
import { createPassThrough } from '../upstream/pass-through.ts'
import { createStoredVersions } from '../upstream/stored-versions.ts'
import type { GovernedBase } from './exchange.ts'

/** The bases of the config, each with its own connections and its own cache. */
export function governBases({ bases, limits, timeouts, cache }: GatewayConfig): readonly GovernedBase[] {
  return bases.map((base) => {
    const { url } = base.upstream
    const upstreamPath = url.pathname.replace(/\/$/, '')
    const client = createUpstreamClient(url.origin, timeouts)
    return {
      ...base,
      client,
      upstreamPath,
      passThrough: createPassThrough(url, timeouts),
      storedVersions: createStoredVersions({
        client,
        basePath: upstreamPath,
        definitions: base.policy.definitions,
        maxBytes: limits.storedBytes,
        nesting: limits.nesting,
        elements: limits.elements,
        cache,
      }),
    }
  })
}
