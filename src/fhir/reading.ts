/** What the readers of FHIR JSON and FHIR XML share: bounds, collecting faults, the rules that hold in both formats. */
import type { ChildDefinition, Definitions } from './definitions.ts'
import { type Children, type Element, childrenOf, idOf } from './element.ts'
import { type Fault, type Parsed, faulty, parsed } from './fault.ts'

/** Bounds of a resource that is read. */
export interface Bounds {
  /** How many elements may stand inside each other, the resource itself included. */
  readonly nesting: number
  /** How many elements it may have, those within others included. Left out: any number, for what the upstream answers. */
  readonly elements?: number
}

/** The most values in the JSON of so many elements: each has its own and that of its `_`, or of its `resourceType`. */
export const valuesBound = ({ elements = Infinity }: Bounds): number => 2 * elements + 2

/** The most tags in the XML of so many elements. Those of a narrative are read as well, and are no elements. */
export const tagsBound = ({ elements = Infinity }: Bounds): number => 2 * elements + 2

export const defaultBounds: Bounds = { nesting: 100 }

/** More faults than this are not listed: a hostile body could hold one per byte. */
const faultBound = 100

/** Where the reader stands. Linked upwards, so that expressions are only built for faults. */
export interface Place {
  readonly parent: Place | undefined
  /** The name in FHIRPath; the resource type at the root. */
  readonly name: string
  /** Its place in its list; undefined for an element that does not repeat. */
  readonly index: number | undefined
}

/** The FHIRPath of a place: `Flag.code.coding[0]`. */
function expressionOf(place: Place): string {
  const own = place.index === undefined ? place.name : `${place.name}[${place.index}]`
  return place.parent ? `${expressionOf(place.parent)}.${own}` : own
}

/** Ends the reading when nothing more is worth saying. */
class Enough extends Error {}

export class Faults {
  readonly list: Fault[] = []
  readonly #most: number
  #elements = 0

  constructor(most = Infinity) {
    this.#most = most
  }

  /** Counts an element that is read. */
  element(): void {
    if (++this.#elements > this.#most) this.enough()
  }

  /** Ends the reading of what is too large to be read. */
  enough(): never {
    this.list.push({ sentence: `It has more than ${this.#most} elements.`, tooLarge: true })
    throw new Enough()
  }

  add(place: Place | undefined, sentence: string): void {
    this.list.push(place ? { expression: expressionOf(place), sentence } : { sentence })
    if (this.list.length >= faultBound) {
      this.list.push({ sentence: 'There are more faults; they are not listed.' })
      throw new Enough()
    }
  }

  /** For a fault after which nothing can be read. */
  stop(sentence: string): never {
    this.list.push({ sentence })
    throw new Enough()
  }
}

/**
 * Runs a reader: its value, or all faults that it found.
 * @param elements how many it may read
 */
export function collect<T>(read: (faults: Faults) => T | undefined, elements?: number): Parsed<T> {
  const faults = new Faults(elements)
  let value: T | undefined
  try {
    value = read(faults)
  } catch (error) {
    if (!(error instanceof Enough)) throw error
  }
  return value === undefined || faults.list.length > 0 ? faulty(...faults.list) : parsed(value)
}

/** What a reader of either format goes by, and where it puts the faults that it finds. */
export class TreeReader {
  readonly definitions: Definitions
  readonly bounds: Bounds
  readonly faults: Faults

  constructor(definitions: Definitions, bounds: Bounds, faults: Faults) {
    this.definitions = definitions
    this.bounds = bounds
    this.faults = faults
  }

  /**
   * Of a choice (`value[x]`) one type at most may be there: who reads the other would take another record from it.
   * https://hl7.org/fhir/R4/formats.html#choice
   * @param chosen the choices that the parent has so far
   * @returns these with the one that `name` is of, if it is of one
   */
  choose(
    chosen: Set<string> | undefined,
    child: ChildDefinition,
    name: string,
    parent: Place,
  ): Set<string> | undefined {
    const { element } = child
    if (element === name) return chosen
    if (chosen?.has(element)) {
      this.faults.add({ parent, name: element, index: undefined }, 'This stands here in two types: it may have one.')
    }
    return (chosen ?? new Set()).add(element)
  }
}

export const noChildren: ReadonlyMap<string, Children> = new Map()

/** Names that an element may have; FHIR's own stay within it. Others could not be written in both formats. */
export function isElementName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name)
}

const fhirId = /^[A-Za-z0-9\-.]{1,64}$/

/** https://hl7.org/fhir/R4/datatypes.html#id */
export function isFhirId(text: string): boolean {
  return fhirId.test(text)
}

const decimal = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const integer = /^-?(?:0|[1-9]\d*)$/

/**
 * What is wrong with the written form of a primitive, undefined when nothing is. Only booleans and numbers are looked
 * at: a string is content, whatever its type says.
 * https://hl7.org/fhir/R4/datatypes.html#primitive
 */
export function lexicalFault(definitions: Definitions, type: string, text: string): string | undefined {
  switch (definitions.kindOf(type)) {
    case 'boolean':
      return text === 'true' || text === 'false' ? undefined : 'A boolean is true or false.'
    case 'number':
      if (type === 'decimal') return decimal.test(text) ? undefined : 'This is not written as a decimal number.'
      return integer.test(text) ? undefined : 'This is not written as an integer.'
    case 'string':
      return undefined
  }
}

/** The rules for a resource that has been read: its id, and what is contained in it. */
export function checkResource(resource: Element, place: Place, faults: Faults): void {
  const id = idOf(resource)
  if (id !== undefined && !isFhirId(id)) {
    faults.add(
      { parent: place, name: 'id', index: undefined },
      'The id is not a FHIR id (A-Z, a-z, 0-9, - and . only).',
    )
  }
  if (!resource.children.has('contained')) return
  const seen = new Set<string>()
  for (const [index, contained] of childrenOf(resource, 'contained').entries()) {
    if (!contained.resource) continue
    const at: Place = { parent: place, name: 'contained', index }
    const id = idOf(contained)
    if (id === undefined) faults.add(at, 'A contained resource needs an id.')
    else if (seen.has(id)) faults.add(at, 'Two contained resources have the same id.')
    else seen.add(id)
    if (contained.children.has('contained')) {
      faults.add(at, 'A contained resource may not contain another one; put both beside each other.')
    }
  }
}
