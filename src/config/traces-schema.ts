import { z } from 'zod'
import { matching, readAs } from './readings.ts'

const endpointPattern = /^https?:\/\/[^?#@/\s\\]+(\/[^?#\s\\]*)?$/

const endpoint = readAs({
  pattern: endpointPattern,
  expected: 'the http or https URL of an OTLP collector, such as `http://collector:4318/v1/traces`',
  read: (text) => (endpointPattern.test(text) && URL.canParse(text) ? new URL(text) : undefined),
})

/** `traces` in gateway.yaml. */
export const tracesSchema = z
  .union([
    z.literal('off').describe('No spans are made.'),
    z.strictObject({
      endpoint: endpoint.describe('Where spans go, as OTLP over HTTP: `http://collector:4318/v1/traces`.'),
      'service-name': matching(/^[!-~]{1,100}$/, 'a name of printable characters')
        .default('fhir-policy-gateway')
        .describe('The name under which the gateway stands in traces.'),
      sample: z
        .number()
        .min(0)
        .max(1)
        .default(1)
        .describe('The share of the traces that begin at the gateway of which spans are recorded: `0.1` is a tenth.'),
      incoming: z
        .enum(['continue', 'begin'])
        .default('continue')
        .describe(
          'What becomes of a request that comes with a traceparent. `continue`: its trace goes on, recorded when the sender records it. `begin`: another trace begins; for clients that are not to choose what is recorded, or under which id.',
        ),
    }),
  ])
  .default('off')
  .describe(
    'OpenTelemetry traces. They need packages that do not come with the gateway, see [operations.md](operations.md#traces). A change needs a restart.',
  )
