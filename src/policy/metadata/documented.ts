import { value, withChildren } from '../../fhir/build.ts'
import { textOf, type Children, type Element } from '../../fhir/element.ts'
import type { Policy } from '../policy.ts'

/**
 * What is told of an element: the rules first, then what the upstream says.
 * @param definition where the children of the element are defined
 */
export function documented(
  element: Element,
  { definitions }: Policy,
  definition: string,
  rules: string | undefined,
): Children | undefined {
  const told = element.children.get('documentation')
  if (rules === undefined || !definitions.child(definition, 'documentation')) return told
  const texts = [rules, textOf(element, 'documentation') ?? ''].filter((text) => text !== '')
  return value(definitions, definition, 'documentation', texts.join('\n\n'))
}

/**
 * The same of each of some elements, if there are any.
 * @param order the names that each may have
 * @param rulesOf those of one of them, in words
 */
export function eachDocumented(
  group: Children | undefined,
  policy: Policy,
  definition: string,
  order: readonly string[],
  rulesOf: (one: Element) => string | undefined,
): Children | undefined {
  if (!group) return undefined
  const items = group.items.map((one) =>
    withChildren(one, { documentation: documented(one, policy, definition, rulesOf(one)) }, order),
  )
  return { ...group, items }
}
