import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { boot, shippedPolicy, type Booted, type Settings } from './booted.ts'
import { outcome, resource, type StubAnswer } from './stub-upstream.ts'

type Json = Record<string, unknown>

const settings: Settings = {
  path: '/R4',
  policy: shippedPolicy('general-r4.yaml'),
  profile: { pagingParameter: '_getpages', pinnedDelete: 'history-version' },
}
let booted: Booted
beforeEach(async () => {
  booted = await boot(settings)
})
afterEach(() => booted.close())

const observation = (id: string, changes: Json = {}): Json => ({
  resourceType: 'Observation',
  id,
  status: 'preliminary',
  code: { text: 'Potassium' },
  subject: { display: 'A' },
  ...changes,
})
const final = { status: 'final' }
const put = (id: string, changes: Json = final, ifMatch: string | null = 'W/"3"') => ({
  resource: observation(id, changes),
  request: { method: 'PUT', url: `Observation/${id}`, ...(ifMatch !== null && { ifMatch }) },
})
const post = (changes: Json = {}, request: Json = {}) => ({
  resource: { ...observation('ignored', changes) },
  request: { method: 'POST', url: 'Observation', ...request },
})
const get = (url: string, request: Json = {}) => ({ request: { method: 'GET', url, ...request } })
const remove = (id: string) => ({ request: { method: 'DELETE', url: `Observation/${id}`, ifMatch: 'W/"3"' } })
const uuid = (last: number) => `urn:uuid:00000000-0000-4000-8000-00000000000${last}`

const json = { 'content-type': 'application/fhir+json' }
const sendBundle = (type: string, entry: readonly object[], more: Json = {}, headers = {}, query = '') =>
  booted.send(
    'POST',
    `/R4${query}`,
    { ...json, ...headers },
    JSON.stringify({ resourceType: 'Bundle', type, ...more, entry }),
  )

const stored = (...ids: readonly string[]): Record<string, StubAnswer> =>
  Object.fromEntries(ids.map((id) => [`GET /fhir/Observation/${id}`, resource(observation(id), '3')]))
const transactionResponse = (...statuses: readonly string[]): Record<string, StubAnswer> => ({
  'POST /fhir': resource({
    resourceType: 'Bundle',
    type: 'transaction-response',
    link: [{ relation: 'self', url: booted.upstream.url.href }],
    entry: statuses.map((status) => ({ response: { status, etag: 'W/"4"' } })),
  }),
})

interface Issue {
  readonly code: string
  readonly diagnostics: string
  readonly expression?: readonly string[]
}
const issuesIn = (outcomeOf: Json) => outcomeOf['issue'] as readonly Issue[]
const issues = (body: string) => issuesIn(JSON.parse(body) as Json)
const places = (body: string) => issues(body).flatMap(({ expression }) => expression ?? ['nowhere'])
const writes = () => booted.upstream.seen.filter(({ method }) => method !== 'GET')

describe('a transaction', () => {
  test('is judged entry by entry, built anew, pinned, and sent once', async () => {
    booted.upstream.answers({
      ...stored('o1', 'o2'),
      ...transactionResponse('200 OK', '201 Created', '200 OK', '200 OK'),
    })
    const entries = [
      {
        ...put('o1'),
        fullUrl: `${booted.origin}/R4/Observation/o1`,
        link: [{ relation: 'self', url: 'Observation/o1' }],
      },
      { ...post({ derivedFrom: [{ reference: uuid(1) }] }, { ifNoneExist: 'identifier=a|b' }), fullUrl: uuid(1) },
      {
        ...put('o2', final, '"3"'),
        request: { method: 'PUT', url: `${booted.origin}/R4/Observation/o2`, ifMatch: '"3"' },
      },
      get('Observation?status=final&_format=xml'),
    ]
    const answer = await sendBundle('transaction', entries, { id: 'b1', meta: { tag: [{ code: 'x' }] } })
    expect(answer.status).toBe(200)
    expect(writes()).toHaveLength(1)
    const [sent] = writes()
    expect(sent).toMatchObject({ method: 'POST', url: '/fhir', headers: { prefer: 'return=representation' } })
    const { id: _, ...created } = observation('x', { derivedFrom: [{ reference: uuid(1) }] })
    expect(JSON.parse(sent!.body)).toEqual({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { resource: observation('o1', final), request: { method: 'PUT', url: 'Observation/o1', ifMatch: 'W/"3"' } },
        {
          fullUrl: uuid(1),
          resource: created,
          request: { method: 'POST', url: 'Observation', ifNoneExist: 'identifier=a%7Cb' },
        },
        { resource: observation('o2', final), request: { method: 'PUT', url: 'Observation/o2', ifMatch: 'W/"3"' } },
        { request: { method: 'GET', url: 'Observation?status=final' } },
      ],
    })
    expect(answer.body).toContain(`"url":"${booted.origin}/R4"`)
    await booted.recorded(1)
    expect(booted.records).toMatchObject([
      {
        interaction: 'transaction',
        decision: 'permitted',
        permittedAs: ['status', 'new'],
        status: 200,
      },
    ])
  })

  test('is refused whole for one entry, with the refusals of all', async () => {
    booted.upstream.answers(stored('o1', 'o2', 'o3'))
    const answer = await sendBundle('transaction', [
      put('o1', { subject: { display: 'B' } }),
      put('o2'),
      put('o3', final, 'W/"2"'),
      post({ status: 'entered-in-error' }),
    ])
    expect(answer.status).toBe(422)
    expect(places(answer.body)).toEqual([
      'Bundle.entry[0].resource.subject.display',
      'Bundle.entry[2].request.ifMatch',
      'Bundle.entry[3].resource.status',
    ])
    expect(writes()).toEqual([])
    await booted.recorded(1)
    expect(booted.records).toMatchObject([{ interaction: 'transaction', decision: 'refused' }])
  })

  test.each<[what: string, entry: () => object, place: string]>([
    ['a delete', () => remove('o1'), 'request.url'],
    [
      'a patch without its text',
      () => ({ request: { method: 'PATCH', url: 'Observation/o1', ifMatch: 'W/"3"' } }),
      'resource',
    ],
    ['an update without ifMatch', () => put('o1', final, null), 'request.ifMatch'],
    ['an update with ifMatch: *', () => put('o1', final, '*'), 'request.ifMatch'],
    [
      'an update with ifNoneMatch',
      () => ({ ...put('o1'), request: { ...put('o1').request, ifNoneMatch: '*' } }),
      'request',
    ],
    [
      'an update with ifModifiedSince',
      () => ({ ...put('o1'), request: { ...put('o1').request, ifModifiedSince: '2026-01-01T00:00:00Z' } }),
      'request',
    ],
    ['a create with ifMatch', () => post({}, { ifMatch: 'W/"1"' }), 'request'],
    ['an update of another id', () => ({ ...put('o1'), resource: observation('o2') }), 'resource.id'],
    ['an update of another type', () => ({ ...put('o1'), resource: { resourceType: 'Flag', id: 'o1' } }), 'resource'],
    ['an update without a resource', () => ({ request: put('o1').request }), 'resource'],
    ['a read with a resource', () => ({ ...get('Observation/o1'), resource: observation('o1') }), 'resource'],
    ['an entry without a request', () => ({ resource: observation('o1') }), 'request'],
    ['an entry with a response', () => ({ ...put('o1'), response: { status: '200' } }), 'response'],
    ['an unknown element', () => ({ ...put('o1'), x: '1' }), 'x'],
    ['a type that the policy does not open', () => get('Patient/p1'), 'request.url'],
    [
      'an operation',
      () => ({ resource: { resourceType: 'Parameters' }, request: { method: 'POST', url: 'Observation/$validate' } }),
      'request.url',
    ],
    ['a search by POST', () => ({ request: { method: 'POST', url: 'Observation/_search' } }), 'request.url'],
    [
      'a Bundle in the Bundle',
      () => ({ resource: { resourceType: 'Bundle', type: 'batch' }, request: { method: 'POST', url: 'Bundle' } }),
      'request.url',
    ],
    ['a URL elsewhere', () => get('https://elsewhere.example/fhir/Observation/o1'), 'request.url'],
    ['a leading slash', () => get('/Observation/o1'), 'request.url'],
    ['dot segments', () => get('Observation/../Observation/o1'), 'request.url'],
    ['percent-encoding in the path', () => get('Observation/%6f1'), 'request.url'],
    ['a fragment', () => get('Observation/o1#x'), 'request.url'],
    ['a page', () => get('?_getpages=1'), 'request.url'],
    [
      'a query on an update by id',
      () => ({ ...put('o1'), request: { ...put('o1').request, url: 'Observation/o1?_id=o2' } }),
      'request.url',
    ],
    [
      'criteria that match everything',
      () => ({ ...put('o1'), request: { ...put('o1').request, url: 'Observation?_count=1' } }),
      'request.url',
    ],
    ['a condition that matches everything', () => post({}, { ifNoneExist: '_count=1' }), 'request.ifNoneExist'],
    ['an unknown method', () => ({ ...put('o1'), request: { ...put('o1').request, method: 'MERGE' } }), 'request.url'],
    [
      'a fullUrl of a create that names a resource',
      () => ({ ...post(), fullUrl: `${booted.origin}/R4/Observation/o2` }),
      'fullUrl',
    ],
    [
      'a fullUrl of a create that is an OID',
      () => ({ ...post(), fullUrl: 'urn:oid:2.16.840.1.113883.4.1' }),
      'fullUrl',
    ],
    [
      'a fullUrl of an update that names another',
      () => ({ ...put('o1'), fullUrl: `${booted.origin}/R4/Observation/o2` }),
      'fullUrl',
    ],
  ])('is refused for %s before anything is asked', async (_what, entry, place) => {
    booted.upstream.answers(stored('o1', 'o2'))
    const answer = await sendBundle('transaction', [put('o2'), entry()])
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).not.toBe(405)
    expect(places(answer.body)).toContain(`Bundle.entry[1].${place}`)
    expect(booted.upstream.seen).toEqual([])
  })

  test('writes each resource once, also when criteria lead to it', async () => {
    const bundle = { resourceType: 'Bundle', type: 'searchset', total: 1, entry: [{ resource: observation('o1') }] }
    booted.upstream.answers({ ...stored('o1'), 'GET /fhir/Observation?code=a&_count=2': resource(bundle) })
    const twice = await sendBundle('transaction', [put('o1'), put('o1', { note: [{ text: 'n' }] })])
    expect([twice.status, places(twice.body)]).toEqual([400, ['Bundle.entry[1].request.url']])
    const conditional = { ...put('o1'), request: { method: 'PUT', url: 'Observation?code=a', ifMatch: 'W/"3"' } }
    const resolved = await sendBundle('transaction', [put('o1'), conditional])
    expect([resolved.status, places(resolved.body)]).toEqual([400, ['Bundle.entry[1].request.url']])
    expect(writes()).toEqual([])
  })

  test('sends a conditional update as one by id, pinned', async () => {
    const bundle = { resourceType: 'Bundle', type: 'searchset', total: 1, entry: [{ resource: observation('o1') }] }
    const search = { 'GET /fhir/Observation?code=a&_count=2': resource(bundle) }
    booted.upstream.answers({ ...stored('o1'), ...search, ...transactionResponse('200 OK') })
    const conditional = { ...put('o1'), request: { method: 'PUT', url: 'Observation?code=a', ifMatch: 'W/"3"' } }
    expect((await sendBundle('transaction', [conditional])).status).toBe(200)
    expect((JSON.parse(writes()[0]!.body) as { entry: Json[] }).entry[0]!['request']).toEqual({
      method: 'PUT',
      url: 'Observation/o1',
      ifMatch: 'W/"3"',
    })
  })

  const patch = (id: string, ...operations: readonly object[]) => ({
    resource: {
      resourceType: 'Binary',
      contentType: 'application/json-patch+json',
      data: Buffer.from(JSON.stringify(operations)).toString('base64'),
    },
    request: { method: 'PATCH', url: `Observation/${id}`, ifMatch: 'W/"3"' },
  })

  test('sends a patch as the update that it comes to, and refuses one that the policy does', async () => {
    booted.upstream.answers({ ...stored('o1', 'o2'), ...transactionResponse('200 OK') })
    const finalised = patch('o1', { op: 'replace', path: '/status', value: 'final' })
    expect((await sendBundle('transaction', [finalised])).status).toBe(200)
    expect((JSON.parse(writes()[0]!.body) as Json)['entry']).toEqual([put('o1')])
    const refused = await sendBundle('transaction', [finalised, patch('o2', { op: 'remove', path: '/subject' })])
    expect([refused.status, places(refused.body)]).toEqual([422, ['Bundle.entry[1].resource.subject']])
    expect(writes()).toHaveLength(1)
  })

  test('bounds what its patches come to together', async () => {
    const large = Array.from({ length: 9 }, (_, i) => `l${i}`)
    const note = [{ text: 'x'.repeat(40_000) }]
    booted.upstream.answers(
      Object.fromEntries(large.map((id) => [`GET /fhir/Observation/${id}`, resource(observation(id, { note }), '3')])),
    )
    const patches = large.map((id) => patch(id, { op: 'replace', path: '/status', value: 'final' }))
    expect((await sendBundle('transaction', patches)).status).toBe(413)
    expect(writes()).toEqual([])
  })

  test('lets no fullUrl stand for what a stored resource holds already', async () => {
    const identifier = [{ system: uuid(1), value: 'a' }]
    booted.upstream.answers({ 'GET /fhir/Observation/o1': resource(observation('o1', { identifier }), '3') })
    const answer = await sendBundle('transaction', [
      put('o1', { ...final, identifier }),
      { ...post(), fullUrl: uuid(1).toUpperCase().replace('URN:UUID', 'urn:uuid') },
    ])
    expect([answer.status, places(answer.body)]).toEqual([400, ['Bundle.entry[1].fullUrl']])
    expect(writes()).toEqual([])
  })

  test('refuses a fullUrl that stands twice', async () => {
    const answer = await sendBundle('transaction', [
      { ...post(), fullUrl: uuid(1) },
      { ...post(), fullUrl: uuid(1) },
    ])
    expect([answer.status, places(answer.body)]).toEqual([400, ['Bundle.entry[1].fullUrl']])
  })

  test.each([409, 412])('that meets another version (%i) is a version mismatch', async (status) => {
    booted.upstream.answers({ ...stored('o1'), 'POST /fhir': outcome(status, 'Not the current version.') })
    const answer = await sendBundle('transaction', [put('o1')])
    expect(answer.status).toBe(412)
    expect(issues(answer.body).map(({ code }) => code)).toEqual(['conflict', 'processing'])
    expect(writes()).toHaveLength(1)
  })

  test.each<[string, StubAnswer, number]>([
    ['breaks off', (res) => void res.destroy(), 502],
    ['is a gateway’s 502', { status: 502 }, 502],
    ['is a gateway’s 504', { status: 504 }, 504],
    ['is no Bundle', resource(observation('o1')), 502],
    ['has too few entries', resource({ resourceType: 'Bundle', type: 'transaction-response' }), 502],
    ['is HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' }, 502],
  ])('whose answer %s has an unknown outcome, and is not sent again', async (_what, sent, status) => {
    booted.upstream.answers({ ...stored('o1'), 'POST /fhir': sent })
    const answer = await sendBundle('transaction', [put('o1')])
    expect(answer.status).toBe(status)
    expect(issues(answer.body)[0]!.diagnostics).toMatch(/not known whether the change was stored/)
    expect(writes()).toHaveLength(1)
    await booted.recorded(1)
    expect(booted.records).toMatchObject([{ outcomeUnknown: true, permittedAs: ['status'] }])
  })

  test('that created where it should have updated is told as a failure', async () => {
    booted.upstream.answers({ ...stored('o1'), ...transactionResponse('201 Created') })
    const answer = await sendBundle('transaction', [put('o1')])
    expect(answer.status).toBe(502)
    expect(issues(answer.body)[0]!.diagnostics).toMatch(/created a resource/)
  })

  test('relays the upstream’s own refusal of a stored version to its caller', async () => {
    booted.upstream.answers({
      ...stored('o1'),
      'GET /fhir/Observation/o2': { status: 401, headers: { 'www-authenticate': 'Bearer' } },
    })
    const answer = await sendBundle('transaction', [put('o1', { subject: { display: 'B' } }), put('o2')])
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer'])
    expect(places(answer.body)).toEqual(['Bundle.entry[0].resource.subject.display', 'Bundle.entry[1].request.url'])
    expect(writes()).toEqual([])
  })

  test('tells nothing of what the cache has, not by silence either, to a caller whom the upstream refuses', async () => {
    booted.upstream.answers(stored('o1'))
    await sendBundle('transaction', [put('o1', { subject: { display: 'B' } })])
    booted.upstream.answers({ 'GET /fhir/Observation/o1': { status: 403 } })
    const other = { authorization: 'Bearer other' }
    const refused = await sendBundle('transaction', [put('o1'), post({ status: 'entered-in-error' })], {}, other)
    expect([refused.status, places(refused.body)]).toEqual([
      403,
      ['Bundle.entry[0].request.url', 'Bundle.entry[1].resource.status'],
    ])
    expect(booted.upstream.seen.at(-1)!.headers['authorization']).toBe('Bearer other')
    expect(writes()).toEqual([])
  })

  test('in XML is sent in XML', async () => {
    const xml = (status: string) =>
      `<Observation xmlns="http://hl7.org/fhir"><id value="o1"/><status value="${status}"/><code><text value="K"/></code></Observation>`
    const fields = { 'content-type': 'application/fhir+xml' }
    booted.upstream.answers({
      'GET /fhir/Observation/o1': { status: 200, headers: { ...fields, etag: 'W/"3"' }, body: xml('preliminary') },
      'POST /fhir': {
        status: 200,
        headers: fields,
        body: '<Bundle xmlns="http://hl7.org/fhir"><type value="transaction-response"/><entry><response><status value="200"/></response></entry></Bundle>',
      },
    })
    const request =
      '<request><method value="PUT"/><url value="Observation/o1"/><ifMatch value="W/&quot;3&quot;"/></request>'
    const body = `<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><entry><resource>${xml('final')}</resource>${request}</entry></Bundle>`
    const answer = await booted.send('POST', '/R4', fields, body)
    expect(answer.status).toBe(200)
    expect(writes()[0]!.body).toBe(
      body.replace('<resource><Observation xmlns="http://hl7.org/fhir">', '<resource><Observation>'),
    )
  })

  test('of reads alone is passed on and recorded as a read', async () => {
    booted.upstream.answers(transactionResponse('200 OK', '304'))
    const answer = await sendBundle('transaction', [get('Observation/o1'), get('Flag/f1', { ifNoneMatch: '"1"' })])
    expect(answer.status).toBe(200)
    expect((JSON.parse(writes()[0]!.body) as Json)['entry']).toEqual([
      { request: { method: 'GET', url: 'Observation/o1' } },
      { request: { method: 'GET', url: 'Flag/f1', ifNoneMatch: 'W/"1"' } },
    ])
    await booted.recorded(1)
    expect(booted.records).toMatchObject([{ decision: 'relayed' }])
  })
})

describe('a batch', () => {
  const parsed = (body: string) => (JSON.parse(body) as { entry: { response: Json; resource?: Json }[] }).entry

  test('carries out each entry for itself and answers in the order asked', async () => {
    booted.upstream.answers({
      ...stored('o1', 'o2', 'o4'),
      'GET /fhir/Observation/o3': resource(observation('o3', { status: 'entered-in-error' }), '3'),
      'GET /fhir/Observation?status=final': resource({
        resourceType: 'Bundle',
        type: 'searchset',
        link: [{ relation: 'self', url: `${booted.upstream.url.href}/Observation?status=final` }],
        entry: [{ fullUrl: `${booted.upstream.url.href}/Observation/o9`, resource: observation('o9') }],
      }),
      'PUT /fhir/Observation/o1': {
        status: 200,
        headers: { ...json, etag: 'W/"4"', 'last-modified': 'Mon, 02 Mar 2026 09:30:00 GMT' },
        body: JSON.stringify(observation('o1', final)),
      },
      'POST /fhir/Observation': {
        status: 201,
        headers: { ...json, location: `${booted.upstream.url.href}/Observation/n1/_history/1`, etag: 'W/"1"' },
        body: JSON.stringify(observation('n1')),
      },
      'DELETE /fhir/Observation/o3/_history/3': { status: 204 },
    })
    const answer = await sendBundle('batch', [
      get('Observation?status=final'),
      put('o1'),
      put('o2', { subject: { display: 'B' } }),
      post(),
      remove('o3'),
      put('o4', final, 'W/"2"'),
      get('Patient/p1'),
      get('Observation/o4'),
    ])
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/fhir+json;charset=utf-8'])
    expect(JSON.parse(answer.body)).toMatchObject({ resourceType: 'Bundle', type: 'batch-response' })
    const entries = parsed(answer.body)
    expect(entries.map(({ response }) => response['status'])).toEqual([
      '200 OK',
      '200 OK',
      '422 Unprocessable Entity',
      '201 Created',
      '204 No Content',
      '412 Precondition Failed',
      '405 Method Not Allowed',
      '200 OK',
    ])
    expect(entries[0]!.resource).toMatchObject({
      link: [{ url: `${booted.origin}/R4/Observation?status=final` }],
      entry: [{ fullUrl: `${booted.origin}/R4/Observation/o9` }],
    })
    expect(entries[1]).toEqual({
      resource: observation('o1', final),
      response: { status: '200 OK', etag: 'W/"4"', lastModified: '2026-03-02T09:30:00.000Z' },
    })
    expect(issuesIn(entries[2]!.response['outcome'] as Json)[0]!.expression).toEqual([
      'Bundle.entry[2].resource.subject.display',
    ])
    expect(entries[3]!.response).toMatchObject({
      location: `${booted.origin}/R4/Observation/n1/_history/1`,
      etag: 'W/"1"',
    })
    expect(entries[7]!.resource).toEqual(observation('o4'))
    expect(writes().map(({ method, url }) => `${method} ${url}`)).toEqual([
      'PUT /fhir/Observation/o1',
      'POST /fhir/Observation',
      'DELETE /fhir/Observation/o3/_history/3',
    ])
    expect(writes()[0]!.headers['if-match']).toBe('W/"3"')
    await booted.recorded(1)
    expect(booted.records).toHaveLength(1)
    expect(booted.records[0]).toMatchObject({
      interaction: 'batch',
      decision: 'permitted',
      permittedAs: ['status', 'new', 'remove'],
      status: 200,
    })
    expect(booted.records[0]!.refusedBy).toContain('version-mismatch')
  })

  test('of which all is refused is recorded as refused', async () => {
    booted.upstream.answers(stored('o1'))
    const answer = await sendBundle('batch', [put('o1', { subject: { display: 'B' } })])
    expect(answer.status).toBe(200)
    expect(writes()).toEqual([])
    await booted.recorded(1)
    expect(booted.records).toMatchObject([{ interaction: 'batch', decision: 'refused' }])
  })

  test('says of each entry what the upstream failed to answer, and goes on', async () => {
    booted.upstream.answers({
      ...stored('o1', 'o2'),
      'PUT /fhir/Observation/o1': (res) => void res.destroy(),
      'PUT /fhir/Observation/o2': resource(observation('o2', final), '4'),
      'GET /fhir/Flag/f1': { status: 404 },
      'GET /fhir/Flag/f2': { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' },
      'GET /fhir/Flag/f3': { status: 304, headers: { etag: 'W/"1"' } },
    })
    const answer = await sendBundle('batch', [
      put('o1'),
      put('o2'),
      get('Flag/f1'),
      get('Flag/f2'),
      get('Flag/f3', { ifNoneMatch: 'W/"1"' }),
    ])
    expect(parsed(answer.body).map(({ response }) => response['status'])).toEqual([
      '502 Bad Gateway',
      '200 OK',
      '404 Not Found',
      '502 Bad Gateway',
      '304 Not Modified',
    ])
    expect(writes()).toHaveLength(2)
    await booted.recorded(1)
    expect(booted.records).toMatchObject([{ outcomeUnknown: true, permittedAs: ['status'] }])
  })

  test('answers to a HEAD without the resource, and in the format that is asked for', async () => {
    const xml = { 'content-type': 'application/fhir+xml' }
    const flag = '<Flag xmlns="http://hl7.org/fhir"><id value="f1"/></Flag>'
    booted.upstream.answers({ 'GET /fhir/Flag/f1': { status: 200, headers: { ...xml, etag: 'W/"1"' }, body: flag } })
    const entries = [get('Flag/f1'), { request: { method: 'HEAD', url: 'Flag/f1' } }, get('Patient/p1')]
    const answer = await sendBundle('batch', entries, {}, { accept: 'application/fhir+xml' })
    expect(answer.headers['content-type']).toBe('application/fhir+xml;charset=utf-8')
    expect(answer.body).toMatch(
      /^<Bundle xmlns="http:\/\/hl7.org\/fhir"><type value="batch-response"\/><entry><resource><Flag><id value="f1"\/><\/Flag><\/resource><response><status value="200 OK"\/><etag value="W\/&quot;1&quot;"\/><\/response><\/entry><entry><response><status value="200 OK"\/><etag value="W\/&quot;1&quot;"\/><\/response><\/entry><entry><response><status value="405 Method Not Allowed"\/><outcome><OperationOutcome>/,
    )
  })

  test('reads no more than the bound for all its entries', async () => {
    const large = observation('o1', { note: [{ text: 'x'.repeat(60_000) }] })
    booted.upstream.answers({ 'GET /fhir/Observation/o1': resource(large, '3') })
    const answer = await sendBundle(
      'batch',
      Array.from({ length: 10 }, () => get('Observation/o1')),
    )
    expect(answer.body.length).toBeLessThan(256 * 1024 + 10_000)
    // Which of them fit is decided by which the upstream answers first.
    expect(
      parsed(answer.body)
        .map(({ response }) => String(response['status']))
        .sort(),
    ).toEqual([...Array<string>(4).fill('200 OK'), ...Array<string>(6).fill('502 Bad Gateway')])
  })
})

describe('the answer of a batch', () => {
  test('leaves out what it has stored rather than grow beyond the bound', async () => {
    const note = [{ text: 'x'.repeat(60_000) }]
    const ids = Array.from({ length: 6 }, (_, i) => `l${i}`)
    booted.upstream.answers({
      ...stored(...ids),
      ...Object.fromEntries(
        ids.map((id) => [`PUT /fhir/Observation/${id}`, resource(observation(id, { ...final, note }), '4')]),
      ),
    })
    const answer = await sendBundle(
      'batch',
      ids.map((id) => put(id)),
    )
    const entries = (JSON.parse(answer.body) as { entry: { response: Json; resource?: Json }[] }).entry
    expect(entries.map(({ response }) => response['status'])).toEqual(Array<string>(6).fill('200 OK'))
    expect(entries.map((entry) => entry.resource !== undefined)).toEqual([true, true, true, true, false, false])
  })
})

describe('a Bundle on the base', () => {
  test.each<[what: string, type: string, more: Json, headers: Record<string, string>, query: string, status: number]>([
    ['of another type', 'message', {}, {}, '', 400],
    ['with implicit rules', 'batch', { implicitRules: 'https://a.example' }, {}, '', 400],
    ['with a signature', 'transaction', { signature: { data: 'eA==' } }, {}, '', 400],
    ['with If-Match', 'transaction', {}, { 'if-match': 'W/"1"' }, '', 412],
    ['with If-None-Exist', 'batch', {}, { 'if-none-exist': 'a=b' }, '', 412],
    ['with a query', 'batch', {}, {}, '?a=b', 400],
    ['that is not FHIR by its media type', 'batch', {}, { 'content-type': 'text/plain' }, '', 415],
  ])('%s is refused', async (_what, type, more, headers, query, status) => {
    const answer = await sendBundle(type, [get('Observation/o1')], more, headers, query)
    expect(answer.status).toBe(status)
    expect(booted.upstream.seen).toEqual([])
  })

  test('with too many entries is refused', async () => {
    const entries = Array.from({ length: 11 }, () => get('Observation/o1'))
    expect((await sendBundle('batch', entries)).status).toBe(413)
    expect((await sendBundle('transaction', entries)).status).toBe(413)
    expect(booted.upstream.seen).toEqual([])
  })

  test('is refused when it is no Bundle, or has no entry to carry out', async () => {
    expect((await booted.send('POST', '/R4', json, JSON.stringify(observation('o1')))).status).toBe(400)
    expect((await booted.send('POST', '/R4', json, '{"resourceType":"Bundle","type":"transaction"}')).status).toBe(400)
    expect(booted.upstream.seen).toEqual([])
  })
})

describe('the entries of a Bundle', () => {
  test.each(['batch', 'transaction'])('of a %s count as requests, for those that come after it', async (type) => {
    booted.reconfigure({ ...settings, limits: { rate: { requests: 4, perMs: 3_600_000 } } })
    booted.upstream.answers({ ...stored('a', 'b', 'c'), ...transactionResponse('200 OK', '200 OK', '200 OK') })
    const ask = () => booted.send('GET', '/R4/Observation/a')
    expect((await sendBundle(type, [put('a'), put('b'), put('c')])).status).toBe(200)
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 429])
  })

  test('beyond the rate do not have a Bundle refused that is taken', async () => {
    booted.reconfigure({ ...settings, limits: { rate: { requests: 1, perMs: 3_600_000 } } })
    booted.upstream.answers({ ...stored('a', 'b'), ...transactionResponse('200 OK', '200 OK') })
    expect((await sendBundle('transaction', [put('a'), put('b')])).status).toBe(200)
    expect((await sendBundle('transaction', [put('a'), put('b')])).status).toBe(429)
  })
})

describe('a policy that opens no Bundle', () => {
  test('has one refused before its body is read', async () => {
    const nhs = await boot()
    const refused = await nhs.send('POST', '/STU3', { ...json, expect: '100-continue' }, '{')
    expect([refused.status, refused.headers['allow']]).toEqual([405, ''])
    await nhs.close()
  })

  test('but one kind refuses the other by its type', async () => {
    const general = shippedPolicy('general-r4.yaml')
    const interactions = new Set(general.system.interactions)
    interactions.delete('batch')
    const half = await boot({ path: '/R4', policy: { ...general, system: { ...general.system, interactions } } })
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry: [get('Observation/o1')] })
    const refused = await half.send('POST', '/R4', json, body)
    expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD, POST'])
    await half.close()
  })
})

// A delete cannot be pinned within a transaction.
test.each([
  ['batch', [put('o1'), put('o2'), remove('o3')]],
  ['transaction', [put('o1'), put('o2')]],
])('what a %s has changed or removed is cached no longer; what it left as it was still is', async (type, entries) => {
  booted.upstream.answers({
    ...stored('o1', 'o2'),
    'GET /fhir/Observation/o3': resource(observation('o3', { status: 'entered-in-error' }), '3'),
    'PUT /fhir/Observation/o1': resource(observation('o1', final), '4'),
    'PUT /fhir/Observation/o2': resource(observation('o2', final), '3'),
    'DELETE /fhir/Observation/o3/_history/3': { status: 204 },
    'POST /fhir': resource({
      resourceType: 'Bundle',
      type: 'transaction-response',
      entry: ['W/"4"', 'W/"3"'].map((etag) => ({ response: { status: '200 OK', etag } })),
    }),
  })
  expect((await sendBundle(type, entries)).status).toBe(200)
  expect(booted.gateway.storedVersions()).toMatchObject([{ entries: 1 }])
  const before = booted.upstream.seen.length
  const headers = { ...json, 'if-match': 'W/"3"' }
  await booted.send('PUT', '/R4/Observation/o2', headers, JSON.stringify(observation('o2', final)))
  expect(booted.upstream.seen.slice(before).map(({ method }) => method)).toEqual(['PUT'])
})
