/** Plain JSON values, as the oracle and the generators have them: nothing of the gateway's own tree. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
export type JsonObject = { [name: string]: Json }

export const listOf = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? (value as JsonObject[]) : [])

export const onlyKeys = (object: JsonObject, keys: readonly string[]) =>
  Object.keys(object).every((key) => keys.includes(key))

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A copy without some of its members. */
export function without(object: JsonObject, ...names: readonly string[]): JsonObject {
  const copy = { ...object }
  for (const name of names) delete copy[name]
  return copy
}

/** Deep equality; the order of members does not count, the order of items does. */
export function same(a: Json, b: Json): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same((a as JsonObject)[key]!, (b as JsonObject)[key]!))
  )
}
