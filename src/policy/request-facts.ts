import type { InteractionCode } from '../fhir/interaction.ts'

/** What rules may ask about the request, beside the resource before and after. */
export interface RequestFacts {
  readonly interaction: InteractionCode
  /** The OAuth scopes of a token that the gateway has verified; empty without one. */
  readonly scopes: readonly string[]
  /** The header fields that the config names for this, by lower-case name, a value per field line. */
  readonly headerFields: Readonly<Record<string, readonly string[]>>
}

/** A request of which rules know nothing but what it asks for. */
export const plainRequest = (interaction: InteractionCode): RequestFacts => ({
  interaction,
  scopes: [],
  headerFields: {},
})
