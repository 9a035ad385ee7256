/** The straight way from FHIR JSON to the element tree: one pass, for a text with nothing wrong and nothing rare in it. */
import type { ChildDefinition, Definitions } from './definitions.ts'
import type { Children, Element, Resource, Value } from './element.ts'
import { type Bounds, lexicalFault, noChildren } from './reading.ts'
import { notStraight, StraightReader, straightOnly } from './straight-reader.ts'
import { unspeakableAt } from './unicode.ts'
import { pastWhiteSpace } from './white-space.ts'

/**
 * Reads a resource as `parseJson` does, or gives undefined where that one has to look: what is wrong, and what is right
 * but rare (`_x`, elements that FHIR does not define, a resourceType that does not come first). It takes nothing that it does
 * not know to be sound, and has no words for what is not.
 *
 * What stands at the root of the resource, object by object, is taken over from `like` where its text is that of `like` to the
 * letter: an update has most of its text from the version that it changes. The judge sees by one glance that it is the same.
 *
 * It is a second reader because most of the time of an update went to reading: 25 µs instead of 60 for a Flag of 3 KB.
 * With `like` it is 6. test/unit/fhir/json-straight.test.ts and the fuzzer of bodies hold it against the thorough one.
 *
 * @param like another resource, or another version of it; nothing is taken from one that other definitions or bounds have read
 */
export function readJsonStraight(
  text: string,
  definitions: Definitions,
  bounds: Bounds,
  like?: Resource,
): Resource | undefined {
  return straightOnly(() => new StraightJsonReader(text, definitions, bounds).document(like))
}

const booleans = { true: { kind: 'boolean', text: 'true' }, false: { kind: 'boolean', text: 'false' } } as const
const digits = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
/** What makes a text one in which a string does not simply end at the next quote. */
// oxlint-disable-next-line no-control-regex
const uneven = /[\u0000-\u001f\\\ud800-\udfff\ufffe\uffff]/

type ObjectElement = Pick<Element, 'resource' | 'children'> & { readonly type: string; readonly definition: string }

class StraightJsonReader extends StraightReader {
  /** No string of it holds an escape or a control character. */
  readonly even: boolean
  /** White space has been met. */
  spaces = false

  constructor(text: string, definitions: Definitions, bounds: Bounds) {
    super(text, 'json', definitions, bounds)
    this.even = !uneven.test(text)
    if (!this.even && unspeakableAt(text) >= 0) throw notStraight
  }

  document(like: Resource | undefined): Resource {
    this.expect(0x7b)
    const resource = this.resource(1, like)
    this.space()
    if (this.at < this.text.length) throw notStraight
    return resource
  }

  /** After its opening bracket. */
  resource(depth: number, like?: Resource): Resource {
    this.expect(0x22)
    if (this.string() !== 'resourceType') throw notStraight
    this.expect(0x3a)
    this.expect(0x22)
    const type = this.string()
    if (!this.definitions.isResource(type)) throw notStraight
    const children = new Map<string, Children>()
    if (this.took(0x2c)) this.members(children, type, depth, like?.type === type ? like : undefined)
    else this.expect(0x7d)
    // In a resource it is no element, also where its type has one of that name.
    if (children.has('resourceType')) throw notStraight
    return this.soundResource(type, children)
  }

  /** One member at least, and the closing bracket. */
  members(children: Map<string, Children>, definition: string, depth: number, like?: Element): void {
    if (depth >= this.nesting) throw notStraight
    const table = this.definitions.children(definition)
    let chosen: Set<string> | undefined
    do {
      this.expect(0x22)
      const name = this.string()
      const child = table?.get(name)
      if (!child || children.has(name)) throw notStraight
      chosen = this.choose(chosen, child, name)
      this.expect(0x3a)
      const known = like?.children.get(name)?.items
      children.set(
        name,
        child.repeats
          ? this.list(child, depth + 1, known)
          : { list: false, items: [this.item(child, depth + 1, known?.[0])] },
      )
    } while (this.took(0x2c))
    this.expect(0x7d)
  }

  list(child: ChildDefinition, depth: number, like?: readonly Element[]): Children {
    this.expect(0x5b)
    const items: Element[] = []
    do items.push(this.item(child, depth, like?.[items.length]))
    while (this.took(0x2c))
    this.expect(0x5d)
    return { list: true, items }
  }

  item(child: ChildDefinition, depth: number, like: Element | undefined): Element {
    const { type, definition, kind } = child
    if (kind !== undefined) {
      this.count(1, 0)
      return { type, definition, resource: false, value: this.value(type, kind), children: noChildren }
    }
    this.expect(0x7b)
    const start = this.at - 1
    if (this.tookOver(like, start)) return like
    const before = { elements: this.elements, tags: this.tags }
    this.count(1, 0)
    const element = this.definitions.holdsResource(type) ? this.resource(depth) : this.object(child, depth)
    // Whatever else can be written in two ways (`_x`, the order of resourceType) is not read here.
    return depth > 2 ? element : this.toTakeOver(element, start, before, this.even && !this.spaces)
  }

  object({ type, definition }: ChildDefinition, depth: number): ObjectElement & Element {
    const children = new Map<string, Children>()
    this.members(children, definition, depth)
    return { type, definition, resource: false, value: undefined, children }
  }

  value(type: string, kind: Value['kind']): Value {
    this.space()
    if (kind === 'string') {
      this.expect(0x22)
      const text = this.string()
      if (text === '') throw notStraight
      return { kind, text }
    }
    if (kind === 'boolean') {
      const isTrue = this.text.startsWith('true', this.at)
      if (!isTrue && !this.text.startsWith('false', this.at)) throw notStraight
      this.at += isTrue ? 4 : 5
      return isTrue ? booleans.true : booleans.false
    }
    digits.lastIndex = this.at
    if (!digits.test(this.text)) throw notStraight
    const text = this.text.slice(this.at, digits.lastIndex)
    this.at = digits.lastIndex
    if (lexicalFault(this.definitions, type, text) !== undefined) throw notStraight
    return { kind, text }
  }

  /** After its opening quote. */
  string(): string {
    const { text, at } = this
    let end = at
    if (this.even) {
      end = text.indexOf('"', at)
      if (end < 0) throw notStraight
      this.at = end + 1
      return text.slice(at, end)
    }
    let escaped = false
    for (;;) {
      const code = text.charCodeAt(end)
      if (code === 0x22) break
      // Written so that NaN, the end of the text, ends it.
      if (!(code >= 0x20)) throw notStraight
      if (code === 0x5c) escaped = true
      end += code === 0x5c ? 2 : 1
    }
    this.at = end + 1
    return escaped ? unescaped(text.slice(at - 1, end + 1)) : text.slice(at, end)
  }

  space(): void {
    const at = pastWhiteSpace(this.text, this.at)
    if (at > this.at) this.spaces = true
    this.at = at
  }

  took(code: number): boolean {
    if (this.text.charCodeAt(this.at) !== code) {
      this.space()
      if (this.text.charCodeAt(this.at) !== code) return false
    }
    this.at += 1
    return true
  }

  expect(code: number): void {
    if (!this.took(code)) throw notStraight
  }
}

function unescaped(quoted: string): string {
  let value: string
  try {
    value = JSON.parse(quoted) as string
  } catch {
    throw notStraight
  }
  if (unspeakableAt(value) >= 0) throw notStraight
  return value
}
