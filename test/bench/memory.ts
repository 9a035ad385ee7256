import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { caseNamed, treesStay } from './cases.ts'
import { here, type Child } from './child.ts'
import type { BenchCommand } from './command-line.ts'
import type { Findings } from './findings.ts'
import { answered, startGenerator, type Generator } from './load.ts'
import { flag } from './records.ts'
import { startGateway, startStub } from './servers.ts'
import { slope } from './statistics.ts'
import { fixed, grouped, mebibytes, table } from './table.ts'
import { treeFactor } from '../../src/upstream/stored-versions.ts'

interface Memory {
  readonly requests: number
  readonly rss: number
  /** After a collection of garbage. */
  readonly heapUsed: number
}

/**
 * The gateway's memory over many requests, with the shipped cache: in turns reads and the updates that follow them, and updates
 * that are refused, all of resources that it never saw. The versions of those stay, so that its cache is full soon. Then with a
 * cache that has room for 100,000 versions.
 */
export async function memory({ requests, generator: wanted, seconds }: BenchCommand): Promise<Findings> {
  const generator = startGenerator(wanted)
  const stub = await startStub()
  const flat = await over(generator, stub.origin, requests, Math.max(seconds, 5))
  const full = await cached(generator, stub.origin, Math.min(requests, 100_000))
  await Promise.all([generator.stop(), stub.stop()])
  const rows = flat.map(({ requests, rss, heapUsed }) => [grouped(requests), mebibytes(rss), mebibytes(heapUsed)])
  const half = Math.ceil(flat.length / 2)
  const second = flat.slice(half)
  const grows = slope(second.map(({ requests, heapUsed }) => [requests, heapUsed]))
  const rssOf = (samples: readonly Memory[]) => {
    const all = samples.map(({ rss }) => rss)
    return `${mebibytes(Math.min(...all))} to ${mebibytes(Math.max(...all))} MiB`
  }
  const section = [
    'Of ever new resources, in turns: GETs and their PUTs, and PUTs that are refused. 32 clients, the shipped cache of 64 MiB. The heap is told after a collection.',
    table(['requests', 'RSS MiB', 'heap MiB'], rows),
    `Over the second half the heap grows by ${fixed(grows, 1)} bytes for a request. RSS goes up and down with the room for young objects: ${rssOf(flat.slice(1, half))} in the first half, ${rssOf(second)} in the second.`,
    `PUTs that are refused, each twice, with a cache of 4 GiB, so that every version stays, as a tree; what the cache counts is ${treeFactor} times the text of each.`,
    table(
      ['cached versions', 'RSS MiB', 'heap MiB', 'counted MiB'],
      full.map(({ requests, rss, heapUsed, counted }) => [
        grouped(requests),
        mebibytes(rss),
        mebibytes(heapUsed),
        mebibytes(counted),
      ]),
    ),
  ].join('\n\n')
  return { heading: 'Memory', section, data: { flat, full } }
}

async function over(generator: Generator, upstream: string, requests: number, seconds: number): Promise<Memory[]> {
  const gateway = await startGateway({ basePath: '/STU3', upstream, nodeOptions: ['--expose-gc'] })
  const samples = [await sampled(gateway.child, 0)]
  for (let done = 0; done < requests;) {
    done += await answered(generator, gateway.origin, caseNamed('put-after-get'), seconds)
    done += await answered(generator, gateway.origin, treesStay, seconds)
    samples.push(await sampled(gateway.child, done))
  }
  await gateway.stop()
  // A line for each is too long.
  const every = Math.ceil(samples.length / 20)
  return samples.filter((_, at) => at % every === 0 || at === samples.length - 1)
}

async function cached(
  generator: Generator,
  upstream: string,
  versions: number,
): Promise<(Memory & { readonly counted: number })[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-cache-'))
  writeFileSync(
    join(folder, 'gateway.yaml'),
    `bases: [{ path: /STU3, policy: ${JSON.stringify(here('../../config/policies/nhs-reasonable-adjustments-stu3.yaml'))} }]\n` +
      'cache: { size: 4 GiB, expire: 1h }\n',
  )
  const nodeOptions = ['--expose-gc', '--max-old-space-size=8192']
  const gateway = await startGateway({ basePath: '/STU3', upstream, config: folder, nodeOptions })
  const bytes = treeFactor * JSON.stringify(flag).length
  const samples: (Memory & { readonly counted: number })[] = []
  let done = 0
  for (const share of [0, 0.01, 0.1, 1]) {
    while (done < versions * share) done += (await answered(generator, gateway.origin, treesStay, 2)) / 2
    samples.push({ ...(await sampled(gateway.child, done)), counted: done * bytes })
  }
  await gateway.stop()
  rmSync(folder, { recursive: true, force: true })
  return samples
}

const sampled = async (child: Child, requests: number): Promise<Memory> => ({
  requests,
  ...(await child.ask<Omit<Memory, 'requests'>>('memory')),
})
