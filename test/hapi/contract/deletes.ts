import { describe, expect, test } from 'vitest'
import type { Contract } from '../contract.ts'
import { refusal, flag, pathOf } from './upstream.ts'

export function describeDeletes({ upstream }: Contract): void {
  describe('a delete', () => {
    test.each(['W/"1"', 'W/"99"'])(
      'pays no heed to If-Match: with %s while version 2 is current, it is gone',
      async (tag) => {
        const stored = await upstream.stored(flag())
        await upstream.put({ ...stored, status: 'inactive' })
        const answer = await upstream.send('DELETE', pathOf(stored), { headers: { 'if-match': tag } })
        expect(answer.status).toBe(200)
        expect((await upstream.send('GET', pathOf(stored))).status).toBe(410)
      },
    )

    test('of a version that is not the current one is 409 and deletes nothing', async () => {
      const stored = await upstream.stored(flag())
      await upstream.put({ ...stored, status: 'inactive' })
      expect(refusal(await upstream.send('DELETE', `${pathOf(stored)}/_history/1`))).toBe(409)
      expect(await upstream.version(stored)).toBe('2')
      expect((await upstream.send('DELETE', `${pathOf(stored)}/_history/2`)).status).toBe(200)
      expect((await upstream.send('GET', pathOf(stored))).status).toBe(410)
    })

    test('of what is not there, or not any more, is 200', async () => {
      const stored = await upstream.stored(flag())
      const statuses = []
      for (const path of [pathOf(stored), pathOf(stored), '/Flag/never-was-there']) {
        statuses.push((await upstream.send('DELETE', path)).status)
      }
      expect(statuses).toEqual([200, 200, 200])
    })
  })

  describe('a deleted resource', () => {
    const deleted = async () => {
      const stored = await upstream.stored(flag())
      await upstream.send('DELETE', pathOf(stored))
      return stored
    }

    test('is 410 with an OperationOutcome and the Location of its tombstone', async () => {
      const gone = await deleted()
      const answer = await upstream.send('GET', pathOf(gone))
      expect(refusal(answer)).toBe(410)
      expect(answer.headers['location']).toBe(`${upstream.base}${pathOf(gone)}/_history/2`)
    })

    test.each([undefined, 'W/"2"'])('is revived, as version 3, by an update with If-Match %s', async (tag) => {
      const gone = await deleted()
      const answer = await upstream.put(gone, tag === undefined ? {} : { 'if-match': tag })
      expect([answer.status, answer.headers['etag']]).toEqual([201, 'W/"3"'])
    })

    test('stays deleted after an update that names the version before: 409', async () => {
      const gone = await deleted()
      expect(refusal(await upstream.put(gone, { 'if-match': 'W/"1"' }))).toBe(409)
      expect((await upstream.send('GET', pathOf(gone))).status).toBe(410)
    })

    test('keeps its versions: the last one before can be read', async () => {
      const gone = await deleted()
      expect((await upstream.send('GET', `${pathOf(gone)}/_history/1`)).status).toBe(200)
      expect((await upstream.send('GET', `${pathOf(gone)}/_history/2`)).status).toBe(410)
    })
  })
}
