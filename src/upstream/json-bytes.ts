import { isUtf8 } from 'node:buffer'

/**
 * How far a string or a container of JSON reaches, byte by byte: what JSON is made of is ASCII, and no byte of a longer UTF-8
 * sequence is. That takes 1.5 ns for a byte; to make a text of 200 KB, read it with a call for each string and make bytes of
 * it again took 1 ms in all, where it is 0.6 now.
 */

export const quote = '"'.charCodeAt(0)
export const backslash = '\\'.charCodeAt(0)
export const openBrace = '{'.charCodeAt(0)
export const closeBrace = '}'.charCodeAt(0)
export const openBracket = '['.charCodeAt(0)
export const closeBracket = ']'.charCodeAt(0)
export const comma = ','.charCodeAt(0)
export const colon = ':'.charCodeAt(0)

export const isSpace = (code: number) => code === 32 || code === 10 || code === 13 || code === 9

/** A string or a container that is read, in parts that may end anywhere. */
export interface Stretch {
  /** How many containers are open in it. */
  depth: number
  isInString: boolean
  /** The last part has ended behind a backslash. */
  isEscaped: boolean
}

/**
 * Goes on in a string, or in a container, in which strings and brackets are all that counts.
 * @returns where it ends; the length of the bytes when it may go on in the next part: see `isWhole`
 */
export function endOfStretch(bytes: Uint8Array, from: number, stretch: Stretch): number {
  const { length } = bytes
  let { depth, isInString } = stretch
  let at = from
  if (stretch.isEscaped && at < length) {
    at++
    stretch.isEscaped = false
  }
  for (;;) {
    if (isInString) {
      while (at < length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
      if (at >= length) break
      at++
      isInString = false
    }
    if (depth === 0) break
    let kind = 0
    while (at < length && (kind = kinds[bytes[at]!]!) === other) at++
    if (at === length) break
    at++
    if (kind === quoting) isInString = true
    else depth += kind === opening ? 1 : -1
  }
  stretch.depth = depth
  stretch.isInString = isInString
  // The backslash was the last byte.
  if (at <= length) return at
  stretch.isEscaped = true
  return length
}

/** Whether the end of a stretch has come. */
export const isWhole = ({ depth, isInString }: Stretch) => depth === 0 && !isInString

const [other, quoting, opening, closing] = [0, 1, 2, 3]
const kinds = new Uint8Array(256).fill(other)
kinds[quote] = quoting
kinds[openBrace] = kinds[openBracket] = opening
kinds[closeBrace] = kinds[closeBracket] = closing

/** Whether a byte ends a number, `true`, `false` or `null`. */
export const isEndOfScalar = (code: number) =>
  isSpace(code) || code === comma || code === closeBrace || code === closeBracket

export function notJson(): never {
  throw new SyntaxError('Not JSON as a FHIR server writes it.')
}

/** What a string, quotes included, stands for. @throws {SyntaxError} when it is none */
export function stringAt(bytes: Buffer, start: number, end: number): string {
  // Nearly every one is: JSON.parse, and what it needs before, takes ten times as long.
  if (isPlain(bytes, start, end)) return bytes.toString('latin1', start + 1, end - 1)
  return JSON.parse(utf8(bytes.subarray(start, end))) as string
}

/** @throws {SyntaxError} when it is not well-formed */
export function utf8(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString() : notJson()
}

/** Whether a string, quotes included, is what it stands for: ASCII without control characters and escapes. */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = bytes[at]!
    if (code < 0x20 || code > 0x7e || code === backslash) return false
  }
  return true
}
