import { describe, expect, test } from 'vitest'
import type { Contract } from '../contract.ts'
import { refusal, flag, pathOf } from './upstream.ts'

export function describeTargets({ upstream }: Contract): void {
  describe('the target of an update', () => {
    test.each<[string, (id: string) => string]>([
      ['a slash at its end', (id) => `/Flag/${id}/`],
      ['doubled slashes', (id) => `//Flag//${id}`],
      ['a percent-encoded letter of the type', (id) => `/%46lag/${id}`],
      ['a percent-encoded letter of the id', (id) => `/Flag/${id.replace('c', '%63')}`],
      ['a letter that is percent-encoded twice', (id) => `/Flag/${id.replace('c', '%2563')}`],
      ['a third segment that means nothing', (id) => `/Flag/${id}/xyz`],
      ['the current version', (id) => `/Flag/${id}/_history/1`],
      ['a query that means nothing', (id) => `/Flag/${id}?foo=bar`],
    ])('with %s updates the resource all the same', async (_, path) => {
      const stored = await upstream.stored(flag())
      const answer = await upstream.send('PUT', path(stored.id), { body: { ...stored, status: 'inactive' } })
      expect(answer.status).toBe(200)
      expect(await upstream.read(stored)).toMatchObject({ status: 'inactive', meta: { versionId: '2' } })
    })

    test('with a version that is not the current one is 409', async () => {
      const stored = await upstream.stored(flag())
      await upstream.put({ ...stored, status: 'inactive' })
      expect(refusal(await upstream.send('PUT', `${pathOf(stored)}/_history/1`, { body: stored }))).toBe(409)
      expect(await upstream.version(stored)).toBe('2')
    })

    test('may be a type alone, when Content-Location names the resource', async () => {
      const stored = await upstream.stored(flag())
      const headers = { 'content-location': `${upstream.base}${pathOf(stored)}` }
      const answer = await upstream.send('PUT', '/Flag', { body: { ...stored, status: 'inactive' }, headers })
      expect(answer.status).toBe(200)
      expect(await upstream.version(stored)).toBe('2')
    })

    test('is not normalised: dot segments are not an update', async () => {
      const stored = await upstream.stored(flag())
      const body = { ...stored, status: 'inactive' }
      const statuses = []
      for (const path of [`/./Flag/${stored.id}`, `/x/../Flag/${stored.id}`]) {
        statuses.push((await upstream.send('PUT', path, { body })).status)
      }
      expect(statuses).toEqual([404, 404])
      expect(await upstream.version(stored)).toBe('1')
    })
  })

  test('a POST to a resource is 400, and no method override makes it an update', async () => {
    const stored = await upstream.stored(flag())
    const headers = { 'x-http-method-override': 'PUT', 'x-http-method': 'PUT', 'x-method-override': 'PUT' }
    const ask = { body: { ...stored, status: 'inactive' }, headers }
    expect(refusal(await upstream.send('POST', pathOf(stored), ask))).toBe(400)
    expect(await upstream.version(stored)).toBe('1')
  })

  test('a HEAD has the status and the ETag of its GET, and no body', async () => {
    const stored = await upstream.stored(flag())
    const head = await upstream.send('HEAD', pathOf(stored))
    expect([head.status, head.headers['etag'], head.text]).toEqual([200, 'W/"1"', ''])
  })
}
