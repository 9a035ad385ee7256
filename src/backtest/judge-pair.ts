import { idOf, withId, withoutId, withoutServerOwned, type Element, type Resource } from '../fhir/element.ts'
import { writeElement } from '../fhir/json-write.ts'
import { reportOnly } from '../policy/decision.ts'
import { expressionOfDifference } from '../policy/expression.ts'
import { judgeWithFindings, type Judged } from '../policy/judge.ts'
import type { Policy } from '../policy/policy.ts'
import type { Refusal } from '../policy/refusal.ts'
import { plainRequest } from '../policy/request-facts.ts'

/** A write of the past. */
export interface PastWrite {
  readonly interaction: 'create' | 'update' | 'delete'
  readonly type: string
  readonly before: Resource | undefined
  readonly after: Resource | undefined
}

/** What the policy says of a write of the past. */
export type PastVerdict =
  | {
      readonly kind: 'permitted'
      readonly as: readonly string[]
      /** What rules in report mode would refuse. */
      readonly reported: readonly Refusal[]
      readonly differences: () => readonly ShownDifference[]
    }
  | {
      readonly kind: 'refused'
      readonly refusals: readonly Refusal[]
      readonly reported: readonly Refusal[]
      /** What differed, with its content: to be shown to those only who ask for it. */
      readonly differences: () => readonly ShownDifference[]
    }
  /** The policy does not open the interaction. */
  | { readonly kind: 'closed' }

/** One element that differed, with its content as JSON. */
export interface ShownDifference {
  readonly expression: string
  readonly before?: string
  readonly after?: string
}

export interface PastJudging {
  readonly policy: Policy
  /** Absolute FHIR bases under which references name the server’s own resources. */
  readonly bases: readonly string[]
  /** Elements that the server writes itself, beside `meta.versionId` and `meta.lastUpdated`: names below the resource. */
  readonly serverOwned: readonly (readonly string[])[]
}

const maxRefusals = 50
const maxShown = 20
const maxShownLength = 300

/** Judges a write of the past as the gateway would have. */
export function judgePast({ policy, bases, serverOwned }: PastJudging, write: PastWrite): PastVerdict {
  const { type, interaction } = write
  const open = policy.resources.get(type)?.interactions
  // A history does not tell a patch from an update, nor does the judge.
  if (!open?.has(interaction) && !(interaction === 'update' && open?.has('patch'))) {
    return policy.mode === 'report' ? reportedAsClosed : { kind: 'closed' }
  }
  const of = (resource: Resource) => {
    const own = serverOwned.reduce(without, withoutServerOwned(resource)) as Resource
    const id = write.before && idOf(write.before)
    return id === undefined ? withoutId(own) : withId(own, id)
  }
  const judged = judgeWithFindings(
    policy,
    { interaction, type, before: write.before && of(write.before), after: write.after && of(write.after) },
    { bases, maxRefusals, request: plainRequest(interaction) },
  )
  const { decision } = judged
  const told = { reported: decision.reported ?? [], differences: () => shown(judged, policy) }
  return decision.verdict === 'permit'
    ? { kind: 'permitted', as: decision.permittedAs, ...told }
    : { kind: 'refused', refusals: decision.refusals, ...told }
}

/** A policy in report mode lets through what it does not open. */
const reportedAsClosed: PastVerdict = {
  kind: 'permitted',
  as: [reportOnly],
  reported: [{ cause: 'interaction-not-offered', diagnostics: 'the policy does not open it' }],
  differences: () => [],
}

function shown({ differences }: Judged, { definitions }: Policy): readonly ShownDifference[] {
  const text = (element: Element | undefined) => {
    if (!element) return undefined
    const json = writeElement(element)
    return json.length > maxShownLength ? `${json.slice(0, maxShownLength)}…` : json
  }
  return differences.slice(0, maxShown).map((difference) => {
    const expression = expressionOfDifference(difference, definitions)
    if (difference.kind === 'moved' || difference.kind === 'shape') return { expression }
    const [before, after] = [text(difference.node.before), text(difference.node.after)]
    return { expression, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }
  })
}

/** An element without what stands at a path of names; what is emptied by that goes, too. */
function without(element: Element, [name, ...below]: readonly string[]): Element {
  const group = name === undefined ? undefined : element.children.get(name)
  if (name === undefined || !group) return element
  const items = below.length === 0 ? [] : group.items.map((item) => without(item, below)).filter(isSomething)
  const children = new Map(element.children)
  if (items.length === 0) children.delete(name)
  else children.set(name, { list: group.list, items })
  return { ...element, children }
}

const isSomething = (element: Element) => element.value !== undefined || element.children.size > 0
