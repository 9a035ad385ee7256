import type { Log } from '../audit/log.ts'
import type { GatewayConfig } from '../config/config.ts'
import type { Gateway } from '../gateway.ts'
import { readCapability } from '../upstream/capability.ts'
import { watchReadiness, type ReadinessWatch } from '../upstream/readiness.ts'

export interface WatchedBase {
  readonly path: string
  readonly watch: ReadinessWatch
}

/** Asks every upstream whether it can be served, and logs each change of the answer. */
export function watchUpstreams(config: GatewayConfig, gateway: Gateway, log: Log): WatchedBase[] {
  return config.bases.map(({ path, policy, upstream }) => ({
    path,
    watch: watchReadiness(
      policy.fhirVersion,
      (stop) => readCapability(upstream.url, config.timeouts.upstreamMs, stop),
      (readiness) => {
        if (readiness.ready) return log.info({ base: path }, 'ready')
        // A server that comes back from a backup may give a version number to another content.
        gateway.forgetStoredVersions()
        log.warn({ base: path, reason: readiness.reason }, 'not ready, will ask the upstream again')
      },
    ),
  }))
}

/** The readiness of the whole gateway, for the admin port. */
export function readinessOf(watches: readonly WatchedBase[], draining: boolean) {
  const bases = watches.map(({ path, watch }) => ({ path, ...watch.now() }))
  if (draining) return { ready: false, reason: 'The gateway is draining.', bases }
  return { ready: bases.every((base) => base.ready), bases }
}
