import type { Resource } from '../fhir/element.ts'
import type { Aligned } from './align.ts'
import { Bindings } from './bindings.ts'
import type { Flaw } from './content.ts'
import { Effort, TooMuchEffort } from './effort.ts'
import { absentExpression, expressionOf, fhirPathName } from './expression.ts'
import { evaluateExactly, type Outcome } from './fhirpath/exactly.ts'
import type { Expression } from './fhirpath/expression.ts'
import { valuesOf } from './fhirpath/values.ts'
import { Meter } from './fhirpath/meter.ts'
import type { Judgement } from './judgement.ts'
import type { RequestFacts } from './request-facts.ts'
import type { Invariant, Mode } from './rule.ts'

/** What became of one invariant on one write. */
export interface InvariantFinding {
  readonly invariant: Invariant
  /** `not-applicable`: its `when` is not true, so that it says nothing. `unknown`: it could not be told; it refuses, too. */
  readonly verdict: 'kept' | 'broken' | 'unknown' | 'not-applicable'
  /** Of what is broken or unknown. */
  readonly flaw?: Flaw
}

/** One step is about a microsecond; ten rules over a List of 3,000 entries take some 400,000. */
export const maxSteps = 2_000_000

/** What became of the invariants of a rule set. */
export interface InvariantFindings {
  /** Of each, up to the first of its mode that took too long. */
  readonly findings: readonly InvariantFinding[]
  /** The modes in which one did. */
  readonly tookTooLong: ReadonlySet<Mode>
}

/** Evaluates the invariants of a rule set on one write. Only what is exactly true is kept; what cannot be evaluated refuses. */
export function findingsOfInvariants(
  invariants: readonly Invariant[],
  write: { readonly before: Resource | undefined; readonly after: Resource | undefined; readonly root: Aligned },
  judgement: Judgement,
  request: RequestFacts,
): InvariantFindings {
  const findings: InvariantFinding[] = []
  const tookTooLong = new Set<Mode>()
  if (invariants.length === 0) return { findings, tookTooLong }
  // What is only reported never takes the steps of what is enforced.
  const meters = { enforce: new Meter(new Effort(maxSteps)), report: new Meter(new Effort(maxSteps)) }
  const values = valuesOf(write.before, write.after, request)
  for (const invariant of invariants) {
    const { mode } = invariant
    if (tookTooLong.has(mode)) continue
    const told = (expression: Expression): Outcome =>
      values ? evaluateExactly(expression, values, meters[mode]) : 'failed'
    try {
      findings.push(findingOf(invariant, told, write.root, judgement))
    } catch (error) {
      if (!(error instanceof TooMuchEffort)) throw error
      tookTooLong.add(mode)
    }
  }
  return { findings, tookTooLong }
}

function findingOf(
  invariant: Invariant,
  told: (expression: Expression) => Outcome,
  root: Aligned,
  judgement: Judgement,
): InvariantFinding {
  const when = invariant.when ? told(invariant.when) : 'true'
  if (when === 'false' || when === 'nothing') return { invariant, verdict: 'not-applicable' }
  const outcome = when === 'true' ? told(invariant.require) : when
  if (outcome === 'true') return { invariant, verdict: 'kept' }
  const flaw = flawOf(invariant, outcome, root, judgement)
  return { invariant, verdict: outcome === 'false' ? 'broken' : 'unknown', flaw }
}

const because: Readonly<Record<Exclude<Outcome, 'true' | 'false'>, string>> = {
  nothing: 'its condition gives nothing',
  several: 'its condition gives several values',
  'no-boolean': 'its condition gives something that is not true or false',
  failed: 'its condition cannot be evaluated on this resource',
}

function flawOf(
  { id, name, at, otherwise }: Invariant,
  outcome: Exclude<Outcome, 'true'>,
  root: Aligned,
  judgement: Judgement,
): Flaw {
  const what =
    outcome === 'false'
      ? `breaks the rule \`${name}\``
      : `cannot be shown to keep the rule \`${name}\`: ${because[outcome]}`
  return {
    rule: id,
    expression: at ? placeOf(at, root, judgement) : expressionOf(root, judgement.definitions),
    what,
    otherwise,
  }
}

function placeOf(at: NonNullable<Invariant['at']>, root: Aligned, { selection, definitions }: Judgement): string {
  const [place] = selection.places(at, Bindings.ofResource(root))
  if (!place) return absentExpression(root, at, definitions)
  const { node, parent, name } = place
  return node
    ? expressionOf(node, definitions)
    : `${expressionOf(parent, definitions)}.${fhirPathName(parent, name, definitions)}`
}
