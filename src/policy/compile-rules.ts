import type { CompileContext, ElementType, Scope, Variable } from './compile-context.ts'
import { didYouMean } from './did-you-mean.ts'
import type { Path } from './path.ts'
import type { Change, Condition, Content, ForEach, Otherwise, Part, RuleSet, Test, Times } from './rule.ts'
import type { ChangeInput, ConditionInput, ContentInput, PartInput, RuleSetInput } from './schema.ts'
import type { SourcePath } from './source.ts'

const once: Times = { min: 1, max: 1 }
const atMostOnce: Times = { min: 0, max: 1 }

/** Compiles the rules for one interaction with one resource type. Mistakes are reported to the context. */
export function compileRuleSet(
  context: CompileContext,
  type: string,
  interaction: 'update' | 'create',
  input: RuleSetInput,
): RuleSet {
  const at = ['resources', type, interaction]
  const id = `${type}.${interaction}`
  if (interaction === 'update' && input['if-match'] === undefined) {
    context.report(at, 'An update must say `if-match: required`.', { at: 'key' })
  }
  if (interaction === 'create' && input['if-match'] !== undefined) {
    context.report([...at, 'if-match'], 'A create names no version: `if-match` does not apply.', { at: 'key' })
  }
  const otherwise = context.otherwise(input.otherwise, [...at, 'otherwise'], {
    answer: context.input.answers?.['change-not-permitted'] ? context.defaultAnswer : undefined,
    say: context.defaultAnswer.text ?? 'The policy does not permit this change.',
    ...(context.input.answers?.['change-not-permitted']?.help
      ? { help: context.input.answers['change-not-permitted'].help }
      : {}),
  })
  const root: Scope = new Map([['$this', { definition: type, type, side: 'any', path: undefined } satisfies Variable]])
  const changes = Object.entries(input.changes).map(([name, change]) =>
    compileChange(context, name, `${id}.${name}`, change, [...at, 'changes', name], root, otherwise),
  )
  return { id, changes, otherwise, match: compileMatch(context) }
}

function compileMatch(context: CompileContext): ReadonlyMap<string, readonly string[]> {
  const match = new Map<string, readonly string[]>()
  for (const [list, key] of Object.entries(context.input.match ?? {})) {
    const [type = '', ...names] = list.split('.')
    const root: Scope = new Map([['$this', { definition: type, type, side: 'any', path: undefined }]])
    if (!context.definitions.isResource(type) || names.length === 0) {
      context.report(['match', list], `\`${list}\` must be a resource type and an element of it: \`List.entry\`.`, {
        at: 'key',
      })
      continue
    }
    const end = context.path(names.join('.'), ['match', list], root, { at: 'key' })?.end
    if (!end) continue
    const item: Scope = new Map([['$this', { ...end, side: 'any', path: undefined }]])
    const found = context.path(key, ['match', list], item)
    if (found)
      match.set(
        list,
        found.path.steps.map((step) => step.name),
      )
  }
  return match
}

function compileChange(
  context: CompileContext,
  name: string,
  id: string,
  input: ChangeInput,
  at: SourcePath,
  scope: Scope,
  otherwise: Otherwise,
): Change {
  if (Array.isArray(input)) {
    return { name, id, parts: compileParts(context, input, at, { id, scope, otherwise, about: undefined }) }
  }
  const each = input['for each']
  const eachAt = [...at, 'for each']
  const side = each.kept === undefined ? 'appended' : 'kept'
  const text = each.kept ?? each.appended
  if (text === undefined || (each.kept !== undefined && each.appended !== undefined)) {
    context.report(eachAt, 'Expected exactly one of `kept` and `appended`.', { at: 'key' })
    return { name, id, parts: [] }
  }
  checkVariableName(context, each.as, [...eachAt, 'as'], scope)
  const found = context.path(text, [...eachAt, side], scope)
  if (!found) return { name, id, parts: [] }
  const own = context.otherwise(each.otherwise, [...eachAt, 'otherwise'], otherwise)
  const variable: Variable = { ...found.end, side: side === 'kept' ? 'kept' : 'added', path: found.path }
  const inner = new Map(scope).set(each.as, variable)
  if (side === 'kept' && (each.holds || each.lacks || each.open !== undefined)) {
    context.report(eachAt, '`holds`, `lacks` and `open` apply to `appended` items only.', { at: 'key' })
  }
  const content = compileContent(context, each, eachAt, found.end, inner, own, undefined)
  const forEach: ForEach = { side, variable: each.as, path: found.path, content, otherwise: own }
  const parts = compileParts(context, input.parts, [...at, 'parts'], { id, scope: inner, otherwise, about: each.as })
  return { name, id, forEach, parts }
}

interface PartContext {
  readonly id: string
  readonly scope: Scope
  readonly otherwise: Otherwise
  /** The variable of the `for each`, to which every part must be tied. */
  readonly about: string | undefined
}

function compileParts(
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
          `In a \`for each\` change every part must be tied to its item: start the path with \`${part.about}\`, or select by \`[… refers to ${part.about}]\`.`,
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
  const origin = (key: keyof PartInput) =>
    overrides[key] === undefined && shared
      ? { at: ['parts', input.use!, key] as SourcePath, about: on }
      : { at: [...at, key] as SourcePath, about: undefined }
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

  if (kind === 'replaced') {
    for (const key of ['holds', 'lacks', 'open', 'total', 'as', 'with'] as const) {
      if (whole[key] !== undefined)
        context.report(origin(key).at, `\`${key}\` does not apply to \`replaced\`.`, { at: 'key' })
    }
    if (whole.from === undefined || whole.to === undefined) {
      context.report(at, '`replaced` needs `from` and `to`.')
      return undefined
    }
    const from = context.literals(whole.from, found.end.type, origin('from').at)
    const to = context.literals(whole.to, found.end.type, origin('to').at)
    const text = (literal: (typeof from)[number]) => (literal ? `=${literal.text}` : 'absent')
    if (from.some((a) => to.some((b) => text(a) === text(b)))) {
      context.report(origin('to').at, 'A value in both `from` and `to` would be no difference.')
    }
    return { part: { kind, id, path, times, otherwise, from, to } }
  }
  for (const key of ['from', 'to'] as const) {
    if (whole[key] !== undefined)
      context.report(origin(key).at, `\`${key}\` applies to \`replaced\` only.`, { at: 'key' })
  }
  if (kind === 'appended' && path.steps.length === 0) {
    context.report(where.at, 'Only an item of a list can be appended.')
  }
  const variable: [string, Variable] | undefined =
    whole.as === undefined ? undefined : [whole.as, { ...found.end, side: 'added', path }]
  if (variable) checkVariableName(context, variable[0], origin('as').at, part.scope)
  if (whole.with && !variable)
    context.report(origin('with').at, '`with` needs `as`: the variable that its parts are about.', { at: 'key' })
  const content = compileContent(
    context,
    whole,
    origin('holds').at.slice(0, -1),
    found.end,
    part.scope,
    otherwise,
    origin('holds').about,
  )
  const withParts =
    whole.with && variable
      ? compileParts(context, whole.with, origin('with').at, {
          id,
          scope: new Map(part.scope).set(...variable),
          otherwise,
          about: variable[0],
        })
      : []
  return {
    part: {
      kind,
      id,
      path,
      times,
      otherwise,
      content,
      with: withParts,
      ...(whole.total === undefined ? {} : { total: whole.total }),
      ...(whole.as === undefined ? {} : { as: whole.as }),
    },
    ...(variable ? { variable } : {}),
  }
}

/** A shared part used `on` a variable: what it calls `$this` is that variable. */
const rebound = (scope: Scope, about: string): Scope => new Map(scope).set('$this', scope.get(about)!)

const meant = (name: string, about: string | undefined) => (name === '$this' && about !== undefined ? about : name)

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

function compileContent(
  context: CompileContext,
  input: ContentInput,
  at: SourcePath,
  subject: ElementType,
  scope: Scope,
  otherwise: Otherwise,
  about: string | undefined,
): Content {
  const inner = new Map(scope).set('$this', { ...subject, side: 'any', path: undefined } as Variable)
  const holds = Object.entries(input.holds ?? {}).flatMap(([text, condition]) => {
    const conditionAt = [...at, 'holds', text]
    const found = context.path(text, conditionAt, inner, { at: 'key' })
    return found ? [compileCondition(context, text, condition, conditionAt, found, scope, otherwise, about)] : []
  })
  const lacksInput =
    typeof input.lacks === 'string'
      ? [input.lacks]
      : Array.isArray(input.lacks)
        ? input.lacks
        : Object.entries(input.lacks ?? {})
  const lacks = lacksInput.flatMap((entry, i) => {
    const text = typeof entry === 'string' ? entry : entry[0]
    const entryAt =
      typeof entry === 'string'
        ? Array.isArray(input.lacks)
          ? [...at, 'lacks', i]
          : [...at, 'lacks']
        : [...at, 'lacks', text]
    const found = context.path(text, entryAt, inner, typeof entry === 'string' ? undefined : { at: 'key' })
    const own = typeof entry === 'string' ? otherwise : context.otherwise(entry[1], entryAt, otherwise)
    return found ? [{ path: found.path, otherwise: own }] : []
  })
  return { open: input.open ?? false, holds, lacks }
}

function compileCondition(
  context: CompileContext,
  text: string,
  input: ConditionInput,
  at: SourcePath,
  found: { path: Path; end: ElementType },
  scope: Scope,
  general: Otherwise,
  about: string | undefined,
): Condition {
  const otherwise = context.otherwise(input.otherwise, [...at, 'otherwise'], general)
  const test = compileTest(context, input, at, found.end, scope, otherwise, about)
  const optional = test.kind === 'is' && test.literals.includes(undefined)
  return {
    id: text,
    path: found.path,
    times: context.times(input.times, [...at, 'times'], optional ? atMostOnce : once),
    test,
    otherwise,
  }
}

function compileTest(
  context: CompileContext,
  input: ConditionInput,
  at: SourcePath,
  end: ElementType,
  scope: Scope,
  otherwise: Otherwise,
  about: string | undefined,
): Test {
  const tests = (['is', 'coded', 'text', 'refers to'] as const).filter((key) => input[key] !== undefined)
  const nested = input.holds !== undefined || input.lacks !== undefined || input.open !== undefined
  if (tests.length + (nested ? 1 : 0) !== 1) {
    context.report(
      at,
      'Expected exactly one of `is`, `coded`, `text`, `refers to`, or what the element `holds`, `lacks` or that it is `open`.',
      { at: 'key' },
    )
  }
  const applies = (key: string, types: readonly string[]) => {
    if (!types.includes(end.type))
      context.report([...at, key], `\`${key}\` applies to ${types.join(' and ')}, not to ${end.type}.`, { at: 'key' })
  }
  if (input['max-length'] !== undefined && input.text === undefined)
    context.report([...at, 'max-length'], '`max-length` goes with `text`.', { at: 'key' })
  if (input.coded === undefined) {
    for (const key of ['wrong-code', 'wrong-system'] as const) {
      if (input[key]) context.report([...at, key], `\`${key}\` goes with \`coded\`.`, { at: 'key' })
    }
  }
  switch (tests[0]) {
    case 'is':
      return { kind: 'is', literals: context.literals(input.is, end.type, [...at, 'is']) }
    case 'coded':
      applies('coded', ['CodeableConcept', 'Coding'])
      return {
        kind: 'coded',
        list: context.list(input.coded!, [...at, 'coded']),
        wrongCode: input['wrong-code'] && context.otherwise(input['wrong-code'], [...at, 'wrong-code'], otherwise),
        wrongSystem:
          input['wrong-system'] && context.otherwise(input['wrong-system'], [...at, 'wrong-system'], otherwise),
      }
    case 'text':
      applies('text', ['string', 'markdown'])
      return { kind: 'text', maxLength: input['max-length'] ?? Infinity }
    case 'refers to': {
      applies('refers to', ['Reference'])
      const variable = meant(input['refers to']!, about)
      context.variable(variable, [...at, 'refers to'], scope)
      return { kind: 'refers', variable }
    }
    default:
      return { kind: 'content', content: compileContent(context, input, at, end, scope, otherwise, about) }
  }
}

function checkVariableName(context: CompileContext, name: string, at: SourcePath, scope: Scope): void {
  if (!/^\$[A-Za-z][A-Za-z0-9-]*$/.test(name)) context.report(at, 'A variable is written `$name`.')
  else if (scope.has(name)) context.report(at, `\`${name}\` is bound already.`)
}
