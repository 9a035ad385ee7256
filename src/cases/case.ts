import type { Refusal } from '../policy/refusal.ts'
import type { RequestFacts } from '../policy/request-facts.ts'
import type { AskedWrite } from '../policy/judge-asked.ts'

/** One case, read: everything is there to judge it. */
export interface Case {
  /** A sentence. */
  readonly name: string
  /** The case file, as messages show it. */
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  /** What it is told under: a resource type, or an operation on the base. */
  readonly group: string
  readonly asked: AskedWrite
  readonly request: RequestFacts
  readonly expected: Expected
}

/** What a case expects of the policy. */
export type Expected = (
  | {
      readonly kind: 'permit'
      readonly names: readonly string[]
      /** FHIRPath of each element that is put back to what is stored. */
      readonly restored: readonly string[]
    }
  | { readonly kind: 'refuse'; readonly refusals: readonly ExpectedRefusal[] }
) & {
  /** What it would be refused for, if the rules that say so were not in report mode. */
  readonly reported: readonly ExpectedRefusal[]
}

/** The features that an expected refusal names; those that it does not name may be anything. */
export interface ExpectedRefusal {
  /** The whole id of the rule. */
  readonly rule?: string | undefined
  /** FHIRPath, from the resource type on. */
  readonly at?: string | undefined
  readonly status?: number | undefined
  readonly code?: string | undefined
  readonly issue?: string | undefined
  /** Occurs in details.text or in diagnostics. */
  readonly says?: string | undefined
  readonly cause?: Refusal['cause'] | undefined
}
