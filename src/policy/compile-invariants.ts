import type { CompileContext, Scope } from './compile-context.ts'
import type { ElementType } from './element-type.ts'
import type { Expression } from './fhirpath/expression.ts'
import type { Invariant, Mode, Otherwise } from './rule.ts'
import type { InvariantInput } from './schema/rules.ts'
import type { SourcePath } from './source.ts'

/** What the invariants of a rule set are compiled in. */
interface Surrounding {
  /** Of the rule set. */
  readonly id: string
  readonly scope: Scope
  /** What the rule set answers. */
  readonly otherwise: Otherwise
  /** Of the rule set. */
  readonly mode: Mode
}

/** Compiles the invariants of a rule set for resources of a type. Mistakes are reported to the context. */
export function compileInvariants(
  context: CompileContext,
  input: readonly InvariantInput[],
  at: SourcePath,
  type: ElementType,
  { id, scope, otherwise, mode }: Surrounding,
): readonly Invariant[] {
  const names = new Set<string>()
  return input.flatMap((invariant, index): Invariant[] => {
    const own = [...at, index]
    context.countRule(own)
    const { rule: name } = invariant
    context.countRule(own)
    if (names.has(name)) context.report([...own, 'rule'], `There is a rule \`${name}\` here already.`)
    names.add(name)
    const when = invariant.when === undefined ? undefined : compile(context, invariant.when, [...own, 'when'], type)
    const require = compile(context, invariant.require, [...own, 'require'], type)
    const path = invariant.at === undefined ? undefined : context.path(invariant.at, [...own, 'at'], scope)?.path
    // The words of the rule set are about its changes: without words of its own, a rule is told by its name.
    const { text: _, ...answer } = otherwise.answer ?? context.defaultAnswer
    const told = context.otherwise(invariant.otherwise, [...own, 'otherwise'], { answer, say: sentence(name) })
    const known = { id: `${id}/${name}`, name, when, at: path, otherwise: told, mode: invariant.mode ?? mode }
    return require ? [{ ...known, require }] : []
  })
}

function compile(context: CompileContext, text: string, at: SourcePath, type: ElementType): Expression | undefined {
  const compiled = context.expressions.compile(text, type)
  if (compiled.ok) {
    for (const { headerField, span } of compiled.asks) context.ask(headerField, at, span)
    return compiled.expression
  }
  for (const { message, span } of compiled.mistakes) context.report(at, message, span && { span })
  return undefined
}

function sentence(name: string): string {
  const text = name.charAt(0).toUpperCase() + name.slice(1)
  return /[.!?]$/.test(text) ? text : `${text}.`
}
