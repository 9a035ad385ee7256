import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'

const folder = fileURLToPath(new URL('../../config/sandbox', import.meta.url))

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ fhirVersion: '3.0.2', records: folder })
})
afterAll(() => sandbox.close())

async function read(target: string): Promise<Record<string, any>> {
  return (await (await fetch(`${sandbox.url}/${target}`)).json()) as Record<string, any>
}

describe('The sample records', () => {
  test.each([
    ['Flag/1', 'active', '1'],
    ['Flag/2', 'active', '1'],
    ['Flag/3', 'inactive', '2'],
    ['Consent/1', 'active', '1'],
    ['List/1', 'current', '1'],
  ])('hold %s, %s, in version %s', async (target, status, versionId) => {
    expect(await read(target)).toMatchObject({ status, meta: { versionId } })
  })

  test('hold a removal with its reason, and what it was before', async () => {
    const removed = await read('Flag/3')
    const reason = removed['extension'].find((extension: any) => extension.url.endsWith('RemovalReason-1'))
    expect(reason.extension.map((part: any) => part.url)).toEqual(['removalReason', 'supportingComment'])
    expect((await read('Flag/3/_history/1'))['status']).toBe('active')
  })

  test('hold a List whose entries refer to what it contains', async () => {
    const list = await read('List/1')
    const ids = list['contained'].map((resource: any) => `#${resource.id}`)
    expect(list['entry'].map((entry: any) => entry.item.reference)).toEqual(ids)
    const conditions = list['contained'].filter((resource: any) => resource.resourceType === 'Condition')
    expect(conditions.map((condition: any) => condition.clinicalStatus)).toEqual(['active', 'active'])
  })

  test('are found by their patient, whose number passes its check digit', async () => {
    const bundle = await read('Flag?patient=9000000009')
    expect(bundle['total']).toBe(3)
    const digits = [...'9000000009'].map(Number)
    const sum = digits.slice(0, 9).reduce((total, digit, i) => total + digit * (10 - i), 0)
    expect((11 - (sum % 11)) % 11).toBe(digits[9])
  })

  test('lose nothing when they are stored: a PUT of what is in the file changes nothing', async () => {
    const files = (await readdir(folder)).filter((name) => name.endsWith('.json') && name !== 'flag-3.1.json')
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) {
      const body = await readFile(`${folder}/${file}`, 'utf8')
      const { resourceType, id } = JSON.parse(body) as { resourceType: string; id: string }
      const before = await fetch(`${sandbox.url}/${resourceType}/${id}`)
      const headers = { 'Content-Type': 'application/fhir+json' }
      const after = await fetch(`${sandbox.url}/${resourceType}/${id}`, { method: 'PUT', headers, body })
      expect([file, after.status, after.headers.get('etag')]).toEqual([file, 200, before.headers.get('etag')])
    }
  })
})

test('A record that cannot be read stops the start, with the name of its file', async () => {
  const broken = await mkdtemp(join(tmpdir(), 'sandbox-'))
  await writeFile(join(broken, 'flag-9.json'), '{"resourceType":"Flag","id":"9","status":"active","status":"inactive"}')
  await expect(startSandbox({ fhirVersion: '3.0.2', records: broken })).rejects.toThrow('flag-9.json')
  await rm(broken, { recursive: true })
})
