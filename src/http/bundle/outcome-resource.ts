import { readResource } from '../../fhir/body.ts'
import { childrenOf, type Children, type Element, type Resource } from '../../fhir/element.ts'
import type { Format } from '../../fhir/media-type.ts'
import type { OutcomeIssue } from '../../fhir/operation-outcome.ts'
import type { Policy } from '../../policy/policy.ts'
import { outcomeAnswer } from '../outcome.ts'

/** Deep enough for an OperationOutcome. */
const nesting = 20

/** An OperationOutcome as a resource, for Bundle.entry.response.outcome. */
export function outcomeResource(policy: Policy, issues: readonly OutcomeIssue[], format: Format): Resource | undefined {
  const { body } = outcomeAnswer(issues, policy, format)
  const outcome = readResource(Buffer.from(body), format, policy.definitions, { nesting })
  return outcome.ok ? outcome.value : undefined
}

/** A response Bundle with an outcome added to those of its entries that have one here; the server's own issues stay. */
export function withOutcomes(bundle: Resource, outcomes: readonly (Resource | undefined)[]): Resource {
  return edited(bundle, 'entry', (entry, index) => {
    const outcome = outcomes[index]
    return outcome ? edited(entry, 'response', (response) => withOutcome(response, outcome)) : entry
  })
}

function withOutcome(response: Element, outcome: Resource): Element {
  const own = childrenOf(response, 'outcome')[0]
  if (own?.type !== 'OperationOutcome') {
    // It is the last element of a response, as FHIR XML has them.
    return withChildren(response, 'outcome', { list: false, items: [outcome] })
  }
  const issues = [...childrenOf(own, 'issue'), ...childrenOf(outcome, 'issue')]
  const whole = withChildren(own, 'issue', { list: true, items: issues })
  return withChildren(response, 'outcome', { list: false, items: [whole] })
}

function edited<E extends Element>(element: E, name: string, edit: (item: Element, index: number) => Element): E {
  const group = element.children.get(name)
  return group ? withChildren(element, name, { ...group, items: group.items.map(edit) }) : element
}

function withChildren<E extends Element>(element: E, name: string, children: Children): E {
  return { ...element, children: new Map(element.children).set(name, children) }
}
