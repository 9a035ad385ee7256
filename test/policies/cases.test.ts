import { describe, expect, it } from 'vitest'
import { coverageOf } from '../../src/cases/coverage.ts'
import { rulesOf } from '../../src/cases/rules.ts'
import { runCase } from '../../src/cases/run.ts'
import { readSuites } from '../../src/cli/case-suites.ts'
import type { Policy } from '../../src/policy/policy.ts'
import type { RuleSet } from '../../src/policy/rule.ts'
import { without } from './without-a-rule.ts'

const { suites, mistakes } = readSuites(['config'])

it('finds no mistake in the case files of the shipped policies', () => {
  expect(mistakes).toEqual([])
  expect(suites.length).toBeGreaterThan(0)
})

describe.each(suites)('the cases of $policyFile', ({ cases, policy }) => {
  const results = cases.map((one) => runCase(one, policy))

  it.each(results)('$case.name', ({ mismatch }) => {
    expect(mismatch).toBeUndefined()
  })

  it('permit and refuse by every rule of the policy', () => {
    expect(coverageOf(policy, results).lacking).toEqual([])
  })

  it('miss every rule of the policy that is taken away', () => {
    const unmissed = ruleSetsOf(policy).flatMap((rules) => {
      const own = results.filter(({ judged }) => judged.rules === rules).map((result) => result.case)
      // Of the types for which `'*'` stands, some are tried for all.
      if (own.length === 0) return []
      return rulesOf(rules).flatMap(({ id }) => {
        const weaker = withRules(policy, rules, without(rules, id))
        return own.some((one) => runCase(one, weaker).mismatch) ? [] : [id]
      })
    })
    expect(unmissed).toEqual([])
  })
})

function ruleSetsOf({ resources, system }: Policy): RuleSet[] {
  const operations = [system.operations, ...[...resources.values()].flatMap((one) => Object.values(one.operations))]
  return [
    ...[...resources.values()].flatMap((one) => [one.create, one.update, one.delete]),
    ...operations.flatMap((level) => [...level.values()].map(({ rules }) => rules)),
  ].filter((rules) => rules !== undefined)
}

/** The same policy with other rules in the place of some. */
function withRules(policy: Policy, old: RuleSet, rules: RuleSet): Policy {
  const replaced = (value: unknown): unknown => {
    if (value === old) return rules
    if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, replaced(item)] as const))
    if (value === null || typeof value !== 'object' || value instanceof Set) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item)]))
  }
  const { resources, system } = policy
  return { ...policy, ...(replaced({ resources, system }) as Pick<Policy, 'resources' | 'system'>) }
}
