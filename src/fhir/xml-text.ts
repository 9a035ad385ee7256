/** What FHIR XML needs of XML itself: names of namespaces, escaping, a parser that knows no entity but XML's five. */
import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS, type XMLDecl } from 'saxes'

export const fhirNamespace = 'http://hl7.org/fhir'
export const xhtmlNamespace = 'http://www.w3.org/1999/xhtml'
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'

/** Where the events of an XML text go. A handler ends the reading by throwing. */
export interface XmlEvents {
  open(tag: SaxesTagNS): void
  close(): void
  text(text: string, cdata: boolean): void
  /** One sentence about something that no FHIR XML may hold, and the line (from 1) where it ends. */
  refuse(sentence: string, line: number): never
}

/**
 * Reads an XML text. DOCTYPE, processing instructions, XML 1.1, an encoding other than UTF-8 and more than `tags` tags
 * open at once are refused; comments are ignored.
 */
export function readXml(text: string, tags: number, events: XmlEvents): void {
  const parser = new Parser({ xmlns: true, position: false })
  // The parser's own table inherits from Object.prototype: `&constructor;` would be an entity.
  parser.ENTITIES = Object.assign(Object.create(null) as Record<string, string>, entities)
  const refuse = (sentence: string): never => events.refuse(sentence, parser.line)
  let open = 0
  let tagSeen = false

  // Six handlers: with more, V8 keeps the parser as a dictionary, and it is five times slower.
  parser.on('doctype', () => refuse('A DOCTYPE is not allowed.'))
  parser.on('processinginstruction', () => refuse('A processing instruction is not allowed.'))
  parser.on('opentag', (tag) => {
    if (!tagSeen) checkDeclaration(parser.xmlDecl, refuse)
    tagSeen = true
    open += 1
    if (open > tags) refuse('The XML is nested too deeply.')
    events.open(tag)
  })
  parser.on('closetag', () => {
    open -= 1
    events.close()
  })
  parser.on('text', (text) => events.text(text, false))
  parser.on('cdata', (text) => events.text(text, true))
  try {
    parser.write(text).close()
  } catch (error) {
    if (!(error instanceof NotWellFormed)) throw error
    refuse('The body is not well-formed XML.')
  }
}

class NotWellFormed extends Error {}

/** Stops at the first fault, whose message is left behind: it may hold content. */
class Parser extends SaxesParser<{ xmlns: true; position: false }> {
  override fail(): never {
    throw new NotWellFormed()
  }
}

function checkDeclaration({ version, encoding }: XMLDecl, refuse: (sentence: string) => never): void {
  if (version !== undefined && version !== '1.0') refuse('Only XML 1.0 is allowed.')
  if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') refuse('The encoding must be UTF-8.')
}

const entities = { amp: '&', gt: '>', lt: '<', quot: '"', apos: "'" }

/**
 * Whether FHIR XML writes the child `name` as an attribute: the id of whatever is no resource, the url of an extension.
 * @param type the type of the element whose child it is; undefined where FHIR does not define it
 * @param element the name of that element
 */
export function isXmlAttribute(type: string | undefined, element: string, resource: boolean, name: string): boolean {
  if (name === 'id') return !resource
  if (name !== 'url') return false
  return type === 'Extension' || (type === undefined && (element === 'extension' || element === 'modifierExtension'))
}

/** True for a namespace declaration. */
export function isDeclaration(attribute: SaxesAttributeNS): boolean {
  return attribute.uri === xmlnsNamespace
}

/** Attributes and text, escaped so that reading gives the same characters back. */
export function escapeXml(text: string): string {
  return needsEscape.test(text) ? text.replace(eachEscape, (character) => escapes[character]!) : text
}

const needsEscape = /[&<>"\t\n\r]/
const eachEscape = /[&<>"\t\n\r]/g
const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}
