import { z } from 'zod'
import type { Cause } from '../policy/refusal.ts'

/**
 * The shape of a case file: what a YAML text must look like before its cases are read. The JSON Schema for editors is made
 * from it, so every setting has a description.
 */

const text = z.string().min(1)

/** The causes for which a write is refused when all that a case tells is known of it. */
const judgedCauses = [
  'change-not-permitted',
  'interaction-not-offered',
  'body-malformed',
  'body-mismatch',
  'patch-not-applicable',
  'too-large',
] as const satisfies readonly Cause[]

const file = z
  .strictObject({ file: text.describe('Its path, relative to the case file: FHIR JSON or FHIR XML, by its content.') })
  .describe('A file that holds a resource.')
  .meta({ id: 'resource-file' })

const asJson = z
  .strictObject({ json: z.string().describe('The text, malformed or not.') })
  .describe('A body of FHIR JSON, character by character.')
  .meta({ id: 'json-text' })

const asXml = z
  .strictObject({ xml: z.string().describe('The text, malformed or not.') })
  .describe('A body of FHIR XML, character by character.')
  .meta({ id: 'xml-text' })

const inline = z
  .looseObject({ resourceType: text.describe('The type of the resource.') })
  .describe('A resource, in FHIR JSON written as YAML. A number keeps its digits: 4.10.')
  .meta({ id: 'resource-content' })

const name = text.describe('The name of a resource under `resources`.')

// One list of alternatives each, not one within another: so the mistakes of the one that was meant can be told.
const written = z.union([file, asJson, asXml, inline])
const body = z.union([name, file, asJson, asXml, inline])
const several = z.array(body).min(1).describe('Several: the case is run with each of them.')
const bodies = z.union([name, file, asJson, asXml, inline, several])

/** https://www.rfc-editor.org/rfc/rfc6902#section-4 */
const operationSchema = z
  .strictObject({
    op: z.enum(['add', 'remove', 'replace', 'move', 'copy', 'test']).describe('What is done.'),
    path: z.string().describe('A JSON Pointer: `/extension/-`.'),
    from: z.string().optional().describe('move, copy: a JSON Pointer to what is moved or copied.'),
    value: z.unknown().optional().describe('add, replace, test: the value.'),
  })
  .describe('One operation of a JSON Patch (RFC 6902).')
  .meta({ id: 'patch-operation' })

const requestSchema = z
  .strictObject({
    interaction: z
      .enum(['update', 'patch'])
      .optional()
      .describe(
        'With `before`: whether it is a PUT (update, as without it) or a PATCH, which sends the `change` itself.',
      ),
    scopes: z.array(text).optional().describe('The OAuth scopes of the caller’s token.'),
    'header-fields': z
      .record(text, z.union([z.string(), z.array(z.string()).min(1)]))
      .optional()
      .describe('Header fields that rules may ask about, by name; a list where there are several lines of one.'),
  })
  .describe('What rules may ask about the request itself.')
  .meta({ id: 'request' })

const refusalSchema = z
  .strictObject({
    rule: text
      .optional()
      .describe(
        'The rule that refuses: `Flag.update.removal.status`, or without what is in front of the change: `removal.status`.',
      ),
    at: text
      .optional()
      .describe('FHIRPath of the element: `Flag.code.coding[0].display`; the resource type may be left out.'),
    status: z.int().min(400).max(599).optional().describe('HTTP status of this refusal.'),
    code: text.optional().describe('The policy’s own code, of `outcome.codes`.'),
    issue: text.optional().describe('OperationOutcome.issue.code.'),
    says: text.optional().describe('Words that occur in what the client is told: details.text or diagnostics.'),
    cause: z.enum(judgedCauses).optional().describe('Why the gateway refuses.'),
  })
  .describe('One refusal, by any of its features.')
  .meta({ id: 'refusal' })

const caseSchema = z
  .strictObject({
    case: text.describe('What the policy does here, as a sentence. Each case of a file has another one.'),
    before: bodies.optional().describe('An update: the stored resource.'),
    after: body.optional().describe('An update: the body that is sent.'),
    change: z
      .array(operationSchema)
      .optional()
      .describe(
        'A JSON Patch that makes the body out of `before`, or changes what create, delete, or parameters name.',
      ),
    create: bodies.optional().describe('A create: the body.'),
    delete: bodies.optional().describe('A delete: the stored resource.'),
    operation: z
      .string()
      .regex(/^\$[A-Za-z][A-Za-z0-9-]*$/, 'an operation, written `$name`')
      .optional()
      .describe('An operation, called by POST.'),
    parameters: bodies.optional().describe('The body of the operation.'),
    on: z
      .string()
      .regex(/^[A-Z][A-Za-z]*(\/[A-Za-z0-9\-.]{1,64})?$/, 'a resource type, or a type and an id: `Flag/f1`')
      .optional()
      .describe(
        'The target of an operation (else the base) or of a create (else the type of its body): `Flag`, `Flag/f1`.',
      ),
    request: requestSchema.optional().describe('What rules may ask about the request.'),
    permit: z
      .union([text, z.array(text)])
      .optional()
      .describe('Permitted, as exactly these changes; `no-change` where nothing differs.'),
    restored: z
      .array(text)
      .optional()
      .describe(
        'With `permit`: FHIRPath of each element that is put back to what is stored; the type may be left out.',
      ),
    reported: z
      .array(refusalSchema)
      .optional()
      .describe('What exactly rules in report mode would refuse, beside `permit` or `refuse`.'),
    refuse: z.array(refusalSchema).min(1).optional().describe('Refused, for exactly these reasons, in any order.'),
  })
  .describe('One write, and what the policy says to it.')
  .meta({ id: 'case' })

export const caseFileSchema = z
  .strictObject({
    policy: text
      .optional()
      .describe('The policy file, relative to this one. Without it, `NAME.yaml` beside `NAME.cases.yaml`.'),
    summary: text.optional().describe('One sentence: what these cases are about.'),
    resources: z.record(text, written).optional().describe('Resources that cases name.'),
    shared: z.unknown().optional().describe('A place for YAML anchors; not read.'),
    cases: z.array(caseSchema).min(1).describe('The cases.'),
  })
  .describe('Cases of a policy: what it permits, and what it refuses.')

export type CaseFileInput = z.infer<typeof caseFileSchema>
export type CaseInput = CaseFileInput['cases'][number]
export type BodyInput = z.infer<typeof body>
export type WrittenInput = z.infer<typeof written>
export type RefusalInput = z.infer<typeof refusalSchema>
