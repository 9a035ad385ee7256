import { Client } from 'fhir-kit-client'
import type { Dispatcher } from 'undici'
import type { Credentials } from './credentials.ts'

/** What a server says of itself at `/metadata`, as far as the gateway asks. */
export type Capability =
  | { readonly outcome: 'answered'; readonly fhirVersion: string }
  | { readonly outcome: 'unreachable' | 'too-slow' | 'unusable' | 'no-credentials' }

/** How the gateway comes to a server, where that is not in the plain way. */
export interface Access {
  readonly dispatcher?: Dispatcher
  readonly credentials?: Credentials
}

/**
 * Reads a server's CapabilityStatement (https://hl7.org/fhir/R4/http.html#capabilities). Never throws.
 * @param baseUrl FHIR base URL
 * @param timeoutMs for the whole answer, in milliseconds
 * @param stop ends the request at once
 */
export async function readCapability(
  baseUrl: URL,
  timeoutMs: number,
  stop: AbortSignal,
  { dispatcher, credentials }: Access = {},
): Promise<Capability> {
  const shown = await credentials?.headerFields().catch(() => undefined)
  if (credentials && !shown) return { outcome: 'no-credentials' }
  const requestOptions = { redirect: 'manual', ...(dispatcher && { dispatcher }) } as const
  const client = new Client({ baseUrl: baseUrl.href, requestOptions, ...(shown && { customHeaders: { ...shown } }) })
  try {
    const statement: unknown = await client.capabilityStatement({
      signal: AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]),
    })
    const fhirVersion = fhirVersionOf(statement)
    return fhirVersion === undefined ? { outcome: 'unusable' } : { outcome: 'answered', fhirVersion }
  } catch (error) {
    // Whatever it answers instead may be for these: others are had in time.
    if (shown) credentials?.refused(shown)
    return { outcome: outcomeOf(error) }
  }
}

function outcomeOf(error: unknown): 'unreachable' | 'too-slow' | 'unusable' {
  if (!(error instanceof Error)) return 'unusable'
  if (error.name === 'TimeoutError') return 'too-slow'
  // fetch tells with a cause why it got no answer, or not all of it; what the client makes of an answer has none.
  return error.cause instanceof Error || error.name === 'AbortError' ? 'unreachable' : 'unusable'
}

function fhirVersionOf(statement: unknown): string | undefined {
  if (typeof statement !== 'object' || statement === null) return undefined
  const { resourceType, fhirVersion } = statement as Readonly<Record<string, unknown>>
  if (resourceType !== 'CapabilityStatement' && resourceType !== 'Conformance') return undefined
  return typeof fhirVersion === 'string' && /^\d{1,3}\.\d{1,3}(\.\d{1,3})?(-[A-Za-z0-9.-]{1,32})?$/.test(fhirVersion)
    ? fhirVersion
    : undefined
}
