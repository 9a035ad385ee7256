import { z } from 'zod'
import { headerField, matching, readAs, size } from './readings.ts'
import { fhirBaseUrlExpected, fhirBaseUrlPattern, parseFhirBaseUrl } from './upstream-url.ts'

/** What would be a credential in a file that others read. */
const secret: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization'])

const common = {
  'caller-header-fields': z
    .array(headerField(secret, 'the name of a header field that holds no credentials'))
    .default([])
    .describe(
      'Request header fields whose values say who asked, for the record. A client can send what it likes: name only those that something in front of the gateway sets.',
    ),
}

const required = z
  .boolean()
  .default(false)
  .describe(
    'Whether a write is refused (503) when its record cannot be written. Then it goes on only when the disk has the record. Else a record that cannot be written is lost, which the log and the metrics tell, and no write waits for it.',
  )

/** A path that leads to a stream of the process. */
const ofStreams = /^\/dev\/(?:std(?:out|err)|tty|fd\/\d+)$|^\/proc\/[^/]+\/fd\/\d+$/

/** `decisions` in gateway.yaml. */
export const decisionsSchema = z
  .union([
    z.literal('off').describe('No records are kept.'),
    z.strictObject({
      to: z.literal('stdout').describe('A line of JSON for each record on standard output. It needs `log: stderr`.'),
      ...common,
    }),
    z.strictObject({
      to: z.literal('file').describe('A line of JSON for each record, appended to a file.'),
      file: matching(/\S/, 'the path of a file')
        .refine(
          (path) => !ofStreams.test(path),
          'Expected the path of a file; for standard output there is `to: stdout`.',
        )
        .describe(
          'The file, relative to gateway.yaml. One process writes it: each of several workers has its own, with its number in the name. SIGHUP has it opened anew, for who renames it.',
        ),
      required,
      ...common,
    }),
    z.strictObject({
      to: z
        .literal('audit-events')
        .describe('A FHIR AuditEvent for each record, POSTed to a server by way of a queue on the disk.'),
      url: readAs({ read: parseFhirBaseUrl, expected: fhirBaseUrlExpected, pattern: fhirBaseUrlPattern }).describe(
        'The FHIR base of the server that keeps them.',
      ),
      fhir: z
        .enum(['STU3', 'R4'])
        .optional()
        .describe('The FHIR version that it speaks. Unset: that of the policy of each base, which is not R5 then.'),
      'header-file': matching(/\S/, 'the path of a file')
        .optional()
        .describe(
          'A file with header fields for it, one a line, such as `Authorization: Bearer …`; relative to gateway.yaml, and read for each event.',
        ),
      queue: matching(/\S/, 'the path of a folder').describe(
        'The folder of the queue, relative to gateway.yaml. It is made where there is none, and outlives the process.',
      ),
      'queue-size': size('256 MiB').describe('The most that the queue holds; what is beyond counts as not written.'),
      required,
      ...common,
    }),
  ])
  .default('off')
  .describe(
    'Decision records: who asked for which write, what was decided, and what became of it. docs/decision-records.md.',
  )

/** `log` in gateway.yaml. */
export const logSchema = z
  .enum(['stdout', 'stderr'])
  .default('stdout')
  .describe('Where the log goes, and what is told to a person at a terminal.')
