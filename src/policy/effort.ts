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
