import type { Definitions } from '../fhir/definitions.ts'
import type { Bundles } from './bundles.ts'
import type { Store } from './store.ts'

/** What the interactions of one sandbox share. */
export interface Service {
  readonly definitions: Definitions
  readonly fhirVersion: string
  readonly store: Store
  readonly bundles: Bundles
  readonly clock: () => Date
}
