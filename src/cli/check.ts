import { loadConfig, type LoadedConfig } from '../config/load.ts'
import type { ResourcePolicy } from '../policy/policy.ts'
import { counted, writeMistakes } from './config-mistakes.ts'

export interface Checked {
  /** Of the process. */
  readonly exitCode: 0 | 1
  readonly text: string
}

/**
 * Reads a config and the policies that it names, and tells every mistake, or in short what would be served.
 * @param configPath a folder with a gateway.yaml, or such a file
 */
export function check(configPath: string): Checked {
  const result = loadConfig(configPath)
  return result.ok ? { exitCode: 0, text: summary(result.loaded) } : { exitCode: 1, text: writeMistakes(result) }
}

function summary({ file, bases }: LoadedConfig): string {
  const lines = bases.flatMap(({ path, compiled }) => [
    `${path}  ${compiled.name}, FHIR ${compiled.fhirVersion}`,
    ...[...compiled.resources].map(([type, resource]) => `  ${type}: ${describe(resource)}`),
  ])
  return `${lines.join('\n')}\n\nNo mistakes in ${file}: ${counted(bases.length, 'base', 'bases')}.\n`
}

function describe({ interactions, update, create }: ResourcePolicy): string {
  const changes = Object.entries({ update, create }).flatMap(([code, rules]) =>
    rules ? [`${code} permitted as ${rules.changes.map((change) => change.name).join(', ')}`] : [],
  )
  return [[...interactions].join(', '), ...changes].join('; ')
}
