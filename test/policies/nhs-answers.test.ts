import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { compilePolicy } from '../../src/policy/compile.ts'
import { answerTo, causes, type Cause } from '../../src/policy/refusal.ts'

/** The policy offers neither conditional writes nor PATCH. */
const neverMet: readonly Cause[] = ['multiple-matches', 'patch-not-applicable']

it('the NHS policy answers whatever goes wrong with a code of the API', () => {
  const file = 'config/policies/nhs-reasonable-adjustments-stu3.yaml'
  const compiled = compilePolicy(file, readFileSync(file, 'utf8'))
  if (!compiled.ok) throw new Error('The policy does not compile.')
  const { answers, release } = compiled.policy
  const met = (Object.keys(causes) as Cause[]).filter((cause) => !neverMet.includes(cause))
  const without = met.filter((cause) => answerTo({ cause }, answers, release).code === undefined)
  expect(without).toEqual([])
})
