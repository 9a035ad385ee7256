import { describe, expect, test } from 'vitest'
import type { Contract } from '../contract.ts'
import { refusal, freshId, jsonOf, type Answer, type Json } from './upstream.ts'

export function describeSearches({ upstream, has }: Contract): void {
  /** A patient with this many Lists, current ones and a retired one after them. */
  const patientWithLists = async (current: number) => {
    const patient = await upstream.stored({ resourceType: 'Patient' })
    const list = { resourceType: 'List', mode: 'working', subject: { reference: `Patient/${patient.id}` } }
    for (let i = 0; i < current; i++) await upstream.stored({ ...list, status: 'current' })
    await upstream.stored({ ...list, status: 'retired' })
    return patient.id as string
  }
  const statusesIn = (answer: Answer) => (jsonOf(answer).entry ?? []).map(({ resource }: Json) => resource.status)

  describe('a search', () => {
    test('by patient and status finds those of that patient in that status', async () => {
      const patient = await patientWithLists(2)
      const answer = await upstream.send('GET', `/List?patient=${patient}&status=current`)
      expect(jsonOf(answer)).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 2 })
      expect(statusesIn(answer)).toEqual(['current', 'current'])
      expect(jsonOf(answer).entry[0]).toMatchObject({ search: { mode: 'match' } })
      expect(jsonOf(answer).entry[0].fullUrl).toMatch(`${upstream.base}/List/`)
    })

    test.each(['query', 'body'])('by POST takes its parameters from the %s', async (place) => {
      const patient = await patientWithLists(1)
      const parameters = `patient=${patient}&status=retired`
      const answer = await upstream.send('POST', place === 'query' ? `/List/_search?${parameters}` : '/List/_search', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: place === 'body' ? parameters : '',
      })
      expect(answer.status).toBe(200)
      expect(statusesIn(answer)).toEqual(['retired'])
    })

    test('that finds nothing is a Bundle without entries', async () => {
      const answer = await upstream.send('GET', `/List?patient=${freshId()}`)
      expect([answer.status, jsonOf(answer).total, jsonOf(answer).entry]).toEqual([200, 0, undefined])
    })

    test('by a parameter that the type does not have is 400', async () => {
      expect(refusal(await upstream.send('GET', '/Flag?shoe-size=44'))).toBe(400)
    })

    test('has its pages on the base, each linked from the one before', async () => {
      const patient = await patientWithLists(3)
      const urls: string[] = [`${upstream.base}/List?patient=${patient}&_count=2`]
      let found = 0
      for (const url of urls) {
        const answer = await upstream.send('GET', url.slice(upstream.base.length))
        expect(answer.status).toBe(200)
        found += statusesIn(answer).length
        const next = jsonOf(answer).link.find(({ relation }: Json) => relation === 'next')?.url
        if (next !== undefined) urls.push(next)
      }
      expect(found).toBe(4)
      expect(urls).toHaveLength(2)
      expect(urls[1]).toMatch(`${upstream.base}?_getpages=`)
    })

    test.runIf(has('search-cache'))(
      'is answered from memory for a while, unless Cache-Control says no-cache',
      async () => {
        const patient = await patientWithLists(1)
        const find = async (headers = {}) =>
          statusesIn(await upstream.send('GET', `/List?patient=${patient}&status=current`, { headers })).length
        expect(await find()).toBe(1)
        const subject = { reference: `Patient/${patient}` }
        await upstream.stored({ resourceType: 'List', mode: 'working', subject, status: 'current' })
        expect(await find()).toBe(1)
        expect(await find({ 'cache-control': 'no-cache' })).toBe(2)
      },
    )
  })
}
