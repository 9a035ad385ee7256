import { describe, expect, it } from 'vitest'
import { coverageOf } from '../../src/cases/coverage.ts'
import { runCase } from '../../src/cases/run.ts'
import { readSuites } from '../../src/cli/case-suites.ts'

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
})
