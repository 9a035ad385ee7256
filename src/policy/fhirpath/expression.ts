import type { RE2JS } from 're2js'
import { modelOf, type Definitions } from '../../fhir/definitions.ts'
import type { ElementType } from '../element-type.ts'
import { checkExpression, type AskedNode } from './check.ts'
import { fhirPathPackage } from './engine.ts'
import { functions } from './functions.ts'
import type { Meter, Operand } from './meter.ts'
import { callOf, childrenOf, type Node } from './node.ts'
import { overrides, type Patterns } from './overrides.ts'
import type { Collection } from './package-values.ts'
import type { Plain } from './plain.ts'
import { compilePatterns, inOrder, mistakesOfLiterals, parse, spanOf, type Mistake, type Span } from './read.ts'
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

/** What an expression asks of the request, and where. */
export interface Asked extends Pick<AskedNode, 'headerField'> {
  readonly span: Span
}

export type CompiledExpression =
  | { readonly ok: true; readonly expression: Expression; readonly asks: readonly Asked[] }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] }

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
