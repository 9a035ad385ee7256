import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { withoutServerOwned, type Resource } from '../../../src/fhir/element.ts'
import type { Decision } from '../../../src/policy/decision.ts'
import { judge } from '../../../src/policy/judge.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { plainRequest } from '../../../src/policy/request-facts.ts'
import { changed } from '../../fuzz/changes.ts'
import { policyText } from '../../fuzz/judge-fuzzer.ts'
import { mayPass } from '../../fuzz/oracle.ts'
import { Random } from '../../fuzz/random.ts'
import { storedResource } from '../../fuzz/resources.ts'
import { read, sent, type Format } from '../../fuzz/routes.ts'
import { compiled } from './small-policy.ts'

const refusing = compiled(policyText)
const restoring = compiled(
  policyText.replaceAll('    update:\n      if-match: required\n', '$&      rest: { restore-as: kept }\n'),
)
const { definitions } = refusing

function decide(policy: Policy, before: Resource, after: Resource): Decision {
  return judge(
    policy,
    { interaction: 'update', type: before.type, before, after },
    { bases: [], maxRefusals: 1000, request: plainRequest('update') },
  )
}

const namesOf = (decision: Decision) =>
  decision.verdict === 'permit' ? decision.permittedAs.filter((name) => name !== 'no-change') : ['refused']

it('what is sent after something was put back is what the rules permit, by the judge and by a plain reading of them', () => {
  const seen = { restored: 0, untouched: 0, refused: 0 }
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom<Format>('json', 'xml'), (seed, format) => {
      const random = new Random(seed)
      const way = { format, definitions }
      const before = storedResource(random)
      const stored = read(before, way)
      const wished = read(changed(random, before), way)
      fc.pre(stored !== undefined && wished !== undefined)
      const [was, asked] = [withoutServerOwned(stored), withoutServerOwned(wished)]
      const decision = decide(restoring, was, asked)
      const strict = decide(refusing, was, asked)
      if (decision.verdict === 'deny') {
        seen.refused++
        return strict.verdict === 'deny' && decision.refusals.length > 0
      }
      const { after, restoration, permittedAs } = decision
      if (!restoration) {
        seen.untouched++
        return isDeepStrictEqual(decision, strict)
      }
      seen.restored++
      // Each difference that is left is claimed; nothing else is.
      const again = decide(refusing, was, after!)
      return (
        strict.verdict === 'deny' &&
        restoration.count > 0 &&
        again.verdict === 'permit' &&
        isDeepStrictEqual(permittedAs, [...namesOf(again), 'kept']) &&
        mayPass(before, sent(after!, way))
      )
    }),
    { numRuns: 1500 },
  )
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(100)
}, 30_000)
