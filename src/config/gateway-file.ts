import { z } from 'zod'
import { diagnoseSchema } from '../policy/diagnose-schema.ts'
import { readSource, type Diagnostic, type Source } from '../policy/source.ts'
import type { GatewayConfig, UpstreamProfile } from './config.ts'
import { neverForwarded } from './never-forwarded.ts'
import { durationPattern, parseDuration, parseSize, sizePattern } from './units.ts'
import { fhirBaseUrlExpected, parseFhirBaseUrl } from './upstream-url.ts'

/** One base as gateway.yaml has it: its policy is a path still, its upstream may come from elsewhere. */
export interface BaseEntry {
  readonly path: string
  /** Path of the policy file, relative to gateway.yaml. */
  readonly policy: string
  readonly upstreamUrl?: URL
  readonly profile: UpstreamProfile
}

/** gateway.yaml, read and checked by itself. */
export interface GatewayFile extends Omit<GatewayConfig, 'bases'> {
  readonly bases: readonly BaseEntry[]
  /** Whether a change of a file is taken by itself. */
  readonly reload: { readonly watch: boolean }
}

/** What a rule compared with them would stand in the policy, and what it said of them in an answer. */
const secret: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization'])

const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** A text that is read into something else; what it must look like is told when it does not, and to editors as a pattern. */
function readAs<T>(read: (text: string) => T | undefined, expected: string, pattern?: RegExp) {
  return z
    .string()
    .meta(pattern ? { pattern: pattern.source } : {})
    .transform((text, context): T => {
      const value = read(text)
      if (value !== undefined) return value
      context.addIssue({ code: 'custom', message: `Expected ${expected}.` })
      return z.NEVER
    })
}

const matching = (pattern: RegExp, expected: string) =>
  readAs((text) => (pattern.test(text) ? text : undefined), expected, pattern)

const duration = (preset: string) =>
  readAs(parseDuration, 'a duration such as `250ms`, `30s`, `5m` or `1h`', durationPattern).prefault(preset)

const size = (preset: string) => readAs(parseSize, 'a size such as `512 KiB` or `1 MiB`', sizePattern).prefault(preset)

const count = (preset: number, most: number) => z.int().min(1).max(most).default(preset)

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
        url: readAs(parseFhirBaseUrl, fhirBaseUrlExpected, /^https?:\/\//)
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
      })
      .prefault({})
      .describe('The server behind the base.'),
  })
  .describe('One FHIR base: where clients find it, its policy, and the server behind it.')
  .meta({ id: 'base' })

/** The shape of gateway.yaml. The JSON Schema for editors and docs/configuration.md are made from it. */
export const gatewayFileSchema = z
  .strictObject({
    bases: z.array(base).min(1).describe('The FHIR bases that are served.'),
    limits: z
      .strictObject({
        body: size('1 MiB').describe('The largest request body, after inflating.'),
        nesting: count(64, 1000).describe('The deepest nesting of a body.'),
        elements: count(50_000, 1_000_000).describe(
          'The most elements of a body, and of a stored resource that is read to be judged.',
        ),
        'bundle-entries': count(200, 10_000).describe('The most entries of a transaction or batch.'),
        'stored-resource': size('4 MiB').describe('The largest stored resource that is read to be judged.'),
        'rewritten-answer': size('16 MiB').describe(
          'The largest answer whose URLs become ours: a Bundle, a CapabilityStatement.',
        ),
        refusals: count(50, 1000).describe('The most refusals that one answer names.'),
      })
      .prefault({})
      .describe('What is too large.'),
    timeouts: z
      .strictObject({
        request: duration('30s').describe('To receive a request from the client.'),
        connect: duration('2s').describe('To connect to the upstream.'),
        upstream: duration('30s').describe(
          'For the upstream’s answer to begin, and between two parts of it; twice that for the whole, unless it is streamed on.',
        ),
        drain: duration('25s').describe('For requests in flight to end after SIGTERM.'),
      })
      .prefault({})
      .describe('What is too slow.'),
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
    'forward-header-fields': z
      .array(
        readAs((text) => {
          const name = text.toLowerCase()
          return fieldName.test(text) && !neverForwarded.has(name) ? name : undefined
        }, 'the name of a header field that the gateway does not make itself'),
      )
      .default([])
      .describe('Request header fields that go to the upstream beside those that FHIR and HTTP name.'),
    'rule-header-fields': z
      .array(
        readAs((text) => {
          const name = text.toLowerCase()
          return fieldName.test(text) && !secret.has(name) ? name : undefined
        }, 'the name of a header field that holds no credentials'),
      )
      .default([])
      .describe(
        'Request header fields that the rules of policies may ask about, as %`header-x-name`. A client can send what it likes: name only those that something in front of the gateway sets, and lets nobody else set.',
      ),
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

/**
 * Reads gateway.yaml. Every mistake is reported, each with its place.
 * @param file its name, as the mistakes shall show it
 */
export function readGatewayFile(
  file: string,
  text: string,
): { readonly source: Source; readonly settings?: GatewayFile; readonly diagnostics: readonly Diagnostic[] } {
  const source = readSource(file, text)
  if (source.diagnostics.length > 0) return { source, diagnostics: source.diagnostics }
  const read = gatewayFileSchema.safeParse(source.data ?? {}, { reportInput: true })
  if (!read.success) return { source, diagnostics: diagnoseSchema(source, read.error, gatewayFileSchema) }
  const settings = settingsOf(read.data)
  const diagnostics = overlaps(source, settings.bases)
  return diagnostics.length > 0 ? { source, diagnostics } : { source, settings, diagnostics }
}

function settingsOf(data: z.infer<typeof gatewayFileSchema>): GatewayFile {
  const { limits, timeouts, cache } = data
  return {
    bases: data.bases.map(({ path, policy, upstream }) => ({
      path,
      policy,
      ...(upstream.url && { upstreamUrl: upstream.url }),
      profile: profileOf(upstream),
    })),
    limits: {
      bodyBytes: limits.body,
      nesting: limits.nesting,
      elements: limits.elements,
      bundleEntries: limits['bundle-entries'],
      storedBytes: limits['stored-resource'],
      rewriteBytes: limits['rewritten-answer'],
      refusals: limits.refusals,
    },
    timeouts: {
      requestMs: timeouts.request,
      connectMs: timeouts.connect,
      upstreamMs: timeouts.upstream,
      drainMs: timeouts.drain,
    },
    cache: cache === 'off' ? 'off' : { bytes: cache.size, expireMs: cache.expire },
    forwardHeaderFields: data['forward-header-fields'],
    ruleHeaderFields: data['rule-header-fields'],
    reload: data.reload,
  }
}

/** A target must lie in one base only, else the order of the list would decide which policy judges it. */
function overlaps(source: Source, bases: readonly BaseEntry[]): Diagnostic[] {
  return bases.flatMap(({ path }, index) => {
    const other = bases.slice(0, index).find((before) => within(path, before.path) || within(before.path, path))
    return other === undefined
      ? []
      : [
          source.diagnose(
            ['bases', index, 'path'],
            `\`${path}\` overlaps \`${other.path}\`: one base may not lie within another.`,
          ),
        ]
  })
}

const within = (path: string, outer: string) => path === outer || path.startsWith(`${outer}/`)

function profileOf(upstream: z.output<typeof base>['upstream']): UpstreamProfile {
  const { 'paging-parameter': pagingParameter, 'pinned-delete': pinnedDelete } = upstream
  return {
    ...(pagingParameter !== undefined && { pagingParameter }),
    ...(pinnedDelete !== undefined && { pinnedDelete }),
  }
}
