import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureHapiServerJar, java } from '../../scripts/hapi-jars.mjs'
import { startHapi, type HapiServer } from './hapi-server.ts'

describe('a HAPI of our own, with a folder for its data', () => {
  let data: string
  let hapi: HapiServer

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'hapi-data-'))
    hapi = await startHapi({ version: 'DSTU3', data })
  })
  afterAll(async () => {
    await hapi.stop()
    await rm(data, { recursive: true })
  })

  test('comes back after a kill, at the same address, with every write that it had answered', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `p${index}`)
    const created = await Promise.all(
      ids.map((id) =>
        fetch(`${hapi.url}/Patient/${id}`, {
          method: 'PUT',
          headers: { 'content-type': 'application/fhir+json' },
          body: JSON.stringify({ resourceType: 'Patient', id, active: true }),
        }),
      ),
    )
    expect(created.map(({ status }) => status)).toEqual(ids.map(() => 201))

    const { url, pid } = hapi
    await hapi.kill()
    await expect(fetch(`${url}/metadata`)).rejects.toThrow('fetch failed')

    await hapi.restart()
    expect(hapi.url).toBe(url)
    expect(hapi.pid).not.toBe(pid)
    const read = await Promise.all(ids.map((id) => fetch(`${url}/Patient/${id}`)))
    expect(read.map(({ status, headers }) => [status, headers.get('etag')])).toEqual(ids.map(() => [200, 'W/"1"']))
  })
})

test('a HAPI of our own ends when the program that started it is gone', async () => {
  const child = spawn(java, ['-jar', ensureHapiServerJar(), '--until-eof'], { stdio: ['pipe', 'ignore', 'ignore'] })
  child.stdin.end()
  expect(await once(child, 'exit')).toEqual([0, null])
})
