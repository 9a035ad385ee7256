import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { DecisionRecord } from '../../src/audit/decisions/record.ts'
import { addressesOf, buildProgram, startProgram, type Program } from './program.ts'
import { edit, jsonHeaders, removal, stored } from './records.ts'
import { resource, startStubUpstream, type StubUpstream } from './stub-upstream.ts'

/** The machine may be busy with other things. */
const patience = { timeout: 15_000 }

beforeAll(buildProgram, 120_000)
vi.setConfig({ testTimeout: 60_000 })

const policyFile = resolve('config/policies/nhs-reasonable-adjustments-stu3.yaml')

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'decisions-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

async function newUpstream(): Promise<StubUpstream> {
  const upstream = await startStubUpstream()
  onTestFinished(() => upstream.close())
  upstream.answers({
    'GET /fhir/metadata': resource({ resourceType: 'CapabilityStatement', fhirVersion: '3.0.2' }),
    GET: resource(stored('3'), '3'),
    PUT: resource({ ...removal, meta: { versionId: '4' } }, '4'),
  })
  return upstream
}

async function start(folder: string, upstream: StubUpstream, lines: string) {
  writeFileSync(join(folder, 'gateway.yaml'), `bases: [{ path: /fhir, policy: ${policyFile} }]\n${lines}\n`)
  const program = startProgram({ UPSTREAM_URL: upstream.url.href, HOST: '127.0.0.1', CONFIG: folder })
  return { program, ...(await addressesOf(program)) }
}

const put = (base: string, body: object) =>
  fetch(`${base}/Flag/1`, { method: 'PUT', headers: jsonHeaders('3'), body: JSON.stringify(body) })

const linesOf = (text: string) => text.split('\n').slice(0, -1)
const recordsIn = (file: string) =>
  linesOf(readFileSync(file, 'utf8')).map((line) => JSON.parse(line) as DecisionRecord)

async function ended({ program }: { readonly program: Program }) {
  program.signal('SIGTERM')
  return program.ended
}

describe('decision records in a file', () => {
  it('are all there when the gateway has ended, and the log holds no id', async () => {
    const folder = newFolder()
    const started = await start(folder, await newUpstream(), 'decisions: { to: file, file: decisions.ndjson }')
    expect((await put(started.base, removal)).status).toBe(200)
    expect((await put(started.base, edit)).status).toBe(403)
    const { code, stdout } = await ended(started)
    expect(code).toBe(0)
    expect(recordsIn(join(folder, 'decisions.ndjson'))).toMatchObject([
      { decision: 'permitted', outcome: 'success', resource: { id: '1', versionWritten: '4' } },
      { decision: 'refused', outcome: 'failure', resource: { id: '1' } },
    ])
    expect(stdout).not.toMatch(/"(?:id|versionJudged)":/)
  })

  it('are in a file each where several workers serve', async () => {
    const folder = newFolder()
    const upstream = await newUpstream()
    writeFileSync(
      join(folder, 'gateway.yaml'),
      `bases: [{ path: /fhir, policy: ${policyFile} }]\ndecisions: { to: file, file: decisions.ndjson, required: true }\n`,
    )
    const program = startProgram({
      UPSTREAM_URL: upstream.url.href,
      HOST: '127.0.0.1',
      CONFIG: folder,
      WORKERS: '2',
    })
    const { base } = await addressesOf(program)
    const answers = await Promise.all(Array.from({ length: 20 }, () => put(base, removal)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    await ended({ program })
    const files = readdirSync(folder).filter((name) => name.endsWith('.ndjson'))
    expect(files.every((name) => /^decisions\.[12]\.ndjson$/.test(name))).toBe(true)
    // Of each write the intent and the outcome.
    expect(files.flatMap((name) => recordsIn(join(folder, name)))).toHaveLength(40)
  })

  it('go into a new file after SIGHUP when the old one has been renamed', async () => {
    const folder = newFolder()
    const file = join(folder, 'decisions.ndjson')
    const started = await start(folder, await newUpstream(), 'decisions: { to: file, file: decisions.ndjson }')
    await put(started.base, edit)
    await expect.poll(() => recordsIn(file).length, patience).toBe(1)
    renameSync(file, `${file}.1`)
    started.program.signal('SIGHUP')
    await started.program.printed(/"msg":"reloaded"/)
    await put(started.base, removal)
    await ended(started)
    expect(recordsIn(`${file}.1`)).toMatchObject([{ decision: 'refused' }])
    expect(recordsIn(file)).toMatchObject([{ decision: 'permitted' }])
  })

  it('lose nothing that reached the server, and hold no half line, when the gateway is killed in the middle', async () => {
    const folder = newFolder()
    const file = join(folder, 'decisions.ndjson')
    const upstream = await newUpstream()
    const config = 'decisions: { to: file, file: decisions.ndjson, required: true }'
    const first = await start(folder, upstream, config)
    const answered = Array.from({ length: 40 }, () => put(first.base, removal).catch(() => undefined))
    await expect.poll(() => upstream.seen.filter(({ method }) => method === 'PUT').length, patience).toBeGreaterThan(5)
    first.program.signal('SIGKILL')
    await Promise.all(answered)
    await first.program.ended
    // What a machine that lost its power would have left besides.
    writeFileSync(file, '{"id":"6f1c', { flag: 'a' })

    const second = await start(folder, upstream, config)
    expect((await put(second.base, edit)).status).toBe(403)
    await ended(second)
    const records = recordsIn(file)
    const intended = new Set(
      records.filter(({ decision }) => decision === 'permitted').map(({ requestId }) => requestId),
    )
    const sent = upstream.seen.filter(({ method }) => method === 'PUT').map(({ headers }) => headers['x-request-id'])
    expect(sent.filter((requestId) => !intended.has(String(requestId)))).toEqual([])
    expect(records.at(-1)).toMatchObject({ decision: 'refused' })
  })

  it.each<[what: string, file: string, prepare: (folder: string) => void]>([
    ['a folder', 'decisions', (folder) => mkdirSync(join(folder, 'decisions'))],
    ['in no folder', 'nowhere/decisions.ndjson', () => {}],
    ['on a full disk', '/dev/full', () => {}],
    ['something else', 'other', (folder) => writeFileSync(join(folder, 'other'), 'precious')],
  ])('that is %s are lost, which is told, and deny writes only where they are required', async (_, file, prepare) => {
    const folder = newFolder()
    prepare(folder)
    const upstream = await newUpstream()
    const lax = await start(folder, upstream, `decisions: { to: file, file: ${file} }`)
    expect((await put(lax.base, removal)).status).toBe(200)
    await lax.program.printed(/"level":"error".*"required":false.*"msg":"decision records cannot be written"/)
    // No answer waits for its record here.
    await expect
      .poll(async () => (await fetch(`${lax.admin}/metrics`)).text(), patience)
      .toContain('fhir_gateway_decision_records_total{result="lost"} 1')
    await ended(lax)

    const strict = await start(folder, upstream, `decisions: { to: file, file: ${file}, required: true }`)
    const before = upstream.seen.filter(({ method }) => method === 'PUT').length
    expect((await put(strict.base, removal)).status).toBe(503)
    expect((await put(strict.base, edit)).status).toBe(503)
    expect((await fetch(`${strict.base}/Flag/1`)).status).toBe(200)
    await ended(strict)
    expect(upstream.seen.filter(({ method }) => method === 'PUT')).toHaveLength(before)
  })

  it('that have no folder are told at the start, before anybody writes', async () => {
    const config = 'decisions: { to: file, file: nowhere/decisions.ndjson, required: true }'
    const started = await start(newFolder(), await newUpstream(), config)
    await started.program.printed(/"required":true,"error":.*"ENOENT".*"msg":"decision records cannot be written"/)
    const metrics = await (await fetch(`${started.admin}/metrics`)).text()
    expect(metrics).toContain('fhir_gateway_decision_records_total{result="lost"} 0')
    await ended(started)
  })

  it('never touch a file that is something else', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'other'), 'precious')
    const started = await start(folder, await newUpstream(), 'decisions: { to: file, file: other }')
    await put(started.base, edit)
    await ended(started)
    expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('precious')
  })
})

describe('decision records as AuditEvents', () => {
  interface AuditEvent {
    readonly outcome: string
    readonly entity: readonly { readonly detail?: readonly { readonly type: string; readonly value: string }[] }[]
  }

  /** The requests that AuditEvents tell of, with the outcome of each. */
  const toldIn = (events: StubUpstream) =>
    events.seen.map(({ body }) => {
      const { outcome, entity } = JSON.parse(body) as AuditEvent
      const { value } = entity[0]!.detail!.find(({ type }) => type === 'requestId')!
      return { outcome, requestId: Buffer.from(value, 'base64').toString() }
    })

  async function newEventServer(status = 201): Promise<StubUpstream> {
    const events = await startStubUpstream()
    onTestFinished(() => events.close())
    events.answers({ POST: { status } })
    return events
  }

  const config = ({ url }: StubUpstream, more = '') =>
    `decisions: { to: audit-events, url: '${url.href}', queue: queue${more} }`

  it('are POSTed in order, with the header fields of a file, and all of them before the gateway ends', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'fields'), 'Authorization: Bearer t\n')
    const events = await newEventServer()
    const started = await start(folder, await newUpstream(), config(events, ', header-file: fields'))
    await put(started.base, edit)
    await put(started.base, removal)
    const { code, stdout } = await ended(started)
    expect(code).toBe(0)
    expect(toldIn(events).map(({ outcome }) => outcome)).toEqual(['4', '0'])
    expect(events.seen[0]).toMatchObject({ url: '/fhir/AuditEvent', headers: { authorization: 'Bearer t' } })
    expect(stdout).not.toContain('Bearer')
  })

  it('delay no write while their server is away, and come when it is back', async () => {
    const events = await newEventServer(503)
    const started = await start(newFolder(), await newUpstream(), config(events))
    expect((await put(started.base, removal)).status).toBe(200)
    await started.program.printed(/"status":503,"msg":"audit events are not delivered"/)
    events.answers({ POST: { status: 201 } })
    await started.program.printed(/"msg":"audit events are delivered again"/)
    await ended(started)
  })

  it('come at least once of each write that reached the server, when the gateway is killed in the middle', async () => {
    const folder = newFolder()
    const upstream = await newUpstream()
    const events = await newEventServer()
    const first = await start(folder, upstream, config(events, ', required: true'))
    const answered = Array.from({ length: 40 }, () => put(first.base, removal).catch(() => undefined))
    await expect.poll(() => upstream.seen.filter(({ method }) => method === 'PUT').length, patience).toBeGreaterThan(5)
    first.program.signal('SIGKILL')
    await Promise.all(answered)
    await first.program.ended

    const second = await start(folder, upstream, config(events, ', required: true'))
    await ended(second)
    const told = new Set(toldIn(events).map(({ requestId }) => requestId))
    const sent = upstream.seen.filter(({ method }) => method === 'PUT').map(({ headers }) => headers['x-request-id'])
    expect(sent.filter((requestId) => !told.has(String(requestId)))).toEqual([])
  })

  it('deny writes where they are required and the queue cannot be written', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'queue'), '')
    const upstream = await newUpstream()
    const started = await start(folder, upstream, config(await newEventServer(), ', required: true'))
    expect((await put(started.base, removal)).status).toBe(503)
    expect(upstream.seen.filter(({ method }) => method === 'PUT')).toEqual([])
    await ended(started)
  })

  it('of two gateways on one folder have a queue each', async () => {
    const folder = newFolder()
    const events = await newEventServer()
    const upstream = await newUpstream()
    const one = await start(folder, upstream, config(events))
    const other = await start(folder, upstream, config(events))
    await put(one.base, removal)
    await put(other.base, edit)
    await ended(one)
    await ended(other)
    expect(
      toldIn(events)
        .map(({ outcome }) => outcome)
        .toSorted(),
    ).toEqual(['0', '4'])
  })
})

describe('decision records on standard output', () => {
  it('stand there alone when the log goes to standard error', async () => {
    const upstream = await newUpstream()
    const folder = newFolder()
    writeFileSync(
      join(folder, 'gateway.yaml'),
      `bases: [{ path: /fhir, policy: ${policyFile} }]\ndecisions: { to: stdout }\nlog: stderr\n`,
    )
    const program = startProgram({ UPSTREAM_URL: upstream.url.href, HOST: '127.0.0.1', CONFIG: folder })
    const [, base] = await program.complained(/^Gateway: (\S+)$/m)
    expect((await put(base!, removal)).status).toBe(200)
    const { stdout, stderr } = await ended({ program })
    expect(linesOf(stdout).map((line) => JSON.parse(line) as DecisionRecord)).toMatchObject([{ decision: 'permitted' }])
    expect(stderr).toMatch(/"msg":"request"/)
    expect(stderr).not.toMatch(/"versionJudged"/)
  })

  it('are refused while the log goes there', async () => {
    const folder = newFolder()
    writeFileSync(
      join(folder, 'gateway.yaml'),
      `bases: [{ path: /fhir, policy: ${policyFile} }]\ndecisions: { to: stdout }\n`,
    )
    const { code, stderr } = await startProgram({ CONFIG: folder }, ['check']).ended
    expect([code, stderr]).toEqual([1, expect.stringContaining('Set `log: stderr`.')])
  })
})

it('a reload that changes where decision records go is refused as a whole', async () => {
  const folder = newFolder()
  const started = await start(folder, await newUpstream(), 'decisions: { to: file, file: decisions.ndjson }')
  writeFileSync(join(folder, 'gateway.yaml'), `bases: [{ path: /fhir, policy: ${policyFile} }]\n`)
  started.program.signal('SIGHUP')
  await started.program.printed(/This needs a restart: `decisions` has changed\./)
  await put(started.base, edit)
  await ended(started)
  expect(recordsIn(join(folder, 'decisions.ndjson'))).toHaveLength(1)
})
