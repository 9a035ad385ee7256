import type { HeaderFieldRule } from './rule.ts'
import type { Refusal } from './refusal.ts'

/** The ways in which a header field may be written. */
export const fieldFormats = {
  uuid: { pattern: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, is: 'a UUID' },
  digits: { pattern: /^[0-9]+$/, is: 'digits only' },
  alphanumeric: { pattern: /^[0-9A-Za-z]+$/, is: 'letters and digits only' },
} as const

export type FieldFormat = keyof typeof fieldFormats

/** Gives every line of a header field, by its name in lower case. */
export type FieldLines = (name: string) => readonly string[]

/** Everything for which a policy refuses the header fields of a request, and what it would refuse if it were not in report mode. */
export function judgeHeaderFields(
  rules: readonly HeaderFieldRule[],
  fieldLines: FieldLines,
): { readonly refusals: readonly Refusal[]; readonly reported: readonly Refusal[] } {
  const refusals: Refusal[] = []
  const reported: Refusal[] = []
  for (const rule of rules) {
    const fault = faultOf(rule, fieldLines(rule.name.toLowerCase()))
    if (fault) (rule.mode === 'report' ? reported : refusals).push(fault)
  }
  return { refusals, reported }
}

/** The header fields that the answer repeats. What does not hold is not among them: it may be anything. */
export function mirroredFields(
  rules: readonly HeaderFieldRule[],
  fieldLines: FieldLines,
): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {}
  for (const rule of rules) {
    if (!rule.mirrored) continue
    const name = rule.name.toLowerCase()
    const lines = fieldLines(name)
    const value = lines[0]?.trim() ?? ''
    if (value !== '' && !faultOf(rule, lines)) fields[name] = value
  }
  return fields
}

/** What is wrong with a header field, without a word of what stands in it. */
function faultOf(rule: HeaderFieldRule, lines: readonly string[]): Refusal | undefined {
  const { name, required, help } = rule
  const refusal = (kind: 'missing' | 'malformed', sentence: string): Refusal => ({
    cause: `header-field-${kind}`,
    rule: `header-fields/${name}`,
    diagnostics: `The header field ${name} ${sentence}${help === undefined ? '' : ` ${help}`}`,
    ...(rule.answers && { answer: rule.answers[kind] }),
  })
  if (lines.length > 1) return refusal('malformed', 'occurs more than once; send it once.')
  const value = lines[0]?.trim() ?? ''
  if (value === '') return required ? refusal('missing', `is missing${expected(rule)}.`) : undefined
  const problem = problemOf(rule, value)
  return problem === undefined ? undefined : refusal('malformed', problem)
}

function problemOf({ format, values, maxLength }: HeaderFieldRule, value: string): string | undefined {
  if (!/^[\x20-\x7e]*$/.test(value)) return 'holds a character outside of printable ASCII.'
  if (value.length > maxLength) return `is longer than ${maxLength} characters.`
  if (format && !fieldFormats[format].pattern.test(value)) return `must be ${fieldFormats[format].is}.`
  if (values && !values.includes(value)) return `must be ${oneOf(values)}.`
  return undefined
}

function expected({ format, values }: HeaderFieldRule): string {
  if (values) return `: ${oneOf(values)}`
  return format ? `: ${fieldFormats[format].is}` : ''
}

const oneOf = (values: readonly string[]) => (values.length === 1 ? values[0]! : `one of ${values.join(', ')}`)
