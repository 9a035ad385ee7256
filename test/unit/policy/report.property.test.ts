import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withoutServerOwned, type Resource } from '../../../src/fhir/element.ts'
import type { Decision } from '../../../src/policy/decision.ts'
import { judge } from '../../../src/policy/judge.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { plainRequest } from '../../../src/policy/request-facts.ts'
import type { Change, Mode, Part, RuleSet } from '../../../src/policy/rule.ts'
import { changed } from '../../fuzz/changes.ts'
import { policyText } from '../../fuzz/judge-fuzzer.ts'
import { hasUnknown } from '../../fuzz/oracle-removal.ts'
import type { JsonObject } from '../../fuzz/plain-json.ts'
import { Random } from '../../fuzz/random.ts'
import { storedResource } from '../../fuzz/resources.ts'
import { read } from '../../fuzz/routes.ts'
import { compiled } from './small-policy.ts'

const enforced = compiled(policyText)
const { definitions } = enforced

interface Pair {
  readonly before: Resource
  readonly after: Resource
  readonly json: JsonObject
}

/** A stored resource and what is sent of it; undefined where a parser refuses one. */
function pairOf(seed: number): Pair | undefined {
  const random = new Random(seed)
  const stored = storedResource(random)
  const json = changed(random, stored)
  const [before, after] = [stored, json].map((one) => read(one, { format: 'json', definitions }))
  return before && after && { before: withoutServerOwned(before), after: withoutServerOwned(after), json }
}

function decide(policy: Policy, { before, after }: Pair, maxRefusals = 1000): Decision {
  return judge(
    policy,
    { interaction: 'update', type: before.type, before, after },
    { bases: [], maxRefusals, request: plainRequest('update') },
  )
}

/** Tries pairs of resources; gives the share of those that were concerned. */
function shareOfPairs(runs: number, holds: (pair: Pair, seed: number) => boolean | 'not concerned'): number {
  let concerned = 0
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const pair = pairOf(seed)
      const outcome = pair ? holds(pair, seed) : 'not concerned'
      if (outcome !== 'not concerned') concerned++
      return outcome !== false
    }),
    { numRuns: runs },
  )
  return concerned / runs
}

/** The policy with a mode for each rule set and each part of it. */
function withModes(policy: Policy, modeOf: (id: string) => Mode): Policy {
  const ofPart = (part: Part): Part =>
    part.kind === 'replaced'
      ? { ...part, mode: modeOf(part.id) }
      : { ...part, mode: modeOf(part.id), with: part.with.map(ofPart) }
  const ofChange = (change: Change): Change => ({
    ...change,
    ...(change.forEach && { forEach: { ...change.forEach, mode: modeOf(`${change.id} each`) } }),
    parts: change.parts.map(ofPart),
  })
  const ofRules = (rules: RuleSet): RuleSet => ({
    ...rules,
    mode: modeOf(rules.id),
    changes: rules.changes.map(ofChange),
  })
  const resources = [...policy.resources].map(([type, resource]) => {
    const { update } = resource
    return [type, { ...resource, ...(update && { update: ofRules(update) }) }] as const
  })
  return { ...policy, resources: new Map(resources) }
}

/** Whether a rule is in report mode, as a seed has it: the same for the same rule. */
function chosen(seed: number, share: number): (id: string) => boolean {
  return (id) => {
    let hash = seed | 0
    for (const letter of id) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0
    return new Random(hash).chance(share)
  }
}

describe('report mode, for any pair of resources', () => {
  it('of a whole policy lets all go on as it was sent, and reports exactly what would be refused', () => {
    const reporting = compiled(policyText.replace(/^policy: .*$/m, '$&\nmode: report'))
    const share = shareOfPairs(800, (pair) => {
      const strict = decide(enforced, pair)
      const decision = decide(reporting, pair)
      if (decision.verdict === 'deny' || decision.after !== pair.after) return false
      return strict.verdict === 'permit'
        ? isDeepStrictEqual(decision, strict)
        : isDeepStrictEqual(decision.reported, strict.refusals)
    })
    expect(share).toBeGreaterThan(0.5)
  }, 30_000)

  it('of a part decides as if the part asked nothing', () => {
    const reported = compiled(policyText.replace('  reason-and-comment:\n', '$&    mode: report\n'))
    const part = /^ {2}reason-and-comment:\n(?: {4}.*\n)+/m
    const url = /added: (extension\('[^']*RemovalReason-1'\))/.exec(part.exec(policyText)![0])![1]!
    const without = compiled(
      policyText.replace(part, `  reason-and-comment: { added: "${url}", times: 0..*, open: true }\n`),
    )
    const seen = new Set<string>()
    const share = shareOfPairs(1500, (pair) => {
      // What FHIR does not define is never part of what is open, whatever the policy asks.
      if (hasUnknown(pair.json)) return 'not concerned'
      const decision = decide(reported, pair)
      seen.add(`${decision.verdict} ${decision.reported !== undefined}`)
      return decision.verdict === decide(without, pair).verdict
    })
    expect(share).toBeGreaterThan(0.5)
    expect([...seen].sort()).toEqual(['deny false', 'deny true', 'permit false', 'permit true'])
  }, 30_000)

  it('of some rules refuses nothing that is permitted, says why it refuses, and permits more the more of them there are', () => {
    const share = shareOfPairs(1500, (pair, seed) => {
      const some = chosen(seed, 0.4)
      const others = chosen(seed + 1, 0.4)
      const fewer = decide(
        withModes(enforced, (id) => (some(id) ? 'report' : 'enforce')),
        pair,
      )
      const more = decide(
        withModes(enforced, (id) => (some(id) || others(id) ? 'report' : 'enforce')),
        pair,
      )
      const strict = decide(enforced, pair)
      if (strict.verdict === 'permit') return isDeepStrictEqual(fewer, strict) && isDeepStrictEqual(more, strict)
      return (
        [fewer, more].every((decision) =>
          decision.verdict === 'permit'
            ? decision.after === pair.after && decision.reported!.length > 0
            : decision.refusals.length > 0,
        ) && !(fewer.verdict === 'permit' && more.verdict === 'deny')
      )
    })
    expect(share).toBeGreaterThan(0.5)
  }, 30_000)

  it('does not depend on how many refusals are named', () => {
    const share = shareOfPairs(1500, (pair, seed) => {
      const some = chosen(seed, 0.5)
      const policy = withModes(enforced, (id) => (some(id) ? 'report' : 'enforce'))
      return decide(policy, pair, 1).verdict === decide(policy, pair).verdict
    })
    expect(share).toBeGreaterThan(0.5)
  }, 30_000)
})
