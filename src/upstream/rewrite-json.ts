import { isUtf8 } from 'node:buffer'
import type { BaseUrls } from './base-urls.ts'
import { placesIn, type Places } from './rewrite-places.ts'

/**
 * Puts the gateway's base in the place of the upstream's where a server writes URLs of its own; not a byte more. It takes a
 * text as it comes, in parts that may end anywhere, and holds of it only what is not decided yet.
 *
 * Characters stand for bytes here (latin1): what JSON is made of is ASCII, and no byte of a longer UTF-8 sequence is.
 */
export interface JsonRewriter {
  /**
   * Gives what of the text so far can go on.
   * @throws {SyntaxError} when it is not JSON where URLs are looked for, or what has to be held is larger than the bound
   */
  push(part: string): string
  /** @throws {SyntaxError} when the text has not ended. */
  end(): void
}

/** The same for a whole text, in UTF-8. @throws {SyntaxError} as above */
export function rewriteJson(bytes: Buffer, urls: BaseUrls): Buffer {
  return Buffer.from(rewritten(bytes.toString('latin1'), urls, undefined), 'latin1')
}

function rewritten(text: string, urls: BaseUrls, places: Places | undefined): string {
  const rewriter = jsonRewriter(urls, Infinity, places)
  const result = rewriter.push(text)
  rewriter.end()
  return result
}

/** A container in which there may be something to rewrite, further down at least. */
interface Frame {
  readonly isObject: boolean
  /** Where in it; undefined in a resource of which only the type is known to come next. */
  places: Places | undefined
  /** Of the member that is read. */
  member: Places | 'type' | undefined
}

/** What is read at the moment: a token or a stretch that may go on in the next part. */
type Reading = 'nothing' | 'skipped' | 'name' | 'type' | 'place' | 'untyped' | 'scalar'
type Expected = 'value' | 'value-or-end' | 'name' | 'name-or-end' | 'colon' | 'comma-or-end' | 'nothing'

const maxDepth = 200
const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/
const quote = '"'.charCodeAt(0)
const backslash = '\\'.charCodeAt(0)
const openBrace = '{'.charCodeAt(0)
const closeBrace = '}'.charCodeAt(0)
const openBracket = '['.charCodeAt(0)
const closeBracket = ']'.charCodeAt(0)
const comma = ','.charCodeAt(0)
const colon = ':'.charCodeAt(0)

const isSpace = (code: number) => code === 32 || code === 10 || code === 13 || code === 9
const isEndOfScalar = (code: number) => isSpace(code) || code === comma || code === closeBrace || code === closeBracket

function fail(): never {
  throw new SyntaxError('Not JSON as a FHIR server writes it.')
}

const parsed = (token: string) => JSON.parse(utf8(token)) as string

function utf8(token: string): string {
  const bytes = Buffer.from(token, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : fail()
}

/**
 * @param maxHeld the most that is held, in bytes: a URL, or a resource whose type does not stand first
 * @param places where URLs stand in the text; undefined: it is a resource, and they are where its type has them
 */
export function jsonRewriter(urls: BaseUrls, maxHeld: number, places?: Places): JsonRewriter {
  let text = ''
  let at = 0
  /** Everything before has been given out; behind it stands what is held, or not read. */
  let given = 0
  /** Where the token that is read begins, and from where on nothing may be given out: -1 when all may. */
  let [start, held] = [0, -1]
  let reading: Reading = 'nothing'
  let expected: Expected = 'value'
  let out = ''
  const frames: Frame[] = []
  const root: Places = places ?? { resource: true }

  // Of what is skipped, or of a string:
  let depth = 0
  let isInString = false
  let isEscaped = false

  /** Goes behind the end of a string, if that has come. */
  const endString = (): boolean => {
    if (isEscaped && at < text.length) {
      at++
      isEscaped = false
    }
    for (let end = text.indexOf('"', at); end >= 0; end = text.indexOf('"', at)) {
      const escapes = escapesBefore(end)
      at = end + 1
      if (escapes % 2 === 0) {
        isInString = false
        return true
      }
    }
    if (at < text.length) isEscaped = escapesBefore(text.length) % 2 === 1
    at = text.length
    return false
  }
  const escapesBefore = (end: number) => {
    let first = end
    while (first > at && text.charCodeAt(first - 1) === backslash) first--
    return end - first
  }
  /** Goes behind what is skipped, if its end has come. Where nothing is rewritten, brackets and strings are all that counts. */
  const endSkipped = (): boolean => {
    for (;;) {
      if (isInString && !endString()) return false
      if (depth === 0) return true
      while (!isInString && depth > 0) {
        if (at === text.length) return false
        switch (text.charCodeAt(at++)) {
          case quote:
            isInString = true
            break
          case openBrace:
          case openBracket:
            depth++
            break
          case closeBrace:
          case closeBracket:
            depth--
        }
      }
    }
  }
  const endScalar = (): boolean => {
    while (at < text.length && !isEndOfScalar(text.charCodeAt(at))) at++
    return at < text.length
  }

  const begin = (what: Reading) => {
    reading = what
    start = at
    if (what !== 'skipped' && held < 0) held = at
  }
  const beginString = (what: Reading) => {
    begin(what)
    at++
    isInString = true
  }
  const beginSkipped = () => {
    begin('skipped')
    isInString = text.charCodeAt(at) === quote
    depth = isInString ? 0 : 1
    at++
  }
  const afterValue = () => {
    held = -1
    expected = frames.length === 0 ? 'nothing' : 'comma-or-end'
  }
  const replace = (from: number, replacement: string) => {
    out += text.slice(given, from) + replacement
    given = at
  }
  /** The places of the value that comes, by where it stands. */
  const placesOfValue = (): Places | 'type' | undefined => {
    const frame = frames.at(-1)
    return !frame ? root : frame.isObject ? frame.member : frame.places
  }
  const placeOfValue = () => {
    const inside = placesOfValue()
    return typeof inside === 'object' ? inside.place : undefined
  }
  const open = (isObject: boolean, inside: Places | undefined) => {
    if (frames.length === maxDepth) fail()
    frames.push({ isObject, places: inside, member: undefined })
    expected = isObject ? 'name-or-end' : 'value-or-end'
    at++
  }

  const beginValue = (code: number) => {
    const inside = placesOfValue()
    if (frames.length === 0 && places === undefined && code !== openBrace) fail()
    if (inside === 'type') {
      if (code === quote) return beginString('type')
      frames.at(-1)!.places = {}
    }
    const reaches = typeof inside === 'object' ? inside : undefined
    if (code === quote) return reaches?.place ? beginString('place') : beginSkipped()
    if (code === openBrace) {
      if (reaches?.resource) {
        // Held until its first member is known to be the type.
        if (held < 0) held = at
        return open(true, undefined)
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
        return takeName(frame!, parsed(text.slice(start, at)))
      case 'type': {
        const inside = placesIn(parsed(text.slice(start, at)))
        held = -1
        if (inside) {
          frame!.places = inside
          return afterValue()
        }
        // Nothing in it is the server's own: neither its members nor what is in them need be told apart.
        frames.pop()
        begin('skipped')
        depth = 1
        return
      }
      case 'place': {
        const token = text.slice(start, at)
        const replacement = replacementOf(token)
        if (replacement !== token) replace(start, replacement)
        return afterValue()
      }
      case 'untyped': {
        const whole = text.slice(start, at)
        const { resourceType } = JSON.parse(utf8(whole)) as { resourceType?: unknown }
        const inside = typeof resourceType === 'string' ? placesIn(resourceType) : undefined
        if (inside) replace(start, rewritten(whole, urls, inside))
        return afterValue()
      }
      case 'scalar':
        if (!scalar.test(text.slice(start, at))) fail()
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
      frames.pop()
      reading = 'untyped'
      start = held
      depth = 1
    }
  }
  const replacementOf = (token: string): string => {
    // Where nothing is escaped, the text itself shows whether there is anything to do.
    if (!token.includes('\\') && !token.includes(urls.upstream)) return token
    const before = parsed(token)
    const after = placeOfValue() === 'url' ? urls.url(before) : urls.inText(before)
    return after === before ? token : Buffer.from(JSON.stringify(after)).toString('latin1')
  }

  /** Goes on until the text at hand is used up. */
  const advance = () => {
    for (;;) {
      if (reading !== 'nothing') {
        const isWhole =
          reading === 'scalar'
            ? endScalar()
            : reading === 'skipped' || reading === 'untyped'
              ? endSkipped()
              : endString()
        if (!isWhole) return
        take()
        continue
      }
      while (at < text.length && isSpace(text.charCodeAt(at))) at++
      if (at === text.length) return
      step(text.charCodeAt(at))
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
        return code === quote ? beginString('name') : fail()
      case 'colon':
        if (code !== colon) fail()
        at++
        expected = 'value'
        return
      case 'comma-or-end':
        if (code !== comma) fail()
        at++
        expected = frame!.isObject ? 'name' : 'value'
        return
      case 'nothing':
        return fail()
    }
  }

  return {
    push(part) {
      const kept = text.slice(given)
      at -= given
      start -= given
      if (held >= 0) held -= given
      given = 0
      text = kept + part
      out = ''
      advance()
      const until = held < 0 ? at : held
      if (text.length - until > maxHeld) fail()
      out += text.slice(given, until)
      given = until
      return out
    },
    end() {
      if (expected !== 'nothing' || reading !== 'nothing') fail()
    },
  }
}
