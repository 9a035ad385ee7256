import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Report, Totals } from '../../src/backtest/report.ts'
import { emptyReport } from '../../src/backtest/report.ts'
import { backtest, type BacktestDone, type BacktestSurroundings } from '../../src/cli/backtest/backtest.ts'
import { historySource } from '../../src/cli/backtest/history-source.ts'
import { ndjsonSource } from '../../src/cli/backtest/ndjson-source.ts'
import { run } from '../../src/cli/backtest/run.ts'
import { plain } from '../../src/cli/colour.ts'
import type { OptionValues } from '../../src/cli/command-line.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { createUpstreamClient } from '../../src/upstream/client.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { outcome, startStubUpstream, type StubAnswer, type StubUpstream } from './stub-upstream.ts'

const policyText = `
policy: p
fhir: 4.0.1
summary: s
resources:
  Flag:
    interactions: [create, read, update]
    create: { changes: { new: [{ added: $this, open: true }] } }
    update: { if-match: required, changes: { removal: [{ replaced: status, from: active, to: inactive }] } }
`

let stub: StubUpstream
let folder: string
beforeAll(async () => {
  stub = await startStubUpstream()
})
afterAll(() => stub.close())
beforeEach(() => {
  stub.answers({})
  folder = mkdtempSync(join(tmpdir(), 'backtest-'))
  writeFileSync(join(folder, 'p.yaml'), policyText)
  return () => rmSync(folder, { recursive: true })
})

const waited: number[] = []

function surroundings(changes: Partial<BacktestSurroundings> = {}): BacktestSurroundings {
  waited.length = 0
  return {
    configPath: '/none',
    colours: plain,
    progress: undefined,
    stop: new AbortController().signal,
    wait: (milliseconds) => Promise.resolve(void waited.push(milliseconds)),
    now: () => Date.parse('2026-01-01T00:00:00Z'),
    ...changes,
  }
}

const test = (options: OptionValues, changes: Partial<BacktestSurroundings> = {}) =>
  backtest({ policy: join(folder, 'p.yaml'), json: true, ...options }, surroundings(changes))

const ofStub = (options: OptionValues = {}, changes: Partial<BacktestSurroundings> = {}) =>
  test({ upstream: stub.url.href, ...options }, changes)

type Told = Report & { readonly finished: boolean; readonly totals: Totals }

const told = ({ text }: BacktestDone) => JSON.parse(text) as Told

/** `a2 inactive`: version 2 of the Flag a; `a3 deleted`. */
function entry(of: string): object {
  const [, id, version, status] = /^([a-z]+)(\d+) (\w+)$/.exec(of)!
  const url = `Flag/${id}/_history/${version}`
  if (status === 'deleted') return { request: { method: 'DELETE', url } }
  return { resource: flag(id!, version!, status!), request: { method: version === '1' ? 'POST' : 'PUT', url } }
}

function flag(id: string, version: string, status: string): object {
  const lastUpdated = `2026-01-0${version}T00:00:00Z`
  const record = { resourceType: 'Flag', id, meta: { versionId: version, lastUpdated }, code: { text: 'x' } }
  if (status === 'unreadable') return { ...record, status: {} }
  if (status === 'edited') return { ...record, status: 'active', subject: { display: 'unspeakable' } }
  return { ...record, status }
}

function page(entries: readonly string[], next?: string, total?: number): StubAnswer {
  const link = next === undefined ? [] : [{ relation: 'next', url: next }]
  const bundle = { resourceType: 'Bundle', type: 'history', total, link, entry: entries.map(entry) }
  return { status: 200, headers: { 'content-type': 'application/fhir+json' }, body: JSON.stringify(bundle) }
}

/** Answers `/fhir/Flag/_history?_count=100` and the pages after it, HAPI's way. */
function pages(...entries: readonly (readonly string[])[]): Record<string, StubAnswer> {
  const total = entries.flat().length
  return Object.fromEntries(
    entries.map((of, i) => {
      const path = `/fhir/Flag/_history?_count=100${i === 0 ? '' : `&_offset=${i}`}`
      const next =
        i + 1 < entries.length ? `${stub.url.origin}/fhir/Flag/_history?_count=100&_offset=${i + 1}` : undefined
      return [`GET ${path}`, page(of, next, total)]
    }),
  )
}

const flags = { type: ['Flag'] }

describe('backtest, from a server', () => {
  it('pairs successive versions across pages, and tells what would have been refused', async () => {
    stub.answers(pages(['a3 edited', 'b2 inactive', 'a2 inactive'], ['b1 active'], ['a1 active']))
    const { exitCode, text } = await ofStub({ ...flags, json: false })
    expect(exitCode).toBe(0)
    expect(text).toBe(`Flag  5 writes in 2 histories
  update                                                          3
    permitted as removal                                          2
    refused: Flag.status may only go from \`active\` to \`inactive\`  1   seen 2026-01-03
      Flag/a, version 2 → 3
    refused: Flag.subject was added                               1   seen 2026-01-03
      Flag/a, version 2 → 3
  create                                                          2
    permitted as new                                              2

Switching this policy on would have refused 1 of 5 past writes (20.0 %).
`)
  })

  it('asks for one page at a time, with the credentials, and at most one ahead', async () => {
    const open = { now: 0, most: 0 }
    const answers = pages(['a5 active'], ['a4 active'], ['a3 active'], ['a2 active'], ['a1 active'])
    stub.answers(
      Object.fromEntries(
        Object.entries(answers).map(([path, answer]) => [
          path,
          (res) => {
            open.most = Math.max(open.most, ++open.now)
            const { status, headers, body } = answer as {
              status: number
              headers: Record<string, string>
              body: string
            }
            setImmediate(() => res.writeHead(status, headers).end(body, () => open.now--))
          },
        ]),
      ),
    )
    const from = stub.seen.length
    const done = await ofStub({ ...flags, header: ['Authorization: Bearer t0ken'] })
    expect(told(done).types['Flag']!.versions).toBe(5)
    expect(open.most).toBe(1)
    const seen = stub.seen.slice(from)
    expect(seen).toHaveLength(5)
    expect(new Set(seen.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer t0ken']))
    expect(done.text + done.complaint).not.toContain('t0ken')
  })

  it('tells creates, deletes, and that a record comes again', async () => {
    stub.answers(pages(['a3 active', 'a2 deleted', 'a1 active']))
    const { totals, types } = told(await ofStub(flags))
    expect(totals).toEqual({ writes: 3, refused: 1, closed: 1, reported: 0 })
    expect(types['Flag']!.writes).toMatchObject({
      create: { permittedAs: { new: 2 } },
      delete: { count: 1, closed: 1 },
    })
  })

  it('reads the histories of single resources, and of everything', async () => {
    stub.answers({
      'GET /fhir/Flag/a/_history?_count=7': page(['a2 inactive', 'a1 active']),
      'GET /fhir/Flag/b/_history?_count=7': page(['b1 active']),
      'GET /fhir/_history?_count=7': page(['b1 active']),
    })
    expect(told(await ofStub({ id: ['Flag/a', 'Flag/b'], 'page-size': '7' })).totals.writes).toBe(3)
    expect(told(await ofStub({ 'page-size': '7' })).totals.writes).toBe(1)
  })

  it('counts writes of types that the policy does not name, without reading them', async () => {
    const patient = { resourceType: 'Patient', id: 'p', meta: { versionId: '1' }, name: 'not as FHIR has it' }
    const bundle = { resourceType: 'Bundle', type: 'history', entry: [{ resource: patient }] }
    stub.answers({
      GET: { status: 200, headers: { 'content-type': 'application/fhir+json' }, body: JSON.stringify(bundle) },
    })
    expect(told(await ofStub()).types['Patient']).toMatchObject({
      unreadable: 0,
      writes: { create: { count: 1, closed: 1 } },
    })
  })

  it('counts what is missing and what cannot be read, and does not pair across it', async () => {
    stub.answers(
      pages(['a9 inactive', 'a2 active', 'b3 inactive', 'b2 unreadable'], ['b1 active', 'a1 active', 'c4 active']),
    )
    expect(told(await ofStub(flags)).types['Flag']).toMatchObject({
      histories: 3,
      gaps: 1,
      missingVersions: 6,
      noBeginning: 1,
      unreadable: 1,
      unreadableExamples: [{ id: 'b', after: '2' }],
      unjudged: 2,
      writes: { create: { count: 2 }, update: { count: 1 } },
    })
  })

  it('counts a version once that a shifted page tells again', async () => {
    stub.answers(pages(['a2 inactive', 'b1 active'], ['b1 active', 'a2 inactive', 'a1 active']))
    expect(told(await ofStub(flags)).types['Flag']).toMatchObject({
      versions: 3,
      seenAgain: 2,
      writes: { create: { count: 2 }, update: { count: 1 } },
    })
  })

  it('prints no content unless it is asked to', async () => {
    stub.answers(pages(['a2 edited', 'a1 active']))
    expect((await ofStub(flags)).text).not.toContain('unspeakable')
    expect((await ofStub({ ...flags, 'show-content': true })).text).toContain('unspeakable')
  })

  it('tells a person who waits how far it is', async () => {
    stub.answers(pages(['a2 inactive'], ['a1 active']))
    const lines: string[] = []
    await ofStub(flags, { progress: (text) => void lines.push(text) })
    expect(lines).toEqual([
      '\r\u001B[KFlag  0 writes in 1 history  ██████████░░░░░░░░░░ 50 %  0 s',
      '\r\u001B[KFlag  2 writes in 1 history  ████████████████████ 100 %  0 s',
      '\r\u001B[K',
    ])
  })

  it('waits as long as a busy server asks for', async () => {
    let busy = 2
    const [[path, answer]] = Object.entries(pages(['a1 active'])) as [[string, StubAnswer]]
    const { status, headers, body } = answer as { status: number; headers: Record<string, string>; body: string }
    stub.answers({
      [path]: (res) =>
        busy-- > 0
          ? res.writeHead(busy === 1 ? 429 : 503, { 'retry-after': '7' }).end()
          : res.writeHead(status, headers).end(body),
    })
    expect((await ofStub(flags)).exitCode).toBe(0)
    expect(waited).toEqual([7000, 7000])
  })

  it.each([
    ['credentials are missing', outcome(401, 'unspeakable'), 'it wants credentials'],
    ['it may not be read', outcome(403, 'unspeakable'), 'may not read that'],
    ['the server fails', outcome(500, 'unspeakable'), 'The FHIR server answered 500.'],
    ['the server is busy for a day', { status: 503, headers: { 'retry-after': '86400' } }, 'only much later'],
    ['the server stays busy', { status: 429 }, 'The FHIR server answered 429.'],
    [
      'it is led elsewhere',
      { status: 302, headers: { location: 'http://elsewhere.example' } },
      'no redirect is followed',
    ],
    [
      'it is no FHIR',
      { status: 200, headers: { 'content-type': 'text/html' }, body: 'unspeakable' },
      'is not a history',
    ],
    [
      'it is no history',
      { status: 200, headers: { 'content-type': 'application/fhir+json' }, body: '{}' },
      'is not a history',
    ],
    ['it breaks off', (res) => res.writeHead(200, { 'content-length': '9' }).destroy(), 'cannot be reached'],
    [
      'the next page is elsewhere',
      () => page(['a1 active'], 'http://elsewhere.example/fhir?x'),
      'another address than --upstream',
    ],
    [
      'the next page is the same',
      () => page(['a1 active'], '/fhir/Flag/_history?_count=100'),
      'leads to the same page',
    ],
  ] satisfies [string, StubAnswer | (() => StubAnswer), string][])(
    'ends with a sentence when %s',
    async (_when, answer, sentence) => {
      stub.answers({
        GET: (typeof answer === 'function' && answer.length === 0
          ? (answer as () => StubAnswer)()
          : answer) as StubAnswer,
      })
      const done = await ofStub({ ...flags, header: ['X-Key: s3cret'] })
      expect(done.exitCode).toBe(1)
      expect(done.complaint).toContain(sentence)
      expect(done.text + done.complaint).not.toMatch(/unspeakable|s3cret|elsewhere/)
      expect(told(done).finished).toBe(false)
    },
  )

  it('reads the histories of the sandbox', async () => {
    const sandbox = await startSandbox({ fhirVersion: '3.0.2', records: 'config/sandbox' })
    onTestFinished(() => sandbox.close())
    const policy = 'config/policies/nhs-reasonable-adjustments-stu3.yaml'
    const done = told(await test({ policy, upstream: sandbox.url, id: ['Flag/3', 'List/1'], 'page-size': '1' }))
    expect(done.types).toMatchObject({
      Flag: { versions: 2, writes: { create: { permittedAs: { new: 1 } }, update: { permittedAs: { removal: 1 } } } },
      List: { versions: 1 },
    })
  })

  it('follows a relative link', async () => {
    stub.answers({
      'GET /fhir/Flag/_history?_count=100': page(['a2 inactive'], '?_getpages=x'),
      'GET /fhir/?_getpages=x': page(['a1 active']),
    })
    expect(told(await ofStub(flags)).totals.writes).toBe(2)
  })
})

describe('backtest, interrupted', () => {
  const answers = () => pages(['a3 edited', 'b2 inactive'], ['a2 inactive', 'c1 active'], ['b1 active', 'a1 active'])
  const last = 'GET /fhir/Flag/_history?_count=100&_offset=2'

  it('goes on from its state after a fault of the server, and comes to the same', async () => {
    const state = join(folder, 'state.json')
    stub.answers(answers())
    const whole = told(await ofStub(flags))
    stub.answers({ ...answers(), [last]: { status: 500 } })
    const first = await ofStub({ ...flags, state })
    expect(first.exitCode).toBe(1)
    expect(first.complaint).toContain('The same command goes on from there.')
    expect(told(first).totals.writes).toBeLessThan(whole.totals.writes)

    stub.answers({
      ...answers(),
      'GET /fhir/Flag/_history?_count=100': { status: 500 },
      // What was held in memory is read by its version.
      'GET /fhir/Flag/a/_history/2': single('a', '2', 'inactive'),
      'GET /fhir/Flag/b/_history/2': single('b', '2', 'inactive'),
    })
    const second = await ofStub({ ...flags, state })
    expect(second.exitCode).toBe(0)
    expect(told(second)).toEqual(whole)

    const from = stub.seen.length
    const third = await ofStub({ ...flags, state })
    expect(third).toMatchObject({
      exitCode: 0,
      text: second.text,
      complaint: expect.stringContaining('had come to its end'),
    })
    expect(stub.seen).toHaveLength(from)
  })

  it('ends when it is stopped, in the middle of a request, too, and keeps its state', async () => {
    const state = join(folder, 'state.json')
    const stopping = new AbortController()
    stub.answers({ ...answers(), [last]: () => stopping.abort() })
    const done = await ofStub({ ...flags, state }, { stop: stopping.signal })
    expect(done).toMatchObject({ exitCode: 130, complaint: 'Stopped. The same command goes on from there.\n' })
    expect(told(done).finished).toBe(false)
    expect(JSON.parse(readFileSync(state, 'utf8'))).toMatchObject({ finished: false, position: { target: 0, told: 4 } })
  })

  it('ends when it is stopped while it waits', async () => {
    const stopping = new AbortController()
    stub.answers({ GET: { status: 503, headers: { 'retry-after': '5' } } })
    const wait = () => {
      stopping.abort()
      return Promise.reject(new Error('aborted'))
    }
    expect((await ofStub(flags, { stop: stopping.signal, wait })).exitCode).toBe(130)
  })

  it('keeps the state from others, whole, and without content', async () => {
    const state = join(folder, 'state.json')
    stub.answers({ ...answers(), [last]: { status: 500 } })
    await ofStub({ ...flags, state })
    expect(statSync(state).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).sort()).toEqual(['p.yaml', 'state.json'])
    expect(readFileSync(state, 'utf8')).not.toContain('unspeakable')
  })

  it.each([
    ['another policy', 'policy', () => writeFileSync(join(folder, 'p.yaml'), `${policyText}# changed\n`), {}],
    ['another server', 'upstream', () => undefined, { upstream: 'http://127.0.0.1:1/fhir' }],
    ['other resources', 'choice of resources', () => undefined, { id: ['List/1'] }],
  ] satisfies [string, string, () => void, OptionValues][])(
    'refuses the state of %s',
    async (_of, name, change, options) => {
      const state = join(folder, 'state.json')
      stub.answers({ ...answers(), [last]: { status: 500 } })
      await ofStub({ ...flags, state })
      change()
      const done = await ofStub({ ...flags, state, ...options })
      expect(done).toMatchObject({ exitCode: 2, text: '', complaint: expect.stringContaining(`with another ${name}.`) })
    },
  )

  it('reads nothing when the state cannot be written', async () => {
    const from = stub.seen.length
    const done = await ofStub({ ...flags, state: join(folder, 'none', 'state.json') })
    expect(done).toEqual({ exitCode: 2, text: '', complaint: '--state: the file cannot be written.\n' })
    expect(stub.seen).toHaveLength(from)
  })

  it('tells what it has found when the state cannot be written any more', async () => {
    const state = join(folder, 'state.json')
    stub.answers({
      ...answers(),
      [last]: (res) => {
        rmSync(state)
        mkdirSync(join(state, 'in the way'), { recursive: true })
        res.writeHead(500).end()
      },
    })
    const done = await ofStub({ ...flags, state })
    expect(done.exitCode).toBe(1)
    expect(told(done).types['Flag']!.versions).toBeGreaterThan(0)
    expect(readdirSync(folder).sort()).toEqual(['p.yaml', 'state.json'])
  })

  it('refuses a file that is no state', async () => {
    writeFileSync(join(folder, 'state.json'), '{}')
    const done = await ofStub({ ...flags, state: join(folder, 'state.json') })
    expect(done.complaint).toBe('--state: the file is not the state of a backtest.\n')
  })

  it('reads a version anew that waited too long to be kept, and says when it is not there', async () => {
    const result = compilePolicy('p.yaml', policyText)
    if (!result.ok) throw new Error('The policy does not compile.')
    stub.answers({
      ...answers(),
      'GET /fhir/Flag/a/_history/3': single('a', '3', 'edited'),
      'GET /fhir/Flag/a/_history/2': { status: 404 },
      'GET /fhir/Flag/b/_history/2': single('b', '2', 'inactive'),
    })
    const { stop, wait, now } = surroundings()
    const ran = await run({
      source: historySource({
        client: createUpstreamClient(stub.url.origin, {
          connectMs: 1000,
          firstByteMs: 5000,
          betweenPartsMs: 5000,
          wholeMs: 10_000,
        }),
        upstream: stub.url,
        headerFields: {},
        targets: ['Flag'],
        pageSize: 100,
        maxBytes: 100_000,
        stop,
        wait,
        now,
      }),
      judging: { policy: result.policy, bases: [], serverOwned: [] },
      reporting: { examples: 1, showContent: false },
      versionIds: 'counted',
      keptBytes: 1,
      state: { position: { target: 0, told: 0 }, histories: { open: [], closed: [] }, report: emptyReport() },
      save: () => undefined,
      progress: () => undefined,
      stop,
    })
    expect(ran).toMatchObject({
      finished: true,
      report: {
        types: { Flag: { unjudged: 1, writes: { update: { count: 2, refused: 1, permittedAs: { removal: 1 } } } } },
      },
    })
  })
})

function single(id: string, version: string, status: string): StubAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(flag(id, version, status)),
  }
}

describe('backtest, from files', () => {
  const line = (of: string) => {
    const [, id, version, status] = /^([a-z]+)(\d+) (\w+)$/.exec(of)!
    return JSON.stringify(flag(id!, version!, status!))
  }

  function file(name: string, lines: readonly string[]): string {
    const text = `${lines.join('\n')}\n`
    writeFileSync(join(folder, name), name.endsWith('.gz') ? gzipSync(text) : text)
    return join(folder, name)
  }

  it('pairs the versions of several files in whatever order they stand, gzip or not', async () => {
    const one = file('one.ndjson', [line('a1 active'), line('b2 inactive'), '', line('a3 edited')])
    const two = file('two.ndjson.gz', [line('b1 active'), line('a2 inactive'), line('a2 inactive')])
    const done = await test({ ndjson: [one, two] })
    expect(done.exitCode).toBe(0)
    expect(told(done).types['Flag']).toMatchObject({
      histories: 2,
      versions: 5,
      seenAgain: 1,
      writes: { create: { count: 2 }, update: { count: 3, refused: 1, permittedAs: { removal: 2 } } },
    })
  })

  it('takes history Bundles on a line, so that deletes are told, too', async () => {
    const bundle = JSON.stringify({
      resourceType: 'Bundle',
      type: 'history',
      entry: [entry('a2 deleted'), entry('a1 active')],
    })
    expect(told(await test({ ndjson: [file('f.ndjson', [bundle])] })).types['Flag']!.writes).toMatchObject({
      create: { count: 1 },
      delete: { count: 1 },
    })
  })

  it('says which lines it could not use', async () => {
    const lines = [line('a1 active'), 'nothing', '{"resourceType":"Flag"}', line('b1 unreadable')]
    const done = told(await test({ ndjson: [file('f.ndjson', lines)], examples: '1' }))
    expect(done).toMatchObject({
      nameless: 2,
      namelessAt: ['f.ndjson:2'],
      types: { Flag: { unreadable: 1, unjudged: 1 } },
    })
  })

  it('ends with a sentence when a file breaks off', async () => {
    const path = file(
      'f.ndjson.gz',
      Array.from({ length: 50 }, (_, i) => line(`a${(i % 9) + 1} active`)),
    )
    writeFileSync(path, readFileSync(path).subarray(0, -20))
    const done = await test({ ndjson: [path] })
    expect(done).toMatchObject({ exitCode: 1, complaint: `${path} cannot be read to its end.\n` })
  })

  it('takes only the types that are asked for', async () => {
    const lines = [line('a1 active'), '{"resourceType":"Patient","id":"p","meta":{"versionId":"1"}}']
    expect(Object.keys(told(await test({ ndjson: [file('f.ndjson', lines)], type: ['Flag'] })).types)).toEqual(['Flag'])
  })

  it('sorts opaque versions by their times', async () => {
    const opaque = (version: string, day: string, status: string) =>
      JSON.stringify({
        ...flag('a', '1', status),
        meta: { versionId: version, lastUpdated: `2026-01-${day}T00:00:00Z` },
      })
    const lines = [opaque('z', '02', 'inactive'), opaque('y', '03', 'edited'), opaque('x', '01', 'active')]
    const done = told(await test({ ndjson: [file('f.ndjson', lines)] }))
    expect(done.types['Flag']!.writes.update).toMatchObject({ count: 2, permittedAs: { removal: 1 }, refused: 1 })
  })

  it('goes through temporary files when there is more than fits, leaves none, and goes on from its state', async () => {
    const result = compilePolicy('p.yaml', policyText)
    if (!result.ok) throw new Error('The policy does not compile.')
    const ids = Array.from({ length: 40 }, (_, i) => String.fromCharCode(97 + (i % 26)) + 'x'.repeat(i))
    const path = file('f.ndjson', [
      ...ids.map((id) => line(`${id}2 inactive`)),
      ...ids.map((id) => line(`${id}1 active`)),
    ])
    const temporary = () => readdirSync(tmpdir()).filter((name) => name.startsWith('fhir-policy-gateway-'))
    const were = temporary()
    type State = { finished: boolean; position: { target: number; told: number }; histories: never; report: Report }
    const states: State[] = []
    const stopping = new AbortController()
    const runFrom = (state: State | undefined, stop: AbortSignal) =>
      run({
        source: ndjsonSource({ files: [path], types: new Set(), versionIds: 'counted', keptCharacters: 1000, stop }),
        judging: { policy: result.policy, bases: [], serverOwned: [] },
        reporting: { examples: 1, showContent: false },
        versionIds: 'counted',
        keptBytes: Number.MAX_SAFE_INTEGER,
        state,
        save: (saved) => void states.push(JSON.parse(JSON.stringify(saved)) as State),
        progress: (_report, batch) => {
          expect(temporary()).toHaveLength(were.length + 1)
          if (batch.position && batch.position.target > 99) stopping.abort()
        },
        stop,
      })
    const first = await runFrom(undefined, stopping.signal)
    expect(first.finished).toBe(false)
    const second = await runFrom(states.at(-1), new AbortController().signal)
    expect(second.finished).toBe(true)
    expect(second.report.types['Flag']).toMatchObject({
      histories: 40,
      seenAgain: 0,
      writes: { create: { count: 40 }, update: { count: 40, permittedAs: { removal: 40 } } },
    })
    expect(temporary()).toEqual(were)
  })
})

describe('backtest, asked for what it cannot do', () => {
  it.each([
    [{}, 'Name where the histories come from'],
    [{ upstream: 'http://127.0.0.1/fhir', ndjson: ['x'] }, 'Name where the histories come from'],
    [{ upstream: 'ftp://x' }, '--upstream: expected an http or https URL'],
    [{ upstream: 'http://a/b', type: ['flag'] }, '--type: expected'],
    [{ upstream: 'http://a/b', id: ['Flag'] }, '--id: expected'],
    [{ upstream: 'http://a/b', versions: 'x' }, '--versions: expected'],
    [{ upstream: 'http://a/b', examples: 'x' }, '--examples: expected'],
    [{ upstream: 'http://a/b', 'page-size': '0' }, '--page-size: expected'],
    [{ upstream: 'http://a/b', 'server-owned': ['Meta'] }, '--server-owned: expected'],
    [{ upstream: 'http://a/b', base: ['x'] }, '--base: expected'],
    [{ upstream: 'http://a/b', header: ['x'] }, '--header: expected'],
    [{ upstream: 'http://a/b', policy: '/none' }, '--policy: There is no file'],
    [{ ndjson: ['/none.ndjson'] }, '--ndjson: there is no file /none.ndjson.'],
    [{ ndjson: ['package.json'], id: ['Flag/1'] }, '--id goes with --upstream'],
  ] satisfies [OptionValues, string][])('%j', async (options, sentence) => {
    const done = await test(options)
    expect(done).toMatchObject({ exitCode: 2, text: '' })
    expect(done.complaint).toContain(sentence)
    expect(existsSync(join(folder, 'state.json'))).toBe(false)
  })
})
