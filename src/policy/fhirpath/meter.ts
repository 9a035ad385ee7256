import type { Effort } from '../effort.ts'
import { functions, type Cost } from './functions.ts'
import type { Node } from './node.ts'
import { isOutOfRange } from './numbers.ts'
import { dataOf, isElementNode, type Collection } from './package-values.ts'
import type { Plain } from './plain.ts'
import { Unevaluable } from './unevaluable.ts'
import { dependsOnZone, isDate, isDateType } from './zones.ts'

/** An operand of an operator or a function that does more with it than look at its number of items. */
export interface Operand {
  readonly cost: 'subtrees' | 'pairs'
  /** Of a comparison: the operator, which both operands share. */
  readonly comparison?: Node
  /** Of an operator that counts: no dates and no quantities. */
  readonly counted?: true
}

/** What one evaluation of an expression has to do with its operands. */
export interface Operands {
  of(node: Node): Operand | undefined
  /** The left operands of comparisons whose right ones are still to come. */
  readonly compared: Map<Node, Collection>
}

/** One step is about a microsecond. The numbers below were measured, with scripts/measure-invariants.mjs. */
const charactersPerStep = 64
const pairsPerStep = 16
const stepsPerElement = 4
const stepsPerDate = 10
const stepsPerUnit = 120
const stepsPerUnitCharacter = 20

const ucum = 'http://unitsofmeasure.org'

/**
 * Counts what the evaluation of expressions takes, node by node: before an operator or a function runs, the size of what it
 * runs on is known, and paid for.
 */
export class Meter {
  readonly #effort: Effort
  readonly #sizes = new WeakMap<object, number>()

  constructor(effort: Effort) {
    this.#effort = effort
  }

  /** @throws {TooMuchEffort} when no steps are left */
  spend(steps: number): void {
    this.#effort.spend(steps)
  }

  /** Pays for a text before it is made. @param length in UTF-16 code units */
  write(length: number): void {
    this.#effort.spend(length / charactersPerStep)
  }

  /** Called after a node has been evaluated: `focus` is what it was evaluated on. */
  evaluated(node: Node, focus: Collection, result: unknown, operands: Operands): void {
    switch (node.type) {
      case 'Functn':
        // The function itself runs after this.
        this.#effort.spend(1 + this.#cost(functions.get(node.text ?? '')?.cost ?? 'pairs', focus))
        break
      case 'MemberInvocation':
        this.#effort.spend(1 + lengthOf(result))
        break
      case 'MultiplicativeExpression':
      case 'AdditiveExpression':
        if ((result as Collection).some(isOutOfRange)) throw new Unevaluable('A number is out of range.')
        this.#effort.spend(1 + this.#cost('texts', result as Collection))
        break
      case 'FunctionInvocation':
      case 'UnionExpression':
        this.#effort.spend(1 + this.#cost('texts', result as Collection))
        break
      default:
        this.#effort.spend(1)
    }
    const operand = operands.of(node)
    if (operand) this.#operand(operand, result as Collection, operands.compared)
  }

  #operand({ cost, comparison, counted }: Operand, items: Collection, compared: Map<Node, Collection>): void {
    this.#effort.spend(this.#cost(cost, items))
    // The package keeps each unit that it has multiplied, for good, and adds to dates by the calendar of this machine.
    if (counted && items.some((item) => isQuantity(item) || isDate(item)))
      throw new Unevaluable('Dates and quantities are compared, and not counted with.')
    if (!comparison) return
    const left = compared.get(comparison)
    if (!left) {
      compared.set(comparison, items)
      return
    }
    compared.delete(comparison)
    if (dependsOnZone(left, items)) throw new Unevaluable('What this comes to depends on the time zone.')
  }

  #cost(cost: Cost | 'subtrees', items: Collection): number {
    switch (cost) {
      case 'items':
        return items.length / 4
      case 'texts':
        return items.reduce<number>((sum, item) => sum + textLength(dataOf(item)) / charactersPerStep, items.length / 4)
      case 'elements':
        return stepsPerElement * this.#cost('subtrees', items)
      case 'subtrees':
        return items.reduce<number>((sum, item) => sum + this.#size(item), 0)
      case 'pairs': {
        // Each side of two pays for half of the pairs: 2ab is at most a² + b².
        const sizes = items.reduce<number>((sum, item) => sum + this.#size(item), 0)
        return sizes * (1 + items.length / pairsPerStep)
      }
      default:
        return 0
    }
  }

  /** How much there is to compare: elements, and characters by the step. */
  #size(item: unknown): number {
    const data = dataOf(item)
    const own = this.#subtree(data)
    const extra = isElementNode(item)
      ? this.#subtree(item._data) + (isDateType(item.fhirNodeDataType) ? stepsPerDate : 0)
      : 0
    const unit = unitOf(item, data)
    return own + extra + (unit === undefined ? 0 : stepsPerUnit + unit.length * stepsPerUnitCharacter)
  }

  #subtree(data: unknown): number {
    if (typeof data === 'string') return 1 + data.length / charactersPerStep
    if (data === null || data === undefined) return 0
    if (typeof data !== 'object' || !isPlain(data)) return 1
    const known = this.#sizes.get(data)
    if (known !== undefined) return known
    let size = 1
    for (const key of Object.keys(data)) {
      // A value that throws when it is looked at ends the comparison.
      const value = Object.getOwnPropertyDescriptor(data, key)?.value as unknown
      size += this.#subtree(value)
    }
    this.#sizes.set(data, size)
    return size
  }
}

/** The values of plain.ts have no prototype; everything else that is an object is a value of the package. */
const isPlain = (data: object): data is Plain => Array.isArray(data) || Object.getPrototypeOf(data) === null

const textLength = (data: unknown) => (typeof data === 'string' ? data.length : 0)

const lengthOf = (result: unknown) => (Array.isArray(result) ? result.length : 0)

/** The unit by which the package would compare an item with others. */
function unitOf(item: unknown, data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  if (!isPlain(data)) {
    const unit = 'unit' in data ? data.unit : undefined
    return typeof unit === 'string' ? unit : undefined
  }
  return isElementNode(item) && data.system === ucum && typeof data.code === 'string' ? data.code : undefined
}

const isQuantity = (item: unknown) => unitOf(item, dataOf(item)) !== undefined
