import { z } from 'zod'
import { diagnoseSchema, readSource, type Diagnostic, type Source } from '../policy/source.ts'
import type { GatewayConfig, UpstreamProfile } from './config.ts'
import { neverForwarded } from './never-forwarded.ts'
import { parseDuration, parseSize } from './units.ts'
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
}

/** What a rule compared with them would stand in the policy, and what it said of them in an answer. */
const secret: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization'])

const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** A text that is read into something else; what it must look like is told when it does not. */
function readAs<T>(read: (text: string) => T | undefined, expected: string) {
  return z.string().transform((text, context): T => {
    const value = read(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: `Expected ${expected}.` })
    return z.NEVER
  })
}

const matching = (pattern: RegExp) => (text: string) => (pattern.test(text) ? text : undefined)

const duration = (preset: string) =>
  readAs(parseDuration, 'a duration such as `250ms`, `30s`, `5m` or `1h`').prefault(preset)

const size = (preset: string) => readAs(parseSize, 'a size such as `512 KiB` or `1 MiB`').prefault(preset)

const count = (preset: number, most: number) => z.int().min(1).max(most).default(preset)

const base = z.strictObject({
  path: readAs(
    (text) => (/^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/.test(text) ? text : undefined),
    'a path with a leading and no trailing slash, such as `/fhir`',
  ),
  policy: readAs(matching(/\S/), 'the path of a policy file'),
  upstream: z
    .strictObject({
      url: readAs(parseFhirBaseUrl, fhirBaseUrlExpected).optional(),
      'paging-parameter': readAs(matching(/^[A-Za-z0-9._~-]+$/), 'the name of a query parameter').optional(),
      'pinned-delete': z.literal('history-version').optional(),
    })
    .prefault({}),
})

const schema = z.strictObject({
  bases: z.array(base).min(1),
  limits: z
    .strictObject({
      body: size('1 MiB'),
      nesting: count(64, 1000),
      'bundle-entries': count(200, 10_000),
      'stored-resource': size('4 MiB'),
      'rewritten-answer': size('16 MiB'),
      refusals: count(50, 1000),
    })
    .prefault({}),
  timeouts: z
    .strictObject({
      request: duration('30s'),
      connect: duration('2s'),
      upstream: duration('30s'),
      drain: duration('25s'),
    })
    .prefault({}),
  cache: z.union([z.literal('off'), z.strictObject({ size: size('64 MiB'), expire: duration('5m') })]).prefault({}),
  'forward-header-fields': z
    .array(
      readAs((text) => {
        const name = text.toLowerCase()
        return fieldName.test(text) && !neverForwarded.has(name) ? name : undefined
      }, 'the name of a header field that the gateway does not make itself'),
    )
    .default([]),
  'rule-header-fields': z
    .array(
      readAs((text) => {
        const name = text.toLowerCase()
        return fieldName.test(text) && !secret.has(name) ? name : undefined
      }, 'the name of a header field that holds no credentials'),
    )
    .default([]),
})

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
  const read = schema.safeParse(source.data ?? {}, { reportInput: true })
  if (!read.success) return { source, diagnostics: diagnoseSchema(source, read.error, schema) }
  const settings = settingsOf(read.data)
  const diagnostics = overlaps(source, settings.bases)
  return diagnostics.length > 0 ? { source, diagnostics } : { source, settings, diagnostics }
}

function settingsOf(data: z.infer<typeof schema>): GatewayFile {
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
