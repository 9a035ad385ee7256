/** FHIR XML as elements and attributes: what XML Patch selects, before it means anything to FHIR. */
import type { SaxesTagNS } from 'saxes'
import { NarrativeText } from '../narrative.ts'
import { escapeXml, fhirNamespace, isDeclaration, xhtmlNamespace } from '../xml-text.ts'

/** An element, of FHIR or the div of a narrative, which is kept whole. It belongs to one patch and is changed by it. */
export interface XmlElement {
  readonly name: string
  readonly attributes: Map<string, string>
  readonly content: XmlElement[]
  /** The text of a div, tags included; undefined for an element of FHIR. */
  readonly narrative: string | undefined
}

/** Builds elements from parse events. Comments and the space between elements are left behind. */
export class XmlTreeBuilder {
  readonly roots: XmlElement[] = []
  readonly #open: XmlElement[] = []
  #narrative: NarrativeText | undefined

  /** @returns what is wrong with the tag, undefined when nothing is. */
  open(tag: SaxesTagNS): string | undefined {
    if (!this.#narrative && tag.uri === xhtmlNamespace) this.#narrative = new NarrativeText()
    if (this.#narrative) return this.#narrative.open(tag)
    if (tag.uri !== fhirNamespace) return 'An element is in a foreign namespace.'
    const attributes = new Map<string, string>()
    for (const attribute of Object.values(tag.attributes)) {
      if (isDeclaration(attribute)) continue
      if (attribute.uri !== '') return 'An attribute is in a foreign namespace.'
      attributes.set(attribute.local, attribute.value)
    }
    const element: XmlElement = { name: tag.local, attributes, content: [], narrative: undefined }
    this.#siblings().push(element)
    this.#open.push(element)
    return undefined
  }

  close(): void {
    if (!this.#narrative) {
      this.#open.pop()
      return
    }
    const narrative = this.#narrative.close()
    if (narrative === undefined) return
    this.#narrative = undefined
    this.#siblings().push({ name: 'div', attributes: new Map(), content: [], narrative })
  }

  /** @returns what is wrong with a text in an element. */
  text(text: string): string | undefined {
    if (this.#narrative) this.#narrative.text(text)
    else if (!isBlank(text)) return 'Text may only stand in a narrative or a value.'
    return undefined
  }

  #siblings(): XmlElement[] {
    return this.#open.at(-1)?.content ?? this.roots
  }
}

export function isBlank(text: string): boolean {
  return !/[^ \t\r\n]/.test(text)
}

/** The text of a resource, as a whole document. */
export function writeXmlElement(root: XmlElement): string {
  return written(root, ` xmlns="${fhirNamespace}"`)
}

function written({ name, attributes, content, narrative }: XmlElement, declaration = ''): string {
  if (narrative !== undefined) return narrative
  let text = `<${name}${declaration}`
  for (const [attribute, value] of attributes) text += ` ${attribute}="${escapeXml(value)}"`
  if (content.length === 0) return `${text}/>`
  text += '>'
  for (const element of content) text += written(element)
  return `${text}</${name}>`
}
