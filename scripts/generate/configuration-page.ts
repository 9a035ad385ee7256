import { commands, type CommandForm } from '../../src/cli/command-line.ts'
import { variables } from '../../src/config/environment.ts'
import { neverForwarded } from '../../src/config/never-forwarded.ts'
import { fill, table } from './fill.ts'
import { jsonSchemaOf } from './json-schemas.ts'
import { settingsTable } from './settings-table.ts'

/** docs/configuration.md: gateway.yaml, the environment and the command line. */
export function configurationPage(template: string): string {
  const schema = jsonSchemaOf('gateway')
  const link = (name: string) => `[${name}](#${name})`
  return fill(template, {
    settings: (name) => settingsTable(name === 'gateway' ? schema : schema.definitions![name]!, link),
    environment: () =>
      table(
        ['variable', ''],
        variables.map(([name, meaning]) => [`\`${name}\``, meaning]),
      ),
    commands: () => Object.values(commands).map(describeCommand).join('\n\n'),
    'never-forwarded': () => [...neverForwarded].map((name) => `\`${name}\``).join(', '),
  })
}

function describeCommand({ usage, meaning, options }: CommandForm): string {
  const title = `### ${usage.split(' ', 1)[0]}`
  const rows = Object.entries(options).map(([name, { value, meaning: text }]) => [
    `\`--${name}${value === undefined ? '' : ` ${value}`}\``,
    text,
  ])
  const call = `\`fhir-policy-gateway ${usage}\``
  return [title, `${call} — ${meaning}`, ...(rows.length > 0 ? [table(['option', ''], rows)] : [])].join('\n\n')
}
