import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { attack } from './attacks.ts'
import { here } from './child.ts'
import { readCommandLine, usage, type BenchCommand } from './command-line.ts'
import { compare, type Series } from './compare.ts'
import { caseTable, cpuRatios, summaryTable } from './compare-tables.ts'
import { writeDocs } from './docs.ts'
import type { Findings } from './findings.ts'
import { judging } from './judging.ts'
import { memory } from './memory.ts'
import { profile } from './profile.ts'
import { compareWithRecord, recorded, type BenchRecord, type Compared } from './record.ts'
import { start } from './start.ts'
import { fixed, table } from './table.ts'
import { machine, taken } from './taken.ts'

const recordFile = here('record.json')

async function comparison(command: BenchCommand): Promise<Findings> {
  const { rounds, seconds, warmUp, generator, servers, cases, before } = command
  const tables: string[] = []
  const options = { cases, servers, connections: command.clients, rounds, seconds, warmUp, generator, before }
  const found = await compare(options, ({ title }, series) => {
    tables.push(`### ${title}\n\n${caseTable(series)}`)
    console.log(`\n${tables.at(-1)}`)
  })
  const how = `${warmUp} s of load for each, then ${rounds} rounds of ${seconds} s, in turns; medians; load by ${found.generator}. ± is half of the way from the least to the greatest; a multiple is the median of the rounds' own. CPU is the time of the server's process for one request.`
  const summary = summaryTable(cases, found.series)
  console.log(`\n${summary}`)
  const ratiosOf = (series: readonly Series[]) => cpuRatios(series, command.clients[0]!)
  if (command.record) makeRecord(ratiosOf(found.series))
  if (command.check) {
    await holdAgainstRecord(ratiosOf(found.series), async (worse) => {
      const again = cases.filter(({ name }) => worse.includes(name))
      return ratiosOf((await compare({ ...options, cases: again }, () => {})).series)
    })
  }
  return { heading: 'Beside its peers', section: [how, summary, ...tables].join('\n\n'), data: found }
}

type Ratios = Readonly<Record<string, number>>

const readRecord = () =>
  existsSync(recordFile) ? (JSON.parse(readFileSync(recordFile, 'utf8')) as BenchRecord) : undefined

function makeRecord(ratios: Ratios): void {
  const record = recorded(readRecord(), { taken: taken(), machine: machine() }, ratios)
  writeFileSync(recordFile, `${JSON.stringify(record, undefined, 2)}\n`)
}

/** What is worse is measured twice more before it counts: another process may have had the caches of the processor. */
async function holdAgainstRecord(
  ratios: Ratios,
  measure: (worse: readonly string[]) => Promise<Ratios>,
): Promise<void> {
  const record = readRecord()
  if (!record) throw new Error('There is no record to check against; --record makes one.')
  if (record.machine !== machine()) {
    console.log(`\nThe record was made on another machine (${record.machine}): nothing is held against it.`)
    return
  }
  let compared = compareWithRecord(record, ratios)
  for (let more = 2; more > 0 && compared.some(isWorse); more--) {
    const again = compareWithRecord(record, await measure(compared.filter(isWorse).map(({ name }) => name)))
    compared = compared.map((one) => again.find(({ name }) => name === one.name) ?? one)
  }
  const rows = compared.map(({ name, recorded, measured, verdict }) => [
    name,
    fixed(recorded, 2),
    fixed(measured, 2),
    verdict,
  ])
  console.log(`\n${table(['CPU, as a multiple of http-proxy', 'on record', 'now', ''], rows)}`)
  if (compared.some(isWorse)) process.exitCode = 1
}

const isWorse = ({ verdict }: Compared) => verdict === 'worse'

const run: Readonly<Record<BenchCommand['what'], (command: BenchCommand) => Promise<Findings>>> = {
  compare: comparison,
  profile,
  memory,
  judging,
  start,
  attacks: attack,
}

async function benchmark(command: BenchCommand): Promise<void> {
  const machine = taken()
  console.log(machine)
  const { heading, section, data } = await run[command.what](command)
  // A comparison has told each case as it went.
  if (command.what !== 'compare') console.log(`\n${section}`)
  mkdirSync(here('results'), { recursive: true })
  writeFileSync(here(`results/${command.what}.json`), JSON.stringify({ taken: machine, data }, undefined, 2))
  if (command.docs) await writeDocs(heading, `${machine}\n\n${section}`)
}

function readCommand(): BenchCommand {
  if (process.argv.includes('--help')) {
    console.log(usage)
    process.exit(0)
  }
  try {
    return readCommandLine(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}

const command = readCommand()
try {
  await benchmark(command)
} catch (error) {
  console.error(error)
  // What it started ends with it.
  process.exit(1)
}
