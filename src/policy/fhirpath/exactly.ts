import { TooMuchEffort } from '../effort.ts'
import type { Expression, Values } from './expression.ts'
import type { Meter } from './meter.ts'
import { dataOf } from './package-values.ts'

/** What became of an expression: true, false, or why it is neither. */
export type Outcome = 'true' | 'false' | 'nothing' | 'several' | 'no-boolean' | 'failed'

/**
 * Evaluates an expression that must be true or false.
 * @throws {TooMuchEffort} when it takes too long
 */
export function evaluateExactly(expression: Expression, values: Values, meter: Meter): Outcome {
  let items
  try {
    items = expression.evaluate(values, meter)
  } catch (error) {
    if (error instanceof TooMuchEffort) throw error
    // What was thrown may name content of the record: it goes nowhere.
    return 'failed'
  }
  if (items.length === 0) return 'nothing'
  if (items.length > 1) return 'several'
  switch (dataOf(items[0])) {
    case true:
      return 'true'
    case false:
      return 'false'
    default:
      return 'no-boolean'
  }
}
