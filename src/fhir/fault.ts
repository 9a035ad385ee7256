/** Something wrong with a text or a resource: a value, not an exception. */
export interface Fault {
  /** FHIRPath of the element concerned, with index, from the resource type on: `Flag.code.coding[0].display`. */
  readonly expression?: string
  /** One sentence for a client developer: what is wrong, what is allowed. It never holds content of a record. */
  readonly sentence: string
  /** There is more of it than is read. */
  readonly tooLarge?: true
}

/** What a parser gives: the value, or everything that is wrong. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly faults: readonly Fault[] }

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value }
}

export function faulty(...faults: Fault[]): Parsed<never> {
  return { ok: false, faults }
}
