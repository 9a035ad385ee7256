import type { Definitions } from '../fhir/definitions.ts'
import type { Selection } from './select.ts'

/** What every step of one judgement shares. */
export interface Judgement {
  readonly definitions: Definitions
  readonly selection: Selection
}
