import { z } from 'zod'
import { addressRangeExpected, addressRangePattern, parseAddressRange } from './address-range.ts'
import { readAs } from './readings.ts'

/** `listener` in gateway.yaml. */
export const listenerSchema = z
  .strictObject({
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
