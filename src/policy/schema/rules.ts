/** The rules for one interaction: changes and their parts, invariants, the rest. */
import { z } from 'zod'
import { answerSchema, mode, text, type AnswerInput } from './answer.ts'
import { content, literals, times, type ContentInput } from './content.ts'

export interface PartInput extends ContentInput {
  use?: string | undefined
  on?: string | undefined
  rule?: string | undefined
  replaced?: string | undefined
  from?: z.infer<typeof literals> | undefined
  to?: z.infer<typeof literals> | undefined
  added?: string | undefined
  appended?: string | undefined
  removed?: string | undefined
  times?: z.infer<typeof times> | undefined
  total?: number | undefined
  as?: string | undefined
  with?: (string | PartInput)[] | undefined
  mode?: 'enforce' | 'report' | undefined
  otherwise?: AnswerInput | undefined
}

export const partSchema: z.ZodType<PartInput> = z
  .strictObject({
    use: text.optional().describe('The name of a part under `parts`; settings given here replace its own.'),
    on: text.optional().describe('With `use`: the variable that stands for `$this` in that part.'),
    rule: text.optional().describe('The name of the rule, in refusals and logs.'),
    replaced: text.optional().describe('A path: the value of every element that it selects goes `from` … `to` ….'),
    from: literals.optional().describe('`replaced`: the stored value, one of these; `absent` stands for no element.'),
    to: literals.optional().describe('`replaced`: the new value, one of these.'),
    added: text.optional().describe('A path: elements that come, anywhere in their list.'),
    appended: text.optional().describe('A path: elements that come after the last one that was kept.'),
    removed: text.optional().describe('A path: elements that go.'),
    ...content,
    times: times.optional().describe('How many differences it takes; once without it. `0..1` makes it optional.'),
    total: z.int().min(1).optional().describe('How many the path selects in the new version, kept ones counted.'),
    as: text.optional().describe('A variable for the elements that came: `$provenance`.'),
    with: z
      .array(z.union([text, z.lazy(() => partSchema)]))
      .optional()
      .describe('Further parts, for each element that `as` binds.'),
    mode,
    otherwise: answerSchema.optional().describe('The answer when this part is missing or wrong.'),
  })
  .describe('One difference that belongs to a change: exactly one of use, replaced, added, appended, removed.')
  .meta({ id: 'part' })

const partsList = z.array(z.union([text, partSchema])).min(1)

export const changeSchema = z
  .union([
    partsList,
    z.strictObject({
      'for each': z
        .strictObject({
          kept: text.optional().describe('A path: once per item that stands on both sides.'),
          appended: text.optional().describe('A path: once per item that came at the end of its list.'),
          as: text.describe('The variable for the item: `$condition`.'),
          ...content,
          mode,
          otherwise: answerSchema.optional().describe('The answer when the item is wrong.'),
        })
        .describe('The change may occur once per item.'),
      parts: partsList.describe('The parts of the change, for each item.'),
    }),
  ])
  .describe('A list of parts that belong together; or such a list for each of several items.')
  .meta({ id: 'change' })

export const invariantSchema = z
  .strictObject({
    rule: text.describe('What holds, in a few words: the name of the rule in refusals and logs.'),
    when: text
      .optional()
      .describe('FHIRPath: the rule applies only where this is exactly true. What cannot be evaluated is refused.'),
    require: text.describe(
      'FHIRPath, which must be exactly true: false, nothing, several values, anything else and what cannot be evaluated are refused. `%before` and `%after` are the resource as it is stored and as it is sent, empty where there is none; `%resource` and `$this` are the latter where there is one. `%interaction` is what is asked for, in FHIR’s code; %`header-x-name` are the values of a header field that gateway.yaml names under `rule-header-fields`; `%scopes` those of a token that was verified. Patterns are those of RE2.',
    ),
    at: text.optional().describe('A path: the element that a refusal names. Without it, it names the resource.'),
    mode,
    otherwise: answerSchema.optional().describe('The answer when the rule does not hold.'),
  })
  .describe('A condition on the resource before and after, in FHIRPath, beside what the changes say.')
  .meta({ id: 'invariant' })

export const invariants = z
  .array(invariantSchema)
  .min(1)
  .optional()
  .describe('Conditions in FHIRPath that every change must keep. A write that changes nothing is not asked.')

export const ruleSetSchema = z
  .strictObject({
    mode,
    'if-match': z
      .enum(['required', 'optional', 'forbidden'])
      .optional()
      .describe(
        'update, delete: whether the request names the version that it changes. Without it, the current version is read, judged, and changed only if it is still the current one then. Must be said.',
      ),
    changes: z.record(text, changeSchema).default({}).describe('The permitted changes, by name.'),
    rest: z
      .strictObject({
        'permit-as': text.optional().describe('It is permitted, under this name.'),
        'restore-as': text
          .optional()
          .describe(
            'update: it is put back to what is stored, the client is told so, and the rest is permitted, under this name too. Never while a change is begun and not complete.',
          ),
        only: z
          .array(text)
          .min(1)
          .optional()
          .describe('Paths: only what differs at or in them. Without it, whatever differs.'),
        except: z
          .array(text)
          .optional()
          .describe('Paths at, in and around which a difference is refused all the same.'),
      })
      .optional()
      .describe(
        'What becomes of differences that no change claims: exactly one of permit-as, restore-as. Without it, they are refused.',
      ),
    invariants,
    otherwise: answerSchema.optional().describe('The answer to a difference that no change claims.'),
  })
  .describe('The rules for one interaction with resources of one type.')
  .meta({ id: 'rules' })

export type InvariantInput = z.infer<typeof invariantSchema>
export type RuleSetInput = z.infer<typeof ruleSetSchema>
export type ChangeInput = z.infer<typeof changeSchema>
