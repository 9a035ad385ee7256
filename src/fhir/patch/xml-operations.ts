/** The operations of an XML Patch, read from its `diff`. https://www.rfc-editor.org/rfc/rfc5261#section-4 */
import type { SaxesTagNS } from 'saxes'
import { type Parsed, faulty } from '../fault.ts'
import { type Faults, collect, tagsBound } from '../reading.ts'
import { unspeakableAt } from '../unicode.ts'
import { type XmlEvents, fhirNamespace, isDeclaration, readXml } from '../xml-text.ts'
import { type PatchBounds, aboutOperation, operationsBound } from './patched.ts'
import type { Namespaces } from './xml-selector.ts'
import { type XmlElement, XmlTreeBuilder, isBlank } from './xml-tree.ts'

export interface Operation {
  readonly kind: 'add' | 'replace' | 'remove'
  readonly selector: string
  readonly namespaces: Namespaces
  /** Of an add: where the elements go, after the last child when undefined. */
  readonly position: string | undefined
  /** Of an add: what is added when it is no element, `@value`. */
  readonly type: string | undefined
  readonly elements: readonly XmlElement[]
  /** The value of an attribute; blank where elements are added. */
  readonly text: string
}

/** Reads all operations, or says what is wrong; what is no XML, or holds foreign content, has one fault. */
export function readOperations(text: string, bounds: PatchBounds): Parsed<readonly Operation[]> {
  if (text.charCodeAt(0) === 0xfeff || unspeakableAt(text) >= 0) {
    return faulty({ sentence: 'The XML holds a character that is not allowed in it.' })
  }
  return collect((faults) => {
    const reader = new OperationsReader(faults, operationsBound(bounds), tagsBound(bounds))
    // Around the elements there are the two tags of the patch itself.
    readXml(text, 2 * bounds.nesting + 2, reader)
    return reader.operations
  }, bounds.elements)
}

const attributesOf: ReadonlyMap<string, readonly string[]> = new Map([
  ['add', ['sel', 'pos', 'type']],
  ['replace', ['sel']],
  ['remove', ['sel']],
])

class OperationsReader implements XmlEvents {
  readonly faults: Faults
  readonly bound: number
  /** How many tags may still come. */
  tags: number
  readonly operations: Operation[] = []
  depth = 0
  /** Namespaces in scope in the diff, and its own. */
  outer: Namespaces = new Map()
  own = ''
  tag: SaxesTagNS | undefined
  builder = new XmlTreeBuilder()
  value = ''

  constructor(faults: Faults, bound: number, tags: number) {
    this.faults = faults
    this.bound = bound
    this.tags = tags
  }

  refuse(sentence: string, line: number): never {
    return this.faults.stop(`${sentence} (line ${line})`)
  }

  open(tag: SaxesTagNS): void {
    this.tags -= 1
    if (this.tags < 0) this.faults.enough()
    this.depth += 1
    if (this.depth === 1) this.#openDiff(tag)
    else if (this.depth === 2) this.#openOperation(tag)
    else this.#stopAt(this.builder.open(tag))
  }

  close(): void {
    if (this.depth === 2) this.#closeOperation()
    else if (this.depth > 2) this.builder.close()
    this.depth -= 1
  }

  text(text: string): void {
    if (this.depth > 2) this.#stopAt(this.builder.text(text))
    else if (this.depth === 2) this.value += text
    else if (!isBlank(text)) this.faults.stop('Between the operations of an XML Patch there is no text.')
  }

  #openDiff(tag: SaxesTagNS): void {
    if (tag.local !== 'diff' || (tag.uri !== '' && tag.uri !== fhirNamespace)) {
      this.faults.stop('The body is no XML Patch: that is a diff.')
    }
    for (const attribute of Object.values(tag.attributes)) {
      if (!isDeclaration(attribute)) this.faults.stop('The diff has no attributes but declarations of namespaces.')
    }
    this.own = tag.uri
    this.outer = declaredIn(tag, this.outer)
  }

  #openOperation(tag: SaxesTagNS): void {
    if (this.operations.length === this.bound) this.faults.stop('The patch has too many operations.')
    const known = attributesOf.get(tag.local)
    if (!known || tag.uri !== this.own) this.#stopAt('An operation must be add, replace or remove.')
    for (const attribute of Object.values(tag.attributes)) {
      if (isDeclaration(attribute)) continue
      if (!known!.includes(attribute.name))
        this.#stopAt(`The operation ${tag.local} may only have ${known!.join(', ')}.`)
    }
    this.tag = tag
    this.builder = new XmlTreeBuilder()
    this.value = ''
  }

  #closeOperation(): void {
    const tag = this.tag!
    const attribute = (name: string) => tag.attributes[name]?.value
    const operation: Operation = {
      kind: tag.local as Operation['kind'],
      selector: attribute('sel') ?? '',
      namespaces: declaredIn(tag, this.outer),
      position: attribute('pos'),
      type: attribute('type'),
      elements: this.builder.roots,
      text: this.value,
    }
    const fault = faultOf(operation)
    if (fault !== undefined) this.faults.add(undefined, aboutOperation(this.operations.length, fault))
    this.operations.push(operation)
  }

  #stopAt(fault: string | undefined): void {
    if (fault !== undefined) this.faults.stop(aboutOperation(this.operations.length, fault))
  }
}

function faultOf({ kind, selector, position, type, elements, text }: Operation): string | undefined {
  if (selector === '') return `The operation ${kind} needs a sel.`
  if (kind === 'remove' && (elements.length > 0 || !isBlank(text))) return 'The operation remove has no content.'
  if (elements.length > 0 && !isBlank(text)) return 'Elements and text may not stand beside each other.'
  if (kind !== 'add') return undefined
  if (position !== undefined && !['prepend', 'before', 'after'].includes(position)) {
    return 'The attribute pos must be prepend, before or after.'
  }
  if (type !== undefined) {
    return elements.length > 0 || position !== undefined ? 'An add with type has a text and no pos.' : undefined
  }
  return elements.length === 0 ? 'The operation add needs elements to add.' : undefined
}

function declaredIn(tag: SaxesTagNS, outer: Namespaces): Namespaces {
  const namespaces = new Map(outer)
  for (const attribute of Object.values(tag.attributes)) {
    if (isDeclaration(attribute)) namespaces.set(attribute.prefix === '' ? '' : attribute.local, attribute.value)
  }
  return namespaces
}
