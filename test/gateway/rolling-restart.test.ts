import http from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { startBalancer, type Replica } from './balancer.ts'
import { request, type Answer } from './booted.ts'
import { addressesOf, buildProgram, startProgram, type Program } from './program.ts'
import { jsonHeaders, removal, stored } from './records.ts'
import { resource, startStubUpstream } from './stub-upstream.ts'

beforeAll(buildProgram, 120_000)

/** Asks whether the gateways are ready every 25 ms: within this time it has learnt that one is not. */
const drainDelay = '3s'

async function upstream() {
  const stub = await startStubUpstream()
  onTestFinished(() => stub.close())
  stub.answers({
    'GET /fhir/metadata': resource({ resourceType: 'CapabilityStatement', fhirVersion: '3.0.1' }),
    GET: resource(stored('3'), '3'),
    PUT: resource(stored('4'), '4'),
  })
  return stub
}

function folderOf(lines: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const policy = resolve('config/policies/nhs-reasonable-adjustments-stu3.yaml')
  writeFileSync(join(folder, 'gateway.yaml'), `bases: [{ path: /STU3, policy: ${policy} }]\n${lines}\n`)
  return folder
}

const asked: readonly (readonly [
  what: string,
  expected: number,
  ask: (port: number, agent: http.Agent) => Promise<Answer>,
])[] = [
  ['a read', 200, (port, agent) => request(port, 'GET', '/STU3/Flag/1', {}, undefined, agent)],
  ['an update that is permitted', 200, (port, agent) => put(port, agent, jsonHeaders('3'))],
  ['an update without If-Match', 412, (port, agent) => put(port, agent, { 'content-type': 'application/fhir+json' })],
]

const put = (port: number, agent: http.Agent, headers: http.OutgoingHttpHeaders) =>
  request(port, 'PUT', '/STU3/Flag/1', headers, JSON.stringify(removal), agent)

test('two replicas are restarted one after the other under load: every request is answered as it should be', async () => {
  const { url } = await upstream()
  const env = {
    CONFIG: folderOf(`timeouts: { drain-delay: ${drainDelay} }\ncache: off`),
    UPSTREAM_URL: url.href,
    HOST: '127.0.0.1',
  }
  const balancer = await startBalancer()
  const start = async (): Promise<{ readonly program: Program; readonly replica: Replica }> => {
    const program = startProgram(env)
    const { base, admin } = await addressesOf(program)
    const replica = { origin: new URL(base).origin, admin }
    await balancer.add(replica)
    return { program, replica }
  }
  const first = [await start(), await start()]

  const over = new AbortController()
  const unexpected: string[] = []
  const answered = new Map<string, number>()
  const client = async (agent: http.Agent) => {
    for (let i = 0; !over.signal.aborted; i++) {
      const [what, expected, ask] = asked[i % asked.length]!
      const told = await ask(balancer.port, agent).then(
        ({ status, body }) => (status === expected ? undefined : `${status} ${body}`),
        (error: Error) => error.message,
      )
      if (told !== undefined) unexpected.push(`${what}: ${told}`)
      answered.set(what, (answered.get(what) ?? 0) + 1)
    }
    agent.destroy()
  }
  const clients = Array.from({ length: 16 }, () => client(new http.Agent({ keepAlive: true, maxSockets: 1 })))

  for (const { program, replica } of first) {
    await balancer.answered(replica, 50)
    program.signal('SIGTERM')
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' })
    balancer.remove(replica)
    const next = await start()
    await balancer.answered(next.replica, 50)
  }
  over.abort()
  await Promise.all(clients)
  expect(unexpected).toEqual([])
  expect([...answered.keys()].toSorted()).toEqual(asked.map(([what]) => what).toSorted())
}, 120_000)
