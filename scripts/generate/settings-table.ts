import { durationPattern, sizePattern } from '../../src/config/units.ts'
import type { JsonSchema } from './json-schemas.ts'

/**
 * A table of the settings of one object, for Markdown: name, what it takes, default, meaning. Settings of an object inside it
 * that has no name of its own follow with a dotted name.
 * @param linkOf the anchor of the section that explains a definition
 */
export function settingsTable(schema: JsonSchema, linkOf: (definition: string) => string): string {
  const rows = rowsOf(schema, '', linkOf)
  const hasDefaults = rows.some((row) => row.preset !== '')
  const head = hasDefaults ? ['setting', 'takes', 'default', ''] : ['setting', 'takes', '']
  const lines = rows.map(({ name, takes, preset, meaning }) =>
    hasDefaults ? [`\`${name}\``, takes, preset, meaning] : [`\`${name}\``, takes, meaning],
  )
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.map(escape).join(' | ')} |`).join('\n')
}

interface Row {
  readonly name: string
  readonly takes: string
  readonly preset: string
  readonly meaning: string
}

function rowsOf(schema: JsonSchema, prefix: string, linkOf: (definition: string) => string, isOneOf = false): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, setting]) => {
    const name = prefix + key
    // What one of several shapes needs is told with the shapes.
    const required = schema.required?.includes(key) && !isOneOf ? ' **Required.**' : ''
    const row = {
      name,
      takes: takesOf(setting, linkOf),
      preset: presetOf(setting),
      meaning: `${setting.description ?? ''}${required}`,
    }
    const inside = (shapes: readonly JsonSchema[], deeper: string) => {
      const mappings = shapes.filter((one) => one.properties)
      return mappings.flatMap((one) => rowsOf(one, deeper, linkOf, mappings.length > 1))
    }
    return [
      row,
      ...inside([setting, ...(setting.anyOf ?? [])], `${name}.`),
      ...inside(shapesOf(setting.additionalProperties), `${name}.[name].`),
      ...inside(shapesOf(setting.items), `${name}.[item].`),
    ]
  })
}

const shapesOf = (schema: JsonSchema | boolean | undefined) =>
  typeof schema === 'object' ? [schema, ...(schema.anyOf ?? [])] : []

/** What a setting takes, in a few words. */
function takesOf(schema: JsonSchema, linkOf: (definition: string) => string): string {
  const {
    $ref,
    allOf,
    anyOf,
    enum: values,
    const: value,
    type,
    items,
    additionalProperties,
    minimum,
    maximum,
    pattern,
  } = schema
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1)!
    return linkOf(name)
  }
  if (allOf?.length === 1) return takesOf(allOf[0]!, linkOf)
  if (anyOf) {
    const mappings = anyOf.filter((one) => one.properties)
    const shapes = anyOf.map((one) =>
      mappings.length > 1 && one.properties ? withSettings(one) : takesOf(one, linkOf),
    )
    return [...new Set(shapes)].join(', or ')
  }
  if (values) return values.map((one) => `\`${String(one)}\``).join(', ')
  if (value !== undefined) return `\`${String(value)}\``
  switch (type) {
    case 'array':
      return `a list: ${takesOf(items ?? {}, linkOf)}`
    case 'object':
      return typeof additionalProperties === 'object'
        ? `by name: ${takesOf(additionalProperties, linkOf)}`
        : 'a mapping'
    case 'integer':
      return `a whole number${minimum === undefined ? '' : maximum === undefined || maximum > 1e9 ? `, ${minimum} or more` : `, ${minimum} to ${maximum}`}`
    case 'boolean':
      return '`true` or `false`'
    case 'string':
      return kindOfText(pattern)
    case 'number':
      return 'a number'
    case 'null':
      return '`null`'
    default:
      return 'anything'
  }
}

function withSettings({ required = [] }: JsonSchema): string {
  return `a mapping with ${required.map((name) => `\`${name}\``).join(' and ')}`
}

function kindOfText(pattern: string | undefined): string {
  switch (pattern) {
    case durationPattern.source:
      return 'a duration'
    case sizePattern.source:
      return 'a size'
    default:
      return 'a text'
  }
}

function presetOf({ default: preset }: JsonSchema): string {
  if (preset === undefined || (typeof preset === 'object' && Object.keys(preset as object).length === 0)) return ''
  return `\`${typeof preset === 'string' ? preset : JSON.stringify(preset)}\``
}

const escape = (cell: string) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')
