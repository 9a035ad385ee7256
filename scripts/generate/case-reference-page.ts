import { fill } from './fill.ts'
import { jsonSchemaOf } from './json-schemas.ts'
import { settingsTable } from './settings-table.ts'

/** The definitions that are told together, under one heading. */
const bodies: ReadonlySet<string> = new Set(['resource-content', 'resource-file', 'json-text', 'xml-text'])

/** docs/case-reference.md: every setting of a case file. */
export function caseReferencePage(template: string): string {
  const schema = jsonSchemaOf('cases')
  const linkTo = (name: string) => (bodies.has(name) ? '[a body](#bodies)' : `[${name}](#${name})`)
  return fill(template, {
    settings(name) {
      const definition = name === 'cases' ? schema : schema.definitions?.[name]
      if (!definition) throw new Error(`The schema has no definition ${name}.`)
      return settingsTable(definition, linkTo)
    },
  })
}
