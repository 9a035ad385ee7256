/** The XHTML of a narrative. https://hl7.org/fhir/R4/narrative.html */
import type { SaxesTagNS } from 'saxes'
import { escapeXml, isDeclaration, readXml, xhtmlNamespace } from './xml-text.ts'

/**
 * Rebuilds a narrative from parse events, so that its text is safe in either format and the same however it was
 * written: one namespace declaration, no prefixes, no comments, no CDATA.
 */
export class NarrativeText {
  // Only ever appended to: cutting from a text that grows would be quadratic.
  #text = ''
  /** True while the start tag that came last may still become an empty tag. */
  #tagOpen = false
  readonly #names: string[] = []

  /** @returns what is wrong with the tag, undefined when nothing is. */
  open(tag: SaxesTagNS): string | undefined {
    const first = this.#names.length === 0
    if (tag.uri !== xhtmlNamespace) return 'A narrative may only hold elements of XHTML.'
    if (first && tag.local !== 'div') return 'A narrative must be one div.'
    let text = first ? `<div xmlns="${xhtmlNamespace}"` : `<${tag.local}`
    for (const name in tag.attributes) {
      const attribute = tag.attributes[name]!
      if (isDeclaration(attribute)) continue
      if (attribute.uri !== '' && name !== 'xml:lang') return 'A narrative may not hold attributes of other namespaces.'
      text += ` ${name}="${escapeXml(attribute.value)}"`
    }
    this.#endTag()
    this.#text += text
    this.#tagOpen = true
    this.#names.push(tag.local)
    return undefined
  }

  text(text: string): void {
    if (text === '') return
    this.#endTag()
    this.#text += text.replace(special, (character) => escapes[character]!)
  }

  /** @returns the whole text when the tag that ends is the div itself. */
  close(): string | undefined {
    const name = this.#names.pop()!
    const isEmpty = this.#tagOpen && empty.has(name)
    if (!isEmpty) this.#endTag()
    this.#text += isEmpty ? '/>' : `</${name}>`
    this.#tagOpen = false
    return this.#names.length === 0 ? this.#text : undefined
  }

  #endTag(): void {
    if (this.#tagOpen) this.#text += '>'
    this.#tagOpen = false
  }
}

/**
 * The same narrative as NarrativeText builds it.
 * @throws Error when the text is not one div of XHTML.
 */
export function narrativeOf(text: string): string {
  const narrative = new NarrativeText()
  const refuse = (sentence: string): never => {
    throw new Error(`The narrative cannot be written as XML: ${sentence}`)
  }
  let whole: string | undefined
  readXml(text, 200, {
    open(tag) {
      const fault = narrative.open(tag)
      if (fault) refuse(fault)
    },
    close: () => (whole = narrative.close()),
    text: (content) => narrative.text(content),
    refuse,
  })
  return whole ?? refuse('It is empty.')
}

// Elements that browsers know as empty; any other is written with an end tag, which they need.
const empty: ReadonlySet<string> = new Set(['area', 'br', 'col', 'hr', 'img'])
const special = /[&<>\r]/g
const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' }
