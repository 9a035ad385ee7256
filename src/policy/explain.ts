import type { Definitions } from '../fhir/definitions.ts'
import type { Difference } from './align.ts'
import type { Flaw } from './content.ts'
import { expressionOf, expressionOfDifference } from './expression.ts'
import type { Judged } from './judge.ts'
import type { Finding, Occurrence } from './occurrence.ts'
import { refusalOf } from './refusals-for.ts'
import type { Change } from './rule.ts'

/** Why a decision came out as it did: plain data without record content, elements by their FHIRPath. */
export interface Explanation {
  /** The rule set by which it was judged: `Flag.update`; undefined where the policy has none for the interaction. */
  readonly ruleSet: string | undefined
  readonly differences: readonly ExplainedDifference[]
  /** Every change of the rule set, in its order. */
  readonly changes: readonly ExplainedChange[]
  readonly rest: ExplainedRest | undefined
  /** What must hold of before and after as a whole. */
  readonly invariants: readonly ExplainedInvariant[]
}

export interface ExplainedDifference {
  readonly expression: string
  readonly kind: Difference['kind']
  /** The changes that claim it, or the name under which the rest is permitted. Permitted: exactly one. */
  readonly claimedBy: readonly string[]
}

export interface ExplainedChange {
  /** `Flag.update.removal` */
  readonly id: string
  readonly name: string
  /** One, or one for each item that a `for each` is about, which may be none. */
  readonly occurrences: readonly ExplainedOccurrence[]
}

export interface ExplainedOccurrence {
  /** The item of a `for each`. */
  readonly item?: string
  /** complete: it claims what fits. begun: what lacks is said in its words. not-begun: it says nothing. */
  readonly verdict: 'complete' | 'begun' | 'not-begun'
  readonly parts: readonly ExplainedPart[]
}

/** A part as it came out, by the worst of what it found. */
export interface ExplainedPart {
  readonly rule: string
  readonly name: string
  /** fit, flawed (right difference, wrong content), near (right element, wrong transition or place), or absent. */
  readonly verdict: PartVerdict
  /** It may be absent. */
  readonly optional: boolean
  readonly elements: readonly { readonly expression: string; readonly verdict: Exclude<PartVerdict, 'absent'> }[]
  /** What does not hold, each as a client is told when the part refuses. */
  readonly shortcomings: readonly ExplainedShortcoming[]
}

export type PartVerdict = 'fit' | 'flawed' | 'near' | 'absent'

export interface ExplainedShortcoming {
  /** The part, or the condition in it: `Flag.update.removal.reason-and-comment/…`. */
  readonly rule: string
  readonly expression: string
  readonly sentence: string
}

export interface ExplainedRest {
  /** Whether what no change claims is permitted as it was sent, or put back to what is stored. */
  readonly kind: 'permit' | 'restore'
  readonly name: string
  readonly only?: readonly string[]
  readonly except: readonly string[]
  readonly elements: readonly string[]
}

export interface ExplainedInvariant {
  /** `Encounter.update/a finished encounter has an end` */
  readonly rule: string
  readonly name: string
  /** unknown: it could not be told, and so it refuses. not-applicable: its `when` is not true, so that it says nothing. */
  readonly verdict: 'kept' | 'broken' | 'unknown' | 'not-applicable'
  readonly shortcomings: readonly ExplainedShortcoming[]
}

/** Tells what a decision was made of. */
export function explain(
  { rules, differences, occurrences, rest, invariants }: Judged,
  definitions: Definitions,
): Explanation {
  const claims = claimsOf(occurrences)
  return {
    ruleSet: rules?.id,
    differences: differences.map((difference) => ({
      expression: expressionOfDifference(difference, definitions),
      kind: difference.kind,
      claimedBy: rest.has(difference) && rules?.rest ? [rules.rest.name] : (claims.get(difference) ?? []),
    })),
    changes: (rules?.changes ?? []).map((change) => explainChange(change, occurrences, definitions)),
    rest: rules?.rest && {
      kind: rules.rest.kind,
      name: rules.rest.name,
      ...(rules.rest.only && { only: rules.rest.only.map(({ text }) => text) }),
      except: rules.rest.except.map(({ text }) => text),
      elements: [...rest].map((difference) => expressionOfDifference(difference, definitions)),
    },
    invariants: invariants.map(({ invariant: { id, name }, verdict, flaw }) => ({
      rule: id,
      name,
      verdict,
      shortcomings: flaw ? [explainFlaw(flaw)] : [],
    })),
  }
}

function claimsOf(occurrences: readonly Occurrence[]): ReadonlyMap<Difference, readonly string[]> {
  const claims = new Map<Difference, string[]>()
  for (const { change, complete, findings } of occurrences) {
    if (!complete) continue
    for (const fit of findings.flatMap(({ fits }) => fits)) claims.set(fit, [...(claims.get(fit) ?? []), change.name])
  }
  return claims
}

function explainChange(change: Change, occurrences: readonly Occurrence[], definitions: Definitions): ExplainedChange {
  return {
    id: change.id,
    name: change.name,
    occurrences: occurrences
      .filter((occurrence) => occurrence.change === change)
      .map(({ item, complete, begun, findings }) => ({
        ...(item && { item: expressionOf(item, definitions) }),
        verdict: complete ? 'complete' : begun ? 'begun' : 'not-begun',
        parts: findings.map((finding) => explainPart(finding, change, definitions)),
      })),
  }
}

function explainPart(finding: Finding, change: Change, definitions: Definitions): ExplainedPart {
  const { part, fits, flawed, near, flaws, nearFlaws, lacking } = finding
  const elements = (
    [
      ['fit', fits],
      ['flawed', flawed],
      ['near', near],
    ] as const
  ).flatMap(([verdict, differences]) =>
    differences.map((difference) => ({ expression: expressionOfDifference(difference, definitions), verdict })),
  )
  const isAbsent = lacking !== undefined || elements.length === 0
  return {
    rule: part.id,
    name: part.id.startsWith(`${change.id}.`) ? part.id.slice(change.id.length + 1) : part.id,
    verdict: flawed.length > 0 ? 'flawed' : near.length > 0 ? 'near' : isAbsent ? 'absent' : 'fit',
    optional: part.times.min === 0,
    elements,
    shortcomings: [...flaws, ...nearFlaws, ...(lacking ? [lacking] : [])].map(explainFlaw),
  }
}

function explainFlaw(flaw: Flaw): ExplainedShortcoming {
  return { rule: flaw.rule, expression: flaw.expression, sentence: refusalOf(flaw).diagnostics }
}
