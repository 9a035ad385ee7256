/** FHIR XML to the element tree. https://hl7.org/fhir/STU3/xml.html, https://hl7.org/fhir/R4/xml.html */
import type { SaxesAttributeNS, SaxesTagNS } from 'saxes'
import type { ChildDefinition, Definitions } from './definitions.ts'
import type { Children, Element, Resource, Value } from './element.ts'
import { type Parsed, faulty, parsed } from './fault.ts'
import { NarrativeText } from './narrative.ts'
import {
  type Bounds,
  type Place,
  TreeReader,
  checkResource,
  collect,
  defaultBounds,
  isElementName,
  lexicalFault,
  noChildren,
  tagsBound,
} from './reading.ts'
import { unspeakableAt } from './unicode.ts'
import { readXmlStraight } from './xml-straight.ts'
import { type XmlEvents, fhirNamespace, isDeclaration, isXmlAttribute, readXml, xhtmlNamespace } from './xml-text.ts'

export { writeXml } from './xml-write.ts'

/**
 * Reads a resource from FHIR XML, strictly: whatever two parsers could take differently is refused, all faults at once
 * (but a text that is no XML has one). An element that the FHIR version does not define is kept, with its subtree, as
 * strings. Comments are ignored; a narrative is rebuilt from what was parsed.
 * @param like a resource that is much the same: of what is written alike, the elements are taken over
 */
export function parseXml(
  text: string,
  definitions: Definitions,
  bounds: Bounds = defaultBounds,
  like?: Resource,
): Parsed<Resource> {
  const straight = readXmlStraight(text, definitions, bounds, like)
  return straight ? parsed(straight) : readXmlThoroughly(text, definitions, bounds)
}

/** The same, and every text: what is wrong with one is found here. */
export function readXmlThoroughly(text: string, definitions: Definitions, bounds: Bounds): Parsed<Resource> {
  if (text.charCodeAt(0) === 0xfeff || unspeakableAt(text) >= 0) {
    return faulty({ sentence: 'The XML holds a character that is not allowed in it.' })
  }
  return collect((faults) => {
    const reader = new XmlTreeReader(definitions, bounds, faults)
    // A resource inside another takes two tags: its own and its element's.
    readXml(text, 2 * bounds.nesting, reader)
    return reader.root
  }, bounds.elements)
}

/** An element whose end tag has not come yet. */
interface Frame {
  readonly outer: Frame | undefined
  readonly place: Place
  /** `wrapper`: the element around a resource (`contained`), which is no element of its own in the tree. */
  readonly role: 'element' | 'wrapper' | 'resource'
  readonly type: string | undefined
  readonly definition: string | undefined
  readonly depth: number
  /** Where it goes when it ends. */
  readonly siblings: Element[]
  /** Made when the first one comes: most elements have a value only. */
  children: Map<string, Siblings> | undefined
  /** The choices of which it has one so far. */
  chosen: Set<string> | undefined
  /** The name of the child that came last: the items of one name stand together. */
  last: string | undefined
  value: Value | undefined
}

interface Siblings extends Children {
  list: boolean
  readonly items: Element[]
}

class XmlTreeReader extends TreeReader implements XmlEvents {
  root: Resource | undefined
  at: Frame | undefined
  narrative: NarrativeText | undefined
  /** How many tags may still come. */
  tags = tagsBound(this.bounds)
  /** How many tags are open in a subtree that was refused: it is not read. */
  refused = 0

  refuse(sentence: string, line: number): never {
    return this.faults.stop(`${sentence} (line ${line})`)
  }

  open(tag: SaxesTagNS): void {
    this.tags -= 1
    if (this.tags < 0) this.faults.enough()
    if (this.refused > 0) {
      this.refused += 1
      return
    }
    const fault = this.narrative
      ? this.narrative.open(tag)
      : !this.at || this.at.role === 'wrapper'
        ? this.openResource(tag, this.at)
        : this.openElement(tag, this.at)
    if (fault === undefined) return
    this.faults.add(this.at?.place, fault)
    this.refused = 1
  }

  close(): void {
    if (this.refused > 0) {
      this.refused -= 1
      return
    }
    const frame = this.at!
    if (this.narrative) {
      const text = this.narrative.close()
      if (text === undefined) return
      this.narrative = undefined
      frame.value = { kind: 'string', text }
    }
    this.at = frame.outer
    this.finish(frame)
  }

  text(text: string, cdata: boolean): void {
    if (this.refused > 0) return
    if (this.narrative) this.narrative.text(text)
    else if (cdata) this.faults.add(this.at?.place, 'CDATA may only stand in a narrative.')
    else if (/[^ \t\r\n]/.test(text)) this.faults.add(this.at?.place, 'Text may only stand in a narrative or a value.')
  }

  /** @returns what is wrong with the tag itself, so that its subtree cannot be read. */
  openResource(tag: SaxesTagNS, wrapper: Frame | undefined): string | undefined {
    const type = tag.local
    if (tag.uri !== fhirNamespace) return `A resource is in the namespace ${fhirNamespace}.`
    if (!this.definitions.isResource(type)) return `This resource does not exist in FHIR ${this.definitions.release}.`
    if (wrapper?.last !== undefined) return 'This may hold one resource only.'
    if (wrapper) wrapper.last = type
    const place = wrapper?.place ?? { parent: undefined, name: type, index: undefined }
    this.at = {
      outer: wrapper,
      place,
      role: 'resource',
      type,
      definition: type,
      depth: wrapper?.depth ?? 1,
      siblings: wrapper?.siblings ?? [],
      children: undefined,
      chosen: undefined,
      last: undefined,
      value: undefined,
    }
    for (const name in tag.attributes) {
      if (!isDeclaration(tag.attributes[name]!)) this.faults.add(place, 'A resource has no attributes.')
    }
    return undefined
  }

  openElement(tag: SaxesTagNS, outer: Frame): string | undefined {
    this.faults.element()
    const name = tag.local
    const child = outer.definition === undefined ? undefined : this.definitions.child(outer.definition, name)
    if (!child && !isElementName(name)) return 'This holds a name that no FHIR element can have.'
    const narrative = child?.type === 'xhtml'
    if (tag.uri !== (narrative ? xhtmlNamespace : fhirNamespace)) return 'An element is in a foreign namespace.'
    if (isXmlAttribute(outer.type, outer.place.name, outer.role === 'resource', name))
      return `${name} is written as an attribute here.`
    if (outer.depth >= this.bounds.nesting) return 'The resource is nested too deeply.'
    const text = narrative ? new NarrativeText() : undefined
    const fault = text?.open(tag)
    if (fault !== undefined) return fault
    this.narrative = text
    const group = this.siblings(outer, name, child)
    const place = {
      parent: outer.place,
      name: child?.element ?? name,
      index: group.list ? group.items.length : undefined,
    }
    this.at = {
      outer,
      place,
      role: child && this.definitions.holdsResource(child.type) ? 'wrapper' : 'element',
      type: child?.type,
      definition: child?.definition,
      depth: outer.depth + 1,
      siblings: group.items,
      children: undefined,
      chosen: undefined,
      last: undefined,
      value: undefined,
    }
    if (!text) for (const key in tag.attributes) this.attribute(this.at, tag.attributes[key]!)
    return undefined
  }

  /** The items so far of the element that begins. */
  siblings(outer: Frame, name: string, child: ChildDefinition | undefined): Siblings {
    const group = outer.children?.get(name)
    if (!group) {
      const begun = { list: child?.repeats ?? false, items: [] }
      outer.children ??= new Map()
      outer.children.set(name, begun)
      outer.last = name
      if (child) outer.chosen = this.choose(outer.chosen, child, name, outer.place)
      return begun
    }
    const place = { parent: outer.place, name: child?.element ?? name, index: undefined }
    if (child && !child.repeats) this.faults.add(place, 'This element does not repeat.')
    else if (outer.last !== name) this.faults.add(place, 'The elements of one name must stand together.')
    group.list = true
    outer.last = name
    return group
  }

  attribute(frame: Frame, attribute: SaxesAttributeNS): void {
    if (isDeclaration(attribute)) return
    const { place, type } = frame
    const text = attribute.value
    const known = attribute.uri === '' ? attribute.local : ''
    if (known === 'value' && this.mayHaveValue(frame)) {
      frame.value = this.value(type, text, place)
    } else if (frame.role === 'element' && isXmlAttribute(type, place.name, false, known)) {
      this.faults.element()
      if (text === '') this.faults.add(place, emptyValue)
      const child = type === undefined ? undefined : this.definitions.child(type, known)
      const item: Element = {
        type: child?.type,
        definition: child?.definition,
        resource: false,
        value: { kind: 'string', text },
        children: noChildren,
      }
      frame.children ??= new Map()
      frame.children.set(known, { list: false, items: [item] })
    } else {
      this.faults.add(place, 'This holds an attribute that FHIR does not define here.')
    }
  }

  mayHaveValue({ role, type }: Frame): boolean {
    return role === 'element' && (type === undefined || this.definitions.isPrimitive(type))
  }

  value(type: string | undefined, text: string, place: Place): Value | undefined {
    const fault = text === '' ? emptyValue : type === undefined ? undefined : lexicalFault(this.definitions, type, text)
    if (fault !== undefined) this.faults.add(place, fault)
    return { kind: type === undefined ? 'string' : this.definitions.kindOf(type), text }
  }

  finish(frame: Frame): void {
    const { role, type, definition, place, value, children } = frame
    if (role === 'wrapper') {
      if (frame.last === undefined) this.faults.add(place, 'This must hold a resource.')
      return
    }
    const element: Element = {
      type,
      definition,
      resource: role === 'resource',
      value,
      children: children ?? noChildren,
    }
    frame.siblings.push(element)
    if (role === 'resource') {
      checkResource(element, place, this.faults)
      if (!frame.outer) this.root = element as Resource
    } else if (value === undefined && children === undefined) {
      this.faults.add(place, 'An element must have a value or content: leave it out.')
    }
  }
}

const emptyValue = 'A value may not be empty: leave it out.'
