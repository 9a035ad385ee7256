import { type Plain, numberMark } from './lenient.ts'

const stringOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/**
 * Reads JSON as HAPI does, not as the gateway does: of a name that occurs twice the last one counts. Strings may stand in
 * single quotes. Numbers keep their digits.
 * @throws {SyntaxError} when it is not JSON
 */
export function readJson(text: string): Plain {
  return JSON.parse(text.replaceAll(stringOrNumber, asString)) as Plain
}

function asString(found: string): string {
  if (found.startsWith('"')) return found
  if (!found.startsWith("'")) return JSON.stringify(numberMark + found)
  return `"${found.slice(1, -1).replaceAll("\\'", "'").replaceAll('"', '\\"')}"`
}
