import type { CompileContext, Scope, Variable } from './compile-context.ts'
import type { ElementType } from './element-type.ts'
import type { Path } from './path.ts'
import type { Condition, Content, OneOf, Otherwise, Test, Times } from './rule.ts'
import type { AlternativeInput, ConditionInput, ContentInput } from './schema/content.ts'
import type { SourcePath } from './source.ts'

const once: Times = { min: 1, max: 1 }
const atMostOnce: Times = { min: 0, max: 1 }

/** What a name means in a part that is used `on` a variable: there `$this` is that variable. */
export const meant = (name: string, about: string | undefined) =>
  name === '$this' && about !== undefined ? about : name

/** Where the settings of a content stand, and the variable that `$this` stands for in the references of each. */
export type Origin = (key: 'holds' | 'one-of' | 'lacks') => {
  readonly at: SourcePath
  readonly about: string | undefined
}

/** Compiles what a subtree must hold and lack. */
export function compileContent(
  context: CompileContext,
  input: ContentInput,
  origin: Origin,
  subject: ElementType,
  scope: Scope,
  otherwise: Otherwise,
): Content {
  const inner = new Map(scope).set('$this', { ...subject, side: 'any', path: undefined } as Variable)
  const conditions = (
    inputs: Readonly<Record<string, ConditionInput>>,
    where: SourcePath,
    general: Otherwise,
    about: string | undefined,
  ) =>
    Object.entries(inputs).flatMap(([text, condition]) => {
      const conditionAt = [...where, text]
      context.countRule(conditionAt)
      const found = context.path(text, conditionAt, inner, { at: 'key' })
      return found ? [compileCondition(context, text, condition, conditionAt, found, scope, general, about)] : []
    })
  const holds = conditions(input.holds ?? {}, origin('holds').at, otherwise, origin('holds').about)
  const oneOf =
    input['one-of'] &&
    compileOneOf(context, input['one-of'], origin('one-of').at, otherwise, (alternative, where, general) =>
      conditions(alternative, where, general, origin('one-of').about),
    )
  const lacksAt = origin('lacks').at
  const lacksInput =
    typeof input.lacks === 'string'
      ? [input.lacks]
      : Array.isArray(input.lacks)
        ? input.lacks
        : Object.entries(input.lacks ?? {})
  const lacks = lacksInput.flatMap((entry, i) => {
    const text = typeof entry === 'string' ? entry : entry[0]
    const entryAt =
      typeof entry === 'string' ? (Array.isArray(input.lacks) ? [...lacksAt, i] : lacksAt) : [...lacksAt, text]
    const found = context.path(text, entryAt, inner, typeof entry === 'string' ? undefined : { at: 'key' })
    const own = typeof entry === 'string' ? otherwise : context.otherwise(entry[1], entryAt, otherwise)
    return found ? [{ path: found.path, otherwise: own }] : []
  })
  return { open: input.open ?? false, holds, lacks, ...(oneOf ? { oneOf } : {}) }
}

function compileOneOf(
  context: CompileContext,
  input: NonNullable<ContentInput['one-of']>,
  at: SourcePath,
  general: Otherwise,
  conditions: (inputs: AlternativeInput, at: SourcePath, general: Otherwise) => readonly Condition[],
): OneOf {
  const plain = Array.isArray(input)
  const inputs = plain ? input : input.alternatives
  const otherwise = plain ? general : context.otherwise(input.otherwise, [...at, 'otherwise'], general)
  const alternatives = inputs.map((alternative, i) => {
    const where = [...at, ...(plain ? [] : ['alternatives']), i]
    if (Object.keys(alternative).length === 0) context.report(where, 'An alternative needs a condition.')
    return conditions(alternative, where, otherwise)
  })
  return { alternatives, otherwise }
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
    at,
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
  const tests = (['is', 'coded', 'text', 'digits', 'refers to'] as const).filter((key) => input[key] !== undefined)
  const nested = (['holds', 'one-of', 'lacks', 'open'] as const).some((key) => input[key] !== undefined)
  if (tests.length + (nested ? 1 : 0) !== 1) {
    context.report(
      at,
      'Expected exactly one of `is`, `coded`, `text`, `digits`, `refers to`, or what the element `holds`, `one-of` what it holds, what it `lacks`, or that it is `open`.',
      { at: 'key' },
    )
  }
  const applies = (key: string, types: readonly string[]) => {
    if (!types.includes(end.type))
      context.report([...at, key], `\`${key}\` applies to ${types.join(' and ')}, not to ${end.type}.`, { at: 'key' })
  }
  if (input['max-length'] !== undefined && input.text === undefined)
    context.report([...at, 'max-length'], '`max-length` goes with `text`.', { at: 'key' })
  if (input['check-digit'] !== undefined && input.digits === undefined) {
    context.report([...at, 'check-digit'], '`check-digit` goes with `digits`.', { at: 'key' })
  }
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
    case 'digits':
      applies('digits', ['string', 'id', 'code', 'uri'])
      return { kind: 'digits', count: input.digits!, checkDigit: input['check-digit'] }
    case 'refers to': {
      applies('refers to', ['Reference'])
      const variable = meant(input['refers to']!, about)
      context.variable(variable, [...at, 'refers to'], scope)
      return { kind: 'refers', variable }
    }
    default:
      return {
        kind: 'content',
        content: compileContent(context, input, (key) => ({ at: [...at, key], about }), end, scope, otherwise),
      }
  }
}
