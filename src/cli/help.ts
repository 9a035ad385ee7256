import { variables } from '../config/environment.ts'
import { commands, type CommandForm, type CommandName } from './command-line.ts'

const everywhere = [
  ['-h, --help', 'Print this.'],
  ['-v, --version', 'Print the version.'],
] as const

/** What `--help` prints: of the program, or of one command. */
export function helpText(of?: CommandName): string {
  return of === undefined ? helpOfProgram() : helpOfCommand(commands[of])
}

function helpOfProgram(): string {
  const usages = Object.values(commands).map(({ usage, meaning }) => [usage, meaning] as const)
  return `A policy gateway in front of a FHIR server: it permits the updates that a policy names, and refuses the rest.

Usage: fhir-policy-gateway [command] [options]

Commands
${table(usages)}

Options
${table(everywhere)}
  fhir-policy-gateway [command] --help tells the options of a command.

Environment
${table(variables)}
`
}

function helpOfCommand({ usage, meaning, options }: CommandForm): string {
  const rows = Object.entries(options).map(
    ([name, { value, meaning: text }]) => [`--${name}${value === undefined ? '' : ` ${value}`}`, text] as const,
  )
  return `${meaning}

Usage: fhir-policy-gateway ${usage}

Options
${table([...rows, everywhere[0]])}
`
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}
