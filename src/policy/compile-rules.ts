import type { CompileContext, Scope, Variable } from './compile-context.ts'
import { compileContent } from './compile-content.ts'
import { compileInvariants } from './compile-invariants.ts'
import { checkVariableName, compileParts, type PartContext } from './compile-part.ts'
import type { Change, ForEach, Rest, RuleSet } from './rule.ts'
import type { ChangeInput, RuleSetInput } from './schema/rules.ts'
import type { SourcePath } from './source.ts'

/**
 * Compiles the rules for one interaction with one resource type. Mistakes are reported to the context.
 * @param section the key under `resources` where they stand: the type, or `*`
 */
export function compileRuleSet(
  context: CompileContext,
  section: string,
  type: string,
  interaction: 'update' | 'create' | 'delete',
  input: RuleSetInput,
): RuleSet {
  const at = ['resources', section, interaction]
  if (interaction !== 'create' && input['if-match'] === undefined) {
    const message = `A rule for ${interaction} must say whether If-Match is there: \`if-match: required\`, optional or forbidden.`
    context.report(at, message, { at: 'key' })
  }
  if (interaction === 'create' && input['if-match'] !== undefined) {
    context.report([...at, 'if-match'], 'A create names no version: `if-match` does not apply.', { at: 'key' })
  }
  if (interaction !== 'update' && input.rest?.['restore-as'] !== undefined) {
    const why =
      interaction === 'create' ? 'A create has nothing stored to put back' : 'Of a delete nothing can be put back'
    context.report([...at, 'rest', 'restore-as'], `${why}: \`restore-as\` applies to updates only.`, { at: 'key' })
  }
  const rules = compileChanges(context, type, `${section}.${interaction}`, at, input)
  return input['if-match'] === undefined ? rules : { ...rules, ifMatch: input['if-match'] }
}

/** Compiles changes, with the answer to what none of them claims, for resources of one type. */
export function compileChanges(
  context: CompileContext,
  type: string,
  id: string,
  at: SourcePath,
  input: Pick<RuleSetInput, 'mode' | 'changes' | 'otherwise' | 'rest' | 'invariants'>,
): RuleSet {
  const general = context.input.answers?.['change-not-permitted']
  const otherwise = context.otherwise(input.otherwise, [...at, 'otherwise'], {
    answer: general ? context.defaultAnswer : undefined,
    say: context.defaultAnswer.text ?? 'The policy does not permit this change.',
    ...(general?.help ? { help: general.help } : {}),
  })
  const whole: Variable = { definition: type, type, side: 'any', path: undefined }
  const root: Scope = new Map([
    ['$this', whole],
    ['$resource', whole],
  ])
  const mode = input.mode ?? context.input.mode ?? 'enforce'
  const part = { scope: root, otherwise, mode, about: undefined }
  const changes = Object.entries(input.changes).map(([name, change]) =>
    compileChange(context, name, change, [...at, 'changes', name], { ...part, id: `${id}.${name}` }),
  )
  const rest = input.rest && compileRest(context, input.rest, [...at, 'rest'], root)
  if (changes.length === 0 && !rest)
    context.report(at, 'There are neither `changes` nor `rest`: nothing would be permitted.', { at: 'key' })
  const invariants = compileInvariants(context, input.invariants ?? [], [...at, 'invariants'], whole, { ...part, id })
  return { id, at, mode, changes, otherwise, rest, invariants, match: compileMatch(context) }
}

function compileRest(
  context: CompileContext,
  input: NonNullable<RuleSetInput['rest']>,
  at: SourcePath,
  root: Scope,
): Rest {
  const permitAs = input['permit-as']
  const restoreAs = input['restore-as']
  if ((permitAs === undefined) === (restoreAs === undefined)) {
    context.report(at, 'Expected exactly one of `permit-as` and `restore-as`.', { at: 'key' })
  }
  const pathsOf = (key: 'only' | 'except') =>
    (input[key] ?? []).flatMap((path, i) => {
      const found = context.path(path, [...at, key, i], root)
      return found ? [found.path] : []
    })
  const paths = { ...(input.only && { only: pathsOf('only') }), except: pathsOf('except') }
  return permitAs !== undefined
    ? { kind: 'permit', name: permitAs, ...paths }
    : { kind: 'restore', name: restoreAs ?? '', ...paths }
}

/** Lists that are paired in a way of their own: extensions by url, contained resources by type and id. */
const pairedAlready: ReadonlySet<string | undefined> = new Set(['contained', 'extension', 'modifierExtension'])

function compileMatch(context: CompileContext): ReadonlyMap<string, readonly string[]> {
  const match = new Map<string, readonly string[]>()
  for (const [list, key] of Object.entries(context.input.match ?? {})) {
    const at = ['match', list]
    const mistake = (message: string) => context.report(at, message, { at: 'key' })
    const [type = '', ...names] = list.split('.')
    if (!context.definitions.isResource(type) || names.length === 0) {
      mistake(`\`${list}\` must be a resource type and an element of it: \`List.entry\`.`)
      continue
    }
    const whole: Variable = { definition: type, type, side: 'any', path: undefined }
    const found = context.path(names.join('.'), at, new Map([['$this', whole]]), { at: 'key' })
    if (!found) continue
    const name = names.at(-1)!
    const parent = found.parent.definition
    if (pairedAlready.has(name)) mistake(`\`${name}\` has a pairing of its own already.`)
    else if (`${parent}.${name}` !== list) {
      mistake(`\`${name}\` is an element of every ${parent}: only a list of a resource type itself can have a key.`)
    } else if (!context.definitions.child(parent, name)!.repeats) mistake(`\`${list}\` does not repeat.`)
    const item: Scope = new Map([['$this', { ...found.end, side: 'any', path: undefined }]])
    const keyed = context.path(key, at, item)
    if (!keyed) continue
    const { root, steps } = keyed.path
    if (
      root !== '$this' ||
      steps.length === 0 ||
      steps.some(({ keys, type: of, selector }) => keys.length > 0 || of || selector)
    ) {
      context.report(at, 'Write the key as names of elements alone: `item.reference`.')
    } else if (!context.definitions.isPrimitive(keyed.end.type)) {
      context.report(
        at,
        `\`${key}\` is a ${keyed.end.type}: name the element in it whose value is the key, as in \`item.reference\`.`,
      )
    }
    match.set(
      list,
      steps.map((step) => step.name),
    )
  }
  return match
}

function compileChange(
  context: CompileContext,
  name: string,
  input: ChangeInput,
  at: SourcePath,
  part: PartContext,
): Change {
  const { id, scope, otherwise } = part
  if (Array.isArray(input)) return { name, id, parts: compileParts(context, input, at, part) }
  const each = input['for each']
  const eachAt = [...at, 'for each']
  const side = each.kept === undefined ? 'appended' : 'kept'
  const text = each.kept ?? each.appended
  if (text === undefined || (each.kept !== undefined && each.appended !== undefined)) {
    context.report(eachAt, 'Expected exactly one of `kept` and `appended`.', { at: 'key' })
    return { name, id, parts: [] }
  }
  if (!checkVariableName(context, each.as, [...eachAt, 'as'], scope)) return { name, id, parts: [] }
  const found = context.path(text, [...eachAt, side], scope)
  if (!found) return { name, id, parts: [] }
  const own = context.otherwise(each.otherwise, [...eachAt, 'otherwise'], otherwise)
  const variable: Variable = { ...found.end, side: side === 'kept' ? 'kept' : 'added', path: found.path }
  const inner = new Map(scope).set(each.as, variable)
  if (side === 'kept' && each.mode !== undefined) {
    context.report([...eachAt, 'mode'], '`mode` applies to `appended` items only: of a kept one nothing is asked.', {
      at: 'key',
    })
  }
  if (side === 'kept' && (each.holds || each['one-of'] || each.lacks || each.open !== undefined)) {
    context.report(eachAt, '`holds`, `one-of`, `lacks` and `open` apply to `appended` items only.', { at: 'key' })
  }
  const content = compileContent(
    context,
    each,
    (key) => ({ at: [...eachAt, key], about: undefined }),
    found.end,
    inner,
    own,
  )
  const forEach: ForEach = {
    side,
    variable: each.as,
    path: found.path,
    content,
    otherwise: own,
    mode: each.mode ?? part.mode,
  }
  const parts = compileParts(context, input.parts, [...at, 'parts'], { ...part, scope: inner, about: each.as })
  return { name, id, forEach, parts }
}
