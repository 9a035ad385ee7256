import { expect, test } from 'vitest'
import { fuzzBodies } from './bodies-fuzzer.ts'
import { freshSeed } from './random.ts'

test('a damaged body is refused, or taken and then written as it was read; it never makes a reader throw', () => {
  const seed = freshSeed()
  console.log(`fuzz: seed ${seed}`)
  const { taken, misreading } = fuzzBodies(seed, 0, 5000)
  expect(misreading, `again: npm run fuzz -- bodies --seed ${seed} --runs 5000`).toBeUndefined()
  expect(taken).toBeGreaterThan(100)
}, 60_000)
