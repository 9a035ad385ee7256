import type { RE2JS } from 're2js'
import { modelOf, type Definitions } from '../../fhir/definitions.ts'
import type { ElementType } from '../element-type.ts'
import { checkExpression, type AskedNode } from './check.ts'
import { compilePattern, fhirPathPackage, type SyntaxFault } from './engine.ts'
import { functions } from './functions.ts'
import type { Meter, Operand } from './meter.ts'
import { beginningOf, callOf, childrenOf, depthOf, literalOf, type Node } from './node.ts'
import { overrides, patternKey, type Patterns } from './overrides.ts'
import type { Collection } from './package-values.ts'
import type { Plain } from './plain.ts'
import { isBoolean, nameOf } from './shape.ts'

/** A FHIRPath expression of a policy, compiled. */
export interface Expression {
  /** As the policy file has it. */
  readonly text: string
  /**
   * Evaluates it, paying for every step.
   * @throws {TooMuchEffort} when there are too many
   * @throws {unknown} whatever the package throws: it may name content of the record
   */
  evaluate(values: Values, meter: Meter): Collection
}

/** What an expression is evaluated on. */
export interface Values {
  readonly root: Plain
  /** By name, without `%`. An object without a prototype. */
  readonly variables: Readonly<Record<string, unknown>>
}

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

/** What an expression asks of the request, and where. */
export interface Asked extends Pick<AskedNode, 'headerField'> {
  readonly span: Span
}

export type CompiledExpression =
  | { readonly ok: true; readonly expression: Expression; readonly asks: readonly Asked[] }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] }

const longest = 4000
const deepestBrackets = 25
const deepest = 200
/** Instructions of a compiled pattern: it is matched with a text in a time of both multiplied. */
const largestPattern = 2000

/** An expression's text read, whatever it is evaluated on. */
type Read =
  | { readonly ok: true; readonly root: Node; readonly expression: Expression }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] }

/** Compiles the expressions of one policy. Each text is read once, for however many types of resources it stands. */
export class ExpressionCompiler {
  readonly #definitions: Definitions
  readonly #texts = new Map<string, Read>()

  constructor(definitions: Definitions) {
    this.#definitions = definitions
  }

  /** Compiles an expression that must be true or false, for resources of a type. */
  compile(text: string, type: ElementType): CompiledExpression {
    let read = this.#texts.get(text)
    if (!read) this.#texts.set(text, (read = readExpression(text, this.#definitions)))
    if (!read.ok) return read
    const { gives, mistakes, asks } = checkExpression(read.root, type, this.#definitions)
    if (mistakes.length > 0) return { ok: false, mistakes: inOrder(text, mistakes) }
    if (gives && !gives.some(isBoolean)) {
      const what = gives.length === 0 ? 'nothing' : nameOf(gives)
      const message = `This gives ${what}, and only what is exactly true passes: compare it, or ask \`.exists()\`.`
      return { ok: false, mistakes: [{ message }] }
    }
    return {
      ok: true,
      expression: read.expression,
      asks: asks.map(({ headerField, node }) => ({ headerField, span: spanOf(text, node) })),
    }
  }
}

function readExpression(text: string, definitions: Definitions): Read {
  const parsed = parse(text)
  if ('mistakes' in parsed) return { ok: false, mistakes: parsed.mistakes }
  const { root } = parsed
  const patterns = new Map<string, RE2JS>()
  const mistakes = [...mistakesOfLiterals(root), ...compilePatterns(root, patterns)]
  return mistakes.length > 0
    ? { ok: false, mistakes: inOrder(text, mistakes) }
    : { ok: true, root, expression: evaluator(text, root, definitions, patterns) }
}

function inOrder(text: string, mistakes: readonly NodeMistake[]): Mistake[] {
  return mistakes
    .map(({ node, message }) => ({ message, span: spanOf(text, node) }))
    .sort((a, b) => a.span.offset - b.span.offset)
}

function parse(text: string): { root: Node } | { mistakes: readonly Mistake[] } {
  const whole = (message: string) => ({ mistakes: [{ message }] })
  if (text.length > longest) return whole(`An expression has at most ${longest} characters: split the rule.`)
  // The parser takes long over deep brackets; those within quotation marks count as well.
  let brackets = 0
  for (const character of text) {
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

interface NodeMistake {
  readonly node: Node
  readonly message: string
}

/** A date that is none is found when it is evaluated: here, and not in front of a client. */
function mistakesOfLiterals(node: Node): NodeMistake[] {
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

function compilePatterns(node: Node, patterns: Map<string, RE2JS>): NodeMistake[] {
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

function evaluator(text: string, root: Node, definitions: Definitions, patterns: Patterns): Expression {
  const { compile } = fhirPathPackage()
  const compiled = compile(text, modelOf(definitions.release), { resolveInternalTypes: false, preciseMath: true })
  const operands = operandsOf(root)
  // The package has parsed the text once more: its nodes are others, and equal.
  const known = new WeakMap<Node, Operand | 'none'>()
  const operandOf = (node: Node) => {
    let operand = known.get(node)
    if (operand === undefined) known.set(node, (operand = operands.get(JSON.stringify(node)) ?? 'none'))
    return operand === 'none' ? undefined : operand
  }
  return {
    text,
    evaluate: ({ root, variables }, meter) => {
      const asked = { of: operandOf, compared: new Map() }
      const items = compiled(root, variables, {
        resolveInternalTypes: false,
        preciseMath: true,
        debugger: (_context, focus, result, node) => meter.evaluated(node, focus, result, asked),
        userInvocationTable: overrides(meter, patterns),
      })
      // Had the package kept quiet about it, this would not.
      meter.spend(0)
      return items
    },
  }
}

/** The operands of operators and functions that look at more than the number of their items, by the text of their nodes. */
function operandsOf(root: Node): ReadonlyMap<string, Operand> {
  const operands = new Map<string, Operand>()
  const visit = (node: Node) => {
    const operand = operandOf(node)
    if (operand) for (const child of childrenOf(node)) operands.set(JSON.stringify(child), operand)
    if (node.type === 'FunctionInvocation') {
      const { name, parameters } = callOf(node)
      const isPaired = functions.get(name)?.cost === 'pairs'
      if (isPaired) for (const parameter of parameters) operands.set(JSON.stringify(parameter), { cost: 'pairs' })
    }
    childrenOf(node).forEach(visit)
  }
  visit(root)
  return operands
}

function operandOf(node: Node): Operand | undefined {
  switch (node.type) {
    case 'UnionExpression':
      return { cost: 'pairs' }
    case 'EqualityExpression':
    case 'InequalityExpression':
    case 'MembershipExpression':
      return { cost: 'subtrees', comparison: node }
    case 'AdditiveExpression':
      return node.text === '&' ? { cost: 'subtrees' } : { cost: 'subtrees', counted: true }
    case 'MultiplicativeExpression':
      return { cost: 'subtrees', counted: true }
    default:
      return undefined
  }
}

function spanOf(text: string, node: Node): Span {
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
