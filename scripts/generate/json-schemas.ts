import { z } from 'zod'
import { caseFileSchema } from '../../src/cases/schema.ts'
import { gatewayFileSchema } from '../../src/config/gateway-file.ts'
import { policySchema } from '../../src/policy/schema.ts'

/** The part of JSON Schema (draft 7, which editors know best) that comes out of zod here. */
export interface JsonSchema {
  readonly title?: string
  readonly description?: string
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
  const { schema, title } = schemas[name]
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', target: 'draft-7' })
  return { $schema, title, ...rest } as JsonSchema
}

export const writeSchema = (name: keyof typeof schemas) => `${JSON.stringify(jsonSchemaOf(name), null, 2)}\n`
