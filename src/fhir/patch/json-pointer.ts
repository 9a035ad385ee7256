/** JSON Pointer. https://www.rfc-editor.org/rfc/rfc6901 */
import { type Json, type JsonObject, isList, isObject } from '../json-text.ts'
import { NotApplicable } from './patched.ts'

/** The names and indexes from the whole document down; none for the document itself. */
export type Pointer = readonly string[]

/** Undefined when the text is no pointer: it must be empty or begin with a slash, and ~ must be ~0 or ~1. */
export function readPointer(text: string): Pointer | undefined {
  if (text === '') return []
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined
  return text
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/**
 * The value that a pointer leads to.
 * @throws NotApplicable when there is none
 */
export function valueAt(json: Json, pointer: Pointer): Json {
  return pointer.reduce(stepInto, json)
}

/**
 * The same document with another value in one place; nothing that was there is changed. An object's new name comes last.
 * @param change what becomes of the object or list that holds the place: see `put` and `take`
 * @throws NotApplicable when the way there does not exist
 */
export function changeAt(json: Json, pointer: Pointer, change: (holder: Json, name: string) => Json, at = 0): Json {
  const name = pointer[at]!
  if (at === pointer.length - 1) return change(json, name)
  const changed = changeAt(stepInto(json, name), pointer, change, at + 1)
  return isObject(json) ? copyOf(json).set(name, changed) : (json as readonly Json[]).with(Number(name), changed)
}

/** Adds as RFC 6902 means it: into a list before what stands there, into an object over what stands there. */
export function put(value: Json): (holder: Json, name: string) => Json {
  return (holder, name) => {
    if (isObject(holder)) return copyOf(holder).set(name, value)
    if (!isList(holder)) throw new NotApplicable(nowhere)
    const index = name === '-' ? holder.length : readIndex(name)
    if (index > holder.length) throw new NotApplicable('The list has fewer items than the index says.')
    return holder.toSpliced(index, 0, value)
  }
}

/** What `put` would cover: the whole document, or what has the name already. */
export function coveredAt(json: Json, pointer: Pointer): Json | undefined {
  if (pointer.length === 0) return json
  const holder = valueAt(json, pointer.slice(0, -1))
  return isObject(holder) ? holder.get(pointer.at(-1)!) : undefined
}

/** Puts a value in the place of the one that must be there. */
export function exchange(value: Json): (holder: Json, name: string) => Json {
  return (holder, name) => {
    stepInto(holder, name)
    return isObject(holder) ? copyOf(holder).set(name, value) : (holder as readonly Json[]).with(Number(name), value)
  }
}

/** Takes out the value that must be there. */
export function take(holder: Json, name: string): Json {
  stepInto(holder, name)
  if (isList(holder)) return holder.toSpliced(Number(name), 1)
  const members = copyOf(holder as JsonObject)
  members.delete(name)
  return members
}

/** No FHIR element has nearly as many names; copying an object that does with every operation would take too long. */
const namesBound = 1000

function copyOf(members: JsonObject): Map<string, Json> {
  if (members.size > namesBound) throw new NotApplicable('It leads into an object with too many names.')
  return new Map(members)
}

const nowhere = 'Its path does not exist in the resource.'

function stepInto(json: Json, name: string): Json {
  const next = isObject(json) ? json.get(name) : isList(json) ? json[readIndex(name)] : undefined
  if (next === undefined) throw new NotApplicable(nowhere)
  return next
}

/** https://www.rfc-editor.org/rfc/rfc6901#section-4 : digits without leading zeros. */
function readIndex(name: string): number {
  if (name === '-')
    throw new NotApplicable('The index - stands for the place after the last item: only add may end in it.')
  if (!/^(?:0|[1-9]\d{0,8})$/.test(name)) {
    throw new NotApplicable('The index of a list is written in digits, without leading zeros, counted from 0.')
  }
  return Number(name)
}
