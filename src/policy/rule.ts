import type { Codes } from '../fhir/code-files.ts'
import type { Value } from '../fhir/element.ts'
import type { Expression } from './fhirpath/expression.ts'
import type { Path } from './path.ts'
import type { Answer } from './refusal.ts'

/**
 * The rules for one interaction with one resource type, compiled. Before and after are compared into differences; each
 * difference must be claimed by exactly one complete occurrence of a change. What nobody claims is refused.
 */
export interface RuleSet {
  /** `Flag.update` */
  readonly id: string
  /** Where it stands in the policy file. */
  readonly at: readonly PropertyKey[]
  /** Of what no change claims, and of the whole request. */
  readonly mode: Mode
  /** Update, delete: whether the request names the version that it changes. */
  readonly ifMatch?: IfMatchRule
  readonly changes: readonly Change[]
  /** The answer to a difference that nobody claims. */
  readonly otherwise: Otherwise
  /** What becomes of differences that nobody claims. Without it, they are refused. */
  readonly rest: Rest | undefined
  /** What must hold of before and after as a whole, beside the changes. */
  readonly invariants: readonly Invariant[]
  /** Lists whose items are paired by a key of their own: list definition (`List.entry`) → names of the key (`item`, `reference`). */
  readonly match: ReadonlyMap<string, readonly string[]>
}

/** Without If-Match, what is judged and changed is the current version, read for that. */
export type IfMatchRule = 'required' | 'optional' | 'forbidden'

/** Whether what a rule would refuse is refused, or goes on and is reported. */
export type Mode = 'enforce' | 'report'

/**
 * What nobody claims is permitted under a name, or put back to what is stored; but for what lies at, in or around what the
 * paths of `except` select, which is refused.
 */
export interface Rest {
  readonly kind: 'permit' | 'restore'
  /** As what it is permitted: a name among those of the changes. */
  readonly name: string
  /** Only what lies at or in what these select; without it, everything. */
  readonly only?: readonly Path[]
  readonly except: readonly Path[]
}

/** A condition in FHIRPath: only what is exactly true permits. */
export interface Invariant {
  /** `Encounter.update/a finished encounter has an end` */
  readonly id: string
  /** `a finished encounter has an end` */
  readonly name: string
  /** It applies only where this is exactly true. */
  readonly when: Expression | undefined
  readonly require: Expression
  /** The element that a refusal names; without it the resource. */
  readonly at: Path | undefined
  readonly otherwise: Otherwise
  readonly mode: Mode
}

/** A small bundle of differences that belong together, with what they require. */
export interface Change {
  readonly name: string
  /** `Flag.update.removal` */
  readonly id: string
  readonly forEach?: ForEach
  readonly parts: readonly Part[]
}

/** A change that may occur once per item. An appended item is itself a difference that the occurrence claims. */
export interface ForEach {
  readonly side: 'kept' | 'appended'
  readonly variable: string
  readonly path: Path
  readonly content: Content
  readonly otherwise: Otherwise
  readonly mode: Mode
}

export type Part = ReplacedPart | SubtreePart

interface PartBase {
  readonly id: string
  /** Where it stands in the policy file. */
  readonly at: readonly PropertyKey[]
  readonly path: Path
  readonly times: Times
  readonly otherwise: Otherwise
  /** In report mode the part still says which differences belong to the change; what it asks of them is only reported. */
  readonly mode: Mode
}

/** The value of every selected element goes from one of `from` to one of `to`; undefined stands for absent. */
export interface ReplacedPart extends PartBase {
  readonly kind: 'replaced'
  readonly from: readonly Literal[]
  readonly to: readonly Literal[]
}

/** Whole elements that come (anywhere, or after the last kept item of their list) or go. */
export interface SubtreePart extends PartBase {
  readonly kind: 'added' | 'appended' | 'removed'
  /** How many the path must select in after, counted whether added or kept. */
  readonly total?: number
  readonly content: Content
  readonly as?: string
  readonly with: readonly Part[]
}

export interface Times {
  readonly min: number
  /** Infinity when unbounded. */
  readonly max: number
}

export type Literal = Value | undefined

/** What a subtree must hold and must lack. Closed: it holds what is named here and nothing else. */
export interface Content {
  readonly open: boolean
  readonly holds: readonly Condition[]
  readonly lacks: readonly { readonly path: Path; readonly otherwise: Otherwise }[]
  readonly oneOf?: OneOf
}

/** Exactly one of several alternatives is there, and holds. One is there when any of its conditions selects something. */
export interface OneOf {
  readonly alternatives: readonly (readonly Condition[])[]
  /** Said when none is there, or more than one. */
  readonly otherwise: Otherwise
}

/** A condition on the elements that a path selects below a subtree. */
export interface Condition {
  readonly id: string
  /** Where it stands in the policy file. */
  readonly at: readonly PropertyKey[]
  readonly path: Path
  readonly times: Times
  readonly test: Test
  /** Said when the element is missing, too frequent, or its test fails without an answer of its own. */
  readonly otherwise: Otherwise
}

export type Test =
  | { readonly kind: 'is'; readonly literals: readonly Literal[] }
  | {
      readonly kind: 'coded'
      readonly list: CodeList
      readonly wrongCode: Otherwise | undefined
      readonly wrongSystem: Otherwise | undefined
    }
  | { readonly kind: 'text'; readonly maxLength: number }
  | { readonly kind: 'digits'; readonly count: number; readonly checkDigit: CheckDigit | undefined }
  | { readonly kind: 'refers'; readonly variable: string }
  | { readonly kind: 'content'; readonly content: Content }

/** How the last of some digits follows from the others. */
export type CheckDigit = 'modulus-11'

/** The coded values that a policy allows: by system, the codes. */
export interface CodeList {
  readonly name: string
  readonly codes: Codes
}

/** How a refusal is answered, and what to do instead. */
export interface Otherwise {
  readonly answer: Answer | undefined
  /** One sentence: what is required or allowed. */
  readonly say: string
  /** One sentence: what to do instead. */
  readonly help?: string
}

/** What a policy asks of one header field of every request. */
export interface HeaderFieldRule {
  /** As the policy writes it. */
  readonly name: string
  readonly required: boolean
  readonly format?: 'uuid' | 'digits' | 'alphanumeric'
  /** It is one of these, letter by letter. */
  readonly values?: readonly string[]
  /** In characters. */
  readonly maxLength: number
  /** Whether the answer repeats it. */
  readonly mirrored: boolean
  readonly mode: Mode
  /** The answers of its own, when it is not there, and when it is not as it must be. */
  readonly answers?: { readonly missing: Answer; readonly malformed: Answer }
  /** One sentence: what to do. */
  readonly help?: string
}
