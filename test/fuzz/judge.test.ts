import { describe, expect, test } from 'vitest'
import { fuzzJudge, policyText } from './judge-fuzzer.ts'
import { freshSeed } from './random.ts'

test('the judge permits exactly what a plain reading of the rules permits, in 5,000 pairs that nobody chose', () => {
  const seed = freshSeed()
  console.log(`fuzz: seed ${seed}`)
  const { tally, disagreement } = fuzzJudge(seed, 0, 5000)
  expect(disagreement, `again: npm run fuzz -- --seed ${seed} --runs 5000`).toBeUndefined()
  expect(Math.min(tally.permitted, tally.refused)).toBeGreaterThan(500)
}, 60_000)

describe('the fuzzer notices a policy with a hole', () => {
  test.each([
    [
      'any status may become inactive',
      'replaced: status, from: active',
      'replaced: status, from: [active, entered-in-error]',
    ],
    [
      'a removed Condition may have resolved before',
      'clinicalStatus, from: active',
      'clinicalStatus, from: [active, resolved]',
    ],
    [
      'the comment may be blank',
      'valueString: { text: not blank, otherwise: *comment }',
      'valueString: { open: true, otherwise: *comment }',
    ],
    [
      'a second reason may be there',
      '    total: 1\n    otherwise: *reason-and-comment',
      '    otherwise: *reason-and-comment',
    ],
    [
      'an added Condition may be inactive',
      'clinicalStatus: { is: active }',
      'clinicalStatus: { is: [active, inactive] }',
    ],
    [
      'an entry that comes may be deleted',
      'deleted: { is: [false, absent] }',
      'deleted: { is: [false, absent, true] }',
    ],
    ['a Provenance may say CREATE of a removal', 'codes: [UPDATE]', 'codes: [UPDATE, CREATE]'],
    ['a Provenance may have a narrative', '    lacks: { text: *narrative }\n\n', '\n'],
    ['two Provenances may come', '    as: $provenance\n    times: 0..1', '    as: $provenance\n    times: 0..*'],
    ['a Provenance may be about anything', '      target: { refers to: $this }\n', ''],
  ])('%s', (_what, from, to) => {
    const text = policyText.replace(from, to)
    expect(text).not.toBe(policyText)
    expect(fuzzJudge(1, 0, 20_000, text).disagreement?.what).toMatch(/^permitted, and/)
  })
})
