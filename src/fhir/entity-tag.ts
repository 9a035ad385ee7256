import { trimmedField } from './field-value.ts'
import { idPattern } from './target.ts'

/**
 * The version that an entity tag names: `W/"3"` and `"3"` → `3` (RFC 9110, section 8.8.3; FHIR's version ids are ids).
 * Undefined for anything else: a list, `*`, an empty tag, `w/"3"`, a bare `3`.
 */
export function versionOfEntityTag(entityTag: string): string | undefined {
  const version = /^(?:W\/)?"([^"]*)"$/.exec(entityTag)?.[1]
  return version !== undefined && idPattern.test(version) ? version : undefined
}

/** `3` → `W/"3"`: FHIR's ETags are weak. https://hl7.org/fhir/STU3/http.html#versioning */
export function entityTagOf(version: string): string {
  return `W/"${version}"`
}

/** What the If-Match header fields of a request say. */
export type IfMatch =
  | { readonly kind: 'version'; readonly version: string }
  | { readonly kind: 'missing'; readonly sentence: string }
  | { readonly kind: 'malformed'; readonly sentence: string }

const whatToSend = 'Send If-Match once, with the ETag that the server gave: If-Match: W/"<version id>".'

/** Reads the If-Match field lines as they came; several are as malformed as a list. */
export function readIfMatch(fieldLines: readonly string[]): IfMatch {
  if (fieldLines.every((line) => trimmedField(line) === '')) {
    return { kind: 'missing', sentence: `The version that is to be changed is not named. ${whatToSend}` }
  }
  if (fieldLines.length > 1) return { kind: 'malformed', sentence: `If-Match occurs more than once. ${whatToSend}` }
  const line = trimmedField(fieldLines[0]!)
  if (line === '*') return { kind: 'malformed', sentence: `If-Match: * names no version. ${whatToSend}` }
  const version = versionOfEntityTag(line)
  if (version === undefined) return { kind: 'malformed', sentence: `If-Match is not one ETag. ${whatToSend}` }
  return { kind: 'version', version }
}
