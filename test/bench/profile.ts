import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { basePathOf } from './cases.ts'
import type { BenchCommand } from './command-line.ts'
import type { Findings } from './findings.ts'
import { startGenerator } from './load.ts'
import { measure, warm } from './measure.ts'
import { selfTimes, type CpuProfile, type SelfTime } from './profile-places.ts'
import { startGateway, startStub } from './servers.ts'
import { fixed, percent, table } from './table.ts'

/** So many clients keep the gateway busy. */
const clients = 32

/** Where the gateway's CPU time goes in one case, once it has warmed up. */
export async function profile({ cases, seconds, warmUp, generator: wanted, docs }: BenchCommand): Promise<Findings> {
  const benchCase = cases[0]!
  const generator = startGenerator(wanted)
  const stub = await startStub()
  const gateway = await startGateway({ basePath: basePathOf(benchCase), upstream: stub.origin })
  const measuring = { generator, stub, seconds }
  await warm({ ...measuring, seconds: warmUp }, gateway, benchCase)
  const file = join(mkdtempSync(join(tmpdir(), 'bench-profile-')), `${benchCase.name}.cpuprofile`)
  const before = await gateway.cpuMicroseconds!()
  await gateway.child.ask('startProfile')
  const sample = await measure(measuring, gateway, benchCase, clients)
  await gateway.child.ask('stopProfile', { file })
  const spent = (await gateway.cpuMicroseconds!()) - before
  await Promise.all([gateway.stop(), generator.stop(), stub.stop()])

  console.log(`For Chrome's or VS Code's viewer: ${file}`)
  const times = selfTimes(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile)
  const requests = spent / sample.cpuPerRequest!
  const section = [
    `${benchCase.title}: ${fixed(sample.cpuPerRequest, 0)} µs of CPU time for a request while it is profiled.`,
    selfTable('place', times.places, docs ? 16 : 45, requests),
    selfTable('function', times.functions, docs ? 16 : 60, requests),
  ].join('\n\n')
  return { heading: `Profile: ${benchCase.title}`, section, data: { case: benchCase.name, sample, ...times } }
}

function selfTable(what: string, times: readonly SelfTime[], most: number, requests: number): string {
  const all = times.reduce((sum, { microseconds }) => sum + microseconds, 0)
  const rows = times
    .slice(0, most)
    .map(({ name, microseconds }) => [name, fixed(microseconds / requests, 1), percent(microseconds / all)])
  return table([what, 'µs for a request', 'share'], rows)
}
