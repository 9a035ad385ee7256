import type { RE2JS } from 're2js'
import { fhirPathPackage, type Invocation } from './engine.ts'
import type { Meter } from './meter.ts'
import { isExact } from './numbers.ts'
import { dataOf, isDecimal, type Collection, type Decimal } from './package-values.ts'
import { Unevaluable } from './unevaluable.ts'

type Expression = (items: unknown) => Collection

/** How many comparisons of two characters are one step. */
const comparisonsPerStep = 2048
/** How many instructions of a pattern, each at one character, are one step. */
const instructionsPerStep = 32

/** The patterns of an expression, by `patternKey`. */
export type Patterns = ReadonlyMap<string, RE2JS>

export const patternKey = (pattern: string, flags: string) => `${flags}/${pattern}`

/**
 * The functions that go before the package's own: those with a criterion, which must be true or false here; and those that
 * search in texts, which are paid for before they run. Patterns run on an engine that takes linear time.
 */
export function overrides(meter: Meter, patterns: Patterns): Readonly<Record<string, Invocation>> {
  return { ...criteria, ...conversions, ...searches(meter), ...matches(meter, patterns) }
}

/** The items of which a criterion is true. `$index` is the package's to know. */
function matching(context: { $index?: number }, items: Collection, criterion: Expression): Collection {
  return items.filter((item, index) => {
    context.$index = index
    return isTrue(criterion(item))
  })
}

const criteria: Record<string, Invocation> = {
  where: {
    arity: { 1: ['Expr'] },
    internalStructures: true,
    fn(items, criterion: Expression) {
      return matching(this, items, criterion)
    },
  },
  exists: {
    arity: { 0: [], 1: ['Expr'] },
    internalStructures: true,
    fn(items, criterion?: Expression) {
      return (criterion ? matching(this, items, criterion) : items).length > 0
    },
  },
  all: {
    arity: { 1: ['Expr'] },
    internalStructures: true,
    fn(items, criterion: Expression) {
      return matching(this, items, criterion).length === items.length
    },
  },
  iif: {
    arity: { 2: ['Expr', 'Expr'], 3: ['Expr', 'Expr', 'Expr'] },
    internalStructures: true,
    fn(items, criterion: Expression, then: Expression, otherwise?: Expression) {
      if (isTrue(criterion(items))) return then(items)
      return otherwise ? otherwise(items) : []
    },
  },
}

/** The package takes everything but false for true in some places, and every single item in others. */
function isTrue(criterion: Collection): boolean {
  if (criterion.length === 0) return false
  const value = dataOf(criterion[0])
  if (criterion.length > 1 || typeof value !== 'boolean') throw new Unevaluable('A criterion is not true or false.')
  return value
}

const conversion = (of: RegExp, accepts: (decimal: Decimal) => boolean): Invocation => ({
  arity: { 0: [] },
  internalStructures: true,
  fn(items) {
    if (items.length > 1) throw new Unevaluable('More than one item is converted.')
    const value = dataOf(items[0])
    if (typeof value === 'boolean') return value ? 1 : 0
    if (isDecimal(value)) return accepts(value) ? value : []
    const text = typeof value === 'bigint' ? value.toString() : value
    if (typeof text !== 'string' || !of.test(text)) return []
    if (!isExact(text)) throw new Unevaluable('A text is a number with more digits than can be counted with.')
    return fhirPathPackage().FP_Decimal.getDecimal(text)
  },
})

/** The package makes JavaScript's numbers of texts: two that are close would be one. */
const conversions: Record<string, Invocation> = {
  toInteger: conversion(/^[+-]?\d+$/, (decimal) => decimal.isInteger()),
  toDecimal: conversion(/^[+-]?\d+(\.\d+)?$/, () => true),
}

const textFunction = (
  parameters: number,
  made: (text: string, ...parameters: readonly string[]) => unknown,
): Invocation => ({
  arity: { [parameters]: Array<'String'>(parameters).fill('String') },
  internalStructures: true,
  fn(items, ...parameters: readonly unknown[]) {
    const text = textOf(items)
    // An empty parameter comes as an empty list.
    const given = parameters.filter((parameter) => typeof parameter === 'string')
    return text === undefined || given.length < parameters.length ? [] : made(text, ...given)
  },
})

function textOf(items: Collection): string | undefined {
  const value = dataOf(items[0])
  if (items.length === 0 || value === null || value === undefined) return undefined
  if (items.length > 1 || typeof value !== 'string') throw new Unevaluable('This is not one text.')
  return value
}

function searches(meter: Meter): Record<string, Invocation> {
  const search = (found: (text: string, sought: string) => unknown) =>
    textFunction(1, (text, sought = '') => {
      meter.spend((text.length * sought.length) / comparisonsPerStep)
      return found(text, sought)
    })
  return {
    contains: search((text, sought) => text.includes(sought)),
    indexOf: search((text, sought) => text.indexOf(sought)),
    replace: textFunction(2, (text, sought = '', by = '') => {
      meter.spend((text.length * sought.length) / comparisonsPerStep)
      meter.write((text.length / Math.max(1, sought.length) + 1) * by.length)
      return text.replaceAll(sought, () => by)
    }),
    join: {
      arity: { 0: [], 1: ['String'] },
      internalStructures: true,
      fn(items, separator: unknown = '') {
        const texts = items.map(dataOf).filter((text) => text !== null && text !== undefined)
        if (typeof separator !== 'string' || texts.length === 0) return []
        if (!texts.every((text) => typeof text === 'string')) throw new Unevaluable('Not every item is a text.')
        meter.write(texts.length * separator.length)
        return texts.join(separator)
      },
    },
  }
}

function matches(meter: Meter, patterns: Patterns): Record<string, Invocation> {
  const matcher = (text: string, pattern = '', flags = '') => {
    const compiled = patterns.get(patternKey(pattern, flags))
    if (!compiled) throw new Unevaluable('The pattern was not compiled with the policy.')
    meter.spend((text.length * compiled.programSize()) / instructionsPerStep)
    return compiled.matcher(text)
  }
  const match = (matched: (found: ReturnType<typeof matcher>) => boolean): Invocation => {
    const made = (text: string, pattern?: string, flags?: string) => matched(matcher(text, pattern, flags))
    const plain = textFunction(1, made)
    return { ...plain, arity: { ...plain.arity, ...textFunction(2, made).arity } }
  }
  return {
    matches: match((found) => found.find()),
    matchesFull: match((found) => found.matches()),
    replaceMatches: textFunction(2, (text, pattern, by = '') => {
      const groups = by.split('$').length - 1
      meter.write((text.length + 1) * by.length + groups * text.length)
      // Each match is one of its own, and there may be one at each character.
      meter.spend(2 * text.length)
      return matcher(text, pattern).replaceAll(by)
    }),
  }
}
