import type { InteractionCode } from '../fhir/interaction.ts'
import type { RequestFacts } from '../policy/request-facts.ts'
import type { SourcePath } from '../policy/source.ts'
import { askedWrite } from './asked.ts'
import type { Case } from './case.ts'
import type { CaseContext } from './context.ts'
import { readExpected } from './expected.ts'
import type { BodyInput, CaseInput } from './schema.ts'

/** What a case may be about, and the setting that has its body. */
const subjects = { before: 'before', create: 'create', delete: 'delete', operation: 'parameters' } as const
export type Subject = keyof typeof subjects

/** One case, or one for each of several bodies; none after a mistake, which is reported to the context. */
export function readCase(context: CaseContext, input: CaseInput, at: SourcePath): Case[] {
  const subject = subjectOf(context, input, at)
  if (!subject) return []
  const key = subjects[subject]
  const several = Array.isArray(input[key]) ? (input[key] as readonly BodyInput[]) : undefined
  return (several ?? [input[key] as BodyInput]).flatMap((body, i) => {
    const bodyAt = several ? [...at, key, i] : [...at, key]
    const written = context.bodies.written(body, bodyAt)
    const asked = written && askedWrite(context, subject, written, bodyAt, input, at)
    const expected = asked && readExpected(context, input, at, asked)
    if (!asked || !expected) return []
    return [
      {
        name: several ? `${input.case} (${written.label ?? i + 1})` : input.case,
        file: context.source.file,
        line: context.source.diagnose([...at, 'case'], '').line,
        group: asked.type ?? input.operation!,
        asked,
        request: requestOf(input, asked.code),
        expected,
      },
    ]
  })
}

/** The settings that go with some subjects only. */
const belongings: readonly (readonly [keyof CaseInput, readonly Subject[]])[] = [
  ['after', ['before']],
  ['parameters', ['operation']],
  ['on', ['operation', 'create']],
]

/** What a case is about, when its settings go together. */
function subjectOf(context: CaseContext, input: CaseInput, at: SourcePath): Subject | undefined {
  const known = context.diagnostics.length
  const report = (setting: keyof CaseInput, message: string) => context.report([...at, setting], message, { at: 'key' })
  const [subject, ...others] = (Object.keys(subjects) as Subject[]).filter((key) => input[key] !== undefined)
  if (!subject || others.length > 0) {
    report('case', 'Expected exactly one of `before` (an update), `create`, `delete` and `operation`.')
    return undefined
  }
  for (const [setting, ofSubjects] of belongings) {
    if (input[setting] === undefined || ofSubjects.includes(subject)) continue
    report(setting, `\`${setting}\` goes with ${ofSubjects.map((name) => `\`${name}\``).join(' and ')}.`)
  }
  if (input.request?.interaction !== undefined && subject !== 'before') {
    context.report([...at, 'request', 'interaction'], '`interaction` goes with `before`.', { at: 'key' })
  }
  if (subject === 'operation' && input.parameters === undefined) {
    report('operation', 'An operation needs its `parameters`.')
  }
  if (subject === 'before' && (input.after === undefined) === (input.change === undefined)) {
    report('before', 'An update needs exactly one of `after` and `change`; `change: []` changes nothing.')
  }
  if (subject === 'create' && input.on?.includes('/')) {
    report('on', 'The target of a create is a resource type, without an id.')
  }
  if ((input.permit === undefined) === (input.refuse === undefined)) {
    report('case', 'Expected exactly one of `permit` and `refuse`.')
  }
  return context.diagnostics.length === known ? subject : undefined
}

function requestOf({ request }: CaseInput, interaction: InteractionCode): RequestFacts {
  const fields = Object.entries(request?.['header-fields'] ?? {})
  return {
    interaction,
    scopes: request?.scopes ?? [],
    headerFields: Object.fromEntries(fields.map(([name, lines]) => [name.toLowerCase(), [lines].flat()])),
  }
}
