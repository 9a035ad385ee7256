/** Comparing, measuring and writing of plain JSON values whose numbers keep their digits. */
import { type Json, type JsonNumber, isList, isObject } from '../json-text.ts'

/** Writes a value without white space, names in their order, numbers as they were written. */
export function writeJsonText(json: Json): string {
  if (isObject(json)) {
    return `{${[...json].map(([name, value]) => `${JSON.stringify(name)}:${writeJsonText(value)}`).join(',')}}`
  }
  if (isList(json)) return `[${json.map(writeJsonText).join(',')}]`
  return isNumber(json) ? json.text : JSON.stringify(json)
}

/** How large a value is. */
export interface Size {
  /** About how long it is when written, in characters (UTF-16): those that need an escape count once. */
  readonly length: number
  /** How many brackets are open at once in it. */
  readonly depth: number
}

/**
 * How large a value is.
 * @param measured what has been measured before: values are never changed, so that each need be measured once only
 */
export function sizeOf(json: Json, measured: Map<object, Size>): Size {
  if (!isObject(json) && !isList(json)) return { length: scalarLength(json), depth: 0 }
  const known = measured.get(json)
  if (known) return known
  let length = 2
  let depth = 0
  for (const item of json.values()) {
    const size = sizeOf(item, measured)
    length += size.length + 1
    depth = Math.max(depth, size.depth)
  }
  if (isObject(json)) for (const name of json.keys()) length += name.length + 3
  const size = { length, depth: depth + 1 }
  measured.set(json, size)
  return size
}

function scalarLength(json: string | boolean | null | JsonNumber): number {
  if (typeof json === 'string') return json.length + 2
  return isNumber(json) ? json.text.length : 5
}

/** Equality as the `test` operation has it: numbers by their value. https://www.rfc-editor.org/rfc/rfc6902#section-4.6 */
export function equalJson(a: Json, b: Json): boolean {
  if (isObject(a)) {
    if (!isObject(b) || a.size !== b.size) return false
    for (const [name, value] of a) {
      const other = b.get(name)
      if (other === undefined || !equalJson(value, other)) return false
    }
    return true
  }
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, i) => equalJson(item, b[i]!))
  if (isNumber(a)) return isNumber(b) && equalNumbers(a.text, b.text)
  return a === b
}

function isNumber(json: Json): json is JsonNumber {
  return typeof json === 'object' && json !== null && 'kind' in json
}

function equalNumbers(a: string, b: string): boolean {
  if (a === b) return true
  const left = scientific(a)
  const right = scientific(b)
  if (left.digits === '' || right.digits === '') return left.digits === right.digits
  return left.negative === right.negative && left.digits === right.digits && left.exponent === right.exponent
}

/** The digits without zeros at either end (none for zero), and the power of ten of the last one. */
function scientific(text: string): { negative: boolean; digits: string; exponent: number } {
  const negative = text.startsWith('-')
  const [mantissa = '', power = '0'] = text.slice(negative ? 1 : 0).split(/[eE]/)
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = whole + fraction
  // By hand: a pattern for the zeros at the end takes quadratic time on zeros that stand elsewhere.
  let start = 0
  let end = digits.length
  while (start < end && digits[start] === '0') start += 1
  while (end > start && digits[end - 1] === '0') end -= 1
  // A power that no double holds exactly becomes NaN: such numbers are equal only when they are written alike.
  const written = Number(power)
  const exact = Number.isSafeInteger(written) ? written : NaN
  return { negative, digits: digits.slice(start, end), exponent: exact - fraction.length + (digits.length - end) }
}
