/** JSON Patch (RFC 6902) on FHIR JSON. https://hl7.org/fhir/R4/http.html#patch */
import type { Definitions } from '../definitions.ts'
import type { Resource } from '../element.ts'
import { type Parsed, faulty } from '../fault.ts'
import { writeJson } from '../json.ts'
import { type Json, type JsonObject, isList, isObject, parseJsonText } from '../json-text.ts'
import { collect, valuesBound } from '../reading.ts'
import { type Pointer, changeAt, coveredAt, exchange, put, readPointer, take, valueAt } from './json-pointer.ts'
import { equalJson, sizeOf, writeJsonText, type Size } from './json-value.ts'
import {
  NotApplicable,
  type NotPatched,
  type PatchBounds,
  type Patched,
  aboutOperation,
  applyEach,
  charactersBound,
  isServerOwned,
  malformed,
  operationsBound,
  readResult,
  serverOwned,
  tooDeep,
  tooLong,
} from './patched.ts'

// Written here, not taken from a package: those that are kept (fast-json-patch, rfc6902) work on what JSON.parse gives,
// where 1.00 has become 1 and a name that stands twice has vanished.

type Operation = { readonly op: 'test'; readonly path: Pointer; readonly value: Json } | Change

type Change =
  | { readonly op: 'add' | 'replace'; readonly path: Pointer; readonly value: Json }
  | { readonly op: 'remove'; readonly path: Pointer }
  | { readonly op: 'move' | 'copy'; readonly path: Pointer; readonly from: Pointer }

/**
 * The stored resource after a JSON Patch. All operations are read before any is applied; the stored tree stays as it is.
 * @param text the body: strict JSON; members that RFC 6902 does not know are ignored
 */
export function applyJsonPatch(stored: Resource, text: string, definitions: Definitions, bounds: PatchBounds): Patched {
  const document = parseJsonText(writeJson(stored), 2 * bounds.nesting)
  if (!document.ok) throw new Error('A stored resource is written as JSON that cannot be read.')
  const patched = patchJson(document.value, text, bounds)
  return patched.ok ? readResult(writeJsonText(patched.json), 'json', definitions, bounds, stored) : patched
}

/** A JSON document after a JSON Patch; whether it is a resource then, nobody has asked. */
export function patchJson(
  document: Json,
  text: string,
  bounds: PatchBounds,
): { readonly ok: true; readonly json: Json } | NotPatched {
  const operations = readOperations(text, bounds)
  if (!operations.ok) return malformed(operations.faults)
  const editor = new Editor(document, bounds)
  const applied = applyEach(document, operations.value, (json, operation) => editor.apply(json, operation))
  return applied.ok ? { ok: true, json: applied.state } : applied
}

function readOperations(text: string, bounds: PatchBounds): Parsed<readonly Operation[]> {
  // Around the values there are the brackets of the patch itself.
  const values = valuesBound(bounds) + 4 * operationsBound(bounds)
  const json = parseJsonText(text, 2 * bounds.nesting + 2, values)
  if (!json.ok) return json
  const list = json.value
  if (!isList(list)) return faulty({ sentence: 'The body is no JSON Patch: that is a list of operations.' })
  if (list.length > operationsBound(bounds)) return faulty({ sentence: 'The patch has too many operations.' })
  return collect((faults) =>
    list.flatMap((item, index) => {
      const read = isObject(item) ? readOperation(item) : 'An operation is an object.'
      if (typeof read !== 'string') return [read]
      faults.add(undefined, aboutOperation(index, read))
      return []
    }),
  )
}

/** The operation, or what is wrong with it. */
function readOperation(json: JsonObject): Operation | string {
  const op = json.get('op')
  const path = pointerIn(json, 'path')
  if (!path) return 'The path must be a JSON Pointer.'
  switch (op) {
    case 'add':
    case 'replace':
    case 'test': {
      const value = json.get('value')
      return value === undefined ? `The operation ${op} needs a value.` : { op, path, value }
    }
    case 'remove':
      return { op, path }
    case 'move':
    case 'copy': {
      const from = pointerIn(json, 'from')
      return from ? { op, path, from } : 'The from must be a JSON Pointer.'
    }
    default:
      return 'The op must be add, remove, replace, move, copy or test.'
  }
}

function pointerIn(json: JsonObject, name: string): Pointer | undefined {
  const text = json.get(name)
  return typeof text === 'string' ? readPointer(text) : undefined
}

class Editor {
  readonly #owned: readonly (Json | undefined)[]
  readonly #bounds: PatchBounds
  readonly #measured = new Map<object, Size>()
  /** Of the document as it is now, but for the new names: copies could double it with every operation. */
  #length: number

  constructor(document: Json, bounds: PatchBounds) {
    this.#owned = ownedIn(document)
    this.#bounds = bounds
    this.#length = this.#sizeOf(document).length
  }

  apply(json: Json, operation: Operation): Json {
    if (operation.op === 'test') {
      if (!equalJson(valueAt(json, operation.path), operation.value)) throw new NotApplicable('The test fails.')
      return json
    }
    if (isServerOwned(operation.path) || (operation.op === 'move' && isServerOwned(operation.from))) {
      throw new NotApplicable(serverOwned)
    }
    const changed = this.#change(json, operation)
    if (ownedIn(changed).some((value, i) => value !== this.#owned[i])) throw new NotApplicable(serverOwned)
    return changed
  }

  #change(json: Json, operation: Change): Json {
    const { path } = operation
    switch (operation.op) {
      case 'add':
        return this.#put(json, path, operation.value)
      case 'replace':
        this.#lose(valueAt(json, path))
        this.#gain(operation.value, path)
        return path.length === 0 ? operation.value : changeAt(json, path, exchange(operation.value))
      case 'remove':
        return this.#take(json, path)
      case 'copy':
        return this.#put(json, path, valueAt(json, operation.from))
      case 'move': {
        const { from } = operation
        const value = valueAt(json, from)
        if (from.length < path.length && from.every((name, i) => name === path[i])) {
          throw new NotApplicable('Nothing can be moved into itself.')
        }
        return this.#put(this.#take(json, from), path, value)
      }
    }
  }

  #put(json: Json, path: Pointer, value: Json): Json {
    const covered = coveredAt(json, path)
    if (covered !== undefined) this.#lose(covered)
    this.#gain(value, path)
    return path.length === 0 ? value : changeAt(json, path, put(value))
  }

  #take(json: Json, path: Pointer): Json {
    if (path.length === 0) throw new NotApplicable('The resource itself cannot be removed.')
    this.#lose(valueAt(json, path))
    return changeAt(json, path, take)
  }

  #sizeOf(value: Json): Size {
    return sizeOf(value, this.#measured)
  }

  #lose(value: Json): void {
    this.#length -= this.#sizeOf(value).length
  }

  /** Counted before it is put in, so that nothing too large is ever made. */
  #gain(value: Json, path: Pointer): void {
    if (path.length + this.#sizeOf(value).depth > 2 * this.#bounds.nesting) throw new NotApplicable(tooDeep)
    this.#length += this.#sizeOf(value).length
    if (this.#length > charactersBound(this.#bounds)) throw new NotApplicable(tooLong)
  }
}

function ownedIn(json: Json): readonly (Json | undefined)[] {
  const members = isObject(json) ? json : undefined
  const meta = members?.get('meta')
  const inMeta = isObject(meta) ? meta : undefined
  return [members?.get('resourceType'), members?.get('id'), inMeta?.get('versionId'), inMeta?.get('lastUpdated')]
}
