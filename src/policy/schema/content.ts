/** What an element, or a subtree, must be. */
import { z } from 'zod'
import { answerSchema, text, type AnswerInput } from './answer.ts'

const literal = z.union([z.string(), z.boolean(), z.number(), z.null()])
export const literals = z
  .union([literal, z.array(literal).min(1)])
  .describe('A value or a list of values; `absent` stands for no element at all.')
  .meta({ id: 'values' })

export const times = z
  .union([z.int().min(0), z.string().regex(/^\d+(\.\.(\d+|\*))?$/, 'a number, or a range such as `0..1` or `1..*`')])
  .describe('How often: a number, or a range such as `0..1` or `1..*`.')
  .meta({ id: 'times' })

export interface ContentInput {
  holds?: Record<string, ConditionInput> | undefined
  'one-of'?: AlternativeInput[] | { alternatives: AlternativeInput[]; otherwise?: AnswerInput | undefined } | undefined
  lacks?: string | string[] | Record<string, AnswerInput> | undefined
  open?: boolean | undefined
}

export type AlternativeInput = Record<string, ConditionInput>

export interface ConditionInput extends ContentInput {
  is?: z.infer<typeof literals> | undefined
  coded?: string | undefined
  text?: 'not blank' | undefined
  'max-length'?: number | undefined
  digits?: number | undefined
  'check-digit'?: 'modulus-11' | undefined
  'refers to'?: string | undefined
  times?: z.infer<typeof times> | undefined
  otherwise?: AnswerInput | undefined
  'wrong-code'?: AnswerInput | undefined
  'wrong-system'?: AnswerInput | undefined
}

const conditions = z
  .record(
    z.string(),
    z.lazy(() => conditionSchema),
  )
  .meta({
    id: 'conditions',
    description:
      "Conditions on elements below, by path: `code.coding`, `valueString`, `extension('https://…')`, `identifier[system = 'https://…']`, `category[coding = 'system|code']`, `contained.ofType(Provenance)`, `entry[item.reference refers to $condition]`.",
  })

const alternatives = z.array(conditions).min(2).describe('Each as `holds` has it: conditions by path.')

export const content = {
  holds: conditions
    .optional()
    .describe(
      'What stands in it, by path. Each element that is named must be there, unless its `times` begins with 0.',
    ),
  'one-of': z
    .union([
      alternatives,
      z.strictObject({
        alternatives,
        otherwise: answerSchema.optional().describe('The answer when none of them is there, or more than one.'),
      }),
    ])
    .optional()
    .describe('Exactly one of these alternatives is there, and holds: `valueCode` or `valueCodeableConcept`.'),
  lacks: z
    .union([text, z.array(text).min(1), z.record(text, answerSchema)])
    .optional()
    .describe('Paths that must select nothing; as a mapping, each with its own answer.'),
  open: z.boolean().optional().describe('May hold more than what `holds` names. Without it, it may not.'),
}

const conditionSchema: z.ZodType<ConditionInput> = z
  .strictObject({
    is: literals.optional().describe('Its value is one of these; `absent` allows that it is not there.'),
    coded: text
      .optional()
      .describe('The name of a list under `lists`: one coding from it, none with another code of its systems.'),
    text: z.literal('not blank').optional().describe('Something visible must be written.'),
    'max-length': z.int().min(1).optional().describe('The most characters of a `text`.'),
    digits: z.int().min(1).max(64).optional().describe('Exactly so many digits, and nothing else.'),
    'check-digit': z
      .enum(['modulus-11'])
      .optional()
      .describe(
        'How the last of the `digits` follows from the others: weights from n down to 2, 11 less the remainder.',
      ),
    'refers to': text
      .optional()
      .describe('A reference that names what a variable is bound to (`$this`: the resource).'),
    ...content,
    times: times.optional().describe('How many there are; once without it.'),
    otherwise: answerSchema.optional().describe('The answer when the condition does not hold.'),
    'wrong-code': answerSchema.optional().describe('`coded`: the answer to a code that is not in the list.'),
    'wrong-system': answerSchema.optional().describe('`coded`: the answer to codings of other systems only.'),
  })
  .describe('What an element below a subtree must be.')
  .meta({ id: 'condition' })
