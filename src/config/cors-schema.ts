import { z } from 'zod'
import { duration, readAs } from './readings.ts'

const originExpected =
  'the origin of a page as browsers send it, such as `https://app.example` or `http://localhost:3000`, or `*`'

/** https://www.rfc-editor.org/rfc/rfc6454#section-6.2; apps in a web view have schemes of their own. */
const originPattern = /^(\*|[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\\A-Z*]+)$/

/** Undefined for what no browser would ever send. `null` is none: any page can have that. */
function parseOrigin(text: string): string | undefined {
  if (text === '*') return text
  if (!originPattern.test(text) || !URL.canParse(text)) return undefined
  return /^https?:/.test(text) && new URL(text).origin !== text ? undefined : text
}

/** Without the star, which browsers would take for any name. */
const namePattern = /^[A-Za-z0-9_-]+$/
const parseName = (text: string) => (namePattern.test(text) ? text.toLowerCase() : undefined)

/** `cors` of a base in gateway.yaml. */
export const corsSchema = z
  .union([
    z.literal('off').describe('No page of another origin may read an answer.'),
    z.strictObject({
      origins: z
        .array(readAs({ read: parseOrigin, expected: originExpected, pattern: originPattern }))
        .min(1)
        .describe('The origins of these pages, exactly as browsers send them: `https://app.example`; or `*` for all.'),
      credentials: z
        .boolean()
        .default(false)
        .describe(
          'Whether browsers may add what they keep for the gateway themselves: cookies, client certificates. A token in Authorization needs no such leave.',
        ),
      'header-fields': z
        .array(readAs({ read: parseName, expected: 'the name of a header field', pattern: namePattern }))
        .default([])
        .describe(
          'Request header fields that pages may set beside those that FHIR, HTTP and the gateway itself know, such as those that a policy requires.',
        ),
      'max-age': duration('10m').describe('How long browsers may keep what they were told of it.'),
    }),
  ])
  .default('off')
  .describe('Which pages in a browser may use the base (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol).')
