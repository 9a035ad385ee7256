import { createHash } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { addressesOf, buildProgram, startProgram, type Program } from './program.ts'
import { jsonHeaders, removal, stored } from './records.ts'
import { resource, startStubUpstream, type StubAnswer, type StubUpstream } from './stub-upstream.ts'

beforeAll(buildProgram, 120_000)

const shipped = readFileSync('config/policies/nhs-reasonable-adjustments-stu3.yaml', 'utf8')
/** A text of the policy in which nobody may remove anything. */
const stricter = shipped.replaceAll('to: inactive', 'to: entered-in-error')
const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')
const labelOf = (text: string) => `nhs-reasonable-adjustments@${digestOf(text).slice(0, 12)}`

const capability = { resourceType: 'CapabilityStatement', fhirVersion: '3.0.1' }
const answers = {
  'GET /fhir/metadata': resource(capability),
  'GET /fhir/Flag/1': resource(stored('3'), '3'),
  'PUT /fhir/Flag/1': resource(stored('4'), '4'),
} as const

interface Served {
  readonly program: Program
  readonly upstream: StubUpstream
  readonly base: string
  readonly admin: string
  /** Puts another policy in the place of the one before. */
  write(text: string): void
  /** Puts other settings in the place of those before. */
  set(settings: string): void
  /** As a client. */
  remove(): Promise<number>
  /** Has the program read its files, and waits until it has. */
  hangUp(): Promise<string>
}

/** The program in front of a stub, with a config of its own. */
async function serve(settings = ''): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  const upstream = await startStubUpstream()
  onTestFinished(async () => {
    await upstream.close()
    rmSync(folder, { recursive: true })
  })
  upstream.answers(answers)
  const replace = (name: string, text: string) => {
    writeFileSync(join(folder, 'next'), text)
    renameSync(join(folder, 'next'), join(folder, name))
  }
  const base = `{ path: /STU3, policy: policy.yaml, upstream: { url: '${upstream.url.href}' } }`
  const write = (text: string) => replace('policy.yaml', text)
  const set = (more: string) => replace('gateway.yaml', `bases: [${base}]\n${more}\n`)
  write(shipped)
  set(settings)
  const program = startProgram({ CONFIG: folder, HOST: '127.0.0.1' })
  const addresses = await addressesOf(program)
  await program.printed(/"msg":"ready"/)
  const reloads = () => program.stdout().match(/"msg":"(?:not )?reloaded.*$/gm)?.length ?? 0
  return {
    ...addresses,
    program,
    upstream,
    write,
    set,
    async remove() {
      const body = JSON.stringify(removal)
      const response = await fetch(`${addresses.base}/Flag/1`, { method: 'PUT', headers: jsonHeaders('3'), body })
      await response.arrayBuffer()
      return response.status
    },
    async hangUp() {
      const before = reloads()
      program.signal('SIGHUP')
      const [printed] = await program.printed(new RegExp(`(?:"msg":"(?:not )?reloaded[^]*?){${before + 1}}`))
      return printed
    },
  }
}

/** The lines that the program has logged. */
const logged = ({ program }: Served, message: RegExp) =>
  program
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => message.test(String(msg)))

const policies = async ({ admin }: Served) => (await (await fetch(`${admin}/policies`)).json()) as object
const metrics = async ({ admin }: Served) => (await fetch(`${admin}/metrics`)).text()

describe('a policy is changed while the program serves', () => {
  it('on SIGHUP, for the next request and not for one in flight; what is broken changes nothing', async () => {
    const served = await serve('cache: off\nreload: { watch: false }')
    const { upstream, write, remove, hangUp } = served
    const waiting = new EventEmitter<{ request: [ServerResponse] }>()
    const held: StubAnswer = (response) => waiting.emit('request', response)
    upstream.answers({ ...answers, 'GET /fhir/Flag/1': held })
    const first = remove()
    const [response] = (await once(waiting, 'request')) as [ServerResponse]

    write(stricter)
    await hangUp()
    upstream.answers(answers)
    expect(await remove()).toBe(403)
    const { status, headers, body } = answers['GET /fhir/Flag/1'] as Exclude<StubAnswer, { call: unknown }>
    response.writeHead(status, headers).end(body)
    expect(await first).toBe(200)

    write(stricter.replace(/^  Flag:/m, '  Flagg:'))
    await hangUp()
    expect(await remove()).toBe(403)
    const [refused] = logged(served, /^not reloaded/)
    expect(refused).toMatchObject({ level: 'error', cause: 'SIGHUP' })
    expect(refused!.mistakes).toContainEqual({
      file: expect.stringMatching(/policy\.yaml$/),
      line: shipped.split('\n').findIndex((line) => line.startsWith('  Flag:')) + 1,
      column: 3,
      path: 'resources.Flagg',
      message: 'FHIR 3.0.2 has no resource type `Flagg`. Did you mean `Flag`?',
    })
    expect(await policies(served)).toMatchObject({
      bases: [{ digest: digestOf(stricter) }],
      lastReload: { result: 'refused', mistakes: refused!.mistakes },
    })
    expect((await fetch(`${served.admin}/health/ready`)).status).toBe(200)

    await vi.waitFor(() => expect(logged(served, /^request$/)).toHaveLength(3))
    expect(logged(served, /^request$/).map(({ policy, status }) => [policy, status])).toEqual([
      [labelOf(stricter), 403],
      [labelOf(shipped), 200],
      [labelOf(stricter), 403],
    ])
  })

  it('without a signal when its file changes; log, admin port and metrics agree which one it is', async () => {
    const served = await serve()
    const base = { path: '/STU3', policy: 'nhs-reasonable-adjustments', fhirVersion: '3.0.2', mode: 'enforce' }
    expect(logged(served, /^listening$/)).toMatchObject([{ bases: [{ digest: digestOf(shipped) }] }])
    expect(await policies(served)).toEqual({
      bases: [{ ...base, digest: digestOf(shipped), rules: expect.any(Number), since: expect.any(String) }],
    })
    served.write(stricter)
    await served.program.printed(/"msg":"reloaded"/)
    expect(await served.remove()).toBe(403)
    expect(logged(served, /^reloaded$/)).toMatchObject([
      { cause: 'file change', bases: [{ path: '/STU3', policy: base.policy, digest: digestOf(stricter) }] },
    ])
    expect(await policies(served)).toMatchObject({
      bases: [{ ...base, digest: digestOf(stricter) }],
      lastReload: { cause: 'file change', result: 'applied' },
    })
    expect((await metrics(served)).split('\n').filter((line) => /^fhir_gateway_(policy|reload)/.test(line))).toEqual([
      'fhir_gateway_reloads_total{result="applied"} 1',
      'fhir_gateway_reloads_total{result="refused"} 0',
      `fhir_gateway_policy_info{base="/STU3",policy="${base.policy}",digest="${digestOf(stricter)}"} 1`,
    ])
  })

  it('ten times under load: no request is lost, and no connection is left behind', async () => {
    const served = await serve()
    const { upstream, write, set, remove, hangUp, program } = served
    const reloading = new AbortController()
    const statuses: number[] = []
    const client = async () => {
      while (!reloading.signal.aborted) statuses.push(await remove())
    }
    const clients = Array.from({ length: 8 }, client)
    for (let i = 0; i < 10; i++) {
      write(i % 2 === 0 ? stricter : shipped)
      // No connection can be taken over.
      set(`timeouts: { connect: ${i + 1}s }`)
      await hangUp()
    }
    reloading.abort()
    await Promise.all(clients)
    expect(new Set(statuses)).toEqual(new Set([200, 403]))
    expect(await remove()).toBe(200)
    // Two for each client at most (a connection is free again a turn after its answer, and the write may go out before
    // that), one for the probe of readiness.
    await vi.waitFor(async () => expect(await upstream.connections()).toBeLessThanOrEqual(2 * clients.length + 1))
    program.signal('SIGTERM')
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' })
    await vi.waitFor(async () => expect(await upstream.connections()).toBe(0))
    expect(logged(served, /^request$/)).toHaveLength(statuses.length + 1)
  })
})
