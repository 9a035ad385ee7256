import http from 'node:http'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'

let sandbox: Sandbox
beforeEach(async () => {
  sandbox = await startSandbox({ fhirVersion: '3.0.2', clock: () => new Date('2026-11-23T10:00:00.500Z') })
})
afterEach(() => sandbox.close())

interface Answer {
  readonly status: number
  readonly fields: http.IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
}

/** Sends the target as it is written; `target` begins below the base. */
function send(
  method: string,
  target: string,
  fields: http.OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<Answer> {
  const base = new URL(sandbox.url)
  const path = target.startsWith('//') ? `/${base.pathname}${target}` : base.pathname + target
  return new Promise((resolve, reject) => {
    const options = { method, host: base.hostname, port: base.port, path, headers: fields }
    const request = http.request(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const bytes = Buffer.concat(chunks)
        resolve({ status: response.statusCode!, fields: response.headers, bytes, text: bytes.toString() })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

const json = { 'Content-Type': 'application/fhir+json' }
const flag = (id: string, text = 'A quiet room', more: object = {}) =>
  JSON.stringify({ resourceType: 'Flag', id, status: 'active', code: { text }, ...more })
const put = (id: string, text?: string, fields: http.OutgoingHttpHeaders = {}) =>
  send('PUT', `/Flag/${id}`, { ...json, ...fields }, flag(id, text))
const parsed = (answer: Answer) => JSON.parse(answer.text) as Record<string, any>
const diagnostics = (answer: Answer) => parsed(answer)['issue'][0].diagnostics as string

describe('An update', () => {
  test('of an unknown id creates version 1 whatever If-Match says, and has no Location', async () => {
    const answer = await put('a', 'x', { 'If-Match': 'W/"9"' })
    expect(answer.status).toBe(201)
    expect(answer.fields).toMatchObject({
      etag: 'W/"1"',
      'last-modified': 'Mon, 23 Nov 2026 10:00:00 GMT',
      'content-location': `${sandbox.url}/Flag/a/_history/1`,
    })
    expect(answer.fields).not.toHaveProperty('location')
  })

  test('with a stale If-Match is refused with 409, and nothing changes', async () => {
    await put('a', 'x')
    await put('a', 'y', { 'If-Match': 'W/"1"' })
    const stale = await put('a', 'z', { 'If-Match': 'W/"1"' })
    expect(stale.status).toBe(409)
    expect(diagnostics(stale)).toBe(
      'HAPI-0550: HAPI-0989: Trying to update Flag/a/_history/1 but this is not the current version',
    )
    expect(parsed(await send('GET', '/Flag/a'))['code']).toEqual({ text: 'y' })
  })

  test('with an If-Match that is no number fails with 500', async () => {
    await put('a')
    expect((await put('a', 'y', { 'If-Match': '*' })).status).toBe(500)
  })

  test('takes the first of two If-Match field lines', async () => {
    await put('a')
    expect((await put('a', 'y', { 'If-Match': ['W/"1"', 'W/"7"'] })).status).toBe(200)
  })

  test.each([
    ['with a trailing slash', '/Flag/a/'],
    ['with empty segments', '//Flag//a'],
    ['with a percent-encoded letter', '/%46lag/a'],
    ['with an id that is percent-encoded twice', '/Flag/%2561'],
    ['with a third segment', '/Flag/a/xyz'],
    ['with the current version behind the id', '/Flag/a/_history/1'],
    ['with an unknown query', '/Flag/a?foo=bar'],
  ])('%s is taken', async (_, target) => {
    await put('a', 'x')
    const answer = await send('PUT', target, json, flag('a', 'y'))
    expect(answer.status).toBe(200)
    expect(answer.fields.etag).toBe('W/"2"')
  })

  test('with another version behind the id is stale', async () => {
    await put('a', 'x')
    const answer = await send('PUT', '/Flag/a/_history/2', { ...json, 'If-Match': 'W/"1"' }, flag('a', 'y'))
    expect(answer.status).toBe(409)
  })

  test('to the type is directed by Content-Location', async () => {
    await put('a', 'x')
    const fields = { ...json, 'Content-Location': 'http://x.example/fhir/Flag/a' }
    expect((await send('PUT', '/Flag', fields, flag('a', 'y'))).fields.etag).toBe('W/"2"')
    expect((await send('PUT', '/Flag', json, flag('a', 'z'))).status).toBe(400)
  })

  test('by criteria ignores If-Match', async () => {
    await put('a', 'x')
    const answer = await send('PUT', '/Flag?_id=a', { ...json, 'If-Match': 'W/"9"' }, flag('a', 'y'))
    expect(answer.status).toBe(200)
    expect(answer.fields.etag).toBe('W/"2"')
  })

  test('by criteria that several match is refused, by criteria that nothing matches creates', async () => {
    await put('a')
    await put('b')
    expect((await send('PUT', '/Flag?status=active', json, flag('a'))).status).toBe(412)
    expect((await send('PUT', '/Flag?status=inactive', json, flag('c', 'x', { status: 'inactive' }))).status).toBe(201)
    expect((await send('PUT', '/Flag?_id=nope', json, flag('d'))).status).toBe(400)
  })

  test('does not heed If-None-Match', async () => {
    await put('a', 'x')
    expect((await put('a', 'y', { 'If-None-Match': '*' })).status).toBe(200)
  })

  test.each([
    ['return=representation', 'Flag'],
    ['return=OperationOutcome', 'OperationOutcome'],
    ['return=minimal', undefined],
  ])('answers %s with %s', async (prefer, type) => {
    const answer = await put('a', 'x', { Prefer: prefer })
    expect(answer.fields.etag).toBe('W/"1"')
    expect(answer.text === '' ? undefined : parsed(answer)['resourceType']).toBe(type)
  })

  test.each([
    ['no Content-Type', {}, flag('a')],
    ['a plain Content-Type', { 'Content-Type': 'text/plain' }, flag('a')],
    ['an unknown charset', { 'Content-Type': 'application/fhir+json;charset=nope' }, flag('a')],
    ['broken JSON', json, '{"resourceType":'],
    ['broken XML', { 'Content-Type': 'application/fhir+xml' }, '<Flag'],
    ['an empty body', json, ''],
    ['another type', json, JSON.stringify({ resourceType: 'Basic', id: 'a' })],
    ['another id', json, flag('b')],
    ['no id', json, JSON.stringify({ resourceType: 'Flag' })],
    ['what is not gzip', { ...json, 'Content-Encoding': 'gzip' }, flag('a')],
  ])('with %s is refused with 400', async (_, fields, body) => {
    const answer = await send('PUT', '/Flag/a', fields, body)
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('OperationOutcome')
    expect((await send('GET', '/Flag/a')).status).toBe(404)
  })

  test('is taken in gzip and in the charset that it declares', async () => {
    await send('PUT', '/Flag/a', { ...json, 'Content-Encoding': 'gzip' }, gzipSync(flag('a', 'zipped')))
    expect(parsed(await send('GET', '/Flag/a'))['code']).toEqual({ text: 'zipped' })
    const latin = { 'Content-Type': 'application/fhir+json;charset=iso-8859-1' }
    await send('PUT', '/Flag/a', latin, Buffer.from(flag('a', 'café'), 'latin1'))
    expect(parsed(await send('GET', '/Flag/a'))['code']).toEqual({ text: 'café' })
  })
})

describe('A deletion', () => {
  test('does not heed If-Match, but a version in the path', async () => {
    await put('a', 'x')
    await put('a', 'y')
    const stale = await send('DELETE', '/Flag/a/_history/1')
    expect(stale.status).toBe(409)
    expect((await send('DELETE', '/Flag/a', { 'If-Match': 'W/"1"' })).status).toBe(200)
  })

  test('leaves 410 with a Location and an OperationOutcome, and the old versions', async () => {
    await put('a')
    await send('DELETE', '/Flag/a')
    const gone = await send('GET', '/Flag/a')
    expect(gone.status).toBe(410)
    expect(gone.fields.location).toBe(`${sandbox.url}/Flag/a/_history/2`)
    expect(parsed(gone)['resourceType']).toBe('OperationOutcome')
    expect((await send('GET', '/Flag/a/_history/2')).status).toBe(410)
    expect((await send('GET', '/Flag/a/_history/1')).status).toBe(200)
  })

  test('of what is not there, or not any more, is no error', async () => {
    expect((await send('DELETE', '/Flag/nope')).status).toBe(200)
    await put('a')
    await send('DELETE', '/Flag/a')
    expect((await send('DELETE', '/Flag/a')).status).toBe(200)
  })

  test('is undone by a PUT without If-Match, or with the one of the deletion', async () => {
    await put('a')
    await send('DELETE', '/Flag/a')
    expect((await put('a', 'x', { 'If-Match': 'W/"1"' })).status).toBe(409)
    const revived = await put('a', 'x', { 'If-Match': 'W/"2"' })
    expect([revived.status, revived.fields.etag]).toEqual([201, 'W/"3"'])
  })

  test('by criteria deletes the only match', async () => {
    await put('a')
    await put('b')
    expect((await send('DELETE', '/Flag?status=active')).status).toBe(412)
    expect((await send('DELETE', '/Flag')).status).toBe(400)
    expect((await send('DELETE', '/Flag?_id=a')).status).toBe(200)
    expect((await send('GET', '/Flag/a')).status).toBe(410)
  })
})

describe('A create', () => {
  test('gets an id from the server, and a Location', async () => {
    const answer = await send('POST', '/Flag', json, flag('mine'))
    expect(answer.status).toBe(201)
    expect(answer.fields.location).toBe(`${sandbox.url}/Flag/1/_history/1`)
    expect(parsed(answer)['id']).toBe('1')
  })

  test('to an id is refused', async () => {
    expect((await send('POST', '/Flag/1', json, flag('1'))).status).toBe(400)
  })

  test('gives what is there when If-None-Exist finds it', async () => {
    await put('a')
    const answer = await send('POST', '/Flag', { ...json, 'If-None-Exist': '_id=a' }, flag('b'))
    expect(answer.status).toBe(200)
    expect(parsed(answer)['id']).toBe('a')
  })
})

describe('A read', () => {
  test('has the base that the Host header field names', async () => {
    await put('a')
    const answer = await send('GET', '/Flag/a', { Host: 'records.example' })
    expect(answer.fields['content-location']).toBe('http://records.example/fhir/Flag/a/_history/1')
  })

  test('is answered with 304, without ETag, when nothing is new', async () => {
    await put('a')
    for (const fields of [{ 'If-None-Match': 'W/"1"' }, { 'If-Modified-Since': 'Mon, 23 Nov 2026 10:00:00 GMT' }]) {
      const answer = await send('GET', '/Flag/a', fields)
      expect(answer.status).toBe(304)
      expect(answer.fields).not.toHaveProperty('etag')
      expect(answer.fields).not.toHaveProperty('last-modified')
    }
    expect((await send('GET', '/Flag/a', { 'If-None-Match': 'W/"2"' })).status).toBe(200)
  })

  test('by HEAD has no body', async () => {
    await put('a')
    const answer = await send('HEAD', '/Flag/a')
    expect([answer.status, answer.fields.etag, answer.text]).toEqual([200, 'W/"1"', ''])
  })

  test.each([
    ['an unknown id', '/Flag/nope', 404],
    ['an unknown version', '/Flag/a/_history/9', 404],
    ['the history of an unknown id', '/Flag/nope/_history', 404],
    ['an unknown type', '/Flog/1', 404],
    ['an unknown path behind an id', '/Flag/a/xyz', 400],
    ['the base', '', 400],
    ['an operation', '/$everything', 400],
    ['an unknown page', '?_getpages=nope', 410],
    ['an unknown search parameter', '/Flag?bogus=1', 400],
  ])('of %s has an OperationOutcome', async (_, target, status) => {
    await put('a')
    const answer = await send('GET', target)
    expect(answer.status).toBe(status)
    expect(parsed(answer)['resourceType']).toBe('OperationOutcome')
  })

  test('comes in gzip when that is asked for', async () => {
    await put('a')
    const answer = await send('GET', '/Flag/a', { 'Accept-Encoding': 'gzip, deflate' })
    expect(answer.fields['content-encoding']).toBe('gzip')
    expect(gunzipSync(answer.bytes).toString()).toContain('"id":"a"')
    expect((await send('GET', '/Flag/a', { 'Accept-Encoding': 'gzip;q=0' })).fields).not.toHaveProperty(
      'content-encoding',
    )
  })

  test.each([
    ['', undefined, 'json'],
    ['', '*/*', 'json'],
    ['', 'application/fhir+xml', 'xml'],
    ['', 'text/xml', 'xml'],
    ['', 'application/fhir+json;q=0.2, application/fhir+xml;q=0.9', 'xml'],
    ['?_format=json', 'application/fhir+xml', 'json'],
    ['?_format=xml', 'application/fhir+json', 'xml'],
    ['?_format=bogus', undefined, 'json'],
    ['?_format=bogus', 'application/fhir+xml', 'xml'],
  ])('with the query `%s` and Accept %s is %s', async (query, accept, format) => {
    await put('a')
    const answer = await send('GET', `/Flag/a${query}`, accept === undefined ? {} : { Accept: accept })
    expect(answer.fields['content-type']).toBe(`application/fhir+${format};charset=UTF-8`)
  })
})

describe('XML', () => {
  const xml = { 'Content-Type': 'application/fhir+xml' }
  const sent =
    '<Flag xmlns="http://hl7.org/fhir"><id value="a"/><extension url="http://e"><valueDecimal value="1.00"/></extension>' +
    '<status value="active"/><foo value="1"/></Flag>'

  test('is taken, and answered in kind when nothing else is asked for', async () => {
    const answer = await send('PUT', '/Flag/a', xml, sent)
    expect(answer.status).toBe(201)
    expect(answer.fields['content-type']).toContain('application/fhir+xml')
    expect(answer.text).toContain('<valueDecimal value="1.00"/>')
    expect(answer.text).not.toContain('foo')
  })

  test('and JSON are two forms of one record', async () => {
    await send('PUT', '/Flag/a', xml, sent)
    const read = await send('GET', '/Flag/a')
    expect(read.text).toContain('"valueDecimal":1.00')
    expect((await send('PUT', '/Flag/a', json, read.text)).fields.etag).toBe('W/"1"')
  })
})

describe('A search', () => {
  beforeEach(async () => {
    for (const id of ['a', 'b', 'c']) {
      const subject = { reference: 'https://demographics.example/STU3/Patient/9000000009' }
      await send('PUT', `/Flag/${id}`, json, flag(id, 'x', { subject }))
    }
  })

  test.each([
    ['GET', '/Flag?patient=9000000009&status=active', undefined],
    ['GET', '/Flag/_search?patient=9000000009', undefined],
    ['POST', '/Flag/_search', 'patient=9000000009'],
    ['POST', '/Flag/_search?status=active', 'patient=9000000009'],
  ])('by %s %s finds all', async (method, target, body) => {
    const fields = body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }
    const answer = await send(method, target, fields, body)
    const bundle = parsed(answer)
    expect(answer.status).toBe(200)
    expect(bundle).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 3 })
    expect(bundle['entry'][0]).toMatchObject({
      fullUrl: `${sandbox.url}/Flag/a`,
      resource: { resourceType: 'Flag', id: 'a', meta: { versionId: '1' } },
      search: { mode: 'match' },
    })
  })

  test('is read page by page over links on the base', async () => {
    const ids: string[] = []
    const urls: string[] = []
    let url: string | undefined = `${sandbox.url}/Flag?status=active&_count=2`
    while (url !== undefined) {
      const bundle = parsed(await send('GET', url.slice(sandbox.url.length)))
      ids.push(...bundle['entry'].map((entry: any) => entry.resource.id))
      url = bundle['link'].find((link: any) => link.relation === 'next')?.url
      if (url !== undefined) urls.push(url)
    }
    expect(ids).toEqual(['a', 'b', 'c'])
    expect(urls).toEqual([expect.stringContaining(`${sandbox.url}?_getpages=`)])
  })

  test('that finds nothing is an empty Bundle', async () => {
    const bundle = parsed(await send('GET', '/Flag?status=inactive'))
    expect(bundle['total']).toBe(0)
    expect(bundle).not.toHaveProperty('entry')
  })
})

test('A history begins with the newest version, deletions included, and is read page by page', async () => {
  await put('a', 'x')
  await put('a', 'y')
  await send('DELETE', '/Flag/a')
  const bundle = parsed(await send('GET', '/Flag/a/_history?_count=2'))
  expect(bundle).toMatchObject({ type: 'history', total: 3 })
  expect(bundle['entry'].map((entry: any) => entry.request)).toEqual([
    { method: 'DELETE', url: 'Flag/a/_history/3' },
    { method: 'PUT', url: 'Flag/a/_history/2' },
  ])
  const next = bundle['link'].find((link: any) => link.relation === 'next').url as string
  const rest = parsed(await send('GET', next.slice(sandbox.url.length)))
  expect(rest['entry'].map((entry: any) => entry.resource.meta.versionId)).toEqual(['1'])
})

describe('A sandbox', () => {
  test.each(['3.0.2', '4.0.1'])('tells that it speaks FHIR %s', async (fhirVersion) => {
    const other = await startSandbox({ fhirVersion })
    const statement = (await (await fetch(`${other.url}/metadata`)).json()) as Record<string, unknown>
    expect(statement).toMatchObject({ resourceType: 'CapabilityStatement', fhirVersion })
    await other.close()
  })

  test('does not start for a FHIR version that is not carried', async () => {
    await expect(startSandbox({ fhirVersion: '1.0.2' })).rejects.toThrow('1.0.2')
  })

  test('answers 404 outside of its base', async () => {
    expect((await fetch(new URL('/other', sandbox.url))).status).toBe(404)
  })

  test('listens on loopback', () => {
    expect(sandbox.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/fhir$/)
  })
})
