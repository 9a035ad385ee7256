import { createHash } from 'node:crypto'
import { definitionsOf } from '../fhir/definitions.ts'
import type { InteractionCode } from '../fhir/interaction.ts'
import { issueTypesOf } from '../fhir/issue-type.ts'
import { releaseOf } from '../fhir/version.ts'
import { CompileContext, TooMuch, type Ask } from './compile-context.ts'
import { compileHeaderFields } from './compile-header-fields.ts'
import { compileLists, type ReadBeside } from './compile-lists.ts'
import { compileChanges, compileRuleSet } from './compile-rules.ts'
import { diagnoseSchema } from './diagnose-schema.ts'
import { didYouMean } from './did-you-mean.ts'
import { diagnoseNever, type Judged } from './never.ts'
import { diagnoseOverlaps } from './overlap.ts'
import type { ConditionalInteraction, Operations, Policy, ResourcePolicy } from './policy.ts'
import { answerTo, causes, type Answer, type Cause } from './refusal.ts'
import type { RuleSet } from './rule.ts'
import { policySchema, type PolicyInput } from './schema/policy.ts'
import { readSource, type Diagnostic } from './source.ts'

export type { ReadBeside } from './compile-lists.ts'

export type Compiled =
  | { readonly ok: true; readonly policy: Policy; readonly asks: readonly Ask[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

/**
 * Compiles the text of a policy file, or tells every mistake in it where it stands. Pure: reads nothing but the text, and
 * what `readBeside` gives.
 * @param file the name that diagnostics give
 */
export function compilePolicy(file: string, text: string, readBeside: ReadBeside = () => undefined): Compiled {
  const source = readSource(file, text)
  if (source.diagnostics.length > 0) return { ok: false, diagnostics: source.diagnostics }
  const read = policySchema.safeParse(source.data)
  if (!read.success) return { ok: false, diagnostics: diagnoseSchema(source, read.error, policySchema) }
  const input: PolicyInput = read.data

  const release = releaseOf(input.fhir)
  if (!release) {
    const named = { STU3: '3.0.2', R4: '4.0.1', R5: '5.0.0' }[input.fhir.toUpperCase()]
    const hint = named === undefined ? '' : ` Did you mean \`${named}\`?`
    const message = `FHIR ${input.fhir} is not carried. Expected 3.0.2, 4.0.1 or 5.0.0.${hint}`
    return { ok: false, diagnostics: [source.diagnose(['fhir'], message)] }
  }
  const context = new CompileContext(source, input, release, definitionsOf(release))
  try {
    return compileAll(context, text, readBeside)
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error
    return { ok: false, diagnostics: context.inOrder() }
  }
}

function compileAll(context: CompileContext, text: string, readBeside: ReadBeside): Compiled {
  const { input, release } = context
  const { lists, texts } = compileLists(context, readBeside)
  context.lists = lists
  const answers = compileAnswers(context)
  context.defaultAnswer = answerTo({ cause: 'change-not-permitted' }, answers, release)

  const headerFields = compileHeaderFields(context, answers)

  const { '*': rest, ...named } = input.resources
  const resources = new Map<string, ResourcePolicy>()
  for (const [type, resource] of Object.entries(named)) {
    if (!context.definitions.isResource(type)) {
      const hint = didYouMean(type, context.definitions.resourceTypes)
      context.report(['resources', type], `FHIR ${input.fhir} has no resource type \`${type}\`.${hint}`, { at: 'key' })
      continue
    }
    resources.set(type, compileResource(context, type, type, resource))
  }
  const unnamed = rest ? [...context.definitions.resourceTypes].filter((type) => !Object.hasOwn(named, type)) : []
  const others = context.forTypes(unnamed, (type) => compileResource(context, '*', type, rest!))
  const system = {
    interactions: interactionsOf(context, ['system'], input.system?.interactions ?? [], onSystem),
    operations: compileOperations(context, ['system', 'operations'], input.system?.operations),
  }
  for (const { rules } of system.operations.values()) if (rules) diagnoseRules(rules, 'operation', context)
  input.bases?.forEach((base, i) => {
    if (!/^https?:\/\/[^/?#\s]+(\/[^?#\s]*[^/?#\s])?$/.test(base)) {
      context.report(['bases', i], 'Expected an absolute http(s) URL without a trailing slash.')
    }
  })
  context.reportUnused()

  if (context.diagnostics.length > 0) return { ok: false, diagnostics: context.inOrder() }
  return {
    ok: true,
    asks: context.asks,
    policy: {
      name: input.policy,
      summary: input.summary ?? '',
      digest: digestOf(text, texts),
      mode: input.mode ?? 'enforce',
      fhirVersion: input.fhir,
      release,
      definitions: context.definitions,
      outcome: {
        ...(input.outcome?.profile ? { profile: input.outcome.profile } : {}),
        ...(input.outcome?.codes
          ? {
              codes: {
                system: input.outcome.codes.system,
                display: new Map(Object.entries(input.outcome.codes.display)),
              },
            }
          : {}),
      },
      answers,
      headerFields,
      precedence: input.precedence ?? [],
      bases: input.bases ?? [],
      system,
      resources: new Map([...resources, ...others]),
      others: new Set(unnamed),
    },
  }
}

function digestOf(text: string, beside: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256').update(text)
  for (const [path, own] of beside) hash.update(`\0${path}\0${own.length}\0`).update(own)
  return hash.digest('hex')
}

function compileResource(
  context: CompileContext,
  section: string,
  type: string,
  resource: ResourceInput,
): ResourcePolicy {
  const at = ['resources', section]
  const rules = (['update', 'create', 'delete'] as const).flatMap((interaction) => {
    const input = resource[interaction]
    return input ? [[interaction, compileRuleSet(context, section, type, interaction, input)] as const] : []
  })
  const compiled: ResourcePolicy = {
    interactions: interactionsOf(context, at, resource.interactions, onResource, resource),
    conditional: conditionalOf(context, at, resource),
    operations: {
      type: compileOperations(context, [...at, 'operations'], resource.operations),
      instance: compileOperations(context, [...at, 'instance-operations'], resource['instance-operations']),
    },
    ...(Object.fromEntries(rules) as Pick<ResourcePolicy, 'update' | 'create' | 'delete'>),
  }
  for (const [interaction, own] of rules) diagnoseRules(own, interaction, context)
  for (const level of Object.values(compiled.operations)) {
    for (const { rules: own } of level.values()) if (own) diagnoseRules(own, 'operation', context)
  }
  return compiled
}

function diagnoseRules(rules: RuleSet, judged: Judged, context: CompileContext): void {
  diagnoseOverlaps(rules, context)
  diagnoseNever(rules, judged, context)
}

/** The policy's answers by cause, each completed with FHIR's own. */
function compileAnswers(context: CompileContext): ReadonlyMap<Cause, Answer> {
  const answers = new Map<Cause, Answer>()
  for (const [cause, answer] of Object.entries(context.input.answers ?? {}) as [Cause, object][]) {
    context.checkAnswer(answer, ['answers', cause])
    answers.set(cause, context.answer(answer, answerTo({ cause }, new Map(), context.release)))
  }
  // FHIR's own codes must exist in the version, too; `causes` is checked here once for all policies.
  const known = issueTypesOf(context.release)
  for (const cause of Object.keys(causes) as Cause[]) {
    const answer = answerTo({ cause }, answers, context.release)
    if (!known.has(answer.issue)) answers.set(cause, { ...answer, issue: 'processing' })
  }
  return answers
}

const onResource: ReadonlySet<InteractionCode> = new Set([
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'create',
  'search-type',
])
const onSystem: ReadonlySet<InteractionCode> = new Set([
  'capabilities',
  'search-system',
  'history-system',
  'paging',
  'transaction',
  'batch',
])

/** The rules that an interaction is judged by. */
const rulesFor = { update: 'update', patch: 'update', create: 'create', delete: 'delete' } as const

type ResourceInput = PolicyInput['resources'][string]

function interactionsOf(
  context: CompileContext,
  path: readonly PropertyKey[],
  codes: readonly InteractionCode[],
  possible: ReadonlySet<InteractionCode>,
  resource: Partial<ResourceInput> = {},
): ReadonlySet<InteractionCode> {
  codes.forEach((code, i) => {
    const at = [...path, 'interactions', i]
    if (!possible.has(code)) {
      const hint = didYouMean(code, possible)
      context.report(at, `\`${code}\` cannot be opened here. Possible: ${[...possible].join(', ')}.${hint}`)
    } else if (code in rulesFor) {
      const rules = rulesFor[code as keyof typeof rulesFor]
      if (!resource[rules])
        context.report(at, `\`${code}\` is open, but there are no rules for it: \`${rules}:\` is missing.`)
    }
  })
  for (const rules of ['update', 'create', 'delete'] as const) {
    const open = codes.some((code) => code in rulesFor && rulesFor[code as keyof typeof rulesFor] === rules)
    if (resource[rules] && !open) {
      context.report(
        [...path, rules],
        `There are rules for ${rules}, but \`${rules}\` is not among the interactions.`,
        { at: 'key' },
      )
    }
  }
  return new Set(codes)
}

function conditionalOf(
  context: CompileContext,
  path: readonly PropertyKey[],
  { conditional = [], interactions }: ResourceInput,
): ReadonlySet<ConditionalInteraction> {
  conditional.forEach((code, i) => {
    if (!interactions.includes(code)) {
      context.report([...path, 'conditional', i], `\`${code}\` is not among the interactions.`)
    }
  })
  return new Set(conditional)
}

function compileOperations(
  context: CompileContext,
  path: readonly PropertyKey[],
  input: ResourceInput['operations'],
): Operations {
  return new Map(
    Object.entries(input ?? {}).map(([name, { methods, mode, changes, invariants, otherwise }]) => {
      const at = [...path, name]
      if (changes && methods.includes('GET')) {
        context.report([...at, 'methods'], 'An operation whose Parameters are judged is called by POST.')
      }
      if (invariants && !changes) {
        const message = 'Invariants are asked of what is judged, and without `changes` the operation passes unread.'
        context.report([...at, 'invariants'], message, { at: 'key' })
      }
      if (!changes && mode !== undefined) {
        context.report([...at, 'mode'], 'There are no `changes` here: nothing is refused, and nothing reported.', {
          at: 'key',
        })
      }
      const rules = changes && compileChanges(context, 'Parameters', name, at, { mode, changes, invariants, otherwise })
      return [name.slice(1), { methods: new Set(methods), ...(rules ? { rules } : {}) }]
    }),
  )
}
