import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Contract } from '../contract.ts'
import { refusal, flag, freshId, jsonOf, pathOf } from './upstream.ts'

export function describeReads({ upstream, fhirVersion }: Contract): void {
  describe('a read', () => {
    test('has ETag, Last-Modified and Content-Location', async () => {
      const stored = await upstream.stored(flag())
      const { headers } = await upstream.send('GET', pathOf(stored))
      expect(headers).toMatchObject({
        etag: 'W/"1"',
        'content-location': `${upstream.base}${pathOf(stored)}/_history/1`,
        'content-type': 'application/fhir+json;charset=UTF-8',
      })
      const { meta } = await upstream.read(stored)
      const seconds = (time: string) => Math.floor(Date.parse(time) / 1000)
      expect(seconds(headers['last-modified'] ?? '')).toBe(seconds(meta.lastUpdated))
    })

    test('of an unknown id is 404', async () => {
      expect(refusal(await upstream.send('GET', `/Flag/${freshId()}`))).toBe(404)
    })

    test.each([
      ['If-None-Match names the current version', { 'if-none-match': 'W/"1"' }],
      ['If-Modified-Since is later', { 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' }],
    ])('is 304 without ETag and Last-Modified when %s', async (_, headers) => {
      const stored = await upstream.stored(flag())
      const answer = await upstream.send('GET', pathOf(stored), { headers })
      expect([answer.status, answer.text]).toEqual([304, ''])
      expect(answer.headers['etag']).toBeUndefined()
      expect(answer.headers['last-modified']).toBeUndefined()
    })

    test('is 200 when If-None-Match names another version', async () => {
      const stored = await upstream.stored(flag())
      const answer = await upstream.send('GET', pathOf(stored), { headers: { 'if-none-match': 'W/"2"' } })
      expect(answer.status).toBe(200)
    })

    test('of a deleted id is 410, also with If-None-Match', async () => {
      const stored = await upstream.stored(flag())
      await upstream.send('DELETE', pathOf(stored))
      const answer = await upstream.send('GET', pathOf(stored), { headers: { 'if-none-match': 'W/"1"' } })
      expect(answer.status).toBe(410)
    })

    test.each<[string, Record<string, string>, string]>([
      ['JSON when nothing is asked', {}, 'application/fhir+json'],
      ['JSON for */*', { accept: '*/*' }, 'application/fhir+json'],
      ['XML for application/fhir+xml', { accept: 'application/fhir+xml' }, 'application/fhir+xml'],
      ['XML for text/xml', { accept: 'text/xml' }, 'application/fhir+xml'],
    ])('is %s', async (_, headers, type) => {
      const stored = await upstream.stored(flag())
      const answer = await upstream.send('GET', pathOf(stored), { headers })
      expect(answer.headers['content-type']).toBe(`${type};charset=UTF-8`)
    })

    test('is what _format says rather than Accept', async () => {
      const stored = await upstream.stored(flag())
      const headers = { accept: 'application/fhir+json' }
      const answer = await upstream.send('GET', `${pathOf(stored)}?_format=xml`, { headers })
      expect(answer.headers['content-type']).toBe('application/fhir+xml;charset=UTF-8')
    })

    test('is compressed when gzip is accepted, and not otherwise', async () => {
      const stored = await upstream.stored(flag())
      const plain = await upstream.send('GET', pathOf(stored), { headers: { 'accept-encoding': 'identity' } })
      const packed = await upstream.send('GET', pathOf(stored), { headers: { 'accept-encoding': 'gzip' } })
      expect(plain.headers['content-encoding']).toBeUndefined()
      expect(packed.headers['content-encoding']).toBe('gzip')
      expect(gunzipSync(packed.bytes).toString()).toBe(plain.text)
    })

    test('has the base in its URLs that the Host field names', async () => {
      const stored = await upstream.stored(flag())
      const { headers } = await upstream.send('GET', pathOf(stored), { headers: { host: 'records.example:81' } })
      expect(headers['content-location']).toMatch(/^http:\/\/records\.example:81\//)
    })
  })

  describe('the versions of a resource', () => {
    test('can each be read, with the ETag of that version', async () => {
      const stored = await upstream.stored(flag())
      await upstream.put({ ...stored, status: 'inactive' })
      const first = await upstream.send('GET', `${pathOf(stored)}/_history/1`)
      expect([first.status, first.headers['etag'], jsonOf(first).status]).toEqual([200, 'W/"1"', 'active'])
      const second = await upstream.send('GET', `${pathOf(stored)}/_history/2`)
      expect([second.status, second.headers['etag'], jsonOf(second).status]).toEqual([200, 'W/"2"', 'inactive'])
    })

    test('that never were are 404', async () => {
      const stored = await upstream.stored(flag())
      expect(refusal(await upstream.send('GET', `${pathOf(stored)}/_history/99`))).toBe(404)
    })

    test('are listed newest first, a deletion among them', async () => {
      const stored = await upstream.stored(flag())
      await upstream.put({ ...stored, status: 'inactive' })
      await upstream.send('DELETE', pathOf(stored))
      const history = jsonOf(await upstream.send('GET', `${pathOf(stored)}/_history`))
      expect(history).toMatchObject({
        type: 'history',
        entry: [
          { request: { method: 'DELETE' } },
          { request: { method: 'PUT' }, resource: { meta: { versionId: '2' } } },
          { resource: { meta: { versionId: '1' } } },
        ],
      })
      expect(history.entry[0].resource).toBeUndefined()
    })
  })

  test('/metadata tells the FHIR version', async () => {
    const metadata = jsonOf(await upstream.send('GET', '/metadata'))
    expect(metadata.resourceType).toBe('CapabilityStatement')
    expect(metadata.fhirVersion.startsWith(`${fhirVersion}.`)).toBe(true)
  })
}
