import type { BaseUrls } from './base-urls.ts'
import {
  closeBrace,
  closeBracket,
  colon,
  comma,
  endOfStretch,
  isEndOfScalar,
  isSpace,
  isWhole,
  notJson,
  openBrace,
  openBracket,
  quote,
  stringAt,
  utf8,
  type Stretch,
} from './json-bytes.ts'
import type { Places } from './rewrite-places.ts'

/**
 * Puts the gateway's base in the place of the upstream's where a server writes URLs of its own; not a byte more. It takes a
 * text in UTF-8 as it comes, in parts that may end anywhere, and holds of it only what is not decided yet.
 */
export interface JsonRewriter {
  /**
   * Gives what of the text so far can go on: stretches of the parts, and what comes between them. Who gathers them joins them
   * once.
   * @throws {SyntaxError} when it is not JSON where URLs are looked for, or what has to be held is larger than the bound
   */
  push(part: Buffer): readonly Buffer[]
  /** @throws {SyntaxError} when the text has not ended. */
  end(): void
}

/** The same for a whole text. @throws {SyntaxError} as above */
export function rewriteJson(bytes: Buffer, urls: BaseUrls, places: Places): Buffer {
  const rewriter = jsonRewriter(urls, places, Infinity)
  const result = rewriter.push(bytes)
  rewriter.end()
  return Buffer.concat(result)
}

/** A container in which there may be something to rewrite, further down at least. */
interface Frame {
  readonly isObject: boolean
  /** Where in it; undefined in a resource of which only the type is known to come next. */
  places: Places | undefined
  /** Of such a resource, by its type. */
  readonly resources: Places['resources']
  /** Of the member that is read. */
  member: Places | 'type' | undefined
}

/** What is read at the moment: a token or a stretch that may go on in the next part. */
type Reading = 'nothing' | 'skipped' | 'name' | 'type' | 'place' | 'untyped' | 'scalar'
type Expected = 'value' | 'value-or-end' | 'name' | 'name-or-end' | 'colon' | 'comma-or-end' | 'nothing'

const maxDepth = 200
const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/

/**
 * @param places where URLs stand in the text
 * @param maxHeld the most that is held, in bytes: a URL, or a resource whose type does not stand first
 */
export function jsonRewriter(urls: BaseUrls, places: Places, maxHeld: number): JsonRewriter {
  let bytes: Buffer = Buffer.alloc(0)
  let at = 0
  /** Everything before has been given out; behind it stands what is held, or not read. */
  let given = 0
  /** Where the token that is read begins, and from where on nothing may be given out: -1 when all may. */
  let [start, held] = [0, -1]
  let reading: Reading = 'nothing'
  let expected: Expected = 'value'
  let out: Buffer[] = []
  /** The places in a resource that is held whole, by its type. */
  let untyped: Places['resources']
  const frames: Frame[] = []

  /** Of what is skipped, or of a string. */
  const stretch: Stretch = { depth: 0, isInString: false, isEscaped: false }

  /** Goes behind the end of a string or of what is skipped, if that has come. */
  const endStretch = (): boolean => {
    at = endOfStretch(bytes, at, stretch)
    return isWhole(stretch)
  }
  const endScalar = (): boolean => {
    while (at < bytes.length && !isEndOfScalar(bytes[at]!)) at++
    return at < bytes.length
  }

  const begin = (what: Reading) => {
    reading = what
    start = at
    if (what !== 'skipped' && held < 0) held = at
  }
  const beginString = (what: Reading) => {
    begin(what)
    at++
    stretch.depth = 0
    stretch.isInString = true
  }
  const beginSkipped = () => {
    begin('skipped')
    stretch.isInString = bytes[at] === quote
    stretch.depth = stretch.isInString ? 0 : 1
    at++
  }
  const afterValue = () => {
    held = -1
    expected = frames.length === 0 ? 'nothing' : 'comma-or-end'
  }
  const replace = (from: number, replacement: Buffer) => {
    out.push(bytes.subarray(given, from), replacement)
    given = at
  }
  /** The places of the value that comes, by where it stands. */
  const placesOfValue = (): Places | 'type' | undefined => {
    const frame = frames.at(-1)
    return !frame ? places : frame.isObject ? frame.member : frame.places
  }
  const placeOfValue = () => {
    const inside = placesOfValue()
    return typeof inside === 'object' ? inside.place : undefined
  }
  const open = (isObject: boolean, inside: Places | undefined, resources?: Places['resources']) => {
    if (frames.length === maxDepth) notJson()
    frames.push({ isObject, places: inside, resources, member: undefined })
    expected = isObject ? 'name-or-end' : 'value-or-end'
    at++
  }

  const beginValue = (code: number) => {
    const inside = placesOfValue()
    if (frames.length === 0 && code !== openBrace) notJson()
    if (inside === 'type') {
      if (code === quote) return beginString('type')
      frames.at(-1)!.places = {}
    }
    const reaches = typeof inside === 'object' ? inside : undefined
    if (code === quote) return reaches?.place ? beginString('place') : beginSkipped()
    if (code === openBrace) {
      if (reaches?.resources) {
        // Held until its first member is known to be the type.
        if (held < 0) held = at
        return open(true, undefined, reaches.resources)
      }
      return reaches?.members || reaches?.others ? open(true, reaches) : beginSkipped()
    }
    if (code === openBracket) return reaches ? open(false, reaches) : beginSkipped()
    return begin('scalar')
  }

  /** What has been read as a whole. */
  const take = () => {
    const what = reading
    reading = 'nothing'
    const frame = frames.at(-1)
    switch (what) {
      case 'name':
        return takeName(frame!, stringAt(bytes, start, at))
      case 'type': {
        const inside = frame!.resources!.get(stringAt(bytes, start, at))
        held = -1
        if (inside) {
          frame!.places = inside
          return afterValue()
        }
        // Nothing in it is the server's own: neither its members nor what is in them need be told apart.
        frames.pop()
        begin('skipped')
        stretch.depth = 1
        return
      }
      case 'place': {
        const replacement = replacementOf(start, at)
        if (replacement) replace(start, replacement)
        return afterValue()
      }
      case 'untyped': {
        const whole = bytes.subarray(start, at)
        const { resourceType } = JSON.parse(utf8(whole)) as { resourceType?: unknown }
        const inside = typeof resourceType === 'string' ? untyped?.get(resourceType) : undefined
        if (inside) replace(start, rewriteJson(whole, urls, inside))
        return afterValue()
      }
      case 'scalar':
        if (!scalar.test(bytes.toString('latin1', start, at))) notJson()
        return afterValue()
      default:
        return afterValue()
    }
  }
  const takeName = (frame: Frame, name: string) => {
    expected = 'colon'
    if (frame.places) {
      held = -1
      frame.member = frame.places.members?.get(name) ?? frame.places.others
    } else if (name === 'resourceType') {
      held = -1
      frame.member = 'type'
    } else {
      untyped = frames.pop()!.resources
      reading = 'untyped'
      start = held
      stretch.depth = 1
    }
  }
  /** What comes in the place of a string; undefined: it stays. */
  const replacementOf = (from: number, to: number): Buffer | undefined => {
    const token = bytes.toString('latin1', from, to)
    // Where nothing is escaped, the text itself shows whether there is anything to do.
    if (!token.includes('\\') && !token.includes(urls.upstream)) return undefined
    const before = stringAt(bytes, from, to)
    const after = placeOfValue() === 'url' ? urls.url(before) : urls.inText(before)
    return after === before ? undefined : Buffer.from(JSON.stringify(after))
  }

  /** Goes on until the text at hand is used up. */
  const advance = () => {
    for (;;) {
      if (reading !== 'nothing') {
        if (!(reading === 'scalar' ? endScalar() : endStretch())) return
        take()
        continue
      }
      while (at < bytes.length && isSpace(bytes[at]!)) at++
      if (at === bytes.length) return
      step(bytes[at]!)
    }
  }
  const step = (code: number) => {
    const frame = frames.at(-1)
    const isEnd = frame && code === (frame.isObject ? closeBrace : closeBracket)
    switch (expected) {
      case 'value-or-end':
      case 'name-or-end':
      case 'comma-or-end':
        if (isEnd) {
          frames.pop()
          at++
          return afterValue()
        }
        break
      default:
    }
    switch (expected) {
      case 'value':
      case 'value-or-end':
        return beginValue(code)
      case 'name':
      case 'name-or-end':
        return code === quote ? beginString('name') : notJson()
      case 'colon':
        if (code !== colon) notJson()
        at++
        expected = 'value'
        return
      case 'comma-or-end':
        if (code !== comma) notJson()
        at++
        expected = frame!.isObject ? 'name' : 'value'
        return
      case 'nothing':
        return notJson()
    }
  }

  return {
    push(part) {
      const kept = bytes.subarray(given)
      at -= given
      start -= given
      if (held >= 0) held -= given
      given = 0
      bytes = kept.length === 0 ? part : Buffer.concat([kept, part])
      out = []
      advance()
      const until = held < 0 ? at : held
      if (bytes.length - until > maxHeld) notJson()
      if (until > given) out.push(bytes.subarray(given, until))
      given = until
      return out
    },
    end() {
      if (expected !== 'nothing' || reading !== 'nothing') notJson()
    },
  }
}
