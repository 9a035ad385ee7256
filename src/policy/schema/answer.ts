import { z } from 'zod'

/** How a refusal is answered, and what everything in a policy file is made of. */

export const text = z.string().min(1)

export const mode = z
  .enum(['enforce', 'report'])
  .optional()
  .describe(
    'enforce: what does not hold is refused. report: it goes on, and is told. Without it, that of what it stands in.',
  )

export const answerSchema = z
  .strictObject({
    status: z.int().min(400).max(599).optional().describe('HTTP status.'),
    issue: text.optional().describe('OperationOutcome.issue.code, from the value set of the FHIR version.'),
    code: text.optional().describe('A code of `outcome.codes.system`, for OperationOutcome.issue.details.coding.'),
    codings: z
      .array(
        z.strictObject({
          system: text.describe('Coding.system'),
          code: text.describe('Coding.code'),
          display: text.optional().describe('Coding.display'),
        }),
      )
      .max(10)
      .optional()
      .describe('Codings of other systems, which follow `code` in OperationOutcome.issue.details.coding.'),
    say: text.optional().describe('One sentence for OperationOutcome.issue.details.text: what is required or allowed.'),
    help: text.optional().describe('One sentence that follows in diagnostics: what to do instead.'),
  })
  .describe('How a refusal is answered. What is not set here comes from `answers`, then from FHIR.')
  .meta({ id: 'answer' })

export type AnswerInput = z.infer<typeof answerSchema>
