/** The operations of a FHIRPath Patch, read from its Parameters. https://hl7.org/fhir/R4/fhirpatch.html */
import { type Element, type Resource, childrenOf, textOf } from '../element.ts'
import { type Parsed, faulty } from '../fault.ts'
import { collect } from '../reading.ts'
import { type PatchBounds, aboutOperation, operationsBound } from './patched.ts'

/** `value` is the part that carries it: see valueFrom. */
export type Operation =
  | { readonly type: 'add'; readonly path: string; readonly name: string; readonly value: Element }
  | { readonly type: 'insert'; readonly path: string; readonly index: number; readonly value: Element }
  | { readonly type: 'delete'; readonly path: string }
  | { readonly type: 'replace'; readonly path: string; readonly value: Element }
  | { readonly type: 'move'; readonly path: string; readonly source: number; readonly destination: number }

/** The FHIRPath of an operation. */
export const expressionOfOperation = (index: number): string => `Parameters.parameter[${index}]`

/** Reads all operations, or says everything that is wrong with them. */
export function readOperations(parameters: Resource, bounds: PatchBounds): Parsed<readonly Operation[]> {
  if (parameters.type !== 'Parameters') {
    return faulty({ sentence: 'The body is no FHIRPath Patch: that is a Parameters resource.' })
  }
  const list = childrenOf(parameters, 'parameter')
  if (list.length > operationsBound(bounds)) return faulty({ sentence: 'The patch has too many operations.' })
  return collect((faults) => {
    const root = { parent: undefined, name: 'Parameters', index: undefined }
    return list.flatMap((parameter, index) => {
      const read = readOperation(parameter)
      if (typeof read !== 'string') return [read]
      faults.add({ parent: root, name: 'parameter', index }, aboutOperation(index, read))
      return []
    })
  })
}

/** Which parts belong to an operation, besides its type. */
const partsOf: ReadonlyMap<string, readonly string[]> = new Map([
  ['add', ['path', 'name', 'value']],
  ['insert', ['path', 'index', 'value']],
  ['delete', ['path']],
  ['replace', ['path', 'value']],
  ['move', ['path', 'source', 'destination']],
])

/** The operation, or what is wrong with it. */
function readOperation(parameter: Element): Operation | string {
  if (textOf(parameter, 'name') !== 'operation') return 'Each parameter must be named operation.'
  const parts = new Map<string, Element>()
  for (const part of childrenOf(parameter, 'part')) {
    const name = textOf(part, 'name') ?? ''
    if (parts.has(name)) return 'No part may stand twice.'
    parts.set(name, part)
  }
  const type = text(parts.get('type'), ['valueCode', 'valueString']) ?? ''
  const names = partsOf.get(type)
  if (!names) return 'The part type must be the code add, insert, delete, replace or move.'
  const missing = names.filter((name) => !parts.has(name))
  if (missing.length > 0 || parts.size !== names.length + 1) {
    return `The operation ${type} has exactly these parts: type, ${names.join(', ')}.`
  }
  const path = text(parts.get('path'), ['valueString'])
  if (path === undefined) return 'The part path must be a string.'
  const value = parts.get('value')
  switch (type) {
    case 'add': {
      const name = text(parts.get('name'), ['valueString'])
      return name === undefined ? 'The part name must be a string.' : { type, path, name, value: value! }
    }
    case 'insert': {
      const index = whole(parts.get('index'))
      return index === undefined ? notWhole('index') : { type, path, index, value: value! }
    }
    case 'replace':
      return { type, path, value: value! }
    case 'move': {
      const source = whole(parts.get('source'))
      const destination = whole(parts.get('destination'))
      if (source === undefined) return notWhole('source')
      return destination === undefined ? notWhole('destination') : { type, path, source, destination }
    }
    default:
      return { type: 'delete', path }
  }
}

/** The text of a part's value, when that has one of these types. */
function text(part: Element | undefined, names: readonly string[]): string | undefined {
  return part && names.map((name) => textOf(part, name)).find((value) => value !== undefined)
}

function whole(part: Element | undefined): number | undefined {
  const digits = text(part, ['valueInteger', 'valueUnsignedInt', 'valuePositiveInt'])
  return digits !== undefined && /^\d{1,9}$/.test(digits) ? Number(digits) : undefined
}

function notWhole(name: string): string {
  return `The part ${name} must be an integer, counted from 0.`
}
