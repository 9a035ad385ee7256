import { sameValue } from '../fhir/element.ts'
import { bounds } from './bounds.ts'
import type { CompileContext } from './compile-context.ts'
import { covers } from './covers.ts'
import type { Path, Step } from './path.ts'
import type { Change, Condition, Content, Part, Rest, RuleSet } from './rule.ts'
import type { SourcePath } from './source.ts'

/** What a rule set judges: the Parameters of an operation come, as what is created does. */
export type Judged = 'update' | 'create' | 'delete' | 'operation'

/** Rules that can never match, or that say nothing, are mistakes of the policy: its author meant something else. */
export function diagnoseNever(rules: RuleSet, judged: Judged, context: CompileContext): void {
  for (const change of rules.changes) diagnoseChange(change, judged, [...rules.at, 'changes', change.name], context)
  if (rules.rest) diagnoseRest(rules.rest, [...rules.at, 'rest'], context)
}

function diagnoseRest({ only, except }: Rest, at: SourcePath, context: CompileContext): void {
  const widerOf = (path: Path, i: number, paths: readonly Path[]) =>
    paths.find((other, j) => j !== i && covers(other, path, 'within') && !(covers(path, other) && j > i))
  except.forEach((path, i) => {
    const wider = widerOf(path, i, except)
    if (wider) {
      const message = `\`${path.text}\` is excepted already, by \`${wider.text}\`: leave it out.`
      context.report([...at, 'except', i], message)
    }
  })
  only?.forEach((path, i) => {
    const wider = widerOf(path, i, only)
    const excepted = except.find((other) => covers(other, path, 'within'))
    if (wider) {
      context.report([...at, 'only', i], `\`${path.text}\` is named already, by \`${wider.text}\`: leave it out.`)
    } else if (excepted) {
      const message = `\`${path.text}\` is excepted, by \`${excepted.text}\`: nothing of it is left.`
      context.report([...at, 'only', i], message)
    }
  })
}

const wholes = {
  create: 'What is created comes as one difference: `added: $this`, and under its `holds` what must be there.',
  operation: 'The Parameters come as one difference: `added: $this`, and under its `holds` what must be there.',
  delete: 'What is deleted goes as one difference: `removed: $this`, and under its `holds` what it must have been.',
} as const

function diagnoseChange({ forEach, parts }: Change, judged: Judged, at: SourcePath, context: CompileContext): void {
  if (forEach) {
    if (judged !== 'update') {
      context.report([...at, 'for each'], wholes[judged], { at: 'key' })
      return
    }
    diagnoseContent(forEach.content, judged, context)
  }
  const single = new Set(['$this', '$resource', ...(forEach ? [forEach.variable] : [])])
  const moving = new Set(forEach?.side === 'appended' ? [forEach.variable] : [])
  const all: Part[] = []
  const visit = (some: readonly Part[]) => {
    for (const part of some) {
      all.push(part)
      diagnosePart(part, judged, single, moving, context)
      if (part.kind === 'replaced') continue
      diagnoseContent(part.content, judged, context)
      if (part.as !== undefined) moving.add(part.as)
      visit(part.with)
    }
  }
  visit(parts)
  // More are a mistake of their own.
  if (judged === 'update' && all.length <= bounds.together) diagnoseTogether(all, context)
}

function diagnosePart(
  part: Part,
  judged: Judged,
  single: ReadonlySet<string>,
  moving: ReadonlySet<string>,
  context: CompileContext,
): void {
  const { kind, path, times, at } = part
  const whole = path.steps.length === 0
  if (judged !== 'update') {
    const right = kind === (judged === 'delete' ? 'removed' : 'added') && whole && single.has(path.root)
    if (!right) context.report(at, wholes[judged])
    return
  }
  if (moving.has(path.root)) {
    context.report(
      at,
      `What is below \`${path.root}\` comes or goes with it: say under its \`holds\` what must be there.`,
    )
  } else if (whole && kind !== 'replaced') {
    context.report(at, `\`${path.root}\` neither comes nor goes in an update: name an element of it.`)
  }
  if (kind === 'replaced' && isServers(path)) {
    context.report(at, `\`${path.text}\` belongs to the server, and is never compared.`)
  }
  if (kind === 'replaced' && isId(path)) {
    context.report(at, `\`${path.text}\` never differs: with another id it is another resource.`)
  }
  if (!path.repeats && single.has(path.root) && times.min > 1) {
    context.report(at, `\`${path.text}\` does not repeat: it cannot be there ${times.min} times.`)
  }
  if ((kind === 'added' || kind === 'appended') && part.total !== undefined && part.total < times.min) {
    context.report(at, `\`times\` asks for ${times.min} at least, and \`total\` for ${part.total} in all.`)
  }
}

const isServers = ({ steps }: Path) =>
  steps.at(-2)?.name === 'meta' && ['versionId', 'lastUpdated'].includes(steps.at(-1)!.name)

const isId = ({ steps }: Path) =>
  steps.at(-1)?.name === 'id' && (steps.length === 1 || (steps.length === 2 && steps[0]!.name === 'contained'))

/** Parts of one change that cannot all be there. */
function diagnoseTogether(parts: readonly Part[], context: CompileContext): void {
  for (const [i, a] of parts.entries()) {
    for (const b of parts.slice(i + 1)) {
      if (start(a) !== start(b)) continue
      if (haveOnePlace(a, b)) {
        const message = `\`${b.path.text}\` has a transition in this change already: say all its values in one part, or make it a change of its own.`
        context.report(b.at, message)
      }
      for (const [gone, other] of [
        [a, b],
        [b, a],
      ] as const) {
        if (gone.kind !== 'removed' || gone.path.repeats || other.kind === 'removed') continue
        if (gone.times.min === 0 || other.times.min === 0 || !covers(gone.path, other.path, 'within')) continue
        const message = `\`${gone.path.text}\` is removed in this change: \`${other.path.text}\` cannot be ${other.kind} in it.`
        context.report(b.at, message)
      }
    }
  }
}

const start = ({ path }: Part) => (path.root === '$resource' ? '$this' : path.root)

/** Every place of one must have the transition of the other, too. */
function haveOnePlace(a: Part, b: Part): boolean {
  if (a.kind !== 'replaced' || b.kind !== 'replaced') return false
  const [aCovers, bCovers] = [covers(a.path, b.path), covers(b.path, a.path)]
  return (aCovers && bCovers) || (aCovers && b.times.min > 0) || (bCovers && a.times.min > 0)
}

/** A condition, with its steps from the subject of a content on. */
interface Placed {
  readonly condition: Condition
  readonly steps: readonly Step[]
  /** It and all that it stands in must be there. */
  readonly mandatory: boolean
}

function diagnoseContent(content: Content, judged: Judged, context: CompileContext): void {
  const alternatives = content.oneOf?.alternatives.map((conditions) => placed(conditions)) ?? []
  const all = placed(content.holds)
  if (all.length > bounds.together) {
    context.report(
      all[0]!.condition.at,
      `With those beside it and below, this is more than ${bounds.together} conditions.`,
      {
        at: 'key',
      },
    )
    return
  }
  for (const { condition, steps, mandatory } of [...all, ...alternatives.flat()]) {
    const { path, times, at } = condition
    if (!path.repeats && path.root === '$this' && times.min > 1) {
      context.report(at, `\`${path.text}\` does not repeat: it cannot be there ${times.min} times.`, { at: 'key' })
    }
    if (
      mandatory &&
      (isServers({ ...path, steps }) || (judged === 'create' && steps.length === 1 && isId({ ...path, steps })))
    ) {
      context.report(at, `\`${path.text}\` belongs to the server: it is not among what is judged.`, { at: 'key' })
    }
    const lacked = content.lacks.find((lack) => lack.path.root === '$this' && covers(lack.path, { steps }, 'within'))
    if (mandatory && lacked) {
      const message = `\`${path.text}\` must be there, and \`lacks: ${lacked.path.text}\` says that it may not.`
      context.report(at, message, { at: 'key' })
    }
  }
  for (const [i, a] of all.entries()) for (const b of all.slice(i + 1)) diagnosePair(a, b, context)
  for (const [i, one] of alternatives.entries()) {
    for (const other of alternatives.slice(i + 1)) diagnoseAlternatives(one, other, context)
  }
  for (const { test } of [...content.holds, ...(content.oneOf?.alternatives.flat() ?? [])]) {
    if (test.kind === 'content') diagnoseContent(test.content, 'update', context)
  }
}

function placed(conditions: readonly Condition[], front: readonly Step[] = [], mandatory = true): Placed[] {
  return conditions.flatMap((condition): Placed[] => {
    const { path, times, test } = condition
    if (path.root !== '$this') return []
    const steps = [...front, ...path.steps]
    const must = mandatory && times.min > 0
    const below = test.kind === 'content' ? placed(test.content.holds, steps, must) : []
    return [{ condition, steps, mandatory: must }, ...below]
  })
}

function diagnosePair(a: Placed, b: Placed, context: CompileContext): void {
  const [wide, narrow] = covers(a, b) ? [a, b] : [b, a]
  if (!covers(wide, narrow)) return
  const { at, path } = b.condition
  if (covers(narrow, wide)) {
    context.report(at, `\`${path.text}\` has a condition already: say both in one.`, { at: 'key' })
    return
  }
  const never =
    narrow.mandatory &&
    (narrow.condition.times.min > wide.condition.times.max || differ(wide.condition, narrow.condition))
  if (!never) return
  const message = `What \`${wide.condition.path.text}\` and \`${narrow.condition.path.text}\` ask for cannot be there together.`
  context.report(at, message, { at: 'key' })
}

function differ({ test: a }: Condition, { test: b }: Condition): boolean {
  if (a.kind !== 'is' || b.kind !== 'is') return false
  return !a.literals.some((value) => b.literals.some((other) => sameValue(value, other)))
}

function diagnoseAlternatives(one: readonly Placed[], other: readonly Placed[], context: CompileContext): void {
  for (const a of one) {
    for (const b of other) {
      if (!covers(a, b, 'within') && !covers(b, a, 'within')) continue
      const message = `\`${b.condition.path.text}\` and \`${a.condition.path.text}\` are there together: alternatives must be apart.`
      context.report(b.condition.at, message, { at: 'key' })
      return
    }
  }
}
