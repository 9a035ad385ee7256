import { z } from 'zod'
import { decisionRecordSchema } from '../../src/audit/decisions/record.ts'
import { caseFileSchema } from '../../src/cases/schema.ts'
import { gatewayFileSchema } from '../../src/config/gateway-schema.ts'
import { policySchema } from '../../src/policy/schema/policy.ts'

/** The part of JSON Schema (draft 7, which editors know best) that comes out of zod here. */
export interface JsonSchema {
  readonly title?: string
  readonly description?: string
  readonly markdownDescription?: string
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly propertyNames?: JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
  readonly $ref?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly definitions?: Readonly<Record<string, JsonSchema>>
}

/** The YAML files that people write, each with the schema by which it is read. */
export const schemas = {
  gateway: { schema: gatewayFileSchema, title: 'gateway.yaml of fhir-policy-gateway' },
  policy: { schema: policySchema, title: 'A policy of fhir-policy-gateway' },
  cases: { schema: caseFileSchema, title: 'Cases of a policy of fhir-policy-gateway' },
} as const

/** The JSON Schema of a file, from the same source as its validation. */
export function jsonSchemaOf(name: keyof typeof schemas): JsonSchema {
  return jsonSchemaFrom(schemas[name])
}

/** What programs read that take decision records. */
export const decisionRecordJsonSchema = (): JsonSchema =>
  jsonSchemaFrom({ schema: decisionRecordSchema, title: 'A decision record of fhir-policy-gateway' })

function jsonSchemaFrom({ schema, title }: { readonly schema: z.ZodType; readonly title: string }): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    target: 'draft-7',
    override: ({ jsonSchema }) => forEditors(jsonSchema as Mutable<JsonSchema>),
  })
  return withoutNameless({ $schema, title, ...rest } as JsonSchema)
}

/** zod gives a number to what it meets again inside itself and has no name: it is written out where it is used. */
function withoutNameless(schema: JsonSchema): JsonSchema {
  const all = schema.definitions ?? {}
  const nameless = Object.keys(all).filter((name) => name.startsWith('__'))
  const definitions = Object.fromEntries(Object.entries(all).filter(([name]) => !nameless.includes(name)))
  const text = nameless.reduce(
    (written, name) => written.replaceAll(JSON.stringify({ $ref: `#/definitions/${name}` }), JSON.stringify(all[name])),
    JSON.stringify({ ...schema, ...(schema.definitions && { definitions }) }),
  )
  return JSON.parse(text) as JsonSchema
}

/** What zod says only since it says everything goes; and descriptions as Markdown, which some editors show formatted. */
function forEditors(schema: Mutable<JsonSchema>): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (JSON.stringify(schema.propertyNames) === '{"type":"string"}') delete schema.propertyNames
  if (schema.description?.includes('`')) schema.markdownDescription = schema.description
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export const writeSchema = (schema: JsonSchema) => `${JSON.stringify(schema, null, 2)}\n`
