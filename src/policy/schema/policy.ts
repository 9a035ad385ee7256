import { z } from 'zod'
import { causeMeanings } from '../cause-meanings.ts'
import type { Cause } from '../refusal.ts'
import { answerSchema, mode, text } from './answer.ts'
import { interactions, operationsSchema, resourceSchema } from './resource.ts'
import { partSchema } from './rules.ts'

/**
 * The shape of a policy file: what a YAML text must look like before it is compiled. The JSON Schema for editors and the
 * policy reference are made from it, so every setting has a description.
 */

const headerFieldSchema = z
  .strictObject({
    required: z.boolean().optional().describe('Whether it must be there. An empty one is none.'),
    format: z
      .enum(['uuid', 'digits', 'alphanumeric'])
      .optional()
      .describe('How it is written: a UUID, digits only, letters and digits only.'),
    is: z
      .union([text, z.array(text).min(1)])
      .optional()
      .describe('It is this, or one of these, letter by letter.'),
    'max-length': z.int().min(1).max(4096).optional().describe('The most characters; 256 without it.'),
    mirrored: z
      .boolean()
      .optional()
      .describe('Whether every answer repeats it as it came. One that is not as it must be is not repeated.'),
    mode,
    otherwise: answerSchema.optional().describe('The answer when it is missing or wrong.'),
  })
  .describe('What is asked of one header field. It may occur once.')
  .meta({ id: 'header-field' })

const answersByCause = Object.fromEntries(
  Object.entries(causeMeanings).map(([cause, meaning]) => [cause, answerSchema.optional().describe(meaning)]),
) as Record<Cause, z.ZodOptional<typeof answerSchema>>

export const policySchema = z
  .strictObject({
    policy: text.describe('The name of the policy.'),
    fhir: text.describe('The FHIR version: 3.0.2, 4.0.1, 5.0.0.'),
    summary: text.optional().describe('One sentence: what the policy is for.'),
    mode: mode.describe(
      'For the whole policy. report: nothing that can be carried is refused, also not an interaction that is not open; what would have been is told in a header field, the log and the metrics.',
    ),
    outcome: z
      .strictObject({
        profile: text.optional().describe('OperationOutcome.meta.profile.'),
        codes: z
          .strictObject({
            system: text.describe('The coding system of the policy’s own codes.'),
            display: z.record(text, text).describe('The codes with their display texts.'),
          })
          .optional()
          .describe('The policy’s own codes, which `code` in an answer may name.'),
      })
      .optional()
      .describe('How OperationOutcomes look.'),
    answers: z
      .strictObject(answersByCause)
      .meta({ id: 'answers' })
      .optional()
      .describe('Answers to what the gateway itself refuses, by cause.'),
    'header-fields': z
      .record(text, headerFieldSchema)
      .optional()
      .describe(
        'What is asked of the header fields of every request but that for `/metadata`, by name, where gateway.yaml says `header-fields: on` for the base. All faults are told at once.',
      ),
    precedence: z
      .array(z.int().min(400).max(599))
      .optional()
      .describe('HTTP statuses, best first, when several refusals differ.'),
    bases: z
      .array(text)
      .optional()
      .describe('Further absolute FHIR bases under which references name this server’s resources.'),
    match: z
      .record(text, text)
      .optional()
      .describe('Lists whose items are paired by a key: `List.entry: item.reference`.'),
    lists: z
      .record(
        text,
        z.union([
          z.strictObject({
            system: z.union([text, z.array(text).min(1)]).describe('The code system, or several that share the codes.'),
            codes: z.array(text).min(1).describe('The codes.'),
          }),
          z.strictObject({
            file: z
              .union([text, z.array(text).min(1)])
              .describe(
                'A CodeSystem or a ValueSet, in FHIR JSON or FHIR XML, relative to the policy file and below the folder of gateway.yaml; or several. With a ValueSet, further files are what it includes.',
              ),
          }),
        ]),
      )
      .optional()
      .describe('Lists of coded values, by name.'),
    parts: z.record(text, partSchema).optional().describe('Parts that several changes use.'),
    system: z
      .strictObject({ interactions, operations: operationsSchema.optional() })
      .optional()
      .describe('What is open on the FHIR base itself.'),
    shared: z.unknown().optional().describe('A place for YAML anchors; not read.'),
    resources: z
      .record(text, resourceSchema)
      .describe(
        "What is open for each resource type; `'*'` (in quotes) stands for every type of the FHIR version that is not named. Without it all other types are closed.",
      ),
  })
  .describe('A policy: which interactions are open, and which changes are permitted.')

export type PolicyInput = z.infer<typeof policySchema>
