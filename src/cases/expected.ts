import { issueTypesOf } from '../fhir/issue-type.ts'
import { noChange, reportOnly } from '../policy/decision.ts'
import { didYouMean } from '../policy/did-you-mean.ts'
import { interactionOf, type AskedWrite } from '../policy/judge-asked.ts'
import { operationOf, type Policy } from '../policy/policy.ts'
import type { RuleSet } from '../policy/rule.ts'
import type { SourcePath } from '../policy/source.ts'
import type { Expected, ExpectedRefusal } from './case.ts'
import type { CaseContext } from './context.ts'
import { rulesOf } from './rules.ts'
import type { CaseInput, RefusalInput } from './schema.ts'

/** What a case expects. Names that the policy does not have are mistakes: such a case could never pass. */
export function readExpected(
  context: CaseContext,
  input: CaseInput,
  at: SourcePath,
  asked: AskedWrite,
): Expected | undefined {
  const known = context.diagnostics.length
  const ruleSet = ruleSetOf(context.policy, asked)
  const refusals = (key: 'refuse' | 'reported') =>
    (input[key] ?? []).map((refusal, i) => readRefusal(context, refusal, [...at, key, i], asked, ruleSet))
  const reported = refusals('reported')
  const expected: Expected =
    input.permit === undefined
      ? { kind: 'refuse', refusals: refusals('refuse'), reported }
      : {
          kind: 'permit',
          names: readNames(context, input.permit, [...at, 'permit'], ruleSet),
          restored: (input.restored ?? []).map((path) => wholePath(path, asked)),
          reported,
        }
  if (input.restored && input.permit === undefined) {
    context.report([...at, 'restored'], '`restored` goes with `permit`.', { at: 'key' })
  }
  return context.diagnostics.length === known ? expected : undefined
}

/** The rules by which a write is judged; undefined where the policy has none for it. */
function ruleSetOf(policy: Policy, asked: AskedWrite): RuleSet | undefined {
  const { code, type } = asked
  if (code === 'operation') return operationOf(policy, interactionOf(asked))?.rules
  return type === undefined ? undefined : policy.resources.get(type)?.[code === 'patch' ? 'update' : code]
}

function readNames(
  context: CaseContext,
  input: string | readonly string[],
  at: SourcePath,
  ruleSet: RuleSet | undefined,
): readonly string[] {
  const names = [input].flat()
  if (!ruleSet) return names
  const known = [
    ...ruleSet.changes.map(({ name }) => name),
    ...(ruleSet.rest ? [ruleSet.rest.name] : []),
    noChange,
    reportOnly,
  ]
  names.forEach((name, i) => {
    if (known.includes(name)) return
    const hint = didYouMean(name, known)
    const where = Array.isArray(input) ? [...at, i] : at
    context.report(where, `${ruleSet.id} permits nothing as \`${name}\`. Possible: ${known.join(', ')}.${hint}`)
  })
  return names
}

function readRefusal(
  context: CaseContext,
  input: RefusalInput,
  at: SourcePath,
  asked: AskedWrite,
  ruleSet: RuleSet | undefined,
): ExpectedRefusal {
  const { policy } = context
  const { rule, at: path, issue, code, ...others } = input
  if (Object.keys(input).length === 0) context.report(at, 'A refusal needs one feature at least, such as `at`.')
  const issues = issueTypesOf(policy.release)
  if (issue !== undefined && !issues.has(issue)) {
    const hint = didYouMean(issue, issues)
    context.report([...at, 'issue'], `FHIR ${policy.fhirVersion} has no issue code \`${issue}\`.${hint}`)
  }
  const codes = policy.outcome.codes?.display
  if (code !== undefined && !codes?.has(code)) {
    const hint = didYouMean(code, codes?.keys() ?? [])
    context.report([...at, 'code'], `The policy has no code \`${code}\` under \`outcome.codes\`.${hint}`)
  }
  return {
    ...others,
    ...(rule !== undefined && { rule: wholeRule(context, rule, [...at, 'rule'], ruleSet) }),
    ...(path !== undefined && { at: wholePath(path, asked) }),
    ...(issue !== undefined && { issue }),
    ...(code !== undefined && { code }),
  }
}

/** The id of a rule that may have been named without that of its rule set. */
function wholeRule(context: CaseContext, name: string, at: SourcePath, ruleSet: RuleSet | undefined): string {
  if (!ruleSet) {
    context.report(at, 'The policy has no rules for this.')
    return name
  }
  const ids = [ruleSet.id, ...rulesOf(ruleSet).map(({ id }) => id)]
  const shorts = ids.map((id) => (id === ruleSet.id ? id : id.slice(ruleSet.id.length + 1)))
  const whole = ids.includes(name) ? name : ids[shorts.indexOf(name)]
  if (whole !== undefined) return whole
  context.report(at, `${ruleSet.id} has no rule \`${name}\`.${didYouMean(name, shorts)}`)
  return name
}

/** Element names begin with a small letter, types do not. */
function wholePath(path: string, { code, type }: AskedWrite): string {
  const root = code === 'operation' ? 'Parameters' : type
  return root !== undefined && /^[a-z]/.test(path) ? `${root}.${path}` : path
}
