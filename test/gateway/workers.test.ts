import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { addressesOf, buildProgram, startProgram, type Program } from './program.ts'

beforeAll(buildProgram, 120_000)
// Three processes start in each of these.
vi.setConfig({ testTimeout: 60_000 })

const linesOf = ({ stdout }: Program) =>
  stdout()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)

/** Asks again until it is so; a test's time-out ends it. */
async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (holds(answer)) return answer
    await setTimeout(20)
  }
}

const textOf = async (url: string) => (await fetch(url)).text()
const statusOf = async (url: string) => (await fetch(url, { headers: { connection: 'close' } })).status

/** What stands in the metrics. */
async function metric(admin: string, pattern: RegExp): Promise<number> {
  const line = (await textOf(`${admin}/metrics`)).split('\n').find((one) => pattern.test(one))
  return Number(line?.split(' ').at(-1) ?? 0)
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A program of two workers, in front of a server that answers metadata, and other things as it is told. */
async function twoWorkers(answer: RequestListener = (_req, res) => void res.end('{"resourceType":"Flag","id":"1"}')) {
  const server = createServer((req, res) => {
    res.setHeader('Content-Type', 'application/fhir+json')
    if (req.url === '/fhir/metadata') res.end('{"resourceType":"CapabilityStatement","fhirVersion":"3.0.1"}')
    else answer(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  const folder = mkdtempSync(join(tmpdir(), 'gateway-workers-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const policy = (code: string) =>
    writeFileSync(join(folder, 'p.yaml'), `policy: p\nfhir: 3.0.2\nresources: { Flag: { interactions: [${code}] } }\n`)
  policy('read')
  const configure = (more: string) =>
    writeFileSync(
      join(folder, 'gateway.yaml'),
      `bases: [{ path: /fhir, policy: p.yaml }]\nreload: { watch: false }\n${more}`,
    )
  configure('')
  const program = startProgram({
    WORKERS: '2',
    CONFIG: folder,
    HOST: '127.0.0.1',
    UPSTREAM_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`,
  })
  const { base, admin } = await addressesOf(program)
  await until(
    () => statusOf(`${admin}/health/ready`),
    (status) => status === 200,
  )
  return { program, base, admin, policy, configure }
}

describe('the program with two workers', () => {
  it('answers by both, counts what both have answered, and writes whole lines', async () => {
    const { program, base, admin } = await twoWorkers()
    const statuses = await Promise.all(Array.from({ length: 100 }, () => statusOf(`${base}/Flag/1`)))
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(await metric(admin, /^fhir_gateway_requests_total\{/)).toBe(100)
    expect(await metric(admin, /^fhir_gateway_workers /)).toBe(2)
    expect(await metric(admin, /^fhir_gateway_policy_info\{/)).toBe(1)
    program.signal('SIGTERM')
    const { code, stderr } = await program.ended
    expect([code, stderr]).toEqual([0, ''])
    const requests = linesOf(program).filter(({ msg }) => msg === 'request')
    expect(requests).toHaveLength(100)
    expect(new Set(requests.map(({ worker }) => worker))).toEqual(new Set([1, 2]))
    expect(new Set(requests.map(({ idHash }) => idHash)).size).toBe(1)
    expect(linesOf(program).at(-1)).toMatchObject({ msg: 'all workers stopped' })
  })

  it('lets a request in flight end after SIGTERM, is not ready then, and exits with 0', async () => {
    let held: ServerResponse | undefined
    const { program, base, admin } = await twoWorkers((_req, res) => void (held = res))
    const answer = fetch(`${base}/Flag/1`)
    await until(
      () => Promise.resolve(held),
      (res) => res !== undefined,
    )
    program.signal('SIGTERM')
    await program.printed(/"inFlight":1,"msg":"draining"/)
    expect(await statusOf(`${admin}/health/ready`)).toBe(503)
    held!.end('{"resourceType":"Flag","id":"1"}')
    expect((await answer).status).toBe(200)
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' })
  })

  it('puts another in the place of one that dies, tells so, and keeps what it had counted', async () => {
    const { program, base, admin } = await twoWorkers()
    for (let i = 0; i < 10; i++) await statusOf(`${base}/Flag/1`)
    expect(await metric(admin, /^fhir_gateway_requests_total\{/)).toBe(10)
    const { pid } = linesOf(program).find(({ msg, worker }) => msg === 'listening' && worker === 1)!
    process.kill(pid as number, 'SIGKILL')
    await program.printed(/"worker":1,"code":null,"signal":"SIGKILL","retryMs":250,"msg":"a worker ended/)
    expect(await statusOf(`${base}/Flag/1`)).toBe(200)
    // The other one may not have asked its upstream yet.
    await until(
      () => statusOf(`${admin}/health/ready`),
      (status) => status === 200,
    )
    await until(
      () => metric(admin, /^fhir_gateway_workers /),
      (workers) => workers === 2,
    )
    expect(await metric(admin, /^fhir_gateway_worker_ends_total /)).toBe(1)
    expect(await metric(admin, /^fhir_gateway_requests_total\{/)).toBe(11)
  })

  it('puts none in its place that would account for less than the others, and says why', async () => {
    const { program, base, configure } = await twoWorkers()
    configure('decisions: { to: stdout }\nlog: stderr\n')
    const { pid } = linesOf(program).find(({ msg, worker }) => msg === 'listening' && worker === 1)!
    process.kill(pid as number, 'SIGKILL')
    await program.printed(/"worker":1,"mistake":"This needs a restart: `decisions` has changed\.\\n"/)
    expect(await statusOf(`${base}/Flag/1`)).toBe(200)
    configure('')
    await until(
      () => Promise.resolve(linesOf(program).filter(({ msg, worker }) => msg === 'listening' && worker === 1)),
      (listening) => listening.length === 2,
    )
  })

  it('ends at once when it is asked to while they start', async () => {
    const program = startProgram({ WORKERS: '2' })
    await program.printed(/LOG_HASH_KEY is unset/)
    program.signal('SIGTERM')
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' })
    expect(program.stdout()).not.toContain('"msg":"listening"')
  })

  it('leaves no worker behind when its primary is killed', async () => {
    const { program, base } = await twoWorkers()
    const pidsOf = () => linesOf(program).flatMap(({ msg, pid }) => (msg === 'listening' ? [pid as number] : []))
    const pids = await until(
      () => Promise.resolve(pidsOf()),
      (found) => found.length === 2,
    )
    // What they write about it nobody reads.
    await Promise.all(Array.from({ length: 50 }, () => statusOf(`${base}/Flag/1`)))
    program.signal('SIGKILL')
    const left = await until(
      () => Promise.resolve(pids.filter(isRunning)),
      (running) => running.length === 0,
    )
    expect(left).toEqual([])
  })

  it('reads its config again in both after SIGHUP', async () => {
    const { program, base, admin, policy } = await twoWorkers()
    const digest = async () => (JSON.parse(await textOf(`${admin}/policies`)).bases ?? [{}])[0].digest as string
    const before = await digest()
    expect(before).toMatch(/^[0-9a-f]{64}$/)
    policy('vread')
    program.signal('SIGHUP')
    await until(digest, (now) => now !== undefined && now !== before)
    const statuses = await Promise.all(Array.from({ length: 10 }, () => statusOf(`${base}/Flag/1`)))
    expect(new Set(statuses)).toEqual(new Set([405]))
    expect(linesOf(program).filter(({ msg }) => msg === 'reloaded')).toHaveLength(2)
  })
})

describe('the program with two workers that cannot serve', () => {
  it.each(['PORT', 'ADMIN_PORT'])('says once that the port of %s is in use, and ends', async (variable) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { code, stdout, stderr } = await startProgram({ WORKERS: '2', [variable]: String(port) }).ended
    expect([code, stderr]).toEqual([
      1,
      `Port ${port} is in use on 127.0.0.1. Set ${variable} to another one, or to 0 for any free one.\n`,
    ])
    expect(stdout).not.toContain('Gateway:')
  })
})

describe('the program with two workers and the sandbox', () => {
  it('has one sandbox behind both', async () => {
    const program = startProgram({ WORKERS: '2' })
    const { base } = await addressesOf(program)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(`${base}/Flag/1`, {
          method: 'PUT',
          headers: { 'content-type': 'application/fhir+json', 'if-match': 'W/"1"', connection: 'close' },
          body: readFileSync('config/sandbox/try/flag-1-removed.json'),
        }),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 19 }, () => 409)])
    expect(program.stdout().match(/a sandbox with sample records/g)).toHaveLength(1)
  })
})
