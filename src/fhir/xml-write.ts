/** The element tree to FHIR XML. */
import type { Element, Resource } from './element.ts'
import { narrativeOf } from './narrative.ts'
import { writtenText } from './read-element.ts'
import { unspeakableAt } from './unicode.ts'
import { escapeXml, fhirNamespace, isXmlAttribute } from './xml-text.ts'

/**
 * Writes a resource as FHIR XML, without declaration and white space, elements in the order of the tree.
 * @throws Error for a tree that no FHIR XML can say: an id or url of an element with content of its own, a narrative
 * that is not a div of XHTML, a character that XML cannot hold.
 */
export function writeXml(resource: Resource): string {
  const text = resourceXml(resource, ` xmlns="${fhirNamespace}"`)
  if (unspeakableAt(text) >= 0) throw new Error('XML cannot hold a character of this resource.')
  return text
}

function resourceXml(resource: Element, declaration: string): string {
  return tagged(resource.type!, declaration, content(resource.type!, resource))
}

function elementXml(name: string, element: Element): string {
  // What stands at the root and is left as it was need not be put together again: most of an update.
  const written = writtenText(element, 'xml')
  if (written !== undefined && startTagName.exec(written)?.[1] === name) return written
  if (element.resource) return `<${name}>${resourceXml(element, '')}</${name}>`
  if (element.type === 'xhtml') return narrativeOf(element.value?.text ?? '')
  let attributes = ''
  for (const child of element.children.keys()) {
    if (isXmlAttribute(element.type, name, false, child)) attributes += attribute(child, element)
  }
  if (element.value) attributes += ` value="${escapeXml(element.value.text)}"`
  return tagged(name, attributes, content(name, element))
}

const startTagName = /^<([A-Za-z0-9]+)/

/** The children that are elements in XML. */
function content(name: string, element: Element): string {
  let text = ''
  for (const [child, { items }] of element.children) {
    if (isXmlAttribute(element.type, name, element.resource, child)) continue
    for (const item of items) text += elementXml(child, item)
  }
  return text
}

function attribute(name: string, element: Element): string {
  const items = element.children.get(name)!.items
  const item = items[0]
  if (items.length !== 1 || !item?.value || item.children.size > 0) {
    throw new Error(`In FHIR XML the ${name} of an element is an attribute: it has a value and nothing else.`)
  }
  return ` ${name}="${escapeXml(item.value.text)}"`
}

function tagged(name: string, attributes: string, content: string): string {
  return content === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`
}
