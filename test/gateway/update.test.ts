import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { bootAndClose, type Answer, type Booted, type Settings } from './booted.ts'
import { edit, flag, jsonHeaders, removal, stored } from './records.ts'
import { outcome, resource } from './stub-upstream.ts'

const get = 'GET /fhir/Flag/1'
const put = 'PUT /fhir/Flag/1'
const writes = (booted: Booted) => booted.upstream.seen.filter(({ method }) => method !== 'GET')
const issues = (answer: Answer) =>
  (
    JSON.parse(answer.body) as {
      issue: { code: string; diagnostics: string; details?: { coding?: { code: string }[] } }[]
    }
  ).issue
const spineCode = (answer: Answer) => issues(answer)[0]?.details?.coding?.[0]?.code
const send = (booted: Booted, body: object, version = '3', headers = {}) =>
  booted.send('PUT', '/STU3/Flag/1', { ...jsonHeaders(version), ...headers }, JSON.stringify(body))

describe('a removal', () => {
  test('is judged against the stored version, built anew, sent once and its answer passed back', async () => {
    const booted = await bootAndClose({ publicUrl: new URL('https://ours.example') })
    const { url } = booted.upstream
    booted.upstream.answers({
      [get]: resource(stored('3'), '3'),
      [put]: {
        status: 200,
        headers: {
          'content-type': 'application/fhir+json;charset=UTF-8',
          etag: 'W/"4"',
          'last-modified': 'Mon, 02 Mar 2026 09:30:00 GMT',
          'content-location': `${url.href}/Flag/1/_history/4`,
          'x-powered-by': 'stub',
          server: 'stub',
          'set-cookie': 'a=b',
        },
        body: '{"resourceType":"Flag","id":"1" }',
      },
    })
    const answer = await send(booted, { ...removal, meta: { versionId: '3' } }, '3', {
      authorization: 'Bearer token',
      'x-correlation-id': 'c-1',
      'x-secret': 's',
      cookie: 'a=b',
      prefer: 'return=minimal',
    })
    expect(answer.status).toBe(200)
    expect(answer.body).toBe('{"resourceType":"Flag","id":"1" }')
    expect(answer.headers).toMatchObject({
      etag: 'W/"4"',
      'last-modified': 'Mon, 02 Mar 2026 09:30:00 GMT',
      'content-location': 'https://ours.example/STU3/Flag/1/_history/4',
    })
    for (const name of ['x-powered-by', 'server', 'set-cookie']) expect(answer.headers).not.toHaveProperty(name)

    const [read, write] = booted.upstream.seen
    expect(booted.upstream.seen).toHaveLength(2)
    expect(read).toMatchObject({
      method: 'GET',
      url: '/fhir/Flag/1',
      headers: { authorization: 'Bearer token', accept: 'application/fhir+json', 'accept-encoding': 'identity' },
    })
    expect(write).toMatchObject({
      method: 'PUT',
      url: '/fhir/Flag/1',
      headers: {
        host: url.host,
        'if-match': 'W/"3"',
        'content-type': 'application/fhir+json;charset=utf-8',
        prefer: 'return=representation',
        authorization: 'Bearer token',
        'x-correlation-id': 'c-1',
        via: '1.1 fhir-policy-gateway',
      },
    })
    expect(write!.headers).not.toHaveProperty('x-secret')
    expect(write!.headers).not.toHaveProperty('cookie')
    expect(JSON.parse(write!.body)).toEqual(removal)
    expect(booted.records).toMatchObject([
      {
        base: '/STU3',
        interaction: 'update',
        type: 'Flag',
        id: '1',
        decision: 'permitted',
        permittedAs: ['removal'],
        status: 200,
        upstreamStatus: 200,
      },
    ])
  })

  test('in gzip is read', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: resource(stored('3'), '3'), [put]: resource(stored('4'), '4') })
    const headers = { ...jsonHeaders('3'), 'content-encoding': 'gzip' }
    const answer = await booted.send('PUT', '/STU3/Flag/1', headers, gzipSync(JSON.stringify(removal)))
    expect(answer.status).toBe(200)
    expect(writes(booted)[0]!.headers).not.toHaveProperty('content-encoding')
  })

  test('in XML is read, stored and answered as XML', async () => {
    const booted = await bootAndClose()
    const xml = (inner: string) => `<Flag xmlns="http://hl7.org/fhir"><id value="1"/>${inner}</Flag>`
    const content =
      '<status value="active"/><code><text value="t"/></code><subject><reference value="Patient/1"/></subject>'
    booted.upstream.answers({
      [get]: {
        status: 200,
        headers: { 'content-type': 'application/fhir+xml', etag: 'W/"3"' },
        body: xml(`<meta><versionId value="3"/></meta>${content}`),
      },
      [put]: { status: 200, headers: { 'content-type': 'application/fhir+xml', etag: 'W/"3"' }, body: xml(content) },
    })
    const headers = { 'content-type': 'application/fhir+xml', 'if-match': 'W/"3"' }
    const answer = await booted.send('PUT', '/STU3/Flag/1?_format=xml', headers, xml(content))
    expect(answer.status).toBe(200)
    expect(booted.records[0]).toMatchObject({ permittedAs: ['no-change'] })
    expect(writes(booted)[0]!.headers).toMatchObject({
      'content-type': 'application/fhir+xml;charset=utf-8',
      accept: 'application/fhir+xml',
    })
  })
})

test('a removal whose answer is compressed, though that was not asked for, is told', async () => {
  const booted = await bootAndClose()
  const headers = { 'content-type': 'application/fhir+json', 'content-encoding': 'gzip' }
  const body = gzipSync('{"resourceType":"Flag","id":"1"}')
  booted.upstream.answers({ [get]: resource(stored('3'), '3'), [put]: { status: 200, headers, body } })
  const answer = await send(booted, removal)
  expect([answer.status, answer.body]).toEqual([200, '{"resourceType":"Flag","id":"1"}'])
  expect(answer.headers).not.toHaveProperty('content-encoding')
})

describe('a refused change', () => {
  test('has every refusal and nothing is sent', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: resource(stored('3'), '3') })
    const answer = await send(booted, edit)
    expect(answer.status).toBe(403)
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', vary: 'Accept' })
    expect(spineCode(answer)).toBe('FORBIDDEN_UPDATE')
    expect(writes(booted)).toEqual([])
    expect(booted.records).toMatchObject([{ decision: 'refused', status: 403, upstreamStatus: 200 }])
  })

  test('is answered in XML when the client asks for that', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: resource(stored('3'), '3') })
    const answer = await send(booted, edit, '3', { accept: 'application/fhir+xml' })
    expect(answer.headers['content-type']).toBe('application/fhir+xml;charset=utf-8')
    expect(answer.body).toMatch(/^<OperationOutcome xmlns="http:\/\/hl7.org\/fhir">/)
  })

  test('that the cache taught is told only after the upstream has answered this caller', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: resource(stored('3'), '3') })
    await send(booted, edit)
    booted.upstream.answers({ [get]: { status: 304 } })
    const answer = await send(booted, edit, '3', { authorization: 'Bearer other' })
    expect(answer.status).toBe(403)
    expect(booted.upstream.seen[1]!.headers).toMatchObject({ 'if-none-match': 'W/"3"', authorization: 'Bearer other' })

    booted.upstream.answers({ [get]: { status: 401, headers: { 'www-authenticate': 'Bearer' } } })
    const stranger = await send(booted, edit)
    expect(stranger.status).toBe(401)
    expect(stranger.headers['www-authenticate']).toBe('Bearer')
    expect(stranger.body).not.toContain('FORBIDDEN_UPDATE')

    booted.upstream.answers({ [get]: resource(stored('4'), '4') })
    expect(spineCode(await send(booted, edit))).toBe('RESOURCE_VERSION_MISMATCH')
    booted.upstream.answers({ [get]: { status: 404 } })
    expect((await send(booted, edit)).status).toBe(404)
    expect(writes(booted)).toEqual([])
  })
})

describe('the cache', () => {
  test('spares a read, and the permit is told by the write itself', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: resource(stored('3'), '3'), [put]: resource(stored('3'), '3') })
    await send(booted, flag)
    await send(booted, flag)
    expect(booted.upstream.seen.map(({ method }) => method)).toEqual(['GET', 'PUT', 'PUT'])
    booted.gateway.forgetStoredVersions()
    await send(booted, flag)
    expect(booted.upstream.seen.map(({ method }) => method)).toEqual(['GET', 'PUT', 'PUT', 'GET', 'PUT'])
  })

  test('changes nothing of how a conflict is told', async () => {
    const [cached, not] = await Promise.all([bootAndClose(), bootAndClose()])
    cached.upstream.answers({ [get]: resource(stored('3'), '3') })
    await send(cached, edit)
    for (const { upstream } of [cached, not]) {
      upstream.answers({ [get]: resource(stored('4'), '4'), [put]: outcome(409, 'HAPI-0989: not current') })
    }
    const [answer, other] = [await send(cached, removal), await send(not, removal)]
    expect([writes(cached).length, writes(not).length]).toEqual([1, 0])
    expect([answer.status, answer.body]).toEqual([other.status, other.body])
  })

  test('can be off', async () => {
    const booted = await bootAndClose({ cache: 'off' })
    booted.upstream.answers({ [get]: resource(stored('3'), '3'), [put]: resource(stored('3'), '3') })
    await send(booted, flag)
    await send(booted, flag)
    expect(booted.upstream.seen.map(({ method }) => method)).toEqual(['GET', 'PUT', 'GET', 'PUT'])
  })
})

describe('the precondition', () => {
  test.each([
    [undefined, 'required'],
    ['', 'required'],
    ['*', 'invalid'],
    ['""', 'invalid'],
    ['W/"1", W/"2"', 'invalid'],
    ['3', 'invalid'],
  ])('If-Match %j is refused with 412 before anything is asked', async (ifMatch, code) => {
    const booted = await bootAndClose()
    const headers = { 'content-type': 'application/fhir+json', ...(ifMatch !== undefined && { 'if-match': ifMatch }) }
    const answer = await booted.send('PUT', '/STU3/Flag/1', headers, JSON.stringify(removal))
    expect(answer.status).toBe(412)
    expect(issues(answer)[0]!.code).toBe(code)
    expect(spineCode(answer)).toBe('PRECONDITION_FAILED')
    expect(booted.upstream.seen).toEqual([])
  })

  test('a repeated If-Match is refused, even with the same version', async () => {
    const booted = await bootAndClose()
    const answer = await send(booted, removal, '3', { 'if-match': ['W/"3"', 'W/"3"'] })
    expect(answer.status).toBe(412)
    expect(booted.upstream.seen).toEqual([])
  })

  test.each(['if-none-match', 'if-unmodified-since'])('%s is refused, since nobody evaluates it', async (name) => {
    const booted = await bootAndClose()
    const answer = await send(booted, removal, '3', { [name]: '*' })
    expect(answer.status).toBe(412)
    expect(issues(answer)[0]!.code).toBe('not-supported')
  })

  test('another current version is a mismatch and nothing is sent', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: resource(stored('4'), '4') })
    const answer = await send(booted, removal)
    expect(answer.status).toBe(409)
    expect(spineCode(answer)).toBe('RESOURCE_VERSION_MISMATCH')
    expect(writes(booted)).toEqual([])
  })

  test.each([
    [404, 404, 'RESOURCE_NOT_FOUND'],
    [410, 410, 'RESOURCE_NOT_FOUND'],
  ])('a stored resource that is %i is told as that', async (told, status, code) => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: outcome(told, 'no') })
    const answer = await send(booted, removal)
    expect([answer.status, spineCode(answer)]).toEqual([status, code])
    expect(writes(booted)).toEqual([])
  })
})

describe('the body', () => {
  test.each([
    ['{"resourceType":"Flag","id":"1","id":"1"}', 400, 'MESSAGE_NOT_WELL_FORMED'],
    ['{', 400, 'MESSAGE_NOT_WELL_FORMED'],
    ['', 400, 'MESSAGE_NOT_WELL_FORMED'],
    ['\ufeff{"resourceType":"Flag","id":"1"}', 400, 'MESSAGE_NOT_WELL_FORMED'],
    ['{"resourceType":"Consent","id":"1"}', 400, 'INVALID_RESOURCE'],
    ['{"resourceType":"Flag","id":"2"}', 400, 'INVALID_RESOURCE'],
    ['{"resourceType":"Flag"}', 400, 'INVALID_RESOURCE'],
  ])('%j is refused and nothing is asked', async (body, status, code) => {
    const booted = await bootAndClose()
    const answer = await booted.send('PUT', '/STU3/Flag/1', jsonHeaders('3'), body)
    expect([answer.status, spineCode(answer)]).toEqual([status, code])
    expect(booted.upstream.seen).toEqual([])
  })

  test.each([
    [{ 'content-type': 'text/plain' }, 'accept', 'application/fhir+json, application/fhir+xml'],
    [
      { 'content-type': 'application/fhir+json;charset=iso-8859-1' },
      'accept',
      'application/fhir+json, application/fhir+xml',
    ],
    [{ 'content-encoding': 'br' }, 'accept-encoding', 'gzip'],
    [{ 'content-encoding': 'gzip, gzip' }, 'accept-encoding', 'gzip'],
  ])('with %j it is refused with 415, which says what is taken', async (headers, name, value) => {
    const booted = await bootAndClose()
    const answer = await send(booted, removal, '3', headers)
    expect(answer.status).toBe(415)
    expect(answer.headers[name]).toBe(value)
  })

  test('that is too large is refused with 413, also when it is so only after inflating', async () => {
    const booted = await bootAndClose({ limits: { bodyBytes: 1000 } })
    expect((await send(booted, { ...removal, language: 'x'.repeat(2000) })).status).toBe(413)
    const chunked = { ...jsonHeaders('3'), 'transfer-encoding': 'chunked' }
    expect((await booted.send('PUT', '/STU3/Flag/1', chunked, 'x'.repeat(2000))).status).toBe(413)
    const zipped = { ...jsonHeaders('3'), 'content-encoding': 'gzip' }
    expect((await booted.send('PUT', '/STU3/Flag/1', zipped, gzipSync('x'.repeat(2000)))).status).toBe(413)
    expect((await booted.send('PUT', '/STU3/Flag/1', zipped, 'not gzip')).status).toBe(400)
  })

  test('that has too many elements is refused with 413, before the stored one is asked for', async () => {
    const booted = await bootAndClose()
    const answer = await send(booted, { ...removal, note: Array(6000).fill('x') })
    expect(answer.status).toBe(413)
    expect(JSON.parse(answer.body)).toMatchObject({
      issue: [{ code: 'too-long', diagnostics: 'It has more than 5000 elements.' }],
    })
    expect(booted.upstream.seen).toEqual([])
  })
})

describe('an upstream that cannot be judged by', () => {
  const unusable: readonly (readonly [string, ReturnType<typeof resource>])[] = [
    ['a page of HTML', { status: 200, headers: { 'content-type': 'text/html', etag: 'W/"3"' }, body: '<html></html>' }],
    ['broken JSON', resource('{"resourceType":"Flag"', '3')],
    ['another id', resource({ ...stored('3'), id: '2' }, '3')],
    ['another type', resource({ resourceType: 'Consent', id: '1' }, '3')],
    ['no version', resource(flag)],
    ['two versions that differ', resource(stored('2'), '3')],
    ['an ETag that is no version', resource(stored('3'), 'a b')],
    ['a subset', resource({ ...stored('3'), meta: { versionId: '3', tag: [{ code: 'SUBSETTED' }] } }, '3')],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
    ['too much', resource({ ...stored('3'), language: 'x'.repeat(70_000) }, '3')],
    ['too many elements', resource({ ...stored('3'), note: Array(6000).fill('x') }, '3')],
    ['a 204', { status: 204 }],
  ]
  test.each(unusable)('%s gives 502 and nothing is sent', async (_what, answer) => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: answer })
    const answered = await send(booted, removal)
    expect(answered.status).toBe(502)
    expect(writes(booted)).toEqual([])
    expect(booted.records).toMatchObject([{ decision: 'failed', refusedBy: ['upstream-unusable'] }])
  })

  test('no ETag is needed where meta.versionId is there', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [get]: resource(stored('3')), [put]: resource(stored('4'), '4') })
    expect((await send(booted, removal)).status).toBe(200)
  })
})

describe('the answer to a write', () => {
  const withWrite = async (answer: ReturnType<typeof resource>, settings: Settings = {}) => {
    const booted = await bootAndClose(settings)
    booted.upstream.answers({ [get]: resource(stored('3'), '3'), [put]: answer })
    return { booted, answer: await send(booted, removal) }
  }

  test.each([409, 412])('%i is a version mismatch, with what the upstream says behind it', async (status) => {
    const { booted, answer } = await withWrite(outcome(status, 'HAPI-0989: ca.uhn.fhir.jpa.Thing: not current'))
    expect(answer.status).toBe(409)
    expect(issues(answer).map(({ diagnostics }) => diagnostics)[1]).toBe('HAPI-0989: not current')
    expect(writes(booted)).toHaveLength(1)
  })

  test.each([404, 410])('a conflict over a resource that is %i by now is told as that', async (status) => {
    const booted = await bootAndClose()
    let reads = 0
    booted.upstream.answers({
      [get]: (res) => {
        if (reads++ > 0) res.writeHead(status).end()
        else
          res
            .writeHead(200, { 'content-type': 'application/fhir+json', etag: 'W/"3"' })
            .end(JSON.stringify(stored('3')))
      },
      [put]: outcome(409, 'no'),
    })
    expect((await send(booted, removal)).status).toBe(status)
    expect(reads).toBe(2)
    expect(writes(booted)).toHaveLength(1)
  })

  test('201 to a pinned update is a fault of the upstream', async () => {
    const { booted, answer } = await withWrite(resource(stored('1'), '1', 201))
    expect(answer.status).toBe(502)
    expect(booted.records).toMatchObject([{ decision: 'failed', error: expect.any(Error), permittedAs: ['removal'] }])
  })

  test('an error with an OperationOutcome is passed back without internals', async () => {
    const { booted, answer } = await withWrite(outcome(422, 'java.lang.IllegalState: no\n\tat a.b.C.d(C.java:1)'))
    expect(answer.status).toBe(422)
    expect(issues(answer)).toEqual([{ severity: 'error', code: 'processing', diagnostics: 'no' }])
    expect(booted.records).toMatchObject([{ decision: 'relayed', upstreamStatus: 422 }])
  })

  test('an error without an OperationOutcome gets one', async () => {
    const page = { status: 500, headers: { 'content-type': 'text/html' }, body: '<h1>secret</h1>' }
    const { answer } = await withWrite(page)
    expect(answer.status).toBe(500)
    expect(answer.body).not.toContain('secret')
    expect(issues(answer)[0]!.code).toBe('exception')
  })

  test.each([
    ['a connection that breaks before it', ((res) => res.destroy()) satisfies ReturnType<typeof resource>, 502],
    [
      'half an answer',
      ((res) => {
        res.writeHead(200, { 'content-type': 'application/fhir+json', 'content-length': '100' })
        res.write('{', () => res.destroy())
      }) satisfies ReturnType<typeof resource>,
      502,
    ],
    ['a page of HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html/>' }, 502],
    ['an empty body', resource(''), 502],
    ['half a resource', resource('{"resourceType":"Fl'), 502],
    ['a resource of another type', resource({ resourceType: 'Patient', id: '1' }), 502],
    ['a resource with another id', resource({ ...removal, id: '2' }), 502],
    ['a resource without an id', resource({ ...removal, id: undefined }), 502],
    [
      'an OperationOutcome',
      resource({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] }),
      502,
    ],
    ['a 504 of something between', { status: 504 }, 504],
    [
      'informational answers without an end',
      ((res) => {
        const timer = setInterval(() => res.writeProcessing(), 10)
        res.once('close', () => clearInterval(timer))
      }) satisfies ReturnType<typeof resource>,
      504,
    ],
    [
      'an answer that drips',
      ((res) => {
        res.writeHead(200, { 'content-type': 'application/fhir+json' })
        const timer = setInterval(() => res.write(' '), 10)
        res.once('close', () => clearInterval(timer))
      }) satisfies ReturnType<typeof resource>,
      504,
    ],
    ['silence', (() => {}) satisfies ReturnType<typeof resource>, 504],
  ])('%s: it is said that the outcome is not known, and the write is sent once', async (_what, told, status) => {
    const { booted, answer } = await withWrite(told, { timeouts: { upstreamMs: 200 } })
    expect(answer.status).toBe(status)
    expect(issues(answer)[0]!.diagnostics).toContain('not known whether the change was stored')
    expect(writes(booted)).toHaveLength(1)
    expect(booted.records).toMatchObject([{ decision: 'failed', outcomeUnknown: true, permittedAs: ['removal'] }])
  })
})

test('an upstream that is not there gives 502, and it is known that nothing was stored', async () => {
  const booted = await bootAndClose({ upstreamUrl: new URL('http://127.0.0.1:1/fhir') })
  const answer = await send(booted, removal)
  expect(answer.status).toBe(502)
  expect(issues(answer)[0]!.code).toBe('transient')
  expect(booted.records[0]).not.toHaveProperty('outcomeUnknown')
})

test('a fault of ours gives 500 without a word of it, and nothing is sent', async () => {
  const booted = await bootAndClose({
    judge: () => {
      throw new Error('secret')
    },
  })
  booted.upstream.answers({ [get]: resource(stored('3'), '3') })
  const answer = await send(booted, removal)
  expect(answer.status).toBe(500)
  expect(answer.body).not.toContain('secret')
  expect(writes(booted)).toEqual([])
  expect(booted.records).toMatchObject([{ decision: 'failed', status: 500, error: expect.any(Error) }])
})

describe('a create', () => {
  const post = 'POST /fhir/Flag'
  const create = (booted: Booted, headers = {}) =>
    booted.send('POST', '/STU3/Flag', { 'content-type': 'application/fhir+json', ...headers }, JSON.stringify(flag))

  test('is judged and built anew, without the id that the server ignores', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers({
      [post]: {
        status: 201,
        headers: {
          'content-type': 'application/fhir+json',
          etag: 'W/"1"',
          location: `${booted.upstream.url.href}/Flag/7/_history/1`,
        },
        body: '{"resourceType":"Flag","id":"7"}',
      },
    })
    const answer = await create(booted)
    expect(answer.status).toBe(201)
    expect(answer.headers['location']).toBe(`${booted.origin}/STU3/Flag/7/_history/1`)
    expect(JSON.parse(booted.upstream.seen[0]!.body)).not.toHaveProperty('id')
    expect(booted.records).toMatchObject([{ interaction: 'create', decision: 'permitted' }])
  })

  test('that is answered with its place alone is relayed', async () => {
    const booted = await bootAndClose()
    const location = `${booted.upstream.url.href}/Flag/7/_history/1`
    booted.upstream.answers({ [post]: { status: 201, headers: { location } } })
    const answer = await create(booted)
    expect(answer.status).toBe(201)
    expect(answer.headers['location']).toBe(`${booted.origin}/STU3/Flag/7/_history/1`)
  })

  test.each([
    ['nothing', { status: 201 }],
    ['half a resource', resource('{"resourceType":"Fl', '1', 201)],
    ['another resource', resource({ resourceType: 'Patient', id: '7' }, '1', 201)],
  ])('that is answered with %s leaves its outcome open', async (_what, told) => {
    const booted = await bootAndClose()
    booted.upstream.answers({ [post]: told })
    const answer = await create(booted)
    expect(answer.status).toBe(502)
    expect(issues(answer)[0]!.diagnostics).toContain('not known whether the change was stored')
  })

  test('with If-None-Exist is closed', async () => {
    const booted = await bootAndClose()
    const answer = await create(booted, { 'if-none-exist': 'identifier=1' })
    expect(answer.status).toBe(405)
    expect(answer.headers['allow']).toContain('POST')
    expect(booted.upstream.seen).toEqual([])
  })

  test.each(['if-match', 'if-none-match'])('with %s is refused', async (name) => {
    const booted = await bootAndClose()
    expect((await create(booted, { [name]: 'W/"1"' })).status).toBe(412)
  })
})
