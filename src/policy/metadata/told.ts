/** What a gateway says of itself in its CapabilityStatement, beside its policy. */
export interface Told {
  /** Our FHIR base, without trailing slash. */
  readonly url: string
  /** A URL below the upstream's base as one below ours; any other text as it is. */
  ownUrl(text: string): string
  /** Whether the upstream has a way to pin a delete to a version. */
  readonly pinsDeletes: boolean
  /** The media types of the patches that are read. */
  readonly patchTypes: readonly string[]
  /** Whether pages of other origins may read the answers. */
  readonly cors: boolean
  /** How the gateway itself knows its callers. Without it, what the upstream says of security stands. */
  readonly security?: {
    /** A code of https://hl7.org/fhir/R4/valueset-restful-security-service.html */
    readonly service: 'OAuth' | 'SMART-on-FHIR'
    readonly description: string
  }
}
