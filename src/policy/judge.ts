import type { Resource } from '../fhir/element.ts'
import type { Decision } from './decision.ts'
import type { Policy } from './policy.ts'

/** One write, brought to the two values that are judged. Create is after without before. */
export interface Write {
  readonly interaction: 'create' | 'update'
  readonly type: string
  readonly before: Resource | undefined
  readonly after: Resource
}

/** What the judge must know of its surroundings. */
export interface Surroundings {
  /** Absolute FHIR bases (without trailing slash) under which references name this server's resources, beside the policy's own. */
  readonly bases: readonly string[]
  /** The most refusals to give. */
  readonly maxRefusals: number
}

/**
 * Judges the stored resource against the sent one with the compiled policy. Pure and synchronous; gives all refusals at once.
 * Both must have gone through `withoutServerOwned`.
 * @throws {Error} when the judge finds itself inconsistent: nothing may be sent then.
 */
export function judge(policy: Policy, write: Write, surroundings: Surroundings): Decision {
  void policy
  void write
  void surroundings
  throw new Error('not written yet')
}
