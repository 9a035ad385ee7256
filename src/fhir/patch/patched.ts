/** What the three forms of patch share: what they come to, their bounds, what no patch may change. */
import type { Definitions } from '../definitions.ts'
import { type Element, type Resource, childrenOf, idOf, textOf } from '../element.ts'
import type { Fault } from '../fault.ts'
import { parseJson } from '../json.ts'
import type { Bounds } from '../reading.ts'
import { parseXml } from '../xml.ts'

/**
 * What a patch comes to. `malformed`: it is no patch at all (400). `not-applicable`: it is one, but cannot be applied to
 * this resource, or what would come out is no resource (422).
 */
export type Patched = { readonly ok: true; readonly resource: Resource } | NotPatched
export type NotPatched = {
  readonly ok: false
  readonly kind: 'malformed' | 'not-applicable'
  readonly faults: readonly Fault[]
  /** The index of the operation that could not be applied, where it was one. */
  readonly operation?: number
}

/** Bounds of a patch and of what comes out of it. */
export interface PatchBounds extends Bounds {
  /** How many operations a patch may have; 1,000 when left out. */
  readonly operations?: number
  /** How long the resource may become, in characters (UTF-16) of its format; 4 Mi when left out. */
  readonly characters?: number
}

export const operationsBound = (bounds: PatchBounds): number => bounds.operations ?? 1000
export const charactersBound = (bounds: PatchBounds): number => bounds.characters ?? 4 * 1024 * 1024

export function malformed(faults: readonly Fault[]): NotPatched {
  return { ok: false, kind: 'malformed', faults }
}

export function notApplicable(faults: readonly Fault[]): NotPatched {
  return { ok: false, kind: 'not-applicable', faults }
}

/** The sentence about one operation: its index, counted from 0 as in FHIRPath, and why it is not taken. */
export function aboutOperation(index: number, sentence: string): string {
  return `Operation [${index}] of the patch: ${sentence}`
}

/** Thrown by what an operation does where it cannot go on; `applyEach` makes a value of it. */
export class NotApplicable extends Error {}

/**
 * Applies operations one after another; the first that does not apply ends it.
 * @param apply gives the next state, or throws NotApplicable
 * @param expressionOf the FHIRPath of the operation with this index, where the patch is a resource itself
 */
export function applyEach<State, Operation>(
  state: State,
  operations: readonly Operation[],
  apply: (state: State, operation: Operation) => State,
  expressionOf?: (index: number) => string,
): { readonly ok: true; readonly state: State } | NotPatched {
  let next = state
  for (const [index, operation] of operations.entries()) {
    try {
      next = apply(next, operation)
    } catch (error) {
      if (!(error instanceof NotApplicable)) throw error
      const sentence = aboutOperation(index, error.message)
      const fault = expressionOf ? { expression: expressionOf(index), sentence } : { sentence }
      return { ...notApplicable([fault]), operation: index }
    }
  }
  return { ok: true, state: next }
}

/** Reads what came out, as strictly as anything that is sent. */
export function readResult(
  text: string,
  format: 'json' | 'xml',
  definitions: Definitions,
  bounds: PatchBounds,
  stored: Resource,
): Patched {
  if (text.length > charactersBound(bounds)) return notApplicable([{ sentence: tooLong }])
  const read = format === 'json' ? parseJson(text, definitions, bounds) : parseXml(text, definitions, bounds)
  if (!read.ok) {
    return notApplicable(read.faults.map((fault) => ({ ...fault, sentence: `After the patch: ${fault.sentence}` })))
  }
  // Each operation was held to this already: here it is held to the tree that is judged and sent.
  if (!sameServerOwned(read.value, stored)) return notApplicable([{ sentence: serverOwned }])
  return { ok: true, resource: read.value }
}

export const tooLong = 'The resource would become too long.'
export const tooDeep = 'The resource would be nested too deeply.'
export const serverOwned =
  'The resource type, id, meta.versionId and meta.lastUpdated belong to the server: a patch cannot change them.'

/** Whether the names from the resource down lead to, or into, what belongs to the server. */
export function isServerOwned(names: readonly string[]): boolean {
  const [first, second] = names
  if (first === 'meta') return second === 'versionId' || second === 'lastUpdated'
  return first === 'id' || first === 'resourceType'
}

export function sameServerOwned(a: Element, b: Element): boolean {
  const meta = childrenOf(a, 'meta')[0]
  const other = childrenOf(b, 'meta')[0]
  return (
    a.type === b.type &&
    idOf(a) === idOf(b) &&
    (meta && textOf(meta, 'versionId')) === (other && textOf(other, 'versionId')) &&
    (meta && textOf(meta, 'lastUpdated')) === (other && textOf(other, 'lastUpdated'))
  )
}
