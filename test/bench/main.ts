import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { attack } from './attacks.ts'
import { here } from './child.ts'
import { readCommandLine, usage, type BenchCommand } from './command-line.ts'
import { compare, type Comparison } from './compare.ts'
import { caseTable, cpuRatios, proxyMicroseconds, summaryTable } from './compare-tables.ts'
import { writeDocs } from './docs.ts'
import type { Findings } from './findings.ts'
import { judging } from './judging.ts'
import { memory } from './memory.ts'
import { profile } from './profile.ts'
import { compareWithRecord, recorded, recordFor, type BenchRecord, type Compared, type Conditions } from './record.ts'
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
  const how = `${warmUp} s of load for each (more where it answers slowly), then ${rounds} rounds of ${seconds} s, in turns; medians; load by ${found.generator}. ± is half of the way from the least to the greatest; a multiple is the median of the rounds' own. CPU is the time of the server's process for one request.`
  const summary = summaryTable(cases, found.series)
  console.log(`\n${summary}`)
  const clients = command.clients[0]!
  const made = ({ series, generator }: Comparison): Made => ({
    conditions: { machine: machine(), generator, proxyMicroseconds: proxyMicroseconds(series, clients) },
    cpuRatios: cpuRatios(series, clients),
  })
  if (command.record) makeRecord(made(found))
  if (command.check) {
    await holdAgainstRecord(made(found), async (worse) => {
      const again = cases.filter(({ name }) => worse.includes(name))
      return made(await compare({ ...options, cases: again }, () => {}))
    })
  }
  return { heading: 'Beside its peers', section: [how, summary, ...tables].join('\n\n'), data: found }
}

const readRecords = () =>
  existsSync(recordFile) ? (JSON.parse(readFileSync(recordFile, 'utf8')) as readonly BenchRecord[]) : []

interface Made {
  readonly conditions: Conditions
  readonly cpuRatios: Readonly<Record<string, number>>
}

function makeRecord({ conditions, cpuRatios }: Made): void {
  const records = recorded(readRecords(), { taken: taken(), ...conditions }, cpuRatios)
  writeFileSync(recordFile, `${JSON.stringify(records, undefined, 2)}\n`)
}

/** What is worse is measured twice more before it counts: another process may have had the caches of the processor. */
async function holdAgainstRecord(made: Made, measure: (worse: readonly string[]) => Promise<Made>): Promise<void> {
  const record = recordFor(readRecords(), made.conditions)
  if (!record) {
    console.log('\nNo record was made on a machine like this one, as fast as it is now: nothing is held against one.')
    return
  }
  let compared = compareWithRecord(record, made.cpuRatios)
  for (let more = 2; more > 0 && compared.some(isWorse); more--) {
    const { cpuRatios } = await measure(compared.filter(isWorse).map(({ name }) => name))
    const again = compareWithRecord(record, cpuRatios)
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
