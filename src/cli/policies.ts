import type { GatewayConfig } from '../config/config.ts'
import type { Gateway } from '../gateway.ts'
import type { Mode } from '../policy/rule.ts'
import { countRules, groupsOf } from '../policy/words/groups.ts'
import type { Attempt } from './reload.ts'

/** Which policies are in force and since when, as the admin port tells it. */
export interface PoliciesInForce {
  now(): { readonly bases: readonly GovernedSince[]; readonly lastReload?: object }
  /** Takes note of an attempt to take another config, when it is over. */
  tried(attempt: Attempt): void
}

export function policiesInForce({ config }: Pick<Gateway, 'config'>): PoliciesInForce {
  let bases = basesSince(new Date().toISOString(), config(), [])
  let lastReload: object | undefined
  return {
    now: () => ({ bases, ...(lastReload && { lastReload }) }),
    tried(attempt) {
      const at = new Date().toISOString()
      const { cause, result } = attempt
      if (result === 'applied') bases = basesSince(at, config(), bases)
      lastReload = { at, cause, result, ...(result === 'refused' && { mistakes: attempt.mistakes }) }
    },
  }
}

export interface GovernedSince {
  readonly path: string
  readonly policy: string
  readonly fhirVersion: string
  readonly digest: string
  readonly mode: Mode
  readonly rules: number
  /** When the policy came into force on this base. */
  readonly since: string
}

function basesSince(at: string, { bases }: GatewayConfig, before: readonly GovernedSince[]): GovernedSince[] {
  return bases.map(({ path, policy }) => {
    const { name, fhirVersion, digest, mode } = policy
    const known = before.find((base) => base.path === path && base.digest === digest)
    if (known) return known
    const rules = countRules(groupsOf(policy), policy)
    return { path, policy: name, fhirVersion, digest, mode, rules, since: at }
  })
}
