import {
  Composer,
  Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  visit,
  type Node,
  type Pair,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import { isObject, type Json } from '../fhir/json-text.ts'
import { bounds, expandsTooFar, tooLarge } from './bounds.ts'

/** Where in a YAML file something stands: keys and indexes from the root. */
export type SourcePath = readonly PropertyKey[]

/** One mistake in a YAML file, where it stands. */
export interface Diagnostic {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  /** Counted from 1. */
  readonly column: number
  /** `resources.Flag.update.changes.removal[0]`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
  /** The line concerned, with a caret line below it. */
  readonly excerpt: string
}

/** A YAML text with the positions of what stands in it. */
export interface Source {
  readonly file: string
  readonly data: unknown
  /** Mistakes of the YAML itself; `data` is undefined then. */
  readonly diagnostics: readonly Diagnostic[]
  /** A mistake at a path. */
  diagnose(path: SourcePath, message: string, options?: Pointing): Diagnostic
  /** What stands at a path as JSON, in which a number has the digits that were written: `4.10`. Null where nothing stands. */
  json(path: SourcePath): Json
}

/** What a mistake points at. */
export interface Pointing {
  /** The key, or (without it) the value. */
  readonly at?: 'key' | 'value'
  /** A word of it: where it occurs first. */
  readonly word?: string
  /** A part of the text that is the value, in UTF-16 code units. */
  readonly span?: { readonly offset: number; readonly length: number }
}

/** What is wrong with the YAML, in words for who does not know its grammar. */
function brokenYaml({ code, message }: YAMLError, first: string): string {
  if (first === '*') return "A star begins an alias in YAML. For every other resource type write `'*':`, in quotes."
  switch (code) {
    case 'BAD_SCALAR_START':
      return `A text that begins with a character of YAML’s own (${first}) stands in quotation marks.`
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'A text that holds a colon and a space stands in quotation marks; a mapping begins on a line of its own.'
    case 'TAB_AS_INDENT':
      return 'YAML is indented with spaces, not with tabs.'
    case 'UNEXPECTED_TOKEN':
      return 'What stands before this has ended here: look for a wrong indent or quotation mark.'
    default:
      return message.startsWith('All ') ? 'This is indented otherwise than what it belongs to.' : sentence(message)
  }
}

/** Characters of a line that are shown. */
const maxExcerpt = 400

/**
 * Reads a YAML 1.2 text. Anchors and aliases are allowed, duplicate keys and several documents are mistakes, and so is a text
 * beyond the bounds.
 */
export function readSource(file: string, written: string): Source {
  const lines = new LineCounter()
  const isLong = written.length > bounds.text
  const text = isLong ? '' : written
  const tokens = [...new Parser(lines.addNewLine).parse(text)]
  const large = isLong ? { offset: 0, message: `The file has more than ${bounds.text} characters.` } : tooLarge(tokens)
  const composer = new Composer({ prettyErrors: false, uniqueKeys: true, merge: true })
  const [document = new Document(null), second] = composer.compose(large ? [] : tokens, true, text.length)
  const textLines = text.split(/\r?\n/)

  const at = (start: number, end: number, path: string, message: string): Diagnostic => {
    const { line, col } = lines.linePos(start)
    const whole = textLines[line - 1] ?? ''
    // Of a very long line a part is shown.
    const from = whole.length > maxExcerpt ? Math.max(0, col - 1 - maxExcerpt / 2) : 0
    const shown = whole.slice(from, from + maxExcerpt)
    const width = Math.max(1, Math.min(end - start, shown.length - (col - 1 - from)))
    const gutter = String(line).padStart(5)
    const excerpt = `${gutter} | ${shown}\n${' '.repeat(gutter.length)} | ${' '.repeat(col - 1 - from)}${'^'.repeat(width)}`
    return { file, line, column: col, path, message, excerpt }
  }

  const errors = [...document.errors, ...document.warnings].sort((one, other) => one.pos[0] - other.pos[0])
  const lost = errors.find(({ code }) => code === 'UNEXPECTED_TOKEN')
  const broken = errors
    // After the first of these each token that follows is one more.
    .filter((error) => error.code !== 'UNEXPECTED_TOKEN' || error === lost)
    .map((error) => {
      const [start, end] = error.pos
      // The position of an alias begins behind its star.
      const first = error.message.startsWith('Alias') ? text[start - 1] : text[start]
      return at(start, end, '', brokenYaml(error, first ?? ''))
    })
  if (second) broken.push(at(second.range[0], second.range[1], '', 'There may be only one YAML document.'))
  if (large) broken.push(at(large.offset, large.offset + 1, '', large.message))
  let data: unknown
  if (broken.length === 0) {
    try {
      data = document.toJS({ maxAliasCount: bounds.aliases })
      const far = expandsTooFar(data)
      if (far !== undefined) broken.push(at(0, 1, '', far))
    } catch (error) {
      broken.push(at(0, 1, '', `The YAML cannot be read: ${(error as Error).message}.`))
    }
  }

  let json: Json | undefined
  return {
    file,
    data,
    diagnostics: broken,
    json(path) {
      json ??= asJson(document)
      return path.reduce<Json | undefined>(jsonAt, json) ?? null
    },
    diagnose(path, message, options = {}) {
      let [start, end] = rangeOf(document, path, options.at ?? 'value')
      if (options.word !== undefined) {
        const found = text.slice(start, end).indexOf(options.word)
        if (found >= 0) {
          start += found
          end = start + options.word.length
        }
      }
      if (options.span) {
        const { offset, length } = options.span
        const places = placesOf(text.slice(start, end), textAt(data, path))
        const first = start + (places[offset] ?? 0)
        end = Math.max(first + 1, start + (places[offset + length - 1] ?? 0) + 1)
        start = first
      }
      const lineEnd = text.indexOf('\n', start)
      return at(start, lineEnd < 0 ? end : Math.min(end, lineEnd), writePath(path), message)
    },
  }
}

const asWritten = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Ends the use of the document: its numbers are others afterwards. */
function asJson(document: Document): Json {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'number') return
      // What YAML writes in its own way (0x1F, +1, .5) is a number of JSON, too; what is none (.inf) stays a text.
      const plain = Number.isFinite(node.value) ? String(node.value) : undefined
      const text = node.source !== undefined && asWritten.test(node.source) ? node.source : plain
      node.value = text === undefined ? node.source : { kind: 'number', text }
    },
  })
  return namedByTexts(document.toJS({ mapAsMap: true, maxAliasCount: 1000 }) as unknown)
}

/** Keys that YAML takes for numbers or the like are names in JSON. */
function namedByTexts(value: unknown): Json {
  if (Array.isArray(value)) return value.map(namedByTexts)
  if (!(value instanceof Map)) return value as Json
  return new Map([...value].map(([name, item]) => [String(name), namedByTexts(item)]))
}

function jsonAt(json: Json | undefined, step: PropertyKey): Json | undefined {
  if (Array.isArray(json)) return (json as readonly Json[])[Number(step)]
  return isObject(json) ? json.get(String(step)) : undefined
}

/** Where in the YAML of a scalar each character of its value stands: quotation marks, escapes and indents are passed over. */
function placesOf(raw: string, value: string): readonly number[] {
  const places: number[] = []
  // A block scalar begins on the line after its mark.
  let at = /^[|>]/.test(raw) ? raw.indexOf('\n') + 1 : 0
  for (const character of value) {
    const found = /\s/.test(character) ? at : raw.indexOf(character, at)
    for (let i = 0; i < character.length; i++) places.push(Math.max(found, at) + i)
    // White space may be folded, or written otherwise: the next character is looked for from the same place.
    if (found >= at && raw.startsWith(character, found)) at = found + character.length
  }
  return places
}

/** What stands at a path of a source's data; undefined where nothing does. */
export const valueAt = (data: unknown, path: SourcePath): unknown =>
  path.reduce<unknown>((value, step) => (value as Record<PropertyKey, unknown> | null | undefined)?.[step], data)

function textAt(data: unknown, path: SourcePath): string {
  const value = valueAt(data, path)
  return typeof value === 'string' ? value : ''
}

/** `['resources', 'Flag', 'changes', 0]` → `resources.Flag.changes[0]` */
export function writePath(path: SourcePath): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : i === 0 ? String(key) : `.${String(key)}`))
    .join('')
}

/** The range of the deepest node on the path that exists. */
function rangeOf(document: Document, path: SourcePath, at: 'key' | 'value'): readonly [number, number] {
  let node: unknown = document.contents
  let key: unknown
  let range: readonly [number, number] = [0, 1]
  const see = (candidate: unknown) => {
    const found = (candidate as Node | null | undefined)?.range
    if (found) range = [found[0], found[1]]
  }
  see(node)
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = pairOf(node, step, document)
      if (!pair) break
      key = pair.key
      node = pair.value
      see(key)
      if (isScalar(node) ? node.source !== undefined || node.value !== null : node !== null) see(node)
    } else if (isSeq(node)) {
      node = node.items[Number(step)]
      key = undefined
      if (node === undefined) break
      see(node)
    } else break
  }
  if (at === 'key' && key !== undefined) see(key)
  return range
}

/** Its own pair with a key, else one that it merges in (`<<: *name`). */
function pairOf(map: YAMLMap, key: PropertyKey, document: Document): Pair | undefined {
  const pairs = map.items.filter((item) => isPair(item) && isScalar(item.key))
  const own = pairs.find((item) => String((item.key as { value: unknown }).value) === String(key))
  if (own) return own
  for (const { key: name, value } of pairs) {
    if ((name as { source?: string }).source !== '<<') continue
    for (const merged of isSeq(value) ? value.items : [value]) {
      const from = isAlias(merged) ? merged.resolve(document) : merged
      const found = isMap(from) ? pairOf(from, key, document) : undefined
      if (found) return found
    }
  }
  return undefined
}

/** A text with a full stop, if it has none. */
export const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)

/** `policies/x.yaml:31:19  message`, the excerpt and the path below it. */
export function writeDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, path, message, excerpt } = diagnostic
  return `${file}:${line}:${column}  ${message}\n${excerpt}${path ? ` ${path}` : ''}`
}
