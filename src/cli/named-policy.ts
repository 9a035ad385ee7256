import { loadConfig, loadPolicy } from '../config/load.ts'
import type { Policy } from '../policy/policy.ts'
import { writeMistakes } from './config-mistakes.ts'

/** A policy that a command works with, or what is wrong, as text for a terminal. */
export type NamedPolicy = { readonly policy: Policy } | { readonly mistake: string }

/**
 * The policy that the command line names, else the one of the config when it has one only.
 * @param configPath a folder with a gateway.yaml, or such a file
 */
export function namedPolicy(file: string | undefined, configPath: string): NamedPolicy {
  if (file !== undefined) {
    const read = loadPolicy(file)
    if (read.ok) return read
    return { mistake: 'mistake' in read ? `--policy: ${read.mistake}\n` : writeMistakes(read) }
  }
  const read = loadConfig(configPath)
  if (!read.ok) return { mistake: writeMistakes(read) }
  const policies = new Set(read.loaded.bases.map(({ compiled }) => compiled))
  const [policy] = policies
  if (policy && policies.size === 1) return { policy }
  const files = [...new Set(read.loaded.bases.map((base) => base.policy))].join(', ')
  return { mistake: `${read.loaded.file} has ${policies.size} policies: name one of them by --policy (${files}).\n` }
}
