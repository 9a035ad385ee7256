import { childrenOf, type Node } from './node.ts'
import { system, type Shape } from './shape.ts'

/** What a literal is. */
export function literalShape(node: Node): Shape {
  switch (childrenOf(node)[0]?.type) {
    case 'BooleanLiteral':
      return system('System.Boolean')
    case 'StringLiteral':
      return system('System.String')
    case 'NumberLiteral':
      return system(/^\d+$/.test(node.text ?? '') ? 'System.Integer' : 'System.Decimal')
    case 'LongNumberLiteral':
      return system('System.Long')
    case 'DateLiteral':
      return system('System.Date')
    case 'DateTimeLiteral':
      return system('System.DateTime')
    case 'TimeLiteral':
      return system('System.Time')
    case 'QuantityLiteral':
      return system('System.Quantity')
    case 'NullLiteral':
      return []
    default:
      return undefined
  }
}
