/** Strict JSON (RFC 8259) to plain values: stricter than JSON.parse where two parsers could read two things. */
import { type Parsed, faulty, parsed } from './fault.ts'
import { unspeakableAt } from './unicode.ts'
import { pastWhiteSpace } from './white-space.ts'

/** A number as it was written: `1.00` stays `1.00`. */
export interface JsonNumber {
  readonly kind: 'number'
  readonly text: string
}

export type JsonObject = ReadonlyMap<string, Json>

/** An object is a Map, so that no name is special (`__proto__`) and the order of the names is kept. */
export type Json = string | boolean | null | JsonNumber | readonly Json[] | JsonObject

/**
 * Reads a JSON text. Refused besides what is not JSON: a name that occurs twice in an object (after unescaping), lone
 * surrogates, control characters also when escaped (except tab, line feed, carriage return), a byte order mark,
 * more than `brackets` brackets open at once, and more than `values` values that are no lists. The first fault ends it: what
 * follows could only be guessed.
 */
export function parseJsonText(text: string, brackets: number, values = Infinity): Parsed<Json> {
  try {
    const at = unspeakableAt(text)
    if (at >= 0) throw new NotJson(foreign, at)
    return parsed(new JsonReader(text, brackets, values).document())
  } catch (error) {
    if (error instanceof TooMany) return faulty({ sentence: `It has more than ${values} values.`, tooLarge: true })
    if (!(error instanceof NotJson)) throw error
    return faulty({ sentence: `${error.message} (${lineAndColumn(text, error.at)})` })
  }
}

export function isObject(json: Json | undefined): json is JsonObject {
  return json instanceof Map
}

export function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json)
}

const foreign = 'The JSON holds a character that FHIR does not allow in a string.'

class TooMany extends Error {}

class NotJson extends Error {
  readonly at: number

  constructor(sentence: string, at: number) {
    super(sentence)
    this.at = at
  }
}

function lineAndColumn(text: string, at: number): string {
  const lineStart = text.lastIndexOf('\n', at - 1) + 1
  return `line ${text.slice(0, lineStart).split('\n').length}, column ${at - lineStart + 1}`
}

const digits = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const hex = /[0-9a-fA-F]{4}/y
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

class JsonReader {
  readonly text: string
  readonly bound: number
  /** How many values may still come. */
  left: number
  at = 0
  open = 0

  constructor(text: string, bound: number, values: number) {
    this.text = text
    this.bound = bound
    this.left = values
  }

  document(): Json {
    const value = this.value()
    this.space()
    if (this.at < this.text.length) throw new NotJson('The JSON is followed by more text.', this.at)
    return value
  }

  value(): Json {
    this.space()
    const code = this.text.charCodeAt(this.at)
    if (code === 0x5b) return this.list()
    this.left -= 1
    if (this.left < 0) throw new TooMany()
    switch (code) {
      case 0x22:
        return this.string()
      case 0x7b:
        return this.object()
      case 0x74:
        return this.word('true', true)
      case 0x66:
        return this.word('false', false)
      case 0x6e:
        return this.word('null', null)
      default:
        return this.number()
    }
  }

  object(): JsonObject {
    this.enter()
    const members = new Map<string, Json>()
    this.space()
    if (this.took(0x7d)) return this.leave(members)
    for (;;) {
      this.space()
      const nameAt = this.at
      const name = this.string()
      if (members.has(name)) throw new NotJson('An object of the JSON holds this name twice.', nameAt)
      this.space()
      if (!this.took(0x3a)) throw this.unexpected()
      members.set(name, this.value())
      this.space()
      if (this.took(0x7d)) return this.leave(members)
      if (!this.took(0x2c)) throw this.unexpected()
    }
  }

  list(): readonly Json[] {
    this.enter()
    const items: Json[] = []
    this.space()
    if (this.took(0x5d)) return this.leave(items)
    for (;;) {
      items.push(this.value())
      this.space()
      if (this.took(0x5d)) return this.leave(items)
      if (!this.took(0x2c)) throw this.unexpected()
    }
  }

  string(): string {
    if (!this.took(0x22)) throw this.unexpected()
    const start = this.at
    const first = this.plain()
    if (this.took(0x22)) return first
    let value = first
    while (!this.took(0x22)) {
      if (!this.took(0x5c)) throw this.unexpected()
      value += this.escape() + this.plain()
    }
    if (unspeakableAt(value) >= 0) throw new NotJson(foreign, start)
    return value
  }

  /** What comes before the next quote, backslash or control character. */
  plain(): string {
    const { text, at } = this
    let end = at
    for (;;) {
      const code = text.charCodeAt(end)
      // Written so that NaN, the end of the text, ends it.
      if (!(code >= 0x20) || code === 0x22 || code === 0x5c) break
      end += 1
    }
    this.at = end
    return text.slice(at, end)
  }

  escape(): string {
    const letter = this.text[this.at] ?? ''
    if (letter === 'u') {
      hex.lastIndex = this.at + 1
      if (!hex.test(this.text)) throw this.unexpected()
      this.at += 5
      return String.fromCharCode(Number.parseInt(this.text.slice(this.at - 4, this.at), 16))
    }
    if (!Object.hasOwn(escapes, letter)) throw this.unexpected()
    this.at += 1
    return escapes[letter]!
  }

  number(): JsonNumber {
    digits.lastIndex = this.at
    if (!digits.test(this.text)) throw this.unexpected()
    const start = this.at
    this.at = digits.lastIndex
    return { kind: 'number', text: this.text.slice(start, this.at) }
  }

  word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw this.unexpected()
    this.at += word.length
    return value
  }

  space(): void {
    this.at = pastWhiteSpace(this.text, this.at)
  }

  took(code: number): boolean {
    if (this.text.charCodeAt(this.at) !== code) return false
    this.at += 1
    return true
  }

  enter(): void {
    this.open += 1
    if (this.open > this.bound) throw new NotJson('The JSON is nested too deeply.', this.at)
    this.at += 1
  }

  leave<T>(value: T): T {
    this.open -= 1
    return value
  }

  unexpected(): NotJson {
    return new NotJson(this.at < this.text.length ? 'The body is not JSON.' : 'The JSON ends too early.', this.at)
  }
}
