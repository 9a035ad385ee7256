import { z } from 'zod'
import { neverForwarded } from './never-forwarded.ts'
import { headerField, matching, readAs } from './readings.ts'

/** Relative to gateway.yaml. */
const file = () => matching(/\S/, 'the path of a file')

/** What would hold a secret: it stands in a file, which is named here. */
const nowhere = z
  .custom<never>(() => false, 'A secret does not stand in gateway.yaml: write it into a file, and name that file here.')
  .optional()
  .describe('Not here: a secret stands in a file.')
  .meta({ not: {}, errorMessage: 'A secret does not stand in gateway.yaml: name a file that holds it.' })

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Who reads the secret on its way has it: plain http only where there is no way. */
function readTokenUrl(written: string): string | undefined {
  if (!URL.canParse(written) || !/^https?:\/\//i.test(written) || /[#\s\\]/.test(written)) return undefined
  const url = new URL(written)
  if (url.username !== '' || url.password !== '') return undefined
  return url.protocol === 'https:' || loopback.test(url.hostname) ? url.href : undefined
}

/** `tls` of an upstream in gateway.yaml. */
export const upstreamTlsSchema = z
  .strictObject({
    ca: file()
      .optional()
      .describe(
        'The file of the authorities, in PEM, of which one must have signed the server’s certificate; without it those that Node knows.',
      ),
    certificate: file()
      .optional()
      .describe('The file of the certificate, in PEM, that the gateway shows to the server; with `key`.'),
    key: file().optional().describe('The file of its private key, in PEM, without a passphrase.'),
    'server-name': matching(/^[A-Za-z0-9._-]+$/, 'a host name')
      .optional()
      .describe('The name that the server’s certificate must have, where it is not the host of `url`.'),
  })
  .optional()
  .describe('How TLS is spoken with the server, where `url` is https. Files that are replaced are taken anew.')

const forAnybody = z
  .boolean()
  .default(false)
  .describe(
    'Says that whoever reaches the base may use these credentials. Without it the base needs `tokens`: the server does not know who calls, so the gateway must.',
  )

/** `credentials` of an upstream in gateway.yaml. */
export const upstreamCredentialsSchema = z
  .union([
    z.literal('callers').describe('Those that each caller sends in Authorization.'),
    z.strictObject({
      'header-field': z
        .strictObject({
          name: headerField(neverForwarded, 'the name of a header field that the gateway does not make itself')
            .prefault('Authorization')
            .describe('Its name.'),
          file: file().describe('The file that holds its value, as it is sent, on one line: `Bearer …`.'),
          value: nowhere,
        })
        .optional()
        .describe(
          'A header field whose value stands in a file. A new value in the file is taken like a changed config.',
        ),
      'client-credentials': z
        .strictObject({
          'token-url': readAs({
            read: readTokenUrl,
            expected: 'an https URL without user or fragment (http on loopback only)',
            pattern: /^[Hh][Tt][Tt][Pp][Ss]?:\/\/[^#@\s\\]+$/,
          }).describe('The token endpoint.'),
          'client-id': matching(/\S/, 'the id of a client').describe('Who the gateway is to it.'),
          'client-secret-file': file().describe(
            'The file that holds the secret, on one line. It is sent by HTTP Basic.',
          ),
          'client-secret': nowhere,
          scope: matching(/\S/, 'scopes, with spaces between them')
            .optional()
            .describe('The scopes that are asked for.'),
        })
        .optional()
        .describe(
          'Or tokens that the gateway gets with OAuth’s client credentials (RFC 6749, section 4.4), and uses until shortly before they expire.',
        ),
      'for-anybody': forAnybody,
    }),
  ])
  .default('callers')
  .describe(
    'What the gateway shows to the server for every request. With credentials of its own the caller’s Authorization goes no further.',
  )
