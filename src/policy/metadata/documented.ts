import { value } from '../../fhir/build.ts'
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
