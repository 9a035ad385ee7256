import { z } from 'zod'
import { readScopeNeeds, type ScopeNeed } from '../fhir/smart-scopes.ts'
import type { TokenTerms } from './config.ts'
import { duration, matching, readAs } from './readings.ts'

/** Signatures that need a private key: what verifies them signs nothing (RFC 7518, section 3.1; RFC 8037). */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

const text = (expected: string) => matching(/\S/, expected)

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Who reads the keys on their way could put others in their place: plain http only where there is no way. */
function readKeysUrl(written: string): string | undefined {
  if (!URL.canParse(written) || !/^https?:\/\//i.test(written) || /[#\s\\]/.test(written)) return undefined
  const url = new URL(written)
  if (url.username !== '' || url.password !== '') return undefined
  return url.protocol === 'https:' || loopback.test(url.hostname) ? url.href : undefined
}

const jwks = z.union([
  z.strictObject({
    url: readAs({
      read: readKeysUrl,
      expected: 'an https URL without user or fragment (http on loopback only)',
      pattern: /^[Hh][Tt][Tt][Pp][Ss]?:\/\/[^#@\s\\]+$/,
    }).describe('Where the issuer publishes its keys (its `jwks_uri`): https, or http on loopback.'),
    'max-age': duration('10m').describe(
      'How long keys are used without asking again. They are asked for after half of it; a key that is not among them is asked for at once, at most every 30 s.',
    ),
  }),
  z.strictObject({
    file: text('the path of a file with a JSON Web Key Set').describe(
      'A file with the keys (a JSON Web Key Set), relative to gateway.yaml. A change of it is taken as that of a policy is.',
    ),
  }),
])

const scopeNeeds = readAs<readonly ScopeNeed[]>({
  read: readScopeNeeds,
  expected: 'a type or `*`, and letters of `cruds` in their order, such as `Flag.u` or `*.rs`',
  pattern: /^([A-Z][A-Za-z]*|\*)\.c?r?u?d?s?$/,
})

/** The setting `tokens` of a base. */
export const tokensSchema = z
  .union([
    z
      .literal('off')
      .describe('Whoever reaches the gateway may call: something in front of it has to know who that is.'),
    z.strictObject({
      issuer: text('the issuer of the tokens, as their claim `iss` has it').describe('The claim `iss`, exactly.'),
      audience: z
        .union([text('an audience'), z.array(text('an audience')).min(1)])
        .describe('What the claim `aud` must name, or one of several: usually the URL of this base.'),
      jwks: jwks.describe('The keys with which the issuer signs.'),
      algorithms: z
        .array(z.enum(algorithms))
        .min(1)
        .default(['RS256', 'RS384', 'ES256', 'ES384'])
        .describe(
          'The signatures that are taken, whatever a token says of itself. There are none with a shared secret.',
        ),
      types: z
        .array(matching(/^(?!.*application\/)[a-z0-9.+-]+$/, 'a media type in lower case, without `application/`'))
        .min(1)
        .default(['at+jwt', 'jwt'])
        .describe('What a token may call itself in its header (`typ`); `absent`: nothing at all.'),
      'clock-skew': duration('30s').describe('How far the clocks of the issuer and of this machine may be apart.'),
      'required-claims': z
        .array(text('the name of a claim'))
        .default([])
        .describe('Claims that must be there, beside `iss`, `aud` and `exp`, which always must.'),
      scopes: z
        .enum(['smart', 'off'])
        .default('smart')
        .describe(
          'smart: the scopes of SMART App Launch 1 and 2 say what a token is good for. off: any token that is taken may ask for everything that the policy opens.',
        ),
      'patient-scopes': z
        .enum(['grant-nothing', 'upstream-enforces'])
        .default('grant-nothing')
        .describe(
          'What `patient/…` scopes grant. The gateway does not know which resources are a patient’s: say upstream-enforces only where the server behind it sees to that, from the same token.',
        ),
      'operation-scopes': z
        .record(
          z.string().regex(/^\$[A-Za-z][A-Za-z0-9-]*$/, 'an operation is written `$name`'),
          z.array(scopeNeeds).min(1),
        )
        .default({})
        .describe(
          'What each operation needs, such as `$everything: [Patient.r, "*.rs"]`. One that is not named is refused.',
        ),
      forward: z
        .boolean()
        .optional()
        .describe(
          'Whether the Authorization header field goes on to the upstream. It does when nothing is said, but not where the gateway has `upstream.credentials` of its own.',
        ),
    }),
  ])
  .default('off')
  .describe('Which bearer tokens are asked for, and what they let their holders do. `/metadata` needs none.')

type Settings = Exclude<z.output<typeof tokensSchema>, 'off'>

/** What a base says of tokens, where a file with keys has not been read. */
export interface TokenSettings extends Omit<TokenTerms, 'keys'> {
  readonly keys: { readonly url: string; readonly maxAgeMs: number } | { readonly file: string }
}

export function tokenSettingsOf(settings: Settings): TokenSettings {
  const { jwks, audience } = settings
  return {
    issuer: settings.issuer,
    audience: typeof audience === 'string' ? [audience] : audience,
    keys: 'url' in jwks ? { url: jwks.url, maxAgeMs: jwks['max-age'] } : { file: jwks.file },
    algorithms: settings.algorithms,
    types: settings.types,
    clockSkewMs: settings['clock-skew'],
    requiredClaims: settings['required-claims'],
    forwarded: settings.forward ?? true,
    scopes:
      settings.scopes === 'off'
        ? 'off'
        : {
            patient: settings['patient-scopes'],
            operations: new Map(
              Object.entries(settings['operation-scopes']).map(([name, needs]) => [name.slice(1), needs.flat()]),
            ),
          },
  }
}
