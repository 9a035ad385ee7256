import { variables } from '../config/environment.ts'
import { commands } from './command-line.ts'

/** What `--help` prints. */
export function helpText(): string {
  const usages = Object.values(commands).map(({ usage, meaning }) => [usage, meaning] as const)
  return `A policy gateway in front of a FHIR server: it permits the updates that a policy names, and refuses the rest.

Usage: fhir-policy-gateway [command]

Commands
${table(usages)}

Options
${table([
  ['-h, --help', 'Print this.'],
  ['-v, --version', 'Print the version.'],
])}

Environment
${table(variables)}
`
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}
