import { definitionsOf } from '../../../../src/fhir/definitions.ts'
import type { Resource } from '../../../../src/fhir/element.ts'
import type { Parsed } from '../../../../src/fhir/fault.ts'
import { parseJson } from '../../../../src/fhir/json.ts'
import type { Patched } from '../../../../src/fhir/patch/patched.ts'

export const r4 = definitionsOf('R4')
export const bounds = { nesting: 64 }

/** The resource that a JSON text or value is, which no code can change without a test noticing. */
export function resourceOf(json: unknown): Resource {
  return frozen(value(parseJson(typeof json === 'string' ? json : JSON.stringify(json), r4, bounds)))
}

export function value<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
  return parsed.value
}

/** `not-applicable: Flag.code: sentence`, or the fact that it was applied. */
export function outcomeOf(patched: Patched): string {
  if (patched.ok) return 'applied'
  return `${patched.kind}: ${patched.faults.map(({ expression, sentence }) => `${expression ?? ''}: ${sentence}`).join('; ')}`
}

/** Freezes objects and lists; Maps, which cannot be frozen, refuse to be changed. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (value instanceof Map) {
    const refuse = () => {
      throw new TypeError('A stored resource was changed.')
    }
    Object.assign(value, { set: refuse, delete: refuse, clear: refuse })
    for (const item of value.values()) frozen(item)
  }
  Object.freeze(value)
  for (const item of Object.values(value)) frozen(item)
  return value
}
