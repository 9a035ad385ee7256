/** What is open for a resource type, and operations. */
import { z } from 'zod'
import { interactionCodes } from '../../fhir/interaction.ts'
import { answerSchema, mode, text } from './answer.ts'
import { changeSchema, invariants, ruleSetSchema } from './rules.ts'

export const interactions = z
  .array(z.enum(interactionCodes).meta({ id: 'interaction' }))
  .describe(
    'The interactions that are open, in FHIR’s restful-interaction codes (and `paging`). All others are closed.',
  )

export const operationsSchema = z
  .record(
    z.string().regex(/^\$[A-Za-z][A-Za-z0-9-]*$/, 'an operation is written `$name`'),
    z
      .strictObject({
        methods: z
          .array(z.enum(['GET', 'POST']))
          .min(1)
          .describe('The HTTP methods by which it may be called.'),
        mode,
        changes: z
          .record(text, changeSchema)
          .optional()
          .describe(
            'What its Parameters must be, as something `added: $this`. Leave it out only for what changes nothing.',
          ),
        invariants,
        otherwise: answerSchema.optional().describe('The answer to what no change claims.'),
      })
      .describe('An operation that is open.')
      .meta({ id: 'operation' }),
  )
  .describe('Operations that are open here, by name. All others are closed.')

export const resourceSchema = z
  .strictObject({
    interactions,
    conditional: z
      .array(z.enum(['create', 'update', 'patch', 'delete']))
      .optional()
      .describe('The interactions in which search criteria may stand for the id.'),
    operations: operationsSchema.optional().describe('Operations on the type, by name. All others are closed.'),
    'instance-operations': operationsSchema
      .optional()
      .describe('Operations on a resource of the type, by name. All others are closed.'),
    update: ruleSetSchema.optional().describe('Rules for PUT and PATCH.'),
    create: ruleSetSchema.optional().describe('Rules for POST.'),
    delete: ruleSetSchema
      .optional()
      .describe('Rules for DELETE: `removed: $this`, with what the resource must have been.'),
  })
  .describe('What is open for one resource type, and the rules for what is open and writes.')
  .meta({ id: 'resource' })
