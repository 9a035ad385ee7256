import { judgeAsked } from '../policy/judge-asked.ts'
import type { Judged } from '../policy/judge.ts'
import type { Policy } from '../policy/policy.ts'
import { answerTo, type Refusal } from '../policy/refusal.ts'
import type { Case } from './case.ts'
import { compare, type Mismatch } from './compare.ts'

/** What the policy says to a case. */
export type Outcome = (
  | { readonly kind: 'permit'; readonly names: readonly string[]; readonly restored: readonly string[] }
  | { readonly kind: 'refuse'; readonly refusals: readonly SeenRefusal[] }
) & {
  /** What rules in report mode would refuse besides. */
  readonly reported: readonly SeenRefusal[]
}

/** One refusal with the features that a case may name, as a client would see them. */
export interface SeenRefusal {
  readonly cause: Refusal['cause']
  readonly status: number
  readonly issue: string
  readonly code?: string
  readonly rule?: string
  readonly at?: string
  /** details.text */
  readonly text?: string
  readonly diagnostics: string
}

/** A case that was run. */
export interface CaseResult {
  readonly case: Case
  readonly outcome: Outcome
  readonly judged: Judged
  /** How the outcome differs from what is expected; undefined when it does not. */
  readonly mismatch: Mismatch | undefined
}

/** As many as the gateway names where gateway.yaml says nothing. */
export const maxRefusals = 50

/** Judges a case as the gateway would, and compares what comes out with what the case expects. */
export function runCase(one: Case, policy: Policy): CaseResult {
  const judged = judgeAsked(policy, one.asked, { bases: [], maxRefusals, request: one.request })
  const outcome = outcomeOf(judged, policy)
  return { case: one, outcome, judged, mismatch: compare(one.expected, outcome) }
}

function outcomeOf({ decision }: Judged, policy: Policy): Outcome {
  const seen = (refusals: readonly Refusal[] = []) => refusals.map((refusal) => seenRefusal(refusal, policy))
  const reported = seen(decision.reported)
  if (decision.verdict === 'deny') return { kind: 'refuse', refusals: seen(decision.refusals), reported }
  const restored = (decision.restoration?.elements ?? []).map(({ expression }) => expression)
  return { kind: 'permit', names: decision.permittedAs, restored, reported }
}

function seenRefusal(refusal: Refusal, policy: Policy): SeenRefusal {
  const { cause, rule, expression, diagnostics } = refusal
  const { status, issue, code, text } = answerTo(refusal, policy.answers, policy.release)
  return {
    cause,
    status,
    issue,
    diagnostics,
    ...(code !== undefined && { code }),
    ...(rule !== undefined && { rule }),
    ...(expression !== undefined && { at: expression }),
    ...(text !== undefined && { text }),
  }
}
