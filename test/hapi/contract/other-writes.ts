import { describe, expect, test } from 'vitest'
import type { Contract } from '../contract.ts'
import { refusal, flag, freshId, jsonOf, pathOf } from './upstream.ts'

/** The other ways to write: each of them gets past a gateway that looks at PUT alone. */
export function describeOtherWrites({ upstream, has }: Contract): void {
  test.runIf(has('reference-check'))('a reference to a resource that is not there is 400', async () => {
    const dangling = flag({ id: freshId(), subject: { reference: `Patient/${freshId()}` } })
    expect(refusal(await upstream.put(dangling))).toBe(400)
  })

  test('a conditional create makes nothing when something matches', async () => {
    const stored = await upstream.stored(flag())
    const headers = { 'if-none-exist': `Flag?_id=${stored.id}` }
    const answer = await upstream.send('POST', '/Flag', { body: flag({ status: 'inactive' }), headers })
    expect([answer.status, jsonOf(answer).id]).toEqual([200, stored.id])
  })

  test('a conditional delete deletes what matches', async () => {
    const stored = await upstream.stored(flag())
    expect((await upstream.send('DELETE', `/Flag?_id=${stored.id}`)).status).toBe(200)
    expect((await upstream.send('GET', pathOf(stored))).status).toBe(410)
  })

  describe.runIf(has('patch'))('a JSON Patch', () => {
    const headers = { 'content-type': 'application/json-patch+json' }
    const body = JSON.stringify([{ op: 'replace', path: '/status', value: 'inactive' }])

    test('changes the resource, and its answer has no ETag', async () => {
      const stored = await upstream.stored(flag())
      const answer = await upstream.send('PATCH', pathOf(stored), {
        headers: { ...headers, 'if-match': 'W/"1"' },
        body,
      })
      expect([answer.status, answer.headers['etag']]).toEqual([200, undefined])
      expect(await upstream.read(stored)).toMatchObject({ status: 'inactive', meta: { versionId: '2' } })
    })

    test('that names a version that is not the current one is 409', async () => {
      const stored = await upstream.stored(flag())
      expect(
        refusal(await upstream.send('PATCH', pathOf(stored), { headers: { ...headers, 'if-match': 'W/"9"' }, body })),
      ).toBe(409)
      expect(await upstream.version(stored)).toBe('1')
    })

    test('without If-Match is unconditional', async () => {
      const stored = await upstream.stored(flag())
      expect((await upstream.send('PATCH', pathOf(stored), { headers, body })).status).toBe(200)
    })
  })

  describe.runIf(has('transaction'))('a transaction', () => {
    const transaction = (...requests: readonly object[]) => ({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: requests,
    })

    test.each(['', '/'])('on the base%s updates, and honours ifMatch for a PUT', async (path) => {
      const stored = await upstream.stored(flag())
      const resource = { ...stored, status: 'inactive' }
      const put = (ifMatch: string) =>
        transaction({ resource, request: { method: 'PUT', url: `Flag/${stored.id}`, ifMatch } })
      expect(refusal(await upstream.send('POST', path, { body: put('W/"9"') }))).toBe(409)
      expect(await upstream.version(stored)).toBe('1')
      expect((await upstream.send('POST', path, { body: put('W/"1"') })).status).toBe(200)
      expect(await upstream.version(stored)).toBe('2')
    })

    test('pays no heed to the ifMatch of a DELETE', async () => {
      const stored = await upstream.stored(flag())
      const request = { method: 'DELETE', url: `Flag/${stored.id}`, ifMatch: 'W/"9"' }
      expect((await upstream.send('POST', '', { body: transaction({ request }) })).status).toBe(200)
      expect((await upstream.send('GET', pathOf(stored))).status).toBe(410)
    })
  })

  test.runIf(has('operations'))('$meta-add changes a resource, and not its version', async () => {
    const stored = await upstream.stored(flag())
    const meta = { tag: [{ system: 'urn:x', code: 'added' }] }
    const body = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: meta }] }
    expect((await upstream.send('POST', `${pathOf(stored)}/$meta-add`, { body })).status).toBe(200)
    expect((await upstream.read(stored)).meta).toMatchObject({ ...meta, versionId: '1' })
  })
}
