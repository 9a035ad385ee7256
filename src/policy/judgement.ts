import type { Definitions } from '../fhir/definitions.ts'
import type { Selection } from './select.ts'

/** What every step of one judgement shares. */
export interface Judgement {
  readonly definitions: Definitions
  readonly selection: Selection
  /** The most flaws that are named of one subtree: a hostile body could hold one per byte. */
  readonly maxFlaws: number
  readonly effort: Effort
}

/** Thrown when a judgement takes more steps than it may. */
export class TooMuchEffort extends Error {}

/** Counts the steps of a judgement, so that no body can stall the process, however its references are woven. */
export class Effort {
  #left: number

  constructor(steps: number) {
    this.#left = steps
  }

  /** @throws {TooMuchEffort} when no steps are left */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new TooMuchEffort('The judgement takes more steps than it may.')
  }
}
