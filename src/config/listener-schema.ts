import { z } from 'zod'
import { addressRangeExpected, addressRangePattern, parseAddressRange } from './address-range.ts'
import { matching, readAs } from './readings.ts'

/** Relative to gateway.yaml. */
const file = () => matching(/\S/, 'the path of a file')

const tlsSchema = z
  .union([
    z.literal('off').describe('Plain HTTP.'),
    z.strictObject({
      certificate: file().describe(
        'The file of the certificate, in PEM, with those between it and its authority after it.',
      ),
      key: file().describe('The file of its private key, in PEM, without a passphrase.'),
      'minimum-version': z
        .enum(['TLSv1.2', 'TLSv1.3'])
        .default('TLSv1.2')
        .describe('The oldest version of TLS that is spoken.'),
      'client-ca': file()
        .optional()
        .describe(
          'The file of the authorities, in PEM, of which one must have signed the certificate that each client has to show. Without it none is asked for.',
        ),
    }),
  ])
  .default('off')
  .describe(
    'HTTPS instead of HTTP on the port of the gateway; the admin port stays plain. Files that are replaced are taken like a changed config, and no connection is dropped.',
  )

/** `listener` in gateway.yaml. */
export const listenerSchema = z
  .strictObject({
    tls: tlsSchema,
    'trusted-proxies': z
      .array(readAs({ read: parseAddressRange, expected: addressRangeExpected, pattern: addressRangePattern }))
      .default([])
      .describe(
        'The proxies in front of the gateway, as IP addresses or ranges such as `10.0.0.0/8`. They say under which URL clients reach the gateway, unless PUBLIC_URL does, and from which address. From anybody else such header fields are not heard. Name the proxies, not the network that their clients are in.',
      ),
    'forwarded-in': z
      .enum(['x-forwarded', 'forwarded'])
      .default('x-forwarded')
      .describe(
        'The header fields in which they say it: `x-forwarded` (X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host) or `forwarded` (RFC 7239). The others may be the client’s own and are not heard; a proxy must set those that are, or take them away.',
      ),
  })
  .prefault({})
  .describe('How clients reach the gateway.')
