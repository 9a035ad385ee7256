/** What the fhirpath package hands to functions: elements come wrapped, with what it knows of them. */
export type Collection = readonly unknown[]

/** An element as the package wraps it. */
export interface ElementNode {
  /** The value, or the object with the children. */
  readonly data: unknown
  /** The twin of a primitive: what FHIR JSON has under `_x`. */
  readonly _data: unknown
  /** Its type, where the FHIR version defines the element. */
  readonly fhirNodeDataType: string | null
}

export function isElementNode(item: unknown): item is ElementNode {
  return typeof item === 'object' && item !== null && 'data' in item && '_data' in item && 'parentResNode' in item
}

export const dataOf = (item: unknown): unknown => (isElementNode(item) ? item.data : item)

/** A decimal as the package has it. */
export interface Decimal {
  isInteger(): boolean
}

export const isDecimal = (data: unknown): data is Decimal =>
  typeof data === 'object' && data !== null && 'decimalPlaces' in data && 'isInteger' in data
