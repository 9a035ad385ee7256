import { readFileSync } from 'node:fs'
import { neverForwarded } from '../config/never-forwarded.ts'

/** Header fields for a FHIR server, by lower-case name, or what is wrong with one. No message holds a value. */
export type Credentials = { readonly headerFields: Readonly<Record<string, string>> } | { readonly mistake: string }

/**
 * Reads the header fields of `--header` and `--header-file`.
 * https://www.rfc-editor.org/rfc/rfc9110#section-5.5
 */
export function readCredentials(headers: readonly string[], file: string | undefined): Credentials {
  const lines: (readonly [option: string, line: string])[] = headers.map((text) => ['--header', text])
  if (file !== undefined) {
    let text
    try {
      text = readFileSync(file, 'utf8')
    } catch {
      return { mistake: '--header-file: expected a file that can be read.' }
    }
    for (const line of text.split(/\r?\n/)) if (line.trim() !== '') lines.push(['--header-file', line])
  }
  const headerFields: Record<string, string> = {}
  for (const [option, line] of lines) {
    const field =
      /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\u0021-\u007E](?:[\t\u0020-\u007E]*[\u0021-\u007E])?)[ \t]*$/.exec(line)
    if (!field) return { mistake: `${option}: expected a header field such as \`Authorization: Bearer …\`.` }
    const name = field[1]!.toLowerCase()
    if (neverForwarded.has(name)) return { mistake: `${option}: ${name} is a header field that is made here.` }
    headerFields[name] = headerFields[name] === undefined ? field[2]! : `${headerFields[name]}, ${field[2]!}`
  }
  return { headerFields }
}
