import type { Definitions } from '../../fhir/definitions.ts'
import type { ElementType } from '../element-type.ts'
import { didYouMean } from '../did-you-mean.ts'

/**
 * What an expression can give, as far as that can be told without evaluating it: the types that its items may have.
 * Undefined: anything. A type of FHIRPath itself is written `System.Boolean`, and has no elements.
 */
export type Shape = readonly ElementType[] | undefined

export const system = (name: string): Shape => [{ definition: name, type: name }]

export const isBoolean = ({ type }: ElementType) => type === 'boolean' || type === 'System.Boolean'

export function either(a: Shape, b: Shape): Shape {
  if (!a || !b) return undefined
  return [...a, ...b.filter(({ type }) => !a.some((known) => known.type === type))]
}

/** The type of a shape, for a sentence: `a code`. */
export function nameOf(shape: readonly ElementType[]): string {
  const names = [...new Set(shape.map(({ type, definition }) => (type.endsWith('Element') ? definition : type)))]
  return names.map((name) => `\`${name.replace(/^System\./, '')}\``).join(' or ')
}

/**
 * The elements of a name below what a shape stands for, or what is wrong with the name: FHIRPath gives nothing for an
 * element that is not defined, so that a misspelt rule would look like one that does not apply.
 */
export function member(definitions: Definitions, shape: Shape, name: string): { shape: Shape } | { mistake: string } {
  if (!shape || shape.some(({ type }) => definitions.holdsResource(type))) return { shape: undefined }
  if (shape.length === 0) return { shape }
  const found: ElementType[] = []
  let written: string | undefined
  for (const { definition } of shape) {
    const child = definitions.child(definition, name)
    if (child?.element === name) found.push(child)
    else if (child) written = child.element
    for (const choice of definitions.choices(definition, name)) found.push(definitions.child(definition, choice)!)
  }
  if (found.some(({ type }) => definitions.holdsResource(type))) return { shape: undefined }
  if (found.length > 0) return { shape: either([], found) }
  if (written !== undefined) {
    return { mistake: `FHIRPath names a choice without its type: \`${written}\`, or \`${written}.ofType(…)\`.` }
  }
  const known = shape.flatMap(({ definition }) => elementNames(definitions, definition))
  return { mistake: `${nameOf(shape)} has no element \`${name}\`.${didYouMean(name, known)}` }
}

function elementNames(definitions: Definitions, definition: string): string[] {
  return definitions.childNames(definition).map((name) => definitions.child(definition, name)!.element)
}

const systemTypes = ['Boolean', 'String', 'Integer', 'Long', 'Decimal', 'Date', 'DateTime', 'Time', 'Quantity']

/** What a type specifier leaves of a shape, or what is wrong with it. */
export function ofType(
  definitions: Definitions,
  shape: Shape,
  specifier: string,
): { shape: Shape } | { mistake: string } {
  const [name = '', space] = specifier.split('.').toReversed()
  if (space === 'System' || (space === undefined && systemTypes.includes(name) && !isType(definitions, name))) {
    if (systemTypes.includes(name)) return { shape: system(`System.${name}`) }
  }
  if ((space !== undefined && space !== 'FHIR') || !isType(definitions, name)) {
    return { mistake: `FHIR ${definitions.release} has no type \`${specifier}\`.` }
  }
  const possible =
    !shape ||
    shape.length === 0 ||
    shape.some(({ type }) => definitions.isA(type, name) || definitions.isA(name, type) || type === `System.${name}`)
  return possible
    ? { shape: [{ definition: name, type: name }] }
    : { mistake: `What stands here is ${nameOf(shape)}, and never \`${name}\`.` }
}

const isType = (definitions: Definitions, name: string) =>
  definitions.isPrimitive(name) || definitions.childNames(name).length > 0

type Class = 'boolean' | 'number' | 'text' | 'date' | 'time' | 'structure'

/** A quantity can be compared with a number. */
function classOf(definitions: Definitions, { type }: ElementType): Class {
  const name = type.replace(/^System\./, '')
  switch (name.toLowerCase()) {
    case 'boolean':
      return 'boolean'
    case 'date':
    case 'datetime':
    case 'instant':
      return 'date'
    case 'time':
      return 'time'
    case 'long':
    case 'integer64':
      return 'number'
    case 'string':
      return 'text'
    default:
  }
  if (name === 'Quantity' || definitions.isA(name, 'Quantity')) return 'number'
  if (type.startsWith('System.')) return 'number'
  if (!definitions.isPrimitive(name)) return 'structure'
  return definitions.kindOf(name) === 'number' ? 'number' : 'text'
}

export const isDate = (definitions: Definitions, type: ElementType) =>
  ['date', 'time'].includes(classOf(definitions, type))

export const isQuantity = (definitions: Definitions, { type }: ElementType) =>
  type === 'System.Quantity' || definitions.isA(type, 'Quantity')

/** Whether two shapes can have equal items; false only where it is certain that they cannot. */
export function comparable(definitions: Definitions, a: Shape, b: Shape): boolean {
  if (!a || !b || a.length === 0 || b.length === 0) return true
  const classes = new Set(a.map((type) => classOf(definitions, type)))
  return b.some((type) => classes.has(classOf(definitions, type)))
}
