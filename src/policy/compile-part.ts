import { sameValue } from '../fhir/element.ts'
import type { CompileContext, Scope, Variable } from './compile-context.ts'
import { compileContent, meant } from './compile-content.ts'
import { didYouMean } from './did-you-mean.ts'
import type { Path } from './path.ts'
import type { Mode, Otherwise, Part, Times } from './rule.ts'
import type { PartInput } from './schema/rules.ts'
import type { SourcePath } from './source.ts'

const once: Times = { min: 1, max: 1 }

/** What a part stands in. */
export interface PartContext {
  readonly id: string
  readonly scope: Scope
  readonly otherwise: Otherwise
  readonly mode: Mode
  /** The variable of the `for each`, to which every part must be tied. */
  readonly about: string | undefined
  /** What `$this` stands for, in the parts of a part that is used `on` a variable. */
  readonly meaning?: string | undefined
}

/** Compiles the parts of a change, each with the variables that those before it have bound. */
export function compileParts(
  context: CompileContext,
  inputs: readonly (string | PartInput)[],
  at: SourcePath,
  part: PartContext,
): Part[] {
  let { scope } = part
  let tied = part.about === undefined ? undefined : new Set([part.about])
  return inputs.flatMap((input, i) => {
    const compiled = compilePart(context, typeof input === 'string' ? { use: input } : input, [...at, i], {
      ...part,
      scope,
    })
    if (!compiled) return []
    const { path } = compiled.part
    if (tied) {
      const names = [path.root, ...path.steps.flatMap((step) => (step.selector ? [step.selector.variable] : []))]
      if (!names.some((name) => tied!.has(name))) {
        context.report(
          [...at, i],
          `Every part here must be tied to \`${part.about}\`, so that it speaks of one item: start its path with \`${part.about}\`, or select by \`[… refers to ${part.about}]\`.`,
        )
      }
    }
    if (compiled.variable) {
      scope = new Map(scope).set(...compiled.variable)
      tied = tied && new Set([...tied, compiled.variable[0]])
    }
    return [compiled.part]
  })
}

const kinds = ['replaced', 'added', 'appended', 'removed'] as const

function compilePart(
  context: CompileContext,
  input: PartInput,
  at: SourcePath,
  part: PartContext,
): { part: Part; variable?: [string, Variable] } | undefined {
  context.countRule(at)
  const shared = input.use === undefined ? undefined : context.input.parts?.[input.use]
  if (input.use !== undefined) {
    context.partUsed(input.use)
    if (!shared) {
      const known = Object.keys(context.input.parts ?? {})
      context.report(at, `There is no part \`${input.use}\` under \`parts\`.${didYouMean(input.use, known)}`)
      return undefined
    }
    if (shared.use !== undefined) {
      context.report(['parts', input.use, 'use'], 'A shared part cannot use another one.', { at: 'key' })
      return undefined
    }
  }
  const { use: _use, on, ...rest } = input
  const overrides: PartInput = rest
  const whole: PartInput = { ...shared, ...overrides }
  /** Where a setting stands in the file, and what `$this` means there. */
  const origin = (key: keyof PartInput): { at: SourcePath; about: string | undefined } =>
    overrides[key] === undefined && shared
      ? { at: ['parts', input.use!, key], about: on === undefined ? part.meaning : meant(on, part.meaning) }
      : { at: [...at, key], about: part.meaning }
  if (on !== undefined && !context.variable(on, [...at, 'on'], part.scope)) return undefined

  const named = kinds.filter((kind) => whole[kind] !== undefined)
  const kind = named[0]
  if (kind === undefined || named.length > 1) {
    context.report(at, `A part must have exactly one of ${kinds.map((k) => `\`${k}\``).join(', ')}, or \`use\`.`)
    return undefined
  }
  const where = origin(kind)
  const scope = where.about === undefined ? part.scope : rebound(part.scope, where.about)
  const found = context.path(whole[kind]!, where.at, scope)
  if (!found) return undefined
  const path = where.about === undefined ? found.path : reroot(found.path, where.about)
  const otherwise = context.otherwise(whole.otherwise, origin('otherwise').at, part.otherwise)
  const id = `${part.id}.${whole.rule ?? input.use ?? path.text}`
  const times = context.times(whole.times, origin('times').at, once)
  const mode = whole.mode ?? part.mode

  if (kind === 'replaced') {
    for (const key of ['holds', 'one-of', 'lacks', 'open', 'total', 'as', 'with'] as const) {
      if (whole[key] !== undefined)
        context.report(origin(key).at, `\`${key}\` does not apply to \`replaced\`.`, { at: 'key' })
    }
    if (whole.from === undefined || whole.to === undefined) {
      context.report(at, '`replaced` needs `from` and `to`.')
      return undefined
    }
    const from = context.literals(whole.from, found.end.type, origin('from').at)
    const to = context.literals(whole.to, found.end.type, origin('to').at)
    if (from.every((a) => to.every((b) => sameValue(a, b)))) {
      context.report(origin('to').at, '`from` and `to` are the same value: that would be no difference.')
    }
    return { part: { kind, id, at: where.at, path, times, otherwise, mode, from, to } }
  }
  for (const key of ['from', 'to'] as const) {
    if (whole[key] !== undefined)
      context.report(origin(key).at, `\`${key}\` applies to \`replaced\` only.`, { at: 'key' })
  }
  if (kind === 'appended' && path.steps.length === 0) {
    context.report(where.at, 'Only an item of a list can be appended.')
  }
  const { as } = whole
  const variable: [string, Variable] | undefined =
    as !== undefined && checkVariableName(context, as, origin('as').at, part.scope)
      ? [as, { ...found.end, side: 'added', path }]
      : undefined
  if (whole.with && as === undefined)
    context.report(origin('with').at, '`with` needs `as`: the variable that its parts are about.', { at: 'key' })
  const content = compileContent(context, whole, origin, found.end, part.scope, otherwise)
  const withParts =
    whole.with && variable
      ? compileParts(context, whole.with, origin('with').at, {
          id,
          scope: new Map(part.scope).set(...variable),
          otherwise,
          mode,
          about: variable[0],
          meaning: origin('with').about,
        })
      : []
  return {
    part: {
      kind,
      id,
      at: where.at,
      path,
      times,
      otherwise,
      mode,
      content,
      with: withParts,
      ...(whole.total === undefined ? {} : { total: whole.total }),
      ...(variable ? { as: variable[0] } : {}),
    },
    ...(variable ? { variable } : {}),
  }
}

/** A shared part used `on` a variable: what it calls `$this` is that variable. */
const rebound = (scope: Scope, about: string): Scope => new Map(scope).set('$this', scope.get(about)!)

function reroot(path: Path, about: string): Path {
  return {
    ...path,
    root: meant(path.root, about),
    steps: path.steps.map((step) =>
      step.selector
        ? { ...step, selector: { ...step.selector, variable: meant(step.selector.variable, about) } }
        : step,
    ),
  }
}

/** Whether a name is one that may be bound here; it is reported when it is not. */
export function checkVariableName(context: CompileContext, name: string, at: SourcePath, scope: Scope): boolean {
  const mistake = scope.has(name)
    ? `\`${name}\` is bound already.`
    : /^\$[A-Za-z][A-Za-z0-9-]*$/.test(name)
      ? undefined
      : 'A variable is written `$name`.'
  if (mistake !== undefined) context.report(at, mistake)
  return mistake === undefined
}
