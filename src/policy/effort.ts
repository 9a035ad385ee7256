/** Thrown when a judgement takes more steps than it may. */
export class TooMuchEffort extends Error {}

/** Counts the steps of a judgement, so that no body can stall the process, however its references are woven. */
export class Effort {
  readonly #steps: number
  #left: number

  constructor(steps: number) {
    this.#steps = steps
    this.#left = steps
  }

  /** How many steps were taken, or asked for when they were too many. */
  get spent(): number {
    return this.#steps - this.#left
  }

  /** @throws {TooMuchEffort} when no steps are left */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new TooMuchEffort('The judgement takes more steps than it may.')
  }
}
