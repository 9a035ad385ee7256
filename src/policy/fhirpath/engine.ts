import { createRequire } from 'node:module'
import type { RE2JS } from 're2js'
import type { Node } from './node.ts'

/**
 * The packages that evaluate FHIRPath and match patterns, loaded when the first policy has an expression: they take a fifth
 * of a second to load, and most policies have none.
 */
const load = createRequire(import.meta.url)

/** The part of the fhirpath package that is used here. */
export interface FhirPath {
  /** @throws {SyntaxFault} */
  parse(text: string): Node
  compile(text: string, model: unknown, options: EvaluationOptions): Evaluate
  readonly FP_Decimal: { getDecimal(text: string): unknown }
}

export type Evaluate = (
  data: unknown,
  variables: Readonly<Record<string, unknown>>,
  options?: EvaluationOptions,
) => readonly unknown[]

export interface EvaluationOptions {
  /** False: results keep what the package knows of them; nothing is written to the values that were given. */
  readonly resolveInternalTypes?: boolean
  /** Decimals are counted with as they are written, not as JavaScript numbers. */
  readonly preciseMath?: boolean
  /** Called after each node of the expression has been evaluated. */
  readonly debugger?: (context: unknown, focus: readonly unknown[], result: unknown, node: Node) => void
  /** Goes before the package's own functions. */
  readonly userInvocationTable?: Readonly<Record<string, Invocation>>
}

/** A function as the package calls it: `this` is the context, the first argument the collection that it is called on. */
export interface Invocation {
  readonly fn: (this: { $index?: number }, input: readonly unknown[], ...parameters: never[]) => unknown
  /** By number of parameters, what each of them is: `Expr` comes as a function of an item. */
  readonly arity: Readonly<Record<number, readonly ('Expr' | 'String')[]>>
  readonly internalStructures: true
}

/** What parse throws: `errors` has for each mistake the token at 1, the line at 2 (from 1), the column at 3 (from 0). */
export interface SyntaxFault {
  readonly errors?: readonly (readonly [unknown, { readonly text?: string } | null, number, number, ...unknown[]])[]
}

let fhirPath: FhirPath | undefined

export function fhirPathPackage(): FhirPath {
  return (fhirPath ??= load('fhirpath') as FhirPath)
}

/**
 * Compiles a pattern for an engine that takes linear time, whatever the pattern. `.` stands for line ends, too, as FHIRPath
 * has it.
 * @param flags of FHIRPath: `i` and `m`
 * @throws {Error} when it is none
 */
export function compilePattern(pattern: string, flags: string): RE2JS {
  const { RE2JS } = load('re2js') as typeof import('re2js')
  let bits = RE2JS.DOTALL
  if (flags.includes('i')) bits |= RE2JS.CASE_INSENSITIVE
  if (flags.includes('m')) bits |= RE2JS.MULTILINE
  return RE2JS.compile(pattern, bits)
}
