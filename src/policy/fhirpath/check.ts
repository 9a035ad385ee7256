import type { Definitions } from '../../fhir/definitions.ts'
import type { ElementType } from '../element-type.ts'
import { didYouMean } from '../did-you-mean.ts'
import { functions, refusedFunctions, type FunctionRule, type Parameter } from './functions.ts'
import type { NodeMistake } from './read.ts'
import { beginningOf, callOf, childrenOf, literalOf, type Node } from './node.ts'
import { literalShape } from './literal-shape.ts'
import { headerPrefix } from './names.ts'
import {
  comparable,
  either,
  isBoolean,
  isDate,
  isQuantity,
  member,
  nameOf,
  ofType,
  system,
  type Shape,
} from './shape.ts'

/** What an expression asks of the request. */
export interface AskedNode {
  /** A header field by its lower-case name; undefined: the scopes of a token. */
  readonly headerField: string | undefined
  readonly node: Node
}

export interface CheckedExpression {
  readonly gives: Shape
  readonly mistakes: readonly NodeMistake[]
  readonly asks: readonly AskedNode[]
}

/** Checks a parsed expression: what it calls, which variables and elements it names, what it compares. */
export function checkExpression(
  root: Node,
  type: ElementType | undefined,
  definitions: Definitions,
): CheckedExpression {
  const check = new Check(type && [type], definitions)
  const gives = check.shape(root, check.root, check.root)
  return { gives, mistakes: check.mistakes, asks: check.asks }
}

const variables = ['before', 'after', 'resource', 'context', 'interaction', 'scopes']
const ofBooleans: ReadonlySet<string> = new Set(['not', 'allTrue', 'anyTrue', 'allFalse', 'anyFalse'])
const fieldName = /^[!#$%&'*+\-.^_|~0-9a-z]+$/

class Check {
  readonly root: Shape
  readonly definitions: Definitions
  readonly mistakes: NodeMistake[] = []
  readonly asks: AskedNode[] = []

  constructor(root: Shape, definitions: Definitions) {
    this.root = root
    this.definitions = definitions
  }

  mistake(node: Node, message: string): undefined {
    this.mistakes.push({ node: node.start ? node : beginningOf(node), message })
  }

  /**
   * What a node gives.
   * @param focus what stands before the dot
   * @param self what `$this` is
   */
  shape(node: Node, focus: Shape, self: Shape): Shape {
    const children = childrenOf(node)
    const inner = (index: number) => this.shape(children[index]!, focus, self)
    switch (node.type) {
      case 'EntireExpression':
      case 'TermExpression':
      case 'ParenthesizedTerm':
        return inner(0)
      case 'LiteralTerm':
        return literalShape(node)
      case 'ExternalConstantTerm':
        return this.variable(node)
      case 'InvocationTerm':
        return this.invocation(children[0]!, self, self, true)
      case 'InvocationExpression':
        return this.invocation(children[1]!, inner(0), self, false)
      case 'IndexerExpression': {
        this.shape(children[1]!, focus, self)
        return inner(0)
      }
      case 'PolarityExpression':
        return inner(0)
      case 'TypeExpression': {
        const found = ofType(this.definitions, inner(0), children[1]?.text ?? '')
        if ('mistake' in found) return this.mistake(node, found.mistake)
        return node.text === 'is' ? system('System.Boolean') : found.shape
      }
      case 'UnionExpression':
        return either(inner(0), inner(1))
      case 'AndExpression':
      case 'OrExpression':
      case 'ImpliesExpression':
        for (const index of [0, 1]) this.boolean(children[index]!, inner(index), `\`${node.text}\``)
        return system('System.Boolean')
      case 'EqualityExpression':
      case 'InequalityExpression':
      case 'MembershipExpression':
        this.compared(node, inner(0), inner(1))
        return system('System.Boolean')
      case 'AdditiveExpression':
      case 'MultiplicativeExpression': {
        const shapes = [inner(0), inner(1)]
        if (node.text === '&') return system('System.String')
        this.counted(node, shapes)
        return node.type === 'AdditiveExpression' ? shapes[0] : system('System.Decimal')
      }
      default:
        return this.mistake(node, 'This form of FHIRPath is not offered in a policy.')
    }
  }

  invocation(node: Node, focus: Shape, self: Shape, atRoot: boolean): Shape {
    switch (node.type) {
      case 'MemberInvocation':
        return this.member(node, focus, atRoot)
      case 'FunctionInvocation':
        return this.call(node, focus, self)
      case 'ThisInvocation':
        return self
      case 'IndexInvocation':
        return system('System.Integer')
      case 'TotalInvocation':
        return this.mistake(node, '`$total` belongs to `aggregate`, which is not offered in a policy.')
      default:
        return this.mistake(node, 'This form of FHIRPath is not offered in a policy.')
    }
  }

  member(node: Node, focus: Shape, atRoot: boolean): Shape {
    const name = node.text!.replace(/^`(.*)`$/, '$1')
    if (atRoot && (this.definitions.isResource(name) || this.definitions.isA('Flag', name))) {
      if (!focus) return this.definitions.isResource(name) ? [{ definition: name, type: name }] : undefined
      const found = focus.filter(({ type }) => this.definitions.isA(type, name))
      if (found.length > 0) return found
    }
    const found = member(this.definitions, focus, name)
    if (!('mistake' in found)) return found.shape
    return this.mistake(node, functions.has(name) ? `To call the function, write \`${name}()\`.` : found.mistake)
  }

  call(node: Node, focus: Shape, self: Shape): Shape {
    const { name, parameters } = callOf(node)
    const rule = functions.get(name)
    if (!rule) {
      const why = refusedFunctions.get(name)
      const message =
        why === undefined
          ? `There is no function \`${name}\` in a policy.${didYouMean(name, functions.keys())}`
          : `\`${name}\` is not offered in a policy. ${why}`
      return this.mistake(node, message)
    }
    const kinds = rule.parameters.find((kinds) => kinds.length === parameters.length)
    if (!kinds) {
      const counts = rule.parameters.map((kinds) => kinds.length).join(' or ')
      return this.mistake(node, `\`${name}\` takes ${counts} ${counts === '1' ? 'parameter' : 'parameters'}.`)
    }
    if (ofBooleans.has(name)) this.boolean(node, focus, `\`${name}\``)
    const shapes = kinds.map((kind, index) => this.parameter(name, kind, parameters[index]!, focus, self))
    return this.given(rule, kinds, shapes, focus)
  }

  parameter(name: string, kind: Parameter, node: Node, focus: Shape, self: Shape): Shape {
    switch (kind) {
      case 'criterion': {
        const shape = this.shape(node, focus, focus)
        this.boolean(node, shape, `\`${name}\``)
        return shape
      }
      case 'projection':
        return this.shape(node, focus, focus)
      case 'type': {
        const found = ofType(this.definitions, focus, node.text ?? '')
        return 'mistake' in found ? this.mistake(node, found.mistake) : found.shape
      }
      case 'pattern':
      case 'flags':
        if (childrenOf(literalOf(node) ?? node)[0]?.type !== 'StringLiteral')
          this.mistake(node, `The ${kind} of \`${name}\` must be written in the policy, between quotation marks.`)
        return undefined
      default:
        return this.shape(node, self, self)
    }
  }

  given({ gives }: FunctionRule, kinds: readonly Parameter[], shapes: readonly Shape[], focus: Shape): Shape {
    switch (gives) {
      case 'input':
        return focus
      case 'projection':
        return shapes.filter((_, index) => kinds[index] === 'projection').reduce(either, [])
      case 'both':
        return either(focus, shapes[0])
      case 'type':
        return shapes[0]
      case 'extensions':
        return [{ definition: 'Extension', type: 'Extension' }]
      case 'anything':
        return undefined
      default:
        return system(gives)
    }
  }

  /** FHIRPath takes any single item for true where a boolean is wanted: nobody means that. */
  boolean(node: Node, shape: Shape, where: string): void {
    if (!shape || shape.length === 0 || shape.some(isBoolean)) return
    this.mistake(
      node,
      `${where} needs what is true or false, and this is ${nameOf(shape)}: compare it, or ask \`.exists()\`.`,
    )
  }

  counted(node: Node, shapes: readonly Shape[]): void {
    for (const shape of shapes) {
      if (shape?.some((type) => isQuantity(this.definitions, type)))
        return this.mistake(node, `Quantities are compared, and not counted with here: use their \`value\`.`)
      if (shape?.some((type) => isDate(this.definitions, type)))
        return this.mistake(node, 'Dates are compared, and not counted with here: that depends on the time zone.')
    }
  }

  compared(node: Node, left: Shape, right: Shape): void {
    if (comparable(this.definitions, left, right)) return
    const date = [left, right].some((shape) => shape!.some(({ type }) => /date|instant/i.test(type)))
    const hint = date ? ' A date is written `@2026-01-31`, a date with time `@2026-01-31T12:00:00Z`.' : ''
    this.mistake(node, `${nameOf(left!)} is never compared with ${nameOf(right!)}.${hint}`)
  }

  variable(node: Node): Shape {
    const name = node.delimitedText ?? node.text ?? ''
    switch (name) {
      case 'before':
      case 'after':
      case 'resource':
      case 'context':
        return this.root
      case 'interaction':
        return system('System.String')
      case 'scopes':
        this.asks.push({ headerField: undefined, node })
        return system('System.String')
      default:
    }
    if (name.startsWith(headerPrefix)) {
      const headerField = name.slice(headerPrefix.length)
      if (!fieldName.test(headerField))
        return this.mistake(node, 'A header field is asked for by its name in lower case: %`header-x-name`.')
      this.asks.push({ headerField, node })
      return system('System.String')
    }
    const hint = /header/i.test(name) ? ' A header field is written %`header-x-name`.' : didYouMean(name, variables)
    return this.mistake(node, `There is no variable \`%${name}\`.${hint.replace(/`(\w+)`\?$/, '`%$1`?')}`)
  }
}
