import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { withoutServerOwned, type Resource } from '../../src/fhir/element.ts'
import { parseJson } from '../../src/fhir/json.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import type { Decision } from '../../src/policy/decision.ts'
import { judge } from '../../src/policy/judge.ts'
import type { Policy } from '../../src/policy/policy.ts'
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
        const before = one.before === undefined ? undefined : file.resources[one.before]
        const after = before === undefined ? file.resources[one.create!] : applyChange(before, one.change!)
        const type = (after as { resourceType: string }).resourceType
        const decision = judge(
          policy,
          {
            interaction: before === undefined ? 'create' : 'update',
            type,
            before: before === undefined ? undefined : resource(before, policy),
            after: resource(after, policy),
          },
          { bases: [], maxRefusals: 100 },
        )
        expect(outcome(decision, policy)).toEqual(one.permit ?? sorted(one.refuse!))
      })
    }
  })
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
  const result = compilePolicy(file, readFileSync(new URL(file, folder), 'utf8'))
  if (!result.ok) throw new Error(result.diagnostics.map((d) => d.message).join('\n'))
  return result.policy
}

function resource(json: unknown, policy: Policy): Resource {
  const result = parseJson(JSON.stringify(json), policy.definitions)
  if (!result.ok) throw new Error(result.faults.map((fault) => `${fault.expression} ${fault.sentence}`).join('\n'))
  return withoutServerOwned(result.value)
}
