import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Contract } from '../contract.ts'
import { refusal, flag, freshId, pathOf, type Json } from './upstream.ts'

const json = { 'content-type': 'application/fhir+json' }
const xml = { 'content-type': 'application/fhir+xml' }

export function describeBodies({ upstream, has }: Contract): void {
  /** Stores the text as a Flag and reads it back. */
  const storedFrom = async (text: (id: string) => string | Buffer, headers: Record<string, string> = json) => {
    const resource = flag({ id: freshId() })
    await upstream.send('PUT', pathOf(resource), { headers, body: text(resource.id) })
    return upstream.read(resource)
  }

  describe('meta', () => {
    const tag = (code: string) => ({ system: 'urn:x', code })

    test('keeps tags and security labels that an update leaves out, and adds those that it brings', async () => {
      const stored = await upstream.stored(flag({ meta: { tag: [tag('a')], security: [tag('s')] } }))
      await upstream.put({ ...stored, status: 'inactive', meta: { tag: [tag('b')] } })
      const { meta } = await upstream.read(stored)
      expect(meta.tag.map(({ code }: Json) => code).sort()).toEqual(['a', 'b'])
      expect(meta.security).toMatchObject([tag('s')])
    })

    test('loses profiles that an update leaves out', async () => {
      const stored = await upstream.stored(flag({ meta: { profile: ['urn:p:1', 'urn:p:2'] } }))
      await upstream.put({ ...stored, status: 'inactive', meta: { profile: ['urn:p:3'] } })
      expect((await upstream.read(stored)).meta.profile).toEqual(['urn:p:3'])
    })

    test('has a version and a time of the server, whatever the body says', async () => {
      const meta = { versionId: '77', lastUpdated: '2001-01-01T00:00:00Z' }
      const stored = await upstream.stored(flag({ meta }))
      const read = await upstream.read(stored)
      expect(read.meta.versionId).toBe('1')
      expect(read.meta.lastUpdated).not.toMatch(/^2001/)
    })
  })

  describe('contained resources', () => {
    const practitioner = (content: object) => ({ resourceType: 'Practitioner', active: true, ...content })
    const containedOf = async (...contained: readonly object[]) => {
      const stored = await upstream.stored(flag({ contained, author: { reference: '#p1' } }))
      return (await upstream.read(stored)).contained
    }

    test('lose a leading # of their ids', async () => {
      expect(await containedOf(practitioner({ id: '#p1' }))).toEqual([practitioner({ id: 'p1' })])
    })

    test('lose their versionId and lastUpdated', async () => {
      const meta = { versionId: '5', lastUpdated: '2001-01-01T00:00:00Z' }
      expect(await containedOf(practitioner({ id: 'p1', meta }))).toEqual([practitioner({ id: 'p1' })])
    })

    test('lose the second of two with the same id', async () => {
      const twice = await containedOf(practitioner({ id: 'p1' }), practitioner({ id: 'p1', active: false }))
      expect(twice).toEqual([practitioner({ id: 'p1' })])
    })

    test('are kept when nothing refers to them', async () => {
      const kept = await containedOf(practitioner({ id: 'p1' }), practitioner({ id: 'p2' }))
      expect(kept.map(({ id }: Json) => id)).toEqual(['p1', 'p2'])
    })
  })

  describe('a JSON body', () => {
    test('loses unknown elements, nulls, empty strings and fhir_comments without a word', async () => {
      const read = await storedFrom(
        (id) =>
          `{"resourceType":"Flag","id":"${id}","status":"active","Status":"inactive","stauts":"inactive","period":{"start":null,"end":"2026"},"code":{"text":""},"fhir_comments":["x"]}`,
      )
      const { resourceType: _type, id: _id, meta: _meta, ...content } = read
      expect(content).toEqual({ status: 'active', period: { end: '2026' } })
    })

    test('keeps what stands beside a value: _status', async () => {
      const beside = { extension: [{ url: 'urn:x', valueString: 'y' }] }
      expect(await storedFrom((id) => JSON.stringify(flag({ id, _status: beside })))).toMatchObject({ _status: beside })
    })

    test('with a name that occurs twice: the last one counts', async () => {
      const read = await storedFrom(
        (id) => `{"resourceType":"Flag","id":"${id}","status":"active","status":"inactive"}`,
      )
      expect(read.status).toBe('inactive')
    })

    test('takes one value for a list', async () => {
      const read = await storedFrom((id) => JSON.stringify(flag({ id, identifier: { value: 'one' } })))
      expect(read.identifier).toEqual([{ value: 'one' }])
    })

    test.runIf(has('lax-json'))('takes the first of a list for one value', async () => {
      const read = await storedFrom((id) => JSON.stringify(flag({ id, code: [{ text: 'first' }, { text: 'second' }] })))
      expect(read.code).toEqual({ text: 'first' })
    })

    test.runIf(has('lax-json'))('takes single quotes', async () => {
      const read = await storedFrom((id) => `{'resourceType':'Flag','id':'${id}','status':'inactive'}`)
      expect(read.status).toBe('inactive')
    })

    test.each(['1.00', '0.10', '100000000000000000000.5'])('keeps the digits of the decimal %s', async (digits) => {
      const resource = flag({ id: freshId() })
      const extension = `[{"url":"urn:x","valueDecimal":${digits}}]`
      const body = `{"resourceType":"Flag","id":"${resource.id}","extension":${extension},"status":"active"}`
      await upstream.send('PUT', pathOf(resource), { headers: json, body })
      const { text } = await upstream.send('GET', pathOf(resource))
      expect(/"valueDecimal"\s*:\s*([^\s}]+)/.exec(text)?.[1]).toBe(digits)
    })

    test('keeps the fraction and the zone of an instant', async () => {
      const extension = [{ url: 'urn:x', valueInstant: '2026-01-02T03:04:05.670+01:00' }]
      expect(await storedFrom((id) => JSON.stringify(flag({ id, extension })))).toMatchObject({ extension })
    })

    test('loses the version of a reference', async () => {
      const patient = await upstream.stored({ resourceType: 'Patient' })
      const stored = await upstream.stored(flag({ subject: { reference: `Patient/${patient.id}/_history/1` } }))
      expect((await upstream.read(stored)).subject.reference).toBe(`Patient/${patient.id}`)
    })
  })

  describe('an XML body', () => {
    const flagXml = (id: string, content: string) =>
      `<Flag xmlns="http://hl7.org/fhir"><id value="${id}"/>${content}</Flag>`

    test('is stored and can be read as JSON', async () => {
      expect(await storedFrom((id) => flagXml(id, '<status value="inactive"/>'), xml)).toMatchObject({
        resourceType: 'Flag',
        status: 'inactive',
      })
    })

    test('keeps one of an element that may not repeat', async () => {
      const read = await storedFrom((id) => flagXml(id, '<status value="active"/><status value="inactive"/>'), xml)
      expect(['active', 'inactive']).toContain(read.status)
    })

    test('is answered with XML', async () => {
      const id = freshId()
      const body = flagXml(id, '<status value="active"/>')
      const answer = await upstream.send('PUT', `/Flag/${id}`, { headers: xml, body })
      expect(answer.headers['content-type']).toBe('application/fhir+xml;charset=UTF-8')
      expect(answer.text).toMatch(/<Flag xmlns="http:\/\/hl7.org\/fhir">/)
    })
  })

  describe('the bytes of a body', () => {
    const text = (id: string) => JSON.stringify(flag({ id, code: { text: 'Café' } }))

    test.each([
      ['UTF-8 when nothing is said', 'application/fhir+json', 'utf8'],
      ['what charset says', 'application/fhir+json;charset=ISO-8859-1', 'latin1'],
    ] as const)('are read as %s', async (_, type, encoding) => {
      const read = await storedFrom((id) => Buffer.from(text(id), encoding), { 'content-type': type })
      expect(read.code.text).toBe('Café')
    })

    test('are inflated when Content-Encoding is gzip', async () => {
      const read = await storedFrom((id) => gzipSync(text(id)), { ...json, 'content-encoding': 'gzip' })
      expect(read.code.text).toBe('Café')
    })

    test.each(['application/json', 'application/json+fhir', 'text/json', 'application/fhir+json; charset=utf-8'])(
      'are JSON in %s',
      async (type) => {
        expect((await storedFrom(text, { 'content-type': type })).code.text).toBe('Café')
      },
    )

    test.each([undefined, 'text/plain', 'application/octet-stream', 'application/x-www-form-urlencoded'])(
      'are 400 in %s',
      async (type) => {
        const stored = await upstream.stored(flag())
        const headers = type === undefined ? {} : { 'content-type': type }
        const body = JSON.stringify({ ...stored, status: 'inactive' })
        expect(refusal(await upstream.send('PUT', pathOf(stored), { headers, body }))).toBe(400)
        expect(await upstream.version(stored)).toBe('1')
      },
    )
  })
}
