import { parseArgs } from 'node:util'
import { fuzzBodies } from './bodies-fuzzer.ts'
import { fuzzJudge } from './judge-fuzzer.ts'
import { freshSeed } from './random.ts'

const usage = `Usage: npm run fuzz -- [judge | bodies] [--runs 100000] [--seed 1] [--from 0]

The judge against a plain reading of the rules, or damaged bodies against the readers. --seed repeats what a run printed, --from
begins at a run that it named.`

const { values, positionals } = given()
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const seed = Number(values.seed ?? freshSeed())
const from = Number(values.from)
const until = from + Number(values.runs)
const what = positionals[0] ?? 'judge'
if (![seed, from, until].every(Number.isSafeInteger) || !['judge', 'bodies'].includes(what)) mistaken()

/** The counts of some runs, and what was wrong in the last of them, if anything was. */
function fuzz(
  start: number,
  end: number,
): { readonly counts: Readonly<Record<string, number>>; readonly wrong: unknown } {
  if (what === 'bodies') {
    const { taken, misreading } = fuzzBodies(seed, start, end)
    return { counts: { taken }, wrong: misreading }
  }
  const { tally, disagreement } = fuzzJudge(seed, start, end)
  return { counts: { ...tally }, wrong: disagreement }
}

console.log(`${what}: seed ${seed}, runs ${from} to ${until}`)
const started = performance.now()
const totals = new Map<string, number>()
for (let at = from; at < until; at += 100_000) {
  const { counts, wrong } = fuzz(at, Math.min(at + 100_000, until))
  for (const [name, count] of Object.entries(counts)) totals.set(name, (totals.get(name) ?? 0) + count)
  const told = [...totals].map(([name, count]) => `${count} ${name}`).join(', ')
  console.log(`${told}, after ${((performance.now() - started) / 1000).toFixed(0)} s`)
  if (wrong !== undefined) {
    console.error(JSON.stringify(wrong, undefined, 1))
    process.exitCode = 1
    break
  }
}

function given() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        runs: { type: 'string', default: '100000' },
        seed: { type: 'string' },
        from: { type: 'string', default: '0' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch {
    return mistaken()
  }
}

function mistaken(): never {
  console.error(usage)
  process.exit(2)
}
