import { z } from 'zod'
import { interactionCodes } from '../../fhir/interaction.ts'
import { causes, type Cause } from '../../policy/refusal.ts'

const refusal = z
  .strictObject({
    cause: z
      .enum(Object.keys(causes) as [Cause, ...Cause[]])
      .describe('The cause, as docs/policy-reference.md lists them.'),
    rule: z.string().optional().describe('The rule of the policy, where one is concerned.'),
    path: z
      .string()
      .max(300)
      .optional()
      .describe('FHIRPath of the element concerned, without values. `?` stands for a name that FHIR does not know.'),
  })
  .meta({ id: 'refusal' })
  .describe('One thing that is wrong with a write.')

/**
 * What the gateway decided of one write, and what became of it: the shape of a line of NDJSON. It holds nothing of a record
 * but type, id and versions. The id may hold a patient's number, and is in the clear here only.
 */
export const decisionRecordSchema = z
  .strictObject({
    id: z
      .uuid()
      .describe(
        'The decision. A client that is refused reads it in the OperationOutcome; entries of a Bundle share it.',
      ),
    time: z.iso.datetime({ precision: 3 }).describe('When the line was made, in UTC.'),
    requestId: z.uuid().describe('As in the log, and in X-Request-ID of the answer.'),
    base: z.string().describe('Path of the FHIR base.'),
    fhirVersion: z.string().describe('The FHIR version of the policy.'),
    policy: z.string().describe('The policy by which it was judged.'),
    policyDigest: z.string().describe('SHA-256 of the policy file and of the files that it names, in hexadecimal.'),
    caller: z
      .strictObject({
        subject: z.string().optional().describe('`sub` of the verified token.'),
        client: z.string().optional().describe('The client to which the verified token was given.'),
        headerFields: z
          .record(z.string(), z.string())
          .optional()
          .describe('The header fields that `caller-header-fields` of gateway.yaml names, as they came.'),
      })
      .describe('Who asked, as far as it is known.'),
    interaction: z
      .enum(interactionCodes)
      .optional()
      .describe('FHIR’s restful-interaction code. Left out where the target could not be read.'),
    operation: z.string().optional().describe('Name of an operation that the policy opens, without `$`.'),
    bundle: z
      .strictObject({
        interaction: z.enum(['transaction', 'batch']).describe('Which kind of Bundle.'),
        entry: z.int().min(0).describe('Which entry, counted from 0. With `id` it names the write.'),
      })
      .optional()
      .describe('For an entry of a Bundle: each that writes has a line of its own.'),
    resource: z
      .strictObject({
        type: z.string().describe('Resource type.'),
        id: z.string().optional().describe('Its id, in the clear. Of a create: the one that the server gave.'),
        versionNamed: z.string().optional().describe('The version that If-Match named.'),
        versionJudged: z
          .string()
          .optional()
          .describe('The stored version that was judged, and to which a write is pinned.'),
        versionWritten: z.string().optional().describe('The version that the server made of it, where it told.'),
      })
      .optional()
      .describe('What it was about.'),
    decision: z
      .enum(['permitted', 'refused', 'undecided'])
      .describe(
        '`permitted`: it was sent, or about to be. `refused`: nothing was sent. `undecided`: it failed before it could be judged, and nothing was sent.',
      ),
    permittedAs: z.array(z.string()).optional().describe('The names of the changes as which the policy permits it.'),
    restoredBy: z.array(z.string()).optional().describe('The rules that had something put back to what is stored.'),
    refusals: z
      .array(refusal)
      .optional()
      .describe(
        'What is wrong with it. In a refused transaction an entry may have none: then another one was refused. A permitted write has some where the server did not take it.',
      ),
    reported: z.array(refusal).optional().describe('What rules in report mode would have refused.'),
    outcome: z
      .enum(['pending', 'success', 'failure', 'unknown'])
      .describe(
        '`pending`: about to be sent; the line with the outcome follows, with the same `id` and entry. Where none does, the gateway ended in between and the outcome is not known. `success`: the server has stored it. `failure`: nothing was changed. `unknown`: it was sent, and may have been stored.',
      ),
    status: z
      .int()
      .min(100)
      .max(999)
      .optional()
      .describe('HTTP status of the answer, or of the entry’s. 499: the client left before.'),
    upstreamStatus: z
      .int()
      .min(100)
      .max(999)
      .optional()
      .describe('HTTP status of the server’s last answer, where it was asked.'),
  })
  .describe('A decision record of fhir-policy-gateway.')

export type DecisionRecord = Readonly<z.output<typeof decisionRecordSchema>>

/** Who asked for a write. Nothing of it is known before tokens are verified, but the header fields that the config names. */
export type Caller = DecisionRecord['caller']

/** One thing that is wrong with a write, without a value. */
export type RefusalRecord = NonNullable<DecisionRecord['refusals']>[number]

/** As a line of NDJSON. */
export const lineOf = (record: DecisionRecord) => `${JSON.stringify(record)}\n`
