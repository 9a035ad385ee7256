import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { withoutServerOwned, type Resource } from '../../../src/fhir/element.ts'
import { parseJson } from '../../../src/fhir/json.ts'
import { compilePolicy } from '../../../src/policy/compile.ts'
import { judge } from '../../../src/policy/judge.ts'
import { plainRequest } from '../../../src/policy/request-facts.ts'

const compiled = compilePolicy(
  'nhs',
  readFileSync(new URL('../../../config/policies/nhs-reasonable-adjustments-stu3.yaml', import.meta.url), 'utf8'),
)
if (!compiled.ok) throw new Error('the policy does not compile')
const { policy } = compiled

const removal = {
  url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-RemovalReason-1',
  extension: [
    {
      url: 'removalReason',
      valueCodeableConcept: {
        coding: [{ system: 'https://fhir.nhs.uk/STU3/CodeSystem/RARecord-RemovalReason-1', code: 'Error' }],
      },
    },
    { url: 'supportingComment', valueString: 'Entered twice.' },
  ],
}

function list(conditions: number, removed: boolean): Resource {
  const ids = Array.from({ length: conditions }, (_, i) => `c${i}`)
  const read = parseJson(
    JSON.stringify({
      resourceType: 'List',
      id: 'l1',
      contained: ids.map((id) => ({
        resourceType: 'Condition',
        id,
        ...(removed ? { extension: [removal] } : {}),
        clinicalStatus: removed ? 'inactive' : 'active',
        subject: { reference: 'Patient/1' },
      })),
      status: 'current',
      mode: 'changes',
      entry: ids.map((id) => ({ ...(removed ? { deleted: true } : {}), item: { reference: `#${id}` } })),
    }),
    policy.definitions,
  )
  if (!read.ok) throw new Error(JSON.stringify(read.faults[0]))
  return withoutServerOwned(read.value)
}

it('judges 3,000 removals in one list, each against its own entry', () => {
  const before = list(3000, false)
  const after = list(3000, true)
  expect(
    judge(
      policy,
      { interaction: 'update', type: 'List', before, after },
      { bases: [], maxRefusals: 100, request: plainRequest('update') },
    ),
  ).toEqual({
    verdict: 'permit',
    permittedAs: ['remove-condition'],
    after,
  })
})

it('gives no more refusals than it may', () => {
  const before = list(3000, false)
  const after = list(2000, true)
  const decision = judge(
    policy,
    { interaction: 'update', type: 'List', before, after },
    { bases: [], maxRefusals: 7, request: plainRequest('update') },
  )
  expect(decision.verdict === 'deny' && decision.refusals).toHaveLength(7)
})
