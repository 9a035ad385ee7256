import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { addressesOf, buildProgram, startProgram } from '../gateway/program.ts'
import { ask } from './ask.ts'
import { startHapi, type HapiServer } from './hapi-server.ts'
import { flag, removed, type Json } from './records.ts'

let data: string
let hapi: HapiServer

beforeAll(async () => {
  buildProgram()
  data = await mkdtemp(join(tmpdir(), 'hapi-data-'))
  hapi = await startHapi({ version: 'DSTU3', data })
})
afterAll(async () => {
  await hapi.stop()
  await rm(data, { recursive: true, force: true })
})

interface Answer {
  readonly id: string
  readonly kind: 'read' | 'write'
  readonly status: number
  readonly type: string | undefined
  readonly text: string
}

/** Waits until the admin port says so; the probe of the upstream comes round every few seconds. */
const becomes = (admin: string, status: number) =>
  vi.waitFor(async () => expect((await fetch(`${admin}/health/ready`)).status).toBe(status), {
    timeout: 60_000,
    interval: 100,
  })

it('HAPI is killed during 200 requests and comes back: each is answered, nothing is written twice', async () => {
  const ids = Array.from({ length: 100 }, (_, i) => `fault-${i}`)
  const before = new Map<string, Json>()
  for (const id of ids) {
    await ask(`${hapi.url}/Flag/${id}`, 'PUT', flag(id))
    before.set(id, (await ask(`${hapi.url}/Flag/${id}`, 'GET')).json)
  }
  const program = startProgram({ UPSTREAM_URL: hapi.url, HOST: '127.0.0.1', LOG_LEVEL: 'error' })
  const { base, admin } = await addressesOf(program)
  await becomes(admin, 200)

  let answered = 0
  let killed: Promise<void> | undefined
  const one = async (id: string, kind: Answer['kind']): Promise<Answer> => {
    const url = `${base}/Flag/${id}`
    const { status, json } = await (kind === 'read'
      ? ask(url, 'GET')
      : ask(url, 'PUT', removed(before.get(id)!), 'W/"1"'))
    // In the middle of it: some have their answer, the others are on their way.
    if (++answered === 40) killed = hapi.kill()
    return { id, kind, status, type: json['resourceType'] as string, text: JSON.stringify(json) }
  }
  const answers = await Promise.all(ids.flatMap((id) => [one(id, 'read'), one(id, 'write')]))
  await killed

  const failed = answers.filter(({ status }) => status >= 500)
  expect(failed.length).toBeGreaterThan(0)
  for (const { status, type } of answers) {
    expect([200, 502, 504]).toContain(status)
    expect(type).toBe(status === 200 ? 'Flag' : 'OperationOutcome')
  }
  for (const { text } of failed) expect(text).not.toMatch(/ECONN|127\.0\.0\.1|socket|undici/i)

  await becomes(admin, 503)
  await hapi.restart()
  await becomes(admin, 200)

  for (const { id, kind, status } of answers) {
    if (kind !== 'write') continue
    const history = await ask(`${base}/Flag/${id}/_history`, 'GET')
    const statuses = (history.json['entry'] as { resource: Json }[])
      .map(({ resource }) => resource['status'])
      .toReversed()
    // What was answered with 200 is there, once; what failed is there once, or not at all.
    const possible = status === 200 ? [['active', 'inactive']] : [['active'], ['active', 'inactive']]
    expect(possible).toContainEqual(statuses)
  }

  // The client that was told to read and try again can do so.
  const undone = answers.find(({ kind, status }) => kind === 'write' && status !== 200)!
  const now = (await ask(`${base}/Flag/${undone.id}`, 'GET')).json
  const again = now['status'] === 'active' ? removed(now) : now
  const meta = now['meta'] as { versionId: string }
  expect((await ask(`${base}/Flag/${undone.id}`, 'PUT', again, `W/"${meta.versionId}"`)).status).toBe(200)
})
