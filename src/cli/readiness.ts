import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../audit/log.ts'
import type { Base, GatewayConfig } from '../config/config.ts'
import type { Gateway } from '../gateway.ts'
import type { AdminSources } from '../http/admin.ts'
import { Agent } from 'undici'
import { createCredentials } from '../upstream/credentials.ts'
import { connectOptionsOf } from '../upstream/pool.ts'
import { readCapability, type Access } from '../upstream/capability.ts'
import { watchReadiness, type Readiness, type ReadinessWatch } from '../upstream/readiness.ts'

/** Whether the gateway can serve, as the admin port tells it. */
export interface WatchedUpstreams {
  now(draining: boolean): ReturnType<AdminSources['readiness']>
  /**
   * Goes on with the upstreams of another config. One that is new counts as the one before it did until it has answered,
   * and as ready where there was none: readiness is lost by an answer only, not by a change of config.
   */
  follow(config: GatewayConfig): void
  stop(): void
}

interface WatchedBase {
  readonly path: string
  readonly terms: ReturnType<typeof termsOf>
  readonly watch: ReadinessWatch
}

/** Asks every upstream whether it can be served, and logs each change of the answer. */
export function watchUpstreams(gateway: Gateway, log: Log): WatchedUpstreams {
  const watch = (base: Base, config: GatewayConfig, before: Readiness | undefined): WatchedBase => {
    const { path, policy, upstream } = base
    const access = accessTo(base, config)
    return {
      path,
      terms: termsOf(base, config),
      watch: watchReadiness(
        policy.fhirVersion,
        (stop) => readCapability(upstream.url, config.timeouts.firstByteMs, stop, access),
        (readiness) => {
          if (readiness.ready) return log.info({ base: path }, 'ready')
          // A server that comes back from a backup may give a version number to another content.
          gateway.forgetStoredVersions()
          log.warn({ base: path, reason: readiness.reason }, 'not ready, will ask the upstream again')
        },
        before,
      ),
    }
  }
  let watched = gateway.config().bases.map((base) => watch(base, gateway.config(), undefined))

  return {
    now(draining) {
      // An open breaker takes no gateway out of service: without requests nobody would try whether the upstream has recovered.
      const breakers = new Map(gateway.breakers().map(({ base, state }) => [base, state]))
      const bases = watched.map(({ path, watch }) => {
        const breaker = breakers.get(path)
        return { path, ...watch.now(), ...(breaker && { breaker }) }
      })
      if (draining) return { ready: false, reason: 'The gateway is draining.', bases }
      return { ready: bases.every((base) => base.ready), bases }
    },
    follow(config) {
      const before = watched
      watched = config.bases.map((base) => {
        const known = before.find(({ path }) => path === base.path)
        if (known && isDeepStrictEqual(known.terms, termsOf(base, config))) return known
        return watch(base, config, known?.watch.now() ?? { ready: true })
      })
      for (const base of before) if (!watched.includes(base)) base.watch.stop()
    },
    stop() {
      for (const { watch } of watched) watch.stop()
    },
  }
}

/** Connections of its own, so that it is never in the way of requests. They end by themselves when they are not used. */
function accessTo({ upstream: { tls, credentials } }: Base, { timeouts }: GatewayConfig): Access {
  return {
    ...(tls && { dispatcher: new Agent({ connect: connectOptionsOf(tls) }) }),
    ...(credentials && { credentials: createCredentials(credentials, timeouts.firstByteMs) }),
  }
}

function termsOf({ policy, upstream }: Base, { timeouts }: GatewayConfig) {
  const { url, tls, credentials } = upstream
  return { fhirVersion: policy.fhirVersion, url: url.href, tls, credentials, firstByteMs: timeouts.firstByteMs }
}
