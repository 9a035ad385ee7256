/** The straight way from FHIR XML to the element tree: one pass, for a text with nothing wrong and nothing rare in it. */
import type { ChildDefinition, Definitions } from './definitions.ts'
import type { Children, Element, Resource, Value } from './element.ts'
import { NarrativeText } from './narrative.ts'
import { type Bounds, lexicalFault, noChildren } from './reading.ts'
import { notStraight, StraightReader, straightOnly } from './straight-reader.ts'
import { unspeakableAt } from './unicode.ts'
import { pastWhiteSpace } from './white-space.ts'
import { escapeXml, fhirNamespace, isXmlAttribute, readXml } from './xml-text.ts'

/**
 * Reads a resource as `parseXml` does, or gives undefined where that one has to look: what is wrong, and what is right but rare
 * (comments, prefixes, references by number, attributes in single quotes, elements that FHIR does not define). It takes nothing
 * that it does not know to be sound, and has no words for what is not. A narrative is read by the parser of XML.
 *
 * What stands at the root of the resource, object by object, is taken over from `like` where its text is that of `like` to the
 * letter, as the straight reader of JSON does it, and for the same reason: a Flag of 2 KB takes 11 µs instead of 40, and 3 with
 * `like`; an update in XML a quarter of the time that it took. test/unit/fhir/xml-straight.test.ts and the fuzzer of bodies hold it
 * against the thorough one.
 *
 * @param like another resource, or another version of it; nothing is taken from one that other definitions or bounds have read
 */
export function readXmlStraight(
  text: string,
  definitions: Definitions,
  bounds: Bounds,
  like?: Resource,
): Resource | undefined {
  return straightOnly(() => new StraightXmlReader(text, definitions, bounds).document(like))
}

const declaration = '<?xml version="1.0" encoding="UTF-8"?>'
const namespaceDeclaration = ` xmlns="${fhirNamespace}"`
/** What does not stand for itself in the value of an attribute, or may not be written there as it is by everybody. */
const special = /[&<>\t\n\r]/
const onlyEntities = /^(?:[^&<>\t\n\r]|&(?:amp|lt|gt|quot|apos);)*$/
const eachEntity = /&(amp|lt|gt|quot|apos);/g
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** An element that has a start tag and an end tag, of that name. */
interface Outer {
  readonly tag: string
  readonly type: string
  readonly definition: string
  readonly resource: boolean
}

class StraightXmlReader extends StraightReader {
  /** How much has come that the writer would write in another way. */
  odd = 0

  constructor(text: string, definitions: Definitions, bounds: Bounds) {
    super(text, 'xml', definitions, bounds)
    if (unspeakableAt(text) >= 0) throw notStraight
  }

  document(like: Resource | undefined): Resource {
    if (this.text.startsWith(declaration)) this.at = declaration.length
    this.space()
    const resource = this.resource(1, true, like)
    this.space()
    if (this.at < this.text.length) throw notStraight
    return resource
  }

  /** With its tags. */
  resource(depth: number, isRoot: boolean, like?: Resource): Resource {
    this.expect(0x3c)
    const type = this.name()
    if (!this.definitions.isResource(type)) throw notStraight
    this.count(0, 1)
    if (this.text.startsWith(namespaceDeclaration, this.at)) {
      this.at += namespaceDeclaration.length
      if (!isRoot) this.odd += 1
    } else if (isRoot) throw notStraight
    const children = new Map<string, Children>()
    const self = { tag: type, type, definition: type, resource: true }
    if (this.hasContent()) this.content(children, self, depth, like?.type === type ? like : undefined)
    return this.soundResource(type, children)
  }

  /** The elements of an element, and its end tag. */
  content(
    children: Map<string, Children>,
    { tag, type, definition, resource }: Outer,
    depth: number,
    like?: Element,
  ): void {
    const table = this.definitions.children(definition)
    let chosen: Set<string> | undefined
    let last: string | undefined
    let items: Element[] = []
    let known: readonly Element[] | undefined
    this.space()
    while (!this.ended(tag)) {
      const start = this.at
      this.expect(0x3c)
      const own = this.name()
      const child = table?.get(own)
      if (!child || depth >= this.nesting || isXmlAttribute(type, tag, resource, own)) throw notStraight
      if (own !== last) {
        if (children.has(own)) throw notStraight
        chosen = this.choose(chosen, child, own)
        items = []
        children.set(own, { list: child.repeats, items })
        known = like?.children.get(own)?.items
        last = own
      } else if (!child.repeats) throw notStraight
      items.push(this.item(child, own, tag, start, depth + 1, known?.[items.length]))
      this.space()
    }
    // The writer would have written an empty tag.
    if (last === undefined) this.odd += 1
  }

  /** An element, from behind the name in its start tag. `outer` is the name of the tag in which it stands. */
  item(
    child: ChildDefinition,
    name: string,
    outer: string,
    start: number,
    depth: number,
    like: Element | undefined,
  ): Element {
    const { type, kind } = child
    if (type === 'xhtml') return this.narrative(child, start, outer, depth)
    if (this.tookOver(like, start)) return like
    const before = { elements: this.elements, tags: this.tags }
    const { odd } = this
    this.count(1, 1)
    const element = this.definitions.holdsResource(type) ? this.wrapped(name, depth) : this.element(child, name, depth)
    return depth > 2 || kind !== undefined ? element : this.toTakeOver(element, start, before, this.odd === odd)
  }

  /** The element around a resource is none of its own in the tree. */
  wrapped(name: string, depth: number): Resource {
    if (!this.hasContent()) throw notStraight
    this.space()
    const resource = this.resource(depth, false)
    this.space()
    if (!this.ended(name)) throw notStraight
    return resource
  }

  element({ type, definition, kind }: ChildDefinition, name: string, depth: number): Element {
    let children: Map<string, Children> | undefined
    let value: Value | undefined
    while (this.text.charCodeAt(this.at) === 0x20 && isLetter(this.text.charCodeAt(this.at + 1))) {
      this.at += 1
      const attribute = this.name()
      this.expect(0x3d)
      this.expect(0x22)
      if (attribute === 'value') {
        if (kind === undefined || value) throw notStraight
        value = { kind, text: this.string() }
        if (kind !== 'string' && lexicalFault(this.definitions, type, value.text) !== undefined) throw notStraight
      } else {
        if (!isXmlAttribute(type, name, false, attribute) || children?.has(attribute)) throw notStraight
        this.count(1, 0)
        const known = this.definitions.child(type, attribute)
        const text = this.string()
        children ??= new Map()
        children.set(attribute, {
          list: false,
          items: [
            {
              type: known?.type,
              definition: known?.definition,
              resource: false,
              value: { kind: 'string', text },
              children: noChildren,
            },
          ],
        })
        if (value) this.odd += 1
      }
    }
    if (this.hasContent())
      this.content((children ??= new Map()), { tag: name, type, definition, resource: false }, depth)
    if (!value && !children?.size) throw notStraight
    return { type, definition, resource: false, value, children: children ?? noChildren }
  }

  /** A narrative is the last in its element: with the end of that it would be no XML, or another one. */
  narrative({ type, definition }: ChildDefinition, start: number, outer: string, depth: number): Element {
    const end = this.text.indexOf(`</${outer}>`, start)
    if (end < 0) throw notStraight
    const written = this.text.slice(start, end).replace(/[ \t\r\n]+$/, '')
    const narrative = new NarrativeText()
    let text: string | undefined
    // At most two tags for each element around it are open.
    readXml(written, 2 * (this.nesting - depth), {
      open: (tag) => {
        this.count(0, 1)
        if (narrative.open(tag) !== undefined) throw notStraight
      },
      close: () => (text = narrative.close()),
      text: (content) => narrative.text(content),
      refuse: () => {
        throw notStraight
      },
    })
    if (text === undefined) throw notStraight
    this.count(1, 0)
    this.at = start + written.length
    if (text !== written) this.odd += 1
    return { type, definition, resource: false, value: { kind: 'string', text }, children: noChildren }
  }

  /** Whether a start tag is none of an empty element; it ends here. */
  hasContent(): boolean {
    if (this.text.charCodeAt(this.at) === 0x20) {
      this.at += 1
      this.odd += 1
    }
    const isEmpty = this.text.charCodeAt(this.at) === 0x2f
    if (isEmpty) this.at += 1
    this.expect(0x3e)
    return !isEmpty
  }

  /** Whether this is the end tag of that name; then it has been read. */
  ended(name: string): boolean {
    const { text, at } = this
    if (text.charCodeAt(at + 1) !== 0x2f) return false
    const end = at + 2 + name.length
    if (text.charCodeAt(at) !== 0x3c || !text.startsWith(name, at + 2) || text.charCodeAt(end) !== 0x3e)
      throw notStraight
    this.at = end + 1
    return true
  }

  /** A name as FHIR's own are, which has an end. */
  name(): string {
    const { text, at } = this
    let end = at
    while (isLetter(text.charCodeAt(end)) || isDigit(text.charCodeAt(end))) end += 1
    this.at = end
    return text.slice(at, end)
  }

  /** The value of an attribute, after its opening quote. */
  string(): string {
    const { text, at } = this
    const end = text.indexOf('"', at)
    if (end <= at) throw notStraight
    this.at = end + 1
    const written = text.slice(at, end)
    if (!special.test(written)) return written
    if (!onlyEntities.test(written)) throw notStraight
    const read = written.replace(eachEntity, (_whole, name: string) => entities[name]!)
    if (escapeXml(read) !== written) this.odd += 1
    return read
  }

  space(): void {
    const at = pastWhiteSpace(this.text, this.at)
    if (at > this.at) this.odd += 1
    this.at = at
  }

  expect(code: number): void {
    if (this.text.charCodeAt(this.at) !== code) throw notStraight
    this.at += 1
  }
}

const isLetter = (code: number) => (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)
const isDigit = (code: number) => code >= 0x30 && code <= 0x39
