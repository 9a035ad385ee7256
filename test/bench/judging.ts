import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { caseNamed, textsStay } from './cases.ts'
import { here, startChild } from './child.ts'
import type { BenchCommand } from './command-line.ts'
import type { Findings } from './findings.ts'
import { answered, startGenerator } from './load.ts'
import { measure, warm, type Measuring, type Sample } from './measure.ts'
import { inXml, listOf, listWithout } from './records.ts'
import { startGateway, startStub } from './servers.ts'
import { median } from './statistics.ts'
import { fixed, grouped, table } from './table.ts'

const nhsPolicy = here('../../config/policies/nhs-reasonable-adjustments-stu3.yaml')

/** How long judging takes against what it should, and what it should not, depend on. */
export async function judging({ rounds, seconds, generator: wanted, requests }: BenchCommand): Promise<Findings> {
  const sizes = await bySize()
  const generator = startGenerator(wanted)
  const stub = await startStub()
  const measuring = { generator, stub, seconds }
  const policies = await byPolicies(measuring, rounds)
  const versions = await byVersions(measuring, rounds, requests)
  await Promise.all([generator.stop(), stub.stop()])
  const section = [
    'The stages of an update in the program as it is built, without HTTP: one Condition of a List is removed. Median µs of CPU time.',
    table(
      ['KB', 'JSON parse', 'judge', 'write', 'all / KB', 'XML parse', 'judge', 'write', 'all / KB'],
      sizes.map(({ bytes, json, xml }) => [fixed(bytes / 1000, 1), ...stagesOf(json, bytes), ...stagesOf(xml, bytes)]),
    ),
    'The warm PUT of a 3 KB Flag through the gateway, 32 clients, with so many bases and policies:',
    serverTable('policies', policies),
    'The same with so many versions in the cache:',
    serverTable('cached versions', versions),
  ].join('\n\n')
  return { heading: 'Judging', section, data: { sizes, policies, versions } }
}

interface Stages {
  readonly parse: number
  readonly judge: number
  readonly write: number
}

function stagesOf({ parse, judge, write }: Stages, bytes: number): string[] {
  return [fixed(parse, 0), fixed(judge, 0), fixed(write, 0), fixed((parse + judge + write) / (bytes / 1000), 1)]
}

async function bySize() {
  const child = startChild({ role: 'measured', command: [process.execPath, here('programs/judging.mjs')] })
  const time = (format: 'json' | 'xml', before: string, after: string) =>
    child.ask<Stages>('time', { policyFile: nhsPolicy, type: 'List', before, after, format, milliseconds: 1500 })
  const found = []
  for (const conditions of [1, 8, 40, 160, 640, 2600]) {
    const [before, after] = [listOf(conditions), listWithout(conditions)]
    const text = JSON.stringify(after)
    found.push({
      bytes: text.length,
      json: await time('json', JSON.stringify(before), text),
      xml: await time('xml', inXml(before), inXml(after)),
    })
  }
  await child.stop()
  return found
}

type Row = readonly [count: number, sample: Pick<Sample, 'p50' | 'requestsPerSecond'> & { readonly cpu: number }]

const serverTable = (what: string, rows: readonly Row[]) =>
  table(
    [what, 'req/s', 'CPU µs', 'p50 ms'],
    rows.map(([count, { requestsPerSecond, cpu, p50 }]) => [
      grouped(count),
      grouped(requestsPerSecond),
      fixed(cpu, 0),
      fixed(p50, 2),
    ]),
  )

const put = caseNamed('put')

async function byPolicies(measuring: Measuring, rounds: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const count of [1, 10, 100]) {
    const { sample } = await warmPut(measuring, rounds, { bases: count, versions: 1 })
    rows.push([count, sample])
  }
  return rows
}

async function byVersions(measuring: Measuring, rounds: number, most: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const count of [1, 1000, 10_000, 100_000].filter((count) => count <= most)) {
    const { cached, sample } = await warmPut(measuring, rounds, { bases: 1, versions: count })
    rows.push([cached, sample])
  }
  return rows
}

async function warmPut(
  measuring: Measuring,
  rounds: number,
  setup: { readonly bases: number; readonly versions: number },
) {
  const upstream = measuring.stub.origin
  const folder = mkdtempSync(join(tmpdir(), 'bench-judging-'))
  const paths = ['/STU3', ...Array.from({ length: setup.bases - 1 }, (_, at) => `/STU3-${at}`)]
  const base = (path: string) => ({ path, policy: nhsPolicy, upstream: { url: `${upstream}/STU3` } })
  // JSON is YAML.
  const cache = { size: '4 GiB', expire: '1h' }
  writeFileSync(join(folder, 'gateway.yaml'), JSON.stringify({ bases: paths.map(base), cache }))
  const gateway = await startGateway({
    basePath: '/STU3',
    upstream,
    config: folder,
    hasUpstream: true,
    nodeOptions: ['--max-old-space-size=8192'],
  })
  const { generator } = measuring
  let cached = 1
  while (cached < setup.versions) {
    cached += await answered(generator, gateway.origin, textsStay, 3)
  }
  await warm({ ...measuring, seconds: 3 }, gateway, put)
  const samples: Sample[] = []
  for (let round = 0; round < rounds; round++) samples.push(await measure(measuring, gateway, put, 32))
  await gateway.stop()
  rmSync(folder, { recursive: true, force: true })
  return {
    cached,
    sample: {
      requestsPerSecond: median(samples.map(({ requestsPerSecond }) => requestsPerSecond)),
      cpu: median(samples.map(({ cpuPerRequest }) => cpuPerRequest ?? NaN)),
      p50: median(samples.map(({ p50 }) => p50)),
    },
  }
}
