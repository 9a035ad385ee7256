import { z } from 'zod'
import { interactionCodes } from '../fhir/interaction.ts'
import { causeMeanings } from './cause-meanings.ts'
import type { Cause } from './refusal.ts'

/**
 * The shape of a policy file: what a YAML text must look like before it is compiled. The JSON Schema for editors and the
 * policy reference are made from it, so every setting has a description.
 */

const text = z.string().min(1)

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

const literal = z.union([z.string(), z.boolean(), z.number(), z.null()])
const literals = z
  .union([literal, z.array(literal).min(1)])
  .describe('A value or a list of values; `absent` stands for no element at all.')
  .meta({ id: 'values' })

const times = z
  .union([z.int().min(0), z.string().regex(/^\d+(\.\.(\d+|\*))?$/, 'a number, or a range such as `0..1` or `1..*`')])
  .describe('How often: a number, or a range such as `0..1` or `1..*`.')
  .meta({ id: 'times' })

const mode = z
  .enum(['enforce', 'report'])
  .optional()
  .describe(
    'enforce: what does not hold is refused. report: it goes on, and is told. Without it, that of what it stands in.',
  )

const interactions = z
  .array(z.enum(interactionCodes).meta({ id: 'interaction' }))
  .describe(
    'The interactions that are open, in FHIR’s restful-interaction codes (and `paging`). All others are closed.',
  )

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

export type AnswerInput = z.infer<typeof answerSchema>

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

const content = {
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

const partSchema: z.ZodType<PartInput> = z
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

const changeSchema = z
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

const invariantSchema = z
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

const invariants = z
  .array(invariantSchema)
  .min(1)
  .optional()
  .describe('Conditions in FHIRPath that every change must keep. A write that changes nothing is not asked.')

const ruleSetSchema = z
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

const operationsSchema = z
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

const resourceSchema = z
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
export type InvariantInput = z.infer<typeof invariantSchema>
export type RuleSetInput = z.infer<typeof ruleSetSchema>
export type ChangeInput = z.infer<typeof changeSchema>
