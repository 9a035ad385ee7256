import type { Definitions } from './definitions.ts'
import type { Children, Element, Value } from './element.ts'
import type { Format } from './media-type.ts'

/** What an element was read by: it is the same for these only. */
export interface ReadBy {
  readonly format: Format
  readonly definitions: Definitions
  readonly nesting: number
}

/** The text that an element was read from. */
export interface ElementText {
  readonly by: ReadBy
  readonly text: string
  /** How many elements it is, those within it included. */
  readonly elements: number
  /** How many tags it takes in XML; 0 in JSON. */
  readonly tags: number
  /** The text is the one that the writer would write. */
  readonly asWritten: boolean
}

/**
 * An element at the root of a resource, with the text that it was read from. The text is private, so that no changed copy of
 * the element (`{ ...element, children }`) can have it.
 */
export class ReadElement implements Element {
  readonly type: string | undefined
  readonly definition: string | undefined
  readonly resource: boolean
  readonly value: Value | undefined
  readonly children: ReadonlyMap<string, Children>
  readonly #read: ElementText

  constructor({ type, definition, resource, value, children }: Element, read: ElementText) {
    this.type = type
    this.definition = definition
    this.resource = resource
    this.value = value
    this.children = children
    this.#read = read
  }

  static textOf(element: Element): ElementText | undefined {
    return #read in element ? element.#read : undefined
  }
}

/** The text of an element as the writer of the format has it, where it was read from just that; undefined elsewhere. */
export function writtenText(element: Element, format: Format): string | undefined {
  const read = ReadElement.textOf(element)
  return read?.by.format === format && read.asWritten ? read.text : undefined
}

/** The text of an element, if it stands at this place of a text that is read by the same. */
export function standingAt(at: number, text: string, element: Element, by: ReadBy): ElementText | undefined {
  const read = ReadElement.textOf(element)
  if (!read || !isReadAlike(read.by, by)) return undefined
  // Two slices are compared in an instant; startsWith goes from character to character.
  return text.slice(at, at + read.text.length) === read.text ? read : undefined
}

const isReadAlike = (a: ReadBy, b: ReadBy) =>
  a.format === b.format && a.definitions === b.definitions && a.nesting === b.nesting
