import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Report } from '../../src/backtest/report.ts'
import { backtest, type BacktestSurroundings } from '../../src/cli/backtest/backtest.ts'
import { plain } from '../../src/cli/colour.ts'
import type { OptionValues } from '../../src/cli/command-line.ts'
import { consent, flag, list, mediaType, removed, withoutFirstCondition, type Json } from './records.ts'

const hapi = inject('hapi').DSTU3
const policy = 'config/policies/nhs-reasonable-adjustments-stu3.yaml'

/** A history that the test writes past the gateway, and what the policy should say of it. */
const run = `backtest-${process.pid}`
const ids = { removed: `${run}-a`, edited: `${run}-b`, again: `${run}-c`, consent: `${run}-d`, list: `${run}-e` }

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backtest-'))
  const period = { period: { start: '2026-01-01' } }
  await put('Flag', flag(ids.removed))
  await put('Flag', flag(ids.edited))
  await put('Consent', consent(ids.consent))
  await put('List', list(ids.list))
  await put('Flag', removed(flag(ids.removed)))
  await put('Flag', { ...flag(ids.edited), ...period })
  await put('Flag', { ...removed(flag(ids.edited)), ...period })
  await put('Flag', { ...removed(flag(ids.edited)), ...period, status: 'active' })
  await put('Flag', flag(ids.again))
  await fetch(`${hapi}/Flag/${ids.again}`, { method: 'DELETE' })
  await put('Flag', flag(ids.again))
  await put('Consent', { ...consent(ids.consent), status: 'inactive' })
  await put('List', withoutFirstCondition(list(ids.list)))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function put(type: string, record: Json): Promise<void> {
  const answer = await fetch(`${hapi}/${type}/${record['id']}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType.json },
    body: JSON.stringify(record),
  })
  expect([200, 201]).toContain(answer.status)
}

async function test(options: OptionValues, changes: Partial<BacktestSurroundings> = {}) {
  const done = await backtest(
    { policy, upstream: hapi, json: true, examples: '1000', ...options },
    {
      configPath: '/none',
      colours: plain,
      progress: undefined,
      stop: new AbortController().signal,
      wait: () => Promise.reject(new Error('HAPI is not busy.')),
      now: Date.now,
      ...changes,
    },
  )
  return { ...done, report: JSON.parse(done.text) as Report }
}

/** What is refused of the histories of this run, as `[id] [before]>[after] what`. */
function refused({ types }: Report): string[] {
  const found = Object.values(types).flatMap((of) =>
    (of.writes.update?.refusals ?? []).flatMap(({ what, examples }) =>
      examples
        .filter(({ id }) => id.startsWith(run))
        .map(({ id, before, after }) => `${id} ${before}>${after} ${what}`),
    ),
  )
  return found.sort()
}

const expected = [
  `${ids.consent} 1>2 Consent.extension('https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-RemovalReason-1') is missing`,
  `${ids.edited} 1>2 Flag.period was added`,
  `${ids.edited} 3>4 Flag.status may only go from \`active\` to \`inactive\``,
].sort()

const ofThisRun = {
  id: [
    ...['removed', 'edited', 'again'].map((name) => `Flag/${ids[name as keyof typeof ids]}`),
    `Consent/${ids.consent}`,
    `List/${ids.list}`,
  ],
}

describe('backtest, against HAPI', () => {
  it('finds exactly the updates past the rules in the histories of single records, over several pages', async () => {
    const { exitCode, report } = await test({ ...ofThisRun, 'page-size': '1' })
    expect(exitCode).toBe(0)
    expect(refused(report)).toEqual(expected)
    expect(report.types['Flag']).toMatchObject({
      histories: 3,
      versions: 9,
      gaps: 0,
      unreadable: 0,
      unjudged: 0,
      writes: {
        create: { count: 4, permittedAs: { new: 4 } },
        update: { count: 4, permittedAs: { removal: 2 }, refused: 2 },
        delete: { count: 1, closed: 1 },
      },
    })
    expect(report.types['List']!.writes.update).toMatchObject({ count: 1, permittedAs: { 'remove-condition': 1 } })
  })

  it.each([
    ['of types', { type: ['Flag', 'Consent', 'List'], 'page-size': '7' }],
    ['of the whole server', { 'page-size': '50' }],
  ])('finds them in the history %s, among what else is there', async (_of, options) => {
    const { exitCode, report } = await test(options)
    expect(exitCode).toBe(0)
    expect(refused(report)).toEqual(expected)
  })

  it('comes to the same when it is interrupted on each page, and goes on while others write', async () => {
    const state = join(folder, 'state.json')
    const whole = await test({ type: ['Flag', 'Consent'], 'page-size': '5' })
    const next = () => {
      const stopping = new AbortController()
      const options = { type: ['Flag', 'Consent'], 'page-size': '5', state }
      return test(options, { stop: stopping.signal, progress: () => stopping.abort() })
    }
    let interrupted = await next()
    // Everything after the first page shifts by two.
    await put('Flag', flag(`${run}-late`))
    await put('Flag', { ...flag(`${run}-late`), period: { start: '2026-01-01' } })
    const exitCodes = [interrupted.exitCode]
    while (interrupted.exitCode === 130) {
      interrupted = await next()
      exitCodes.push(interrupted.exitCode)
    }
    expect(exitCodes.length).toBeGreaterThan(2)
    expect(exitCodes.at(-1)).toBe(0)
    expect(refused(interrupted.report)).toEqual(expected)
    expect(interrupted.report.types['Consent']).toEqual(whole.report.types['Consent'])
  })

  it('finds them in a file of versions', async () => {
    const lines: string[] = []
    for (const id of ofThisRun.id) {
      const answer = await fetch(`${hapi}/${id}/_history?_count=50`, { headers: { accept: mediaType.json } })
      const { entry } = (await answer.json()) as { entry: { resource?: Json }[] }
      for (const { resource } of entry) if (resource) lines.push(JSON.stringify(resource))
    }
    const file = join(folder, 'versions.ndjson')
    writeFileSync(file, lines.sort().join('\n'))
    const { exitCode, report } = await test({ upstream: undefined, ndjson: [file] })
    expect(exitCode).toBe(0)
    expect(refused(report)).toEqual(expected)
  })
})
