import { isObject, same, type Json } from './plain-json.ts'
import type { Random } from './random.ts'

/** One operation of a JSON Patch: https://www.rfc-editor.org/rfc/rfc6902 */
export interface Operation {
  readonly op: 'add' | 'remove' | 'replace' | 'test'
  readonly path: string
  readonly value?: Json
}

/** A JSON Patch that makes after of before, one of many that do. */
export function patchOf(random: Random, before: Json, after: Json, path = ''): Operation[] {
  if (same(before, after)) return random.chance(0.02) ? [{ op: 'test', path, value: before }] : []
  if (path !== '' && random.chance(0.1)) return [{ op: 'replace', path, value: after }]
  if (isObject(before) && isObject(after)) return patchOfObject(random, before, after, path)
  if (Array.isArray(before) && Array.isArray(after)) return patchOfList(random, before, after, path)
  return [{ op: 'replace', path, value: after }]
}

function patchOfObject(random: Random, before: Record<string, Json>, after: Record<string, Json>, path: string) {
  const operations: Operation[] = []
  for (const name of new Set([...Object.keys(after), ...Object.keys(before)])) {
    const at = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const old = before[name]
    const value = after[name]
    if (value === undefined) operations.push({ op: 'remove', path: at })
    else if (old === undefined) operations.push({ op: 'add', path: at, value })
    else operations.push(...patchOf(random, old, value, at))
  }
  return operations
}

/** What differs between two lists' equal ends is changed in its place; then the rest comes or goes. */
function patchOfList(random: Random, before: readonly Json[], after: readonly Json[], path: string): Operation[] {
  let start = 0
  let left = before.length
  let right = after.length
  while (start < left && start < right && same(before[start]!, after[start]!)) start++
  while (left > start && right > start && same(before[left - 1]!, after[right - 1]!)) {
    left--
    right--
  }
  const operations: Operation[] = []
  for (; start < left && start < right; start++) {
    operations.push(...patchOf(random, before[start]!, after[start]!, `${path}/${start}`))
  }
  for (let i = left - 1; i >= start; i--) operations.push({ op: 'remove', path: `${path}/${i}` })
  for (let i = start; i < right; i++) {
    const end = left === before.length && random.chance(0.5) ? '-' : i
    operations.push({ op: 'add', path: `${path}/${end}`, value: after[i]! })
  }
  return operations
}
