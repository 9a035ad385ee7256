import { type Parsed, faulty, parsed } from './fault.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes a body. Bytes that are not UTF-8 and a byte order mark are refused: another parser might read either in
 * another way (RFC 8259 section 8.1 forbids the mark in JSON).
 */
export function decodeUtf8(bytes: Uint8Array): Parsed<string> {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return faulty({ sentence: 'The body is not UTF-8; send it in UTF-8.' })
  }
  if (text.charCodeAt(0) === 0xfeff) {
    return faulty({ sentence: 'The body begins with a byte order mark; send it without one.' })
  }
  return parsed(text)
}

// Both are possible in JSON and impossible in XML 1.0; FHIR forbids control characters in strings in either.
// oxlint-disable-next-line no-control-regex
const unspeakable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Surrogate}]/u

// Any half of a pair: without the flag `u` a text is searched in half of the time.
// oxlint-disable-next-line no-control-regex
const perhapsUnspeakable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]/

/**
 * Where the first character stands that no FHIR string may hold: a control character other than tab, line feed and
 * carriage return, a lone surrogate, a noncharacter that XML excludes. -1 when there is none.
 * https://hl7.org/fhir/R4/datatypes.html#string
 */
export function unspeakableAt(text: string): number {
  return perhapsUnspeakable.test(text) ? text.search(unspeakable) : -1
}
