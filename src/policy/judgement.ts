import type { Definitions } from '../fhir/definitions.ts'
import type { Effort } from './effort.ts'
import type { Selection } from './select.ts'

/** What every step of one judgement shares. */
export interface Judgement {
  readonly definitions: Definitions
  readonly selection: Selection
  /** The most flaws that are named of one subtree: a hostile body could hold one per byte. */
  readonly maxFlaws: number
  readonly effort: Effort
  /** The ids of the conditions that were tried on something and held, gathered as the judgement goes on. */
  readonly held: Set<string>
}
