/** The selectors of XML Patch that are taken: child steps, `[n]`, an attribute. https://www.rfc-editor.org/rfc/rfc5261#section-4.1 */
import { fhirNamespace, xhtmlNamespace } from '../xml-text.ts'
import { NotApplicable } from './patched.ts'
import type { XmlElement } from './xml-tree.ts'

/** The namespaces in scope, by prefix; the default one by the empty string. */
export type Namespaces = ReadonlyMap<string, string>

/** The one element that a selector leads to. */
export interface Selected {
  readonly element: XmlElement
  /** The elements it stands in, from the document down. */
  readonly within: readonly XmlElement[]
  /** The attribute of it that is meant; undefined when the element itself is. */
  readonly attribute: string | undefined
}

/** Attributes that FHIR XML has. */
const attributes: ReadonlySet<string> = new Set(['value', 'url', 'id'])

/** The attribute that `@value` and the like name; undefined for anything else. */
export function readAttribute(text: string): string | undefined {
  const name = text.slice(1)
  return text.startsWith('@') && attributes.has(name) ? name : undefined
}

const step = /^(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)(?:\[([1-9]\d{0,8})\])?$/

/**
 * @param document an element that stands for the document: its only content is the resource
 * @param depth how many steps are followed at most
 * @throws NotApplicable when the selector is not of this form, or does not lead to exactly one element
 */
export function select(document: XmlElement, selector: string, namespaces: Namespaces, depth: number): Selected {
  const steps = (selector.startsWith('/') ? selector.slice(1) : selector).split('/')
  const last = steps.at(-1)!
  const attribute = last.startsWith('@') ? readAttribute(last) : undefined
  if (last.startsWith('@')) {
    if (attribute === undefined) throw new NotApplicable(unknownForm)
    steps.pop()
  }
  if (steps.length > depth) throw new NotApplicable('Its selector has too many steps.')
  let found: Omit<Selected, 'attribute'>[] = [{ element: document, within: [] }]
  for (const text of steps) {
    const matches = matcher(text, namespaces)
    found = found.flatMap(({ element, within }) => {
      const inside = [...within, element]
      return matches(element.content).map((child) => ({ element: child, within: inside }))
    })
  }
  if (found.length > 1) throw new NotApplicable('Its selector leads to more than one element.')
  if (!found[0]) throw new NotApplicable('Its selector leads to no element of the resource.')
  return { ...found[0], attribute }
}

function matcher(text: string, namespaces: Namespaces): (content: readonly XmlElement[]) => readonly XmlElement[] {
  const [, prefix = '', name, position] = step.exec(text) ?? []
  if (name === undefined) throw new NotApplicable(unknownForm)
  const namespace = namespaces.get(prefix)
  if (namespace !== fhirNamespace && namespace !== xhtmlNamespace) {
    throw new NotApplicable('Each step of its selector must be in the namespace of FHIR, or of XHTML for a narrative.')
  }
  const narrative = namespace === xhtmlNamespace
  return (content) => {
    const named = content.filter((child) => child.name === name && (child.narrative !== undefined) === narrative)
    return position === undefined ? named : named.slice(Number(position) - 1, Number(position))
  }
}

const unknownForm = 'Its selector must be made of child steps, [n] counted from 1, and @value, @url or @id at the end.'
