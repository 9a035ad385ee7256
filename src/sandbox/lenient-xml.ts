import { NarrativeText } from '../fhir/narrative.ts'
import { type XmlEvents, fhirNamespace, isDeclaration, readXml, xhtmlNamespace } from '../fhir/xml-text.ts'
import type { Plain } from './lenient.ts'

/** More than any record has. */
const mostTagsOpen = 1000

/**
 * Reads FHIR XML as HAPI does, not as the gateway does, into the values that FHIR JSON would have; every element
 * becomes a list, in whatever order they stand.
 * @throws {SyntaxError} when it is not well-formed XML, or not FHIR's
 */
export function readXmlAsPlain(text: string): Plain {
  const reader = new PlainReader()
  readXml(text, mostTagsOpen, reader)
  return reader.root
}

interface Open {
  readonly name: string
  /** `x` and `_x`, item by item, as in FHIR JSON. */
  readonly members: Record<string, Plain[] | string>
  value: string | undefined
}

class PlainReader implements XmlEvents {
  root: Plain
  readonly #open: Open[] = []
  #narrative: NarrativeText | undefined

  open(tag: Parameters<XmlEvents['open']>[0]): void {
    if (!this.#narrative && tag.uri === xhtmlNamespace) {
      this.#narrative = new NarrativeText()
      this.#open.push({ name: tag.local, members: {}, value: undefined })
    }
    if (this.#narrative) {
      if (this.#narrative.open(tag) !== undefined) this.refuse('This is no narrative.')
      return
    }
    if (tag.uri !== fhirNamespace) this.refuse('This is not in the namespace of FHIR.')
    const element: Open = { name: tag.local, members: {}, value: undefined }
    for (const attribute of Object.values(tag.attributes)) {
      if (isDeclaration(attribute)) continue
      if (attribute.local === 'value') element.value = attribute.value
      else element.members[attribute.local] = [attribute.value]
    }
    this.#open.push(element)
  }

  close(): void {
    const narrative = this.#narrative?.close()
    if (this.#narrative && narrative === undefined) return
    this.#narrative = undefined
    const { name, members, value = narrative } = this.#open.pop()!
    const outer = this.#open.at(-1)
    if (isResource(name)) {
      members['resourceType'] = name
      if (outer) Object.assign(outer.members, members)
      else this.root = members
    } else if (outer) {
      append(outer.members, name, value ?? members)
      append(outer.members, `_${name}`, members)
    }
  }

  text(text: string): void {
    this.#narrative?.text(text)
  }

  refuse(sentence: string): never {
    throw new SyntaxError(sentence)
  }
}

/** Types of resources begin with a capital, names of elements never do. */
function isResource(name: string): boolean {
  return /^[A-Z]/.test(name)
}

function append(members: Open['members'], name: string, item: Plain): void {
  const items = members[name]
  if (Array.isArray(items)) items.push(item)
  else members[name] = [item]
}
