import { loadConfig, type LoadedConfig } from '../config/load.ts'
import type { Operations, ResourcePolicy } from '../policy/policy.ts'
import type { RuleSet } from '../policy/rule.ts'
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
  const lines = bases.flatMap(({ path, compiled: policy }) => [
    `${path}  ${policy.name}, FHIR ${policy.fhirVersion}`,
    ...describe('on the base', policy.system, { operations: policy.system.operations }),
    ...[...policy.resources]
      .filter(([type]) => !policy.others.has(type))
      .flatMap(([type, resource]) => describe(type, resource, resource.operations)),
    ...[...policy.others].slice(0, 1).flatMap((type) => {
      const resource = policy.resources.get(type)!
      return describe('every other type', resource, resource.operations)
    }),
  ])
  return `${lines.join('\n')}\n\nNo mistakes in ${file}: ${counted(bases.length, 'base', 'bases')}.\n`
}

/** What is open in one place, and as what a write is permitted there. */
function describe(
  place: string,
  { interactions, conditional, update, create, delete: remove }: Partial<Omit<ResourcePolicy, 'operations'>>,
  operations: Readonly<Record<string, Operations>>,
): string[] {
  const rules = Object.entries({ update, create, delete: remove }).flatMap(([code, ruleSet]) =>
    ruleSet ? [`    ${code} permitted as ${namesOf(ruleSet)}`] : [],
  )
  const calls = Object.entries(operations).flatMap(([level, open]) =>
    [...open].map(([name, { methods, rules: ruleSet }]) => {
      const where = level === 'instance' ? ' on an instance' : ''
      const judged = ruleSet ? ` permitted as ${namesOf(ruleSet)}` : ' passes'
      return `    $${name}${where} (${[...methods].join(', ')})${judged}`
    }),
  )
  const byCriteria = conditional?.size ? [`    also by criteria: ${[...conditional].join(', ')}`] : []
  return [`  ${place}: ${[...(interactions ?? [])].join(', ')}`, ...byCriteria, ...rules, ...calls]
}

function namesOf({ changes, rest }: RuleSet): string {
  const names = changes.map(({ name }) => name)
  if (!rest) return names.join(', ')
  const what = rest.kind === 'permit' ? 'anything' : 'anything else put back'
  const except = rest.except.map(({ text }) => text).join(', ')
  return [...names, `${rest.name} (${what}${except === '' ? '' : ` but ${except}`})`].join(', ')
}
