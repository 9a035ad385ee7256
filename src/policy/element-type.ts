/** What an element is by the FHIR version: where its children are defined, and its type. */
export interface ElementType {
  readonly definition: string
  readonly type: string
}
