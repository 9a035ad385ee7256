import { readFileSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readBeside } from '../../src/config/load.ts'
import { withoutServerOwned, type Resource } from '../../src/fhir/element.ts'
import { parseJson } from '../../src/fhir/json.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import type { Decision } from '../../src/policy/decision.ts'
import { judge, judgeOperation } from '../../src/policy/judge.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { plainRequest } from '../../src/policy/request-facts.ts'
import { answerTo } from '../../src/policy/refusal.ts'
import { applyChange, type Operation } from './json-patch.ts'

interface CaseFile {
  readonly policy: string
  readonly resources: Readonly<Record<string, unknown>>
  readonly cases: readonly Case[]
}

interface Case {
  readonly case: string
  readonly before?: string
  readonly create?: string
  readonly delete?: string
  readonly operation?: string
  readonly parameters?: string
  readonly change?: readonly Operation[]
  readonly permit?: readonly string[]
  readonly refuse?: readonly { at: string; status: number; code?: string }[]
}

const folder = new URL('../../config/policies/', import.meta.url)

for (const name of readdirSync(folder).filter((file) => file.endsWith('.cases.yaml'))) {
  const file: CaseFile = parse(readFileSync(new URL(name, folder), 'utf8'), { merge: true, maxAliasCount: 1000 })
  const policy = compiled(file.policy)
  describe(`the cases of ${policy.name}`, () => {
    for (const one of file.cases) {
      it(`${one.case}`, () => {
        const decision = decide(one, file.resources, policy)
        expect(outcome(decision, policy)).toEqual(one.permit ?? sorted(one.refuse!))
      })
    }
  })
}

const surroundings = { bases: [], maxRefusals: 100, request: plainRequest('update') }

function decide(one: Case, resources: CaseFile['resources'], policy: Policy): Decision {
  const start = resources[one.before ?? one.parameters ?? one.create ?? one.delete!]
  if (one.delete !== undefined) {
    const before = resource(start, policy)
    return judge(policy, { interaction: 'delete', type: before.type, before, after: undefined }, surroundings)
  }
  const after = resource(applyChange(start, one.change ?? []), policy)
  if (one.operation !== undefined) {
    const rules = policy.system.operations.get(one.operation.slice(1))!.rules!
    return judgeOperation(rules, policy, after, surroundings)
  }
  const before = one.before === undefined ? undefined : resource(start, policy)
  return judge(policy, { interaction: before ? 'update' : 'create', type: after.type, before, after }, surroundings)
}

type Expected = NonNullable<Case['refuse']>[number]

const sorted = (refusals: readonly Expected[]) => [...refusals].sort((a, b) => (a.at < b.at ? -1 : 1))

function outcome(decision: Decision, policy: Policy): readonly (string | Expected)[] {
  if (decision.verdict === 'permit') return decision.permittedAs
  return sorted(
    decision.refusals.map((refusal) => {
      const { status, code } = answerTo(refusal, policy.answers, policy.release)
      return { at: refusal.expression ?? '', status, ...(code ? { code } : {}) }
    }),
  )
}

function compiled(file: string): Policy {
  const path = fileURLToPath(new URL(file, folder))
  const result = compilePolicy(file, readFileSync(path, 'utf8'), readBeside(path, dirname(dirname(path))))
  if (!result.ok) throw new Error(result.diagnostics.map((d) => d.message).join('\n'))
  return result.policy
}

function resource(json: unknown, policy: Policy): Resource {
  const result = parseJson(JSON.stringify(json), policy.definitions)
  if (!result.ok) throw new Error(result.faults.map((fault) => `${fault.expression} ${fault.sentence}`).join('\n'))
  return withoutServerOwned(result.value)
}
