import { z } from 'zod'
import { breakerSchema, limitsSchema, timeoutsSchema } from './bounds-schema.ts'
import { corsSchema } from './cors-schema.ts'
import { decisionsSchema, logSchema } from './decisions-schema.ts'
import { listenerSchema } from './listener-schema.ts'
import { neverForwarded } from './never-forwarded.ts'
import { duration, headerField, matching, readAs, size } from './readings.ts'
import { tokensSchema } from './token-settings.ts'
import { tracesSchema } from './traces-schema.ts'
import { upstreamCredentialsSchema, upstreamTlsSchema } from './upstream-schema.ts'
import { fhirBaseUrlExpected, fhirBaseUrlPattern, parseFhirBaseUrl } from './upstream-url.ts'

/** What a rule compared with them would stand in the policy, and what it said of them in an answer. */
const secret: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization'])

const base = z
  .strictObject({
    path: matching(
      /^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/,
      'a path with a leading and no trailing slash, such as `/fhir`',
    ).describe('The path of the FHIR base on our side: `/STU3`. One base may not lie within another.'),
    policy: matching(/\S/, 'the path of a policy file').describe(
      'The policy file that governs the base, relative to gateway.yaml.',
    ),
    upstream: z
      .strictObject({
        url: readAs({ read: parseFhirBaseUrl, expected: fhirBaseUrlExpected, pattern: fhirBaseUrlPattern })
          .optional()
          .describe(
            'The FHIR base behind this one. UPSTREAM_URL goes before it where there is one base; with neither, the sandbox stands in.',
          ),
        'paging-parameter': matching(/^[A-Za-z0-9._~-]+$/, 'the name of a query parameter')
          .optional()
          .describe('The query parameter of the server’s own links to further pages. HAPI FHIR: `_getpages`.'),
        'pinned-delete': z
          .literal('history-version')
          .optional()
          .describe(
            'How a delete is pinned to a version, where a policy permits one. HAPI FHIR: `history-version`, which is DELETE [type]/[id]/_history/[version]. Without it no delete is sent.',
          ),
        breaker: breakerSchema,
        tls: upstreamTlsSchema,
        credentials: upstreamCredentialsSchema,
      })
      .prefault({})
      .describe('The server behind the base.'),
    tokens: tokensSchema,
    'header-fields': z
      .enum(['on', 'off'])
      .default('off')
      .describe('on: requests are held to what the policy says under `header-fields`. off: it is not asked.'),
    cors: corsSchema,
  })
  .describe('One FHIR base: where clients find it, its policy, and the server behind it.')
  .meta({ id: 'base' })

/** The shape of gateway.yaml. The JSON Schema for editors and docs/configuration.md are made from it. */
export const gatewayFileSchema = z
  .strictObject({
    bases: z.array(base).min(1).describe('The FHIR bases that are served.'),
    limits: limitsSchema,
    timeouts: timeoutsSchema,
    listener: listenerSchema,
    cache: z
      .union([
        z.literal('off').describe('Nothing is kept.'),
        z.strictObject({
          size: size('64 MiB').describe('The most memory that they take, as far as their texts tell it.'),
          expire: duration('5m').describe('How long one is kept.'),
        }),
      ])
      .prefault({})
      .describe('Stored versions, kept to judge against: `off` for a server that shows each caller something else.'),
    traces: tracesSchema,
    'forward-header-fields': z
      .array(headerField(neverForwarded, 'the name of a header field that the gateway does not make itself'))
      .default([])
      .describe('Request header fields that go to the upstream beside those that FHIR and HTTP name.'),
    'rule-header-fields': z
      .array(headerField(secret, 'the name of a header field that holds no credentials'))
      .default([])
      .describe(
        'Request header fields that the rules of policies may ask about, as %`header-x-name`. A client can send what it likes: name only those that something in front of the gateway sets, and lets nobody else set.',
      ),
    decisions: decisionsSchema,
    log: logSchema,
    reload: z
      .strictObject({
        watch: z
          .boolean()
          .default(true)
          .describe(
            'Whether a change of this file, of a policy or of a file that a policy names is taken by itself. Without it, SIGHUP has them read again.',
          ),
      })
      .prefault({})
      .describe('How the gateway learns of a changed config or policy. What is broken is told, and changes nothing.'),
  })
  .describe('What the gateway serves. Sizes: B, KiB, MiB, GiB. Durations: ms, s, m, h.')

/** What gateway.yaml says, read: bytes, milliseconds, URLs. */
export type GatewaySettings = z.output<typeof gatewayFileSchema>
