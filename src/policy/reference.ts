import { idOf } from '../fhir/element.ts'
import type { Aligned } from './align.ts'

/**
 * A reference's text in the form in which it is compared: `[known base]/Type/id` becomes `Type/id`, all else stays as it
 * is. Comparing the tail alone would take `https://elsewhere/Condition/c1` for our own.
 */
export function normalReference(text: string, bases: readonly string[]): string {
  for (const base of bases) {
    if (
      text.startsWith(base) &&
      text.charCodeAt(base.length) === 0x2f &&
      /^\/[A-Za-z]+\/[^/]+$/.test(text.slice(base.length))
    ) {
      return text.slice(base.length + 1)
    }
  }
  return text
}

/**
 * All texts that name a resource: `#id`, `urn:uuid:id` and `Type/id` for one that is contained, `#` and `Type/id` for the
 * one that contains. https://hl7.org/fhir/STU3/references.html
 */
export function namesOf(node: Aligned): readonly string[] {
  const resource = (node.after ?? node.before)!
  const id = idOf(resource)
  if (id === undefined) return node.parent ? [] : ['#']
  const name = `${resource.type}/${id}`
  return node.parent ? [name, `#${id}`, `urn:uuid:${id}`] : ['#', name]
}
