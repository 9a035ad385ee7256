import { parseArgs } from 'node:util'
import { fuzzJudge } from './judge-fuzzer.ts'
import { freshSeed } from './random.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
  },
})
const seed = Number(values.seed ?? freshSeed())
const from = Number(values.from)
const until = from + Number(values.runs)
if (![seed, from, until].every(Number.isSafeInteger)) {
  throw new Error('--runs, --seed and --from are whole numbers.')
}

console.log(`seed ${seed}, runs ${from} to ${until}`)
const started = performance.now()
const tally = { permitted: 0, refused: 0, unread: 0 }
for (let at = from; at < until; at += 100_000) {
  const part = fuzzJudge(seed, at, Math.min(at + 100_000, until))
  for (const key of ['permitted', 'refused', 'unread'] as const) tally[key] += part.tally[key]
  const { permitted, refused, unread } = tally
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(`${permitted} permitted, ${refused} refused, ${unread} never judged, after ${seconds} s`)
  if (part.disagreement) {
    console.error(JSON.stringify(part.disagreement, undefined, 1))
    process.exitCode = 1
    break
  }
}
