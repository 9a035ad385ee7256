import type { Resource } from '../fhir/element.ts'
import type { Refusal } from './refusal.ts'

/** What the judge says of one write. A permit names the changes that it is; a denial names everything that is wrong. */
export type Decision = Permit | Denial

export interface Denial {
  readonly verdict: 'deny'
  readonly refusals: readonly Refusal[]
  /** What rules in report mode would refuse besides. */
  readonly reported?: readonly Refusal[]
}

export interface Permit {
  readonly verdict: 'permit'
  readonly permittedAs: readonly string[]
  /** What may be sent: the resource that was judged, with what was put back. Undefined for a delete. */
  readonly after: Resource | undefined
  /** What no change claims, where the policy has it put back to what is stored. */
  readonly restoration?: Restoration
  /** What it would have been refused for, if the rules that say so were not in report mode. At least one. */
  readonly reported?: readonly Refusal[]
}

/** What was put back to what is stored, so that `after` does not have it as it was sent. */
export interface Restoration {
  /** How many differences it were. */
  readonly count: number
  /** The first of them, as many as refusals are given. */
  readonly elements: readonly Restored[]
}

export interface Restored {
  /** The rule of the policy that has it put back: `Flag.update`. */
  readonly rule: string
  /** FHIRPath of the element concerned, with index. */
  readonly expression: string
  /** One sentence for a client developer. No record content. */
  readonly diagnostics: string
}

/** The name of a write that is permitted only because the rules that would refuse it are in report mode. */
export const reportOnly = 'reported'

/** The name of a permitted write that changes nothing: PUT is idempotent. */
export const noChange = 'no-change'
