import { createHash } from 'node:crypto'
import { definitionsOf } from '../fhir/definitions.ts'
import type { InteractionCode } from '../fhir/interaction.ts'
import { issueTypesOf, type IssueType } from '../fhir/issue-type.ts'
import { releaseOf } from '../fhir/version.ts'
import { CompileContext } from './compile-context.ts'
import { compileRuleSet } from './compile-rules.ts'
import { didYouMean } from './did-you-mean.ts'
import { diagnoseOverlaps } from './overlap.ts'
import type { Policy, ResourcePolicy } from './policy.ts'
import { answerTo, causes, type Answer, type Cause } from './refusal.ts'
import { policySchema, type PolicyInput } from './schema.ts'
import { diagnoseSchema, readSource, type Diagnostic } from './source.ts'

export type Compiled =
  { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

/**
 * Compiles the text of a policy file, or tells every mistake in it where it stands. Pure: reads nothing but the text.
 * @param file the name that diagnostics give
 */
export function compilePolicy(file: string, text: string): Compiled {
  const source = readSource(file, text)
  if (source.diagnostics.length > 0) return { ok: false, diagnostics: source.diagnostics }
  const read = policySchema.safeParse(source.data)
  if (!read.success) return { ok: false, diagnostics: diagnoseSchema(source, read.error, policySchema) }
  const input: PolicyInput = read.data

  const release = releaseOf(input.fhir)
  if (!release) {
    const message = `FHIR ${input.fhir} is not carried. Expected 3.0.2, 4.0.1 or 5.0.0.`
    return { ok: false, diagnostics: [source.diagnose(['fhir'], message)] }
  }
  const context = new CompileContext(source, input, release, definitionsOf(release))
  const answers = compileAnswers(context)
  context.defaultAnswer = answerTo({ cause: 'change-not-permitted' }, answers, release)

  const resources = new Map<string, ResourcePolicy>()
  for (const [type, resource] of Object.entries(input.resources)) {
    if (!context.definitions.isResource(type)) {
      context.report(['resources', type], `FHIR ${input.fhir} has no resource type \`${type}\`.`, { at: 'key' })
      continue
    }
    resources.set(type, {
      interactions: interactionsOf(context, ['resources', type], resource.interactions, onResource, resource),
      ...(resource.update ? { update: compileRuleSet(context, type, 'update', resource.update) } : {}),
      ...(resource.create ? { create: compileRuleSet(context, type, 'create', resource.create) } : {}),
    })
  }
  for (const { update, create } of resources.values()) {
    for (const rules of [update, create]) if (rules) diagnoseOverlaps(rules, context)
  }
  const system = interactionsOf(context, ['system'], input.system?.interactions ?? [], onSystem)
  input.bases?.forEach((base, i) => {
    if (!/^https?:\/\/[^/?#\s]+(\/[^?#\s]*[^/?#\s])?$/.test(base)) {
      context.report(['bases', i], 'Expected an absolute http(s) URL without a trailing slash.')
    }
  })
  context.reportUnused()

  if (context.diagnostics.length > 0) return { ok: false, diagnostics: context.inOrder() }
  return {
    ok: true,
    policy: {
      name: input.policy,
      summary: input.summary ?? '',
      digest: createHash('sha256').update(text).digest('hex'),
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
      precedence: input.precedence ?? [],
      bases: input.bases ?? [],
      system: { interactions: system },
      resources,
    },
  }
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
    const { issue } = answerTo({ cause }, answers, context.release)
    if (!known.has(issue))
      answers.set(cause, { ...answerTo({ cause }, answers, context.release), issue: 'processing' as IssueType })
  }
  return answers
}

const onResource: ReadonlySet<InteractionCode> = new Set([
  'read',
  'vread',
  'update',
  'history-instance',
  'history-type',
  'create',
  'search-type',
])
const onSystem: ReadonlySet<InteractionCode> = new Set(['capabilities', 'search-system', 'history-system', 'paging'])

function interactionsOf(
  context: CompileContext,
  path: readonly PropertyKey[],
  codes: readonly InteractionCode[],
  possible: ReadonlySet<InteractionCode>,
  rules: { readonly update?: unknown; readonly create?: unknown } = {},
): ReadonlySet<InteractionCode> {
  codes.forEach((code, i) => {
    if (!possible.has(code)) {
      const hint = didYouMean(code, possible)
      context.report(
        [...path, 'interactions', i],
        `\`${code}\` cannot be opened here. Possible: ${[...possible].join(', ')}.${hint}`,
      )
    }
    if ((code === 'update' || code === 'create') && !rules[code]) {
      context.report(
        [...path, 'interactions', i],
        `\`${code}\` is open, but there are no rules for it: \`${code}:\` is missing.`,
      )
    }
  })
  for (const code of ['update', 'create'] as const) {
    if (rules[code] && !codes.includes(code)) {
      context.report([...path, code], `There are rules for ${code}, but \`${code}\` is not among the interactions.`, {
        at: 'key',
      })
    }
  }
  return new Set(codes)
}
