import { describe, expect, test } from 'vitest'
import type { Contract } from '../contract.ts'
import { refusal, flag, freshId, jsonOf, pathOf } from './upstream.ts'

export function describeUpdates({ upstream, has }: Contract): void {
  describe('an update', () => {
    test('that names the current version stores the next one', async () => {
      const stored = await upstream.stored(flag())
      const answer = await upstream.put({ ...stored, status: 'inactive' }, { 'if-match': 'W/"1"' })
      expect(answer.status).toBe(200)
      expect(answer.headers['etag']).toBe('W/"2"')
      expect(await upstream.read(stored)).toMatchObject({ status: 'inactive', meta: { versionId: '2' } })
    })

    test.each(['W/"1"', 'W/"3"', 'W/"99"'])(
      'that names %s while version 2 is current is 409 and changes nothing',
      async (tag) => {
        const stored = await upstream.stored(flag())
        await upstream.put({ ...stored, period: { start: '2026' } })
        expect(refusal(await upstream.put({ ...stored, status: 'inactive' }, { 'if-match': tag }))).toBe(409)
        expect(await upstream.read(stored)).toMatchObject({ status: 'active', meta: { versionId: '2' } })
      },
    )

    test('that is refused as stale says so in its diagnostics, but with the code processing, not conflict', async () => {
      const stored = await upstream.stored(flag())
      const { issue } = jsonOf(await upstream.put({ ...stored, status: 'inactive' }, { 'if-match': 'W/"9"' }))
      expect(issue).toMatchObject([
        { code: 'processing', diagnostics: expect.stringContaining('not the current version') },
      ])
    })

    test('is made once when twenty name the same version at once: one 200 and nineteen 409', async () => {
      const stored = await upstream.stored(flag())
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          upstream.put({ ...stored, code: { text: `Writer ${index}` } }, { 'if-match': 'W/"1"' }),
        ),
      )
      const statuses = answers.map(({ status }) => status).sort()
      expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 409)])
      const history = jsonOf(await upstream.send('GET', `${pathOf(stored)}/_history`))
      expect(history.entry).toHaveLength(2)
      const winner = answers.findIndex(({ status }) => status === 200)
      expect(await upstream.read(stored)).toMatchObject({
        code: { text: `Writer ${winner}` },
        meta: { versionId: '2' },
      })
    })

    test('without If-Match is unconditional', async () => {
      const stored = await upstream.stored(flag())
      await upstream.put({ ...stored, status: 'inactive' })
      expect((await upstream.put(stored)).headers['etag']).toBe('W/"3"')
    })

    test.each(['', '""', 'W/""'])('with an empty If-Match, %j, is unconditional', async (tag) => {
      const stored = await upstream.stored(flag())
      expect((await upstream.put({ ...stored, status: 'inactive' }, { 'if-match': tag })).status).toBe(200)
      expect(await upstream.version(stored)).toBe('2')
    })

    test.each(['"1"', '1', 'W/"01"', 'W/"+1"'])('takes %s for version 1', async (tag) => {
      const stored = await upstream.stored(flag())
      expect((await upstream.put({ ...stored, status: 'inactive' }, { 'if-match': tag })).status).toBe(200)
      expect(refusal(await upstream.put(stored, { 'if-match': tag }))).toBe(409)
      expect(await upstream.version(stored)).toBe('2')
    })

    test.each(['*', 'W/"abc"', 'W/"1", W/"2"', 'w/"1"', 'W/1'])('cannot read %s and fails with 500', async (tag) => {
      const stored = await upstream.stored(flag())
      expect(refusal(await upstream.put({ ...stored, status: 'inactive' }, { 'if-match': tag }))).toBe(500)
      expect(await upstream.version(stored)).toBe('1')
    })

    test.each([
      ['if-none-match', '*'],
      ['if-none-match', 'W/"1"'],
      ['if-unmodified-since', 'Mon, 01 Jan 2001 00:00:00 GMT'],
      ['if-modified-since', 'Fri, 01 Jan 2100 00:00:00 GMT'],
    ])('pays no heed to %s: %s', async (field, value) => {
      const stored = await upstream.stored(flag())
      expect((await upstream.put({ ...stored, status: 'inactive' }, { [field]: value })).status).toBe(200)
      expect(await upstream.version(stored)).toBe('2')
    })

    test('that changes nothing keeps the version', async () => {
      const stored = await upstream.stored(flag())
      const answer = await upstream.put(stored, { 'if-match': 'W/"1"' })
      expect([answer.status, answer.headers['etag']]).toEqual([200, 'W/"1"'])
      expect(await upstream.version(stored)).toBe('1')
    })

    test.each([undefined, 'W/"1"', 'W/"7"'])('of an unknown id creates it, with If-Match %s', async (tag) => {
      const resource = flag({ id: freshId() })
      const answer = await upstream.put(resource, tag === undefined ? {} : { 'if-match': tag })
      expect([answer.status, answer.headers['etag']]).toEqual([201, 'W/"1"'])
      expect(await upstream.version(resource)).toBe('1')
    })

    test.runIf(has('no-numeric-ids'))('of an unknown id of digits only is 400', async () => {
      expect(refusal(await upstream.put(flag({ id: String(Date.now()) })))).toBe(400)
    })

    test('by criteria is unconditional: a stale If-Match is not looked at', async () => {
      const stored = await upstream.stored(flag())
      await upstream.put({ ...stored, status: 'inactive' })
      const options = { body: stored, headers: { 'if-match': 'W/"1"' } }
      expect((await upstream.send('PUT', `/Flag?_id=${stored.id}`, options)).status).toBe(200)
      expect(await upstream.read(stored)).toMatchObject({ status: 'active', meta: { versionId: '3' } })
    })

    test.each([
      ['another id in the body', (id: string) => flag({ id: `${id}-other` })],
      ['no id in the body', () => flag()],
      ['another type in the body', (id: string) => ({ resourceType: 'List', id, status: 'current', mode: 'working' })],
    ])('with %s is 400', async (_, body) => {
      const stored = await upstream.stored(flag())
      expect(refusal(await upstream.send('PUT', pathOf(stored), { body: body(stored.id) }))).toBe(400)
      expect(await upstream.version(stored)).toBe('1')
    })

    test('answers with ETag, Last-Modified and Content-Location, and Location only after a POST', async () => {
      const stored = await upstream.stored(flag())
      const { headers } = await upstream.put({ ...stored, status: 'inactive' })
      expect(headers).toMatchObject({
        etag: 'W/"2"',
        'content-location': `${upstream.base}${pathOf(stored)}/_history/2`,
      })
      expect(Date.parse(headers['last-modified'] ?? '')).not.toBeNaN()
      expect(headers['location']).toBeUndefined()

      const posted = await upstream.send('POST', '/Flag', { body: flag() })
      expect(posted.status).toBe(201)
      expect(posted.headers['location']).toBe(`${upstream.base}/Flag/${jsonOf(posted).id}/_history/1`)
    })

    test('answers with the resource, an OperationOutcome or nothing, as Prefer says', async () => {
      const stored = await upstream.stored(flag())
      const bodyWith = async (prefer?: string) => {
        const answer = await upstream.put(stored, prefer === undefined ? {} : { prefer })
        return answer.text === '' ? '' : jsonOf(answer).resourceType
      }
      expect(await bodyWith()).toBe('Flag')
      expect(await bodyWith('return=representation')).toBe('Flag')
      expect(await bodyWith('return=OperationOutcome')).toBe('OperationOutcome')
      expect(await bodyWith('return=minimal')).toBe('')
    })
  })
}
