import { interactionCodes } from '../../src/fhir/interaction.ts'
import { answerTo, causes, type Cause } from '../../src/policy/refusal.ts'
import { causeMeanings } from '../../src/policy/cause-meanings.ts'
import { fill, table } from './fill.ts'
import { jsonSchemaOf, type JsonSchema } from './json-schemas.ts'
import { settingsTable } from './settings-table.ts'

/** docs/policy-reference.md: what an analyst looks up. Every definition of the schema has its table in it. */
export function policyReferencePage(template: string): string {
  const schema = jsonSchemaOf('policy')
  const placed = new Set<string>()
  const page = fill(template, {
    settings(name) {
      placed.add(name)
      const definition = name === 'policy' ? schema : schema.definitions?.[name]
      if (!definition) throw new Error(`The schema has no definition ${name}.`)
      return definition.properties ? settingsTable(definition, linkTo(schema)) : alternativesTable(definition, schema)
    },
    meaning(name) {
      placed.add(name)
      return schema.definitions![name]!.description!
    },
    causes() {
      placed.add('answers')
      return causesTable()
    },
    interactions() {
      placed.add('interaction')
      return interactionCodes.map((code) => `\`${code}\``).join(', ')
    },
  })
  const missing = Object.entries(schema.definitions ?? {}).filter(
    ([name, definition]) => !isByPath(definition) && !placed.has(name),
  )
  if (missing.length > 0) {
    throw new Error(
      `The template has no {{settings …}} or {{meaning …}} for ${missing.map(([name]) => name).join(', ')}.`,
    )
  }
  return page
}

/** Conditions by path: told where they stand, by what is behind the paths. */
const isByPath = ({ additionalProperties }: JsonSchema) => typeof additionalProperties === 'object'

function linkTo(schema: JsonSchema) {
  return (name: string): string => {
    const { additionalProperties } = schema.definitions![name]!
    if (typeof additionalProperties !== 'object') return `[${name}](#${name})`
    const target = additionalProperties.$ref ?? additionalProperties.allOf![0]!.$ref!
    const of = target.split('/').at(-1)!
    return `by path: [${of}](#${of})`
  }
}

/** A definition that is one of several shapes: the settings of those that are mappings. */
function alternativesTable({ anyOf = [] }: JsonSchema, schema: JsonSchema): string {
  return anyOf
    .filter((one) => one.properties)
    .map((one) => settingsTable(one, linkTo(schema)))
    .join('\n\n')
}

function causesTable(): string {
  const none = new Map<Cause, never>()
  const rows = (Object.keys(causes) as Cause[]).map((cause) => {
    const [stu3, r4] = (['STU3', 'R4'] as const).map((release) => {
      const { status, issue } = answerTo({ cause }, none, release)
      return `${status} \`${issue}\``
    })
    return [`\`${cause}\``, causeMeanings[cause], stu3 === r4 ? r4! : `${r4} (STU3: ${stu3})`]
  })
  return table(['cause', 'when', 'FHIR’s own answer'], rows)
}
