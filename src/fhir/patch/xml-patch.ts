/** XML Patch (RFC 5261) on FHIR XML, as far as FHIR needs it. https://hl7.org/fhir/R4/http.html#patch */
import type { Definitions } from '../definitions.ts'
import type { Resource } from '../element.ts'
import { writeXml } from '../xml.ts'
import { readXml } from '../xml-text.ts'
import {
  NotApplicable,
  type PatchBounds,
  type Patched,
  applyEach,
  isServerOwned,
  malformed,
  notApplicable,
  readResult,
  serverOwned,
} from './patched.ts'
import { type Operation, readOperations } from './xml-operations.ts'
import { type Selected, readAttribute, select } from './xml-selector.ts'
import { type XmlElement, XmlTreeBuilder, isBlank, writeXmlElement } from './xml-tree.ts'

/**
 * The stored resource after an XML Patch. The stored tree stays as it is. Elements keep the order of the XML: one that
 * is added where FHIR XML does not have it makes the result no resource.
 * @param text the body: a `diff` in no namespace (or FHIR's) of add, replace and remove
 */
export function applyXmlPatch(stored: Resource, text: string, definitions: Definitions, bounds: PatchBounds): Patched {
  const operations = readOperations(text, bounds)
  if (!operations.ok) return malformed(operations.faults)
  const document = documentOf(stored)
  if (!document)
    return notApplicable([{ sentence: 'The stored resource cannot be written as XML: send another patch.' }])
  const owned = ownedIn(document)
  const applied = applyEach(document, operations.value, (document, operation) => {
    apply(document, operation, 4 * bounds.nesting)
    if (document.content.length !== 1)
      throw new NotApplicable('The resource itself cannot be removed or get a sibling.')
    if (ownedIn(document) !== owned) throw new NotApplicable(serverOwned)
    return document
  })
  return applied.ok ? readResult(writeXmlElement(document.content[0]!), 'xml', definitions, bounds, stored) : applied
}

/** An element that stands for the document; undefined for what JSON can say and XML cannot. */
function documentOf(stored: Resource): XmlElement | undefined {
  let text: string
  try {
    text = writeXml(stored)
  } catch {
    return undefined
  }
  const builder = new XmlTreeBuilder()
  const refuse = (sentence: string): never => {
    throw new Error(`A stored resource is written as XML that cannot be read: ${sentence}`)
  }
  readXml(text, Infinity, {
    open: (tag) => {
      const fault = builder.open(tag)
      if (fault !== undefined) refuse(fault)
    },
    close: () => builder.close(),
    text: (text) => builder.text(text),
    refuse,
  })
  return { name: '', attributes: new Map(), content: builder.roots, narrative: undefined }
}

/** Changes the document. */
function apply(document: XmlElement, operation: Operation, depth: number): void {
  const selected = select(document, operation.selector, operation.namespaces, depth)
  guard(selected, operation)
  switch (operation.kind) {
    case 'add':
      return operation.type === undefined ? addElements(selected, operation) : addAttribute(selected, operation)
    case 'replace':
      return selected.attribute === undefined
        ? replaceElement(selected, operation)
        : replaceAttribute(selected, selected.attribute, operation)
    case 'remove': {
      if (selected.attribute === undefined) exchange(selected)
      else if (!selected.element.attributes.delete(selected.attribute)) throw new NotApplicable(noAttribute)
    }
  }
}

function addElements({ element, within, attribute }: Selected, { position, elements }: Operation): void {
  if (attribute !== undefined) throw new NotApplicable('Elements cannot be added to an attribute.')
  if (position === 'before' || position === 'after') {
    const siblings = within.at(-1)!.content
    siblings.splice(siblings.indexOf(element) + (position === 'after' ? 1 : 0), 0, ...elements)
    return
  }
  if (element.narrative !== undefined) throw new NotApplicable(wholeOnly)
  element.content.splice(position === 'prepend' ? 0 : element.content.length, 0, ...elements)
}

function addAttribute({ element, attribute }: Selected, { type, text }: Operation): void {
  const name = readAttribute(type ?? '')
  if (name === undefined || attribute !== undefined) {
    throw new NotApplicable('Only @value, @url and @id can be added by type, and only to an element.')
  }
  if (element.narrative !== undefined) throw new NotApplicable(wholeOnly)
  if (element.attributes.has(name)) throw new NotApplicable('The attribute is there already: replace it.')
  element.attributes.set(name, text)
}

function replaceElement(selected: Selected, { elements, text }: Operation): void {
  if (elements.length !== 1 || !isBlank(text)) throw new NotApplicable('An element is replaced by one element.')
  exchange(selected, elements[0])
}

function replaceAttribute({ element }: Selected, attribute: string, { elements, text }: Operation): void {
  if (elements.length > 0) throw new NotApplicable('An attribute is replaced by a text.')
  if (!element.attributes.has(attribute)) throw new NotApplicable(noAttribute)
  element.attributes.set(attribute, text)
}

function exchange({ element, within }: Selected, ...by: readonly (XmlElement | undefined)[]): void {
  const siblings = within.at(-1)!.content
  siblings.splice(siblings.indexOf(element), 1, ...by.filter((other) => other !== undefined))
}

const noAttribute = 'Its selector leads to no attribute of the resource.'
const wholeOnly = 'A narrative can only be replaced or removed whole.'

function guard({ element, within }: Selected, { position }: Operation): void {
  // What is put beside an element does not touch it.
  if (position === 'before' || position === 'after') return
  const names = [...within, element].slice(2).map(({ name }) => name)
  if (isServerOwned(names)) throw new NotApplicable(serverOwned)
}

/** What belongs to the server, in a form that can be compared. */
function ownedIn(document: XmlElement): string {
  const valuesOf = (elements: readonly XmlElement[], name: string) =>
    elements.flatMap(({ content }) => content.filter((child) => child.name === name)).map(valueOf)
  const metas = document.content.flatMap(({ content }) => content.filter(({ name }) => name === 'meta'))
  return JSON.stringify([
    document.content.map(({ name }) => name),
    valuesOf(document.content, 'id'),
    valuesOf(metas, 'versionId'),
    valuesOf(metas, 'lastUpdated'),
  ])
}

const valueOf = ({ attributes }: XmlElement): string | null => attributes.get('value') ?? null
