/** What the straight readers of FHIR JSON and FHIR XML share: bounds, what is taken over, the rules that hold in both formats. */
import type { ChildDefinition, Definitions } from './definitions.ts'
import type { Children, Element, Resource } from './element.ts'
import { type ReadBy, ReadElement, standingAt } from './read-element.ts'
import { type Bounds, Faults, checkResource, tagsBound, type Place } from './reading.ts'

class NotStraight extends Error {}

/** Thrown by a straight reader where the thorough one has to look. Made once: a stack for each would cost more than the reading. */
export const notStraight = new NotStraight('To be read thoroughly.')

/** What was read straight; undefined where that cannot be. */
export function straightOnly<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error === notStraight) return undefined
    throw error
  }
}

const nowhere: Place = { parent: undefined, name: '', index: undefined }

export class StraightReader {
  readonly text: string
  readonly definitions: Definitions
  readonly nesting: number
  /** For the elements that it reads. */
  readonly by: ReadBy
  at = 0
  /** How many elements have come, and how many tags of XML. */
  elements = 0
  tags = 0
  readonly mostElements: number
  readonly mostTags: number

  constructor(text: string, format: ReadBy['format'], definitions: Definitions, bounds: Bounds) {
    this.text = text
    this.definitions = definitions
    this.nesting = bounds.nesting
    this.by = { format, definitions, nesting: bounds.nesting }
    this.mostElements = bounds.elements ?? Infinity
    this.mostTags = tagsBound(bounds)
  }

  count(elements: number, tags: number): void {
    this.elements += elements
    this.tags += tags
    if (this.elements > this.mostElements || this.tags > this.mostTags) throw notStraight
  }

  /** Whether an element that has been read before stands at `start`, to the letter; then it has been read again. */
  tookOver(like: Element | undefined, start: number): like is Element {
    const standing = like && standingAt(start, this.text, like, this.by)
    if (!standing) return false
    this.count(standing.elements, standing.tags)
    this.at = start + standing.text.length
    return true
  }

  /** An element that has been read from `start` to here, which another reading may take over. */
  toTakeOver(
    element: Element,
    start: number,
    before: { readonly elements: number; readonly tags: number },
    asWritten: boolean,
  ): ReadElement {
    return new ReadElement(element, {
      by: this.by,
      text: this.text.slice(start, this.at),
      elements: this.elements - before.elements,
      tags: this.tags - before.tags,
      asWritten,
    })
  }

  /** As `choose` of the thorough reader has it. */
  choose(chosen: Set<string> | undefined, { element }: ChildDefinition, name: string): Set<string> | undefined {
    if (element === name) return chosen
    if (chosen?.has(element)) throw notStraight
    return (chosen ?? new Set()).add(element)
  }

  soundResource(type: string, children: ReadonlyMap<string, Children>): Resource {
    const resource: Resource = { type, definition: type, resource: true, value: undefined, children }
    const faults = new Faults()
    checkResource(resource, nowhere, faults)
    if (faults.list.length > 0) throw notStraight
    return resource
  }
}
