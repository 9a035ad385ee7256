import type { RE2JS } from 're2js'
import { compilePattern, fhirPathPackage, type SyntaxFault } from './engine.ts'
import { functions } from './functions.ts'
import { beginningOf, callOf, childrenOf, depthOf, literalOf, type Node } from './node.ts'
import { patternKey } from './overrides.ts'

/** A part of an expression's text, in UTF-16 code units. */
export interface Span {
  readonly offset: number
  readonly length: number
}

export interface Mistake {
  readonly message: string
  /** Undefined: the expression as a whole. */
  readonly span?: Span
}

/** One thing that is wrong with an expression, at a node of it. */
export interface NodeMistake {
  readonly node: Node
  readonly message: string
}

const longest = 4000
const deepestBrackets = 25
const deepest = 200
/** Instructions of a compiled pattern: it is matched with a text in a time of both multiplied. */
const largestPattern = 2000

const quoted = /'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`/gs

/** Reads the text of an expression. */
export function parse(text: string): { root: Node } | { mistakes: readonly Mistake[] } {
  const whole = (message: string) => ({ mistakes: [{ message }] })
  if (text.length > longest) return whole(`An expression has at most ${longest} characters: split the rule.`)
  // The parser takes long over deep brackets.
  let brackets = 0
  for (const character of text.replaceAll(quoted, '')) {
    if (character === '(') brackets++
    else if (character === ')') brackets--
    if (brackets > deepestBrackets) return whole(`Brackets may be ${deepestBrackets} deep: split the rule.`)
  }
  try {
    const root = fhirPathPackage().parse(text)
    return depthOf(root) > deepest ? whole('The expression is nested too deeply: split the rule.') : { root }
  } catch (error) {
    const first = (error as SyntaxFault).errors?.[0]
    if (!first) throw error
    const [, token, line, column] = first
    if (token?.text === '<EOF>') return whole('The FHIRPath expression ends too early.')
    const length = token?.text?.length ?? 1
    const offset = offsetOf(text, line, column)
    const isName = token?.text !== undefined && /^[a-z]+$/.test(token.text) && /\.\s*$/.test(text.slice(0, offset))
    const hint = isName ? ' An element of that name is written between backticks.' : ''
    const message =
      token?.text === undefined
        ? 'This cannot be read as FHIRPath.'
        : `FHIRPath does not expect \`${token.text}\` here.${hint}`
    return { mistakes: [{ message, span: { offset, length } }] }
  }
}

/** A date that is none is found when it is evaluated: here, and not in front of a client. */
export function mistakesOfLiterals(node: Node): NodeMistake[] {
  if (node.type !== 'LiteralTerm') return childrenOf(node).flatMap(mistakesOfLiterals)
  if (childrenOf(node)[0]?.type === 'DateTimeLiteral' && !/(?:T|Z|[+-]\d\d:\d\d)$/.test(node.text!))
    return [{ node, message: 'A time of a day needs its time zone: `@2026-01-31T12:00:00Z`.' }]
  try {
    fhirPathPackage().compile(node.text!, undefined, {})({}, {})
    return []
  } catch {
    return [{ node, message: `\`${node.text}\` is no value.` }]
  }
}

/** Compiles the patterns of an expression into `patterns`, or tells what is wrong with them. */
export function compilePatterns(node: Node, patterns: Map<string, RE2JS>): NodeMistake[] {
  const mistakes = childrenOf(node).flatMap((child) => compilePatterns(child, patterns))
  if (node.type !== 'FunctionInvocation') return mistakes
  const { name, parameters } = callOf(node)
  const kinds = functions.get(name)?.parameters.find(({ length }) => length === parameters.length)
  const text = (kind: 'pattern' | 'flags') => {
    const at = kinds?.indexOf(kind) ?? -1
    const literal = at < 0 ? undefined : literalOf(parameters[at]!)
    return (
      literal && { node: literal, value: String(fhirPathPackage().compile(literal.text!, undefined, {})({}, {})[0]) }
    )
  }
  const pattern = text('pattern')
  if (!pattern) return mistakes
  const flags = text('flags')
  if (flags && !/^[im]*$/.test(flags.value)) {
    return [...mistakes, { node: flags.node, message: 'The flags of a pattern are `i` and `m`.' }]
  }
  try {
    const compiled = compilePattern(pattern.value, flags?.value ?? '')
    if (compiled.programSize() <= largestPattern) {
      patterns.set(patternKey(pattern.value, flags?.value ?? ''), compiled)
      return mistakes
    }
    return [...mistakes, { node: pattern.node, message: 'The pattern is too large: repeat less in it.' }]
  } catch (error) {
    const why = (error as Error).message.replace(/^error parsing regexp: /, '').replace(/`\(\?[ims]+\)/, '`')
    const hint = /\(\?[=!<]|escape sequence: `\\\d/.test(why) ? ' Patterns look neither ahead nor back.' : ''
    return [...mistakes, { node: pattern.node, message: `This is no pattern: ${why}.${hint}` }]
  }
}

/** Mistakes where they stand, in the order of the text. */
export function inOrder(text: string, mistakes: readonly NodeMistake[]): Mistake[] {
  return mistakes
    .map(({ node, message }) => ({ message, span: spanOf(text, node) }))
    .sort((a, b) => a.span.offset - b.span.offset)
}

/** Where a node stands. */
export function spanOf(text: string, node: Node): Span {
  const { start, length = 1, type, delimitedText } = node.start ? node : beginningOf(node)
  if (!start) return { offset: 0, length: text.length }
  // The length of a variable is that of its name alone.
  const marks = type === 'ExternalConstantTerm' ? (delimitedText === undefined ? 1 : 3) : 0
  return { offset: offsetOf(text, start.line, start.column - 1), length: length + marks }
}

function offsetOf(text: string, line: number, column: number): number {
  let offset = 0
  for (let i = 1; i < line; i++) offset = text.indexOf('\n', offset) + 1
  return offset + column
}
