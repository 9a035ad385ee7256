import { expect, test } from 'vitest'
import { fuzzJudge } from './judge-fuzzer.ts'
import { freshSeed } from './random.ts'

test('the judge permits exactly what a plain reading of the rules permits, in 5,000 pairs that nobody chose', () => {
  const seed = freshSeed()
  console.log(`fuzz: seed ${seed}`)
  const { tally, disagreement } = fuzzJudge(seed, 0, 5000)
  expect(disagreement, `again: npm run fuzz -- --seed ${seed} --runs 5000`).toBeUndefined()
  expect(Math.min(tally.permitted, tally.refused)).toBeGreaterThan(500)
}, 60_000)
