import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { bootAndClose, shippedPolicy, type Booted, type Settings } from './booted.ts'
import { edit, flag, jsonHeaders, removal, stored } from './records.ts'
import { outcome, resource, type StubAnswer } from './stub-upstream.ts'

const get = 'GET /fhir/Flag/1'
const put = 'PUT /fhir/Flag/1'
const json = { accept: 'application/fhir+json' }
const readIt = (booted: Booted, headers = {}, target = '/STU3/Flag/1') =>
  booted.send('GET', target, { ...json, ...headers })
const removeIt = (booted: Booted, version = '3') =>
  booted.send('PUT', '/STU3/Flag/1', jsonHeaders(version), JSON.stringify(removal))
const asked = ({ upstream }: Booted) => upstream.seen.map(({ method, url }) => `${method} ${url.slice('/fhir'.length)}`)

const xmlFlag = (inside: string) =>
  `<Flag xmlns="http://hl7.org/fhir"><id value="1"/>${inside}<status value="active"/><code><text value="a"/></code></Flag>`

async function booted(answer: StubAnswer, settings?: Settings): Promise<Booted> {
  const own = await bootAndClose(settings)
  own.upstream.answers({ GET: answer, [put]: resource(removal, '4') })
  return own
}

const withHeaders = (body: string | Buffer, headers: Record<string, string>): StubAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/fhir+json', ...headers },
  body,
})
const text = JSON.stringify(stored('3'))

describe('a client that reads a resource and then changes it causes one read and one write, and no more', () => {
  test('in JSON', async () => {
    const own = await booted(resource(stored('3'), '3'))
    expect((await readIt(own)).body).toBe(text)
    expect((await removeIt(own)).status).toBe(200)
    expect(asked(own)).toEqual(['GET /Flag/1', 'PUT /Flag/1'])
    expect(own.records.at(-1)).toMatchObject({ decision: 'permitted', permittedAs: ['removal'] })
  })

  test('in XML', async () => {
    const body = xmlFlag('<meta><versionId value="3"/></meta>')
    const answer = withHeaders(body, { 'content-type': 'application/fhir+xml', etag: 'W/"3"' })
    const own = await bootAndClose()
    own.upstream.answers({ GET: answer, PUT: answer })
    await own.send('GET', '/STU3/Flag/1', { accept: 'application/fhir+xml' })
    const headers = { 'content-type': 'application/fhir+xml', 'if-match': 'W/"3"' }
    expect((await own.send('PUT', '/STU3/Flag/1', headers, xmlFlag(''))).status).toBe(200)
    expect(asked(own)).toEqual(['GET /Flag/1', 'PUT /Flag/1'])
  })

  test('when the answer is compressed', async () => {
    const own = await booted(withHeaders(gzipSync(text), { etag: 'W/"3"', 'content-encoding': 'gzip' }))
    await readIt(own, { 'accept-encoding': 'gzip' })
    expect((await removeIt(own)).status).toBe(200)
    expect(asked(own)).toEqual(['GET /Flag/1', 'PUT /Flag/1'])
  })

  test('when it reads that version by its own URL', async () => {
    const own = await booted(resource(stored('3'), '3'))
    await readIt(own, {}, '/STU3/Flag/1/_history/3')
    await removeIt(own)
    expect(asked(own)).toEqual(['GET /Flag/1/_history/3', 'PUT /Flag/1'])
  })

  test('when its change is refused, but for the question whether the version is still the current one', async () => {
    const own = await booted(resource(stored('3'), '3'))
    await readIt(own)
    own.upstream.answers({ GET: { status: 304 } })
    const answer = await own.send('PUT', '/STU3/Flag/1', jsonHeaders('3'), JSON.stringify(edit))
    expect(answer.status).toBe(403)
    expect(own.upstream.seen.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, 'W/"3"'])
  })
})

const bundleOf = (resources: readonly Readonly<Record<string, unknown>>[], more = {}, base = 'UPSTREAM') => ({
  resourceType: 'Bundle',
  type: 'searchset',
  entry: resources.map((entry) => ({ fullUrl: `${base}/Flag/${String(entry['id'])}`, resource: entry })),
  ...more,
})
/** With the URL of the upstream where a server has its own. */
const page = ({ upstream }: Booted, text: string) => withHeaders(text.replaceAll('UPSTREAM', upstream.url.href), {})
const other = { ...stored('3'), id: '2' }
const flagUrl = (id: string) => `/STU3/Flag/${id}`
const remove = (booted: Booted, id: string, headers = {}) =>
  booted.send(
    'PUT',
    flagUrl(id),
    { ...jsonHeaders('3'), ...headers },
    JSON.stringify(id === '1' ? removal : { ...removal, id }),
  )

describe('a client that finds resources on a page and then changes them causes one search and the writes', () => {
  const writes = {
    'PUT /fhir/Flag/1': resource(removal, '4'),
    'PUT /fhir/Flag/2': resource({ ...removal, id: '2' }, '4'),
  }
  test.each([
    ['a search', '/Flag?status=active&_count=2&_sort=-date', bundleOf([other, stored('3')])],
    ['a history', '/Flag/1/_history', bundleOf([stored('4'), stored('3'), other], { type: 'history' })],
  ])('of %s', async (_what, target, bundle) => {
    const own = await bootAndClose()
    own.upstream.answers({ GET: page(own, JSON.stringify(bundle, null, 2)), ...writes })
    await readIt(own, {}, `/STU3${target}`)
    expect((await remove(own, '1')).status).toBe(200)
    expect((await remove(own, '2')).status).toBe(200)
    expect(asked(own)).toEqual([`GET ${target}`, 'PUT /Flag/1', 'PUT /Flag/2'])
  })

  test('even when other pages came since, up to a number', async () => {
    const own = await bootAndClose()
    own.upstream.answers({ GET: page(own, JSON.stringify(bundleOf([stored('3')]))), ...writes })
    await readIt(own, {}, '/STU3/Flag?status=active')
    own.upstream.answers({
      GET: page(own, JSON.stringify(bundleOf([]))),
      [get]: resource(stored('3'), '3'),
      ...writes,
    })
    for (let i = 0; i < 3; i++) await readIt(own, {}, '/STU3/Flag?status=inactive')
    await remove(own, '1')
    expect(asked(own).at(-2)).toBe('GET /Flag?status=inactive')
  })
})

test('a stored Bundle is shown on a page as it is stored, and what the client sends back is judged as such', async () => {
  const own = await bootAndClose({ path: '/R4', policy: shippedPolicy('baseline-r4.yaml') })
  const link = (relation: string) => [{ relation, url: `${own.upstream.url.href}/Flag?_id=1` }]
  const collection = {
    resourceType: 'Bundle',
    id: '1',
    meta: { versionId: '3' },
    type: 'collection',
    link: link('self'),
  }
  const fullUrl = `${own.upstream.url.href}/Bundle/1`
  const page = { resourceType: 'Bundle', type: 'searchset', entry: [{ fullUrl, resource: collection }] }
  own.upstream.answers({ GET: resource(page), PUT: resource(collection, '4') })
  const shown = await readIt(own, {}, '/R4/Bundle?type=collection')
  const { entry } = JSON.parse(shown.body) as typeof page
  expect(entry).toEqual([{ fullUrl: `${own.origin}/R4/Bundle/1`, resource: collection }])
  const changed = { ...entry[0]!.resource, link: [...entry[0]!.resource.link, ...link('next')] }
  expect((await own.send('PUT', '/R4/Bundle/1', jsonHeaders('3'), JSON.stringify(changed))).status).toBe(200)
  expect(asked(own)).toEqual(['GET /Bundle?type=collection', 'PUT /Bundle/1'])
  expect(JSON.parse(own.upstream.seen[1]!.body)).toMatchObject({ link: changed.link })
})

test('a stored Bundle that a batch reads is told as it is stored', async () => {
  const own = await bootAndClose({ path: '/R4', policy: shippedPolicy('baseline-r4.yaml') })
  const collection = { resourceType: 'Bundle', id: '1', link: [{ relation: 'self', url: own.upstream.url.href }] }
  own.upstream.answers({ GET: resource(collection, '3') })
  const entry = [{ request: { method: 'GET', url: 'Bundle/1' } }]
  const headers = { 'content-type': 'application/fhir+json' }
  const answer = await own.send(
    'POST',
    '/R4',
    headers,
    JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry }),
  )
  expect(JSON.parse(answer.body)).toMatchObject({ entry: [{ resource: collection }] })
})

describe('an update reads the version itself when a page', () => {
  const subsetted = { ...stored('3'), meta: { versionId: '3', tag: [{ code: 'SUBSETTED' }] } }
  const whole = bundleOf([stored('3')])
  const text = JSON.stringify(whole)
  test.each<[string, string, string?]>([
    ['was asked for with _summary', text, '?_summary=true'],
    ['was asked for with _elements', text, '?_elements=status'],
    ['was asked for with a parameter that nobody knows', text, '?_fields=status'],
    ['was asked for by a link to it', text, '?_getpages=abc&_getpagesoffset=1'],
    ['holds a part', JSON.stringify(bundleOf([subsetted]))],
    ['holds another version', JSON.stringify(bundleOf([stored('2')]))],
    ['holds no version', JSON.stringify(bundleOf([{ ...stored('3'), meta: {} }]))],
    ['holds another resource', JSON.stringify(bundleOf([other]))],
    ['holds another type', JSON.stringify(bundleOf([{ ...stored('3'), resourceType: 'Basic' }]))],
    ['holds it within another resource', JSON.stringify(bundleOf([{ id: '1', ...bundleOf([stored('3')]) }]))],
    [
      'holds one of the same names that another server has',
      JSON.stringify(bundleOf([stored('3')], {}, 'https://other.example')),
    ],
    ['does not say where it is', JSON.stringify({ resourceType: 'Bundle', entry: [{ resource: stored('3') }] })],
    ['holds it elsewhere than in an entry', JSON.stringify({ resourceType: 'Bundle', resource: stored('3') })],
    [
      'holds it so that it cannot be read strictly',
      text.replace('{"resourceType":"Flag"', '{"id":"1","resourceType":"Flag"'),
    ],
    ['is larger than is kept', JSON.stringify(bundleOf([stored('3')], { note: 'x'.repeat(270_000) }))],
  ])('%s', async (_what, body, query = '?status=active') => {
    const own = await bootAndClose()
    own.upstream.answers({
      GET: page(own, body),
      [get]: resource(stored('3'), '3'),
      [put]: resource(removal, '4'),
    })
    await readIt(own, {}, `/STU3/Flag${query}`)
    expect((await removeIt(own)).status).toBe(200)
    expect(asked(own).slice(1)).toEqual(['GET /Flag/1', 'PUT /Flag/1'])
  })

  test('holds another server’s, whose name the client gives as Host', async () => {
    const own = await bootAndClose()
    const altered = { ...stored('3'), code: { text: 'of another server' } }
    own.upstream.answers({
      GET: page(own, JSON.stringify(bundleOf([altered], {}, 'http://other.example/STU3'))),
      [get]: resource(stored('3'), '3'),
      [put]: resource(removal, '4'),
    })
    await readIt(own, { host: 'other.example' }, '/STU3/Flag?status=active')
    expect((await remove(own, '1', { host: 'other.example' })).status).toBe(200)
    expect(asked(own).slice(1)).toEqual(['GET /Flag/1', 'PUT /Flag/1'])
  })

  test('was shown to somebody else', async () => {
    const own = await bootAndClose()
    own.upstream.answers({
      GET: page(own, text),
      [get]: resource(stored('3'), '3'),
      [put]: resource(removal, '4'),
    })
    await readIt(own, { authorization: 'Bearer of-one' }, '/STU3/Flag?status=active')
    await remove(own, '1', { authorization: 'Bearer of-another' })
    expect(asked(own).slice(1)).toEqual(['GET /Flag/1', 'PUT /Flag/1'])
  })

  test('broke off', async () => {
    const own = await bootAndClose()
    own.upstream.answers({
      GET: page(own, text.slice(0, -2)),
      [get]: resource(stored('3'), '3'),
      [put]: resource(removal, '4'),
    })
    await readIt(own, {}, '/STU3/Flag?status=active')
    await removeIt(own)
    expect(asked(own).slice(1)).toEqual(['GET /Flag/1', 'PUT /Flag/1'])
  })
})

test('what one client’s read taught is not what another one’s update is judged against', async () => {
  const narrowed = { ...stored('3'), code: { text: 'shown to one' } }
  const own = await booted(resource(narrowed, '3'))
  await readIt(own, { authorization: 'Bearer of-one' })
  own.upstream.answers({ GET: resource(stored('3'), '3'), [put]: resource(removal, '4') })
  const headers = { ...jsonHeaders('3'), authorization: 'Bearer of-another' }
  const answer = await own.send('PUT', '/STU3/Flag/1', headers, JSON.stringify(removal))
  expect(answer.status).toBe(200)
  expect(asked(own)).toEqual(['GET /Flag/1', 'GET /Flag/1', 'PUT /Flag/1'])
})

test('what one client’s read taught is told to no other one before the upstream has answered that one', async () => {
  const own = await booted(resource(stored('3'), '3'))
  await readIt(own, { authorization: 'Bearer of-one' })
  own.upstream.answers({ GET: outcome(403, 'Not yours.'), PUT: outcome(403, 'Not yours.') })
  const headers = { ...jsonHeaders('3'), authorization: 'Bearer of-another' }
  const refused = await own.send('PUT', '/STU3/Flag/1', headers, JSON.stringify(edit))
  expect(refused.status).toBe(403)
  expect(refused.body).toContain('Not yours.')
  expect(refused.body).not.toContain('FORBIDDEN_UPDATE')
  // The version is read with the caller's own credentials, which the upstream refuses.
  const permitted = await own.send('PUT', '/STU3/Flag/1', headers, JSON.stringify(removal))
  expect(permitted.body).toContain('Not yours.')
  expect(own.upstream.seen.at(-1)).toMatchObject({ method: 'GET', headers: { authorization: 'Bearer of-another' } })
})

describe('an update reads the version itself when what a client read', () => {
  const subsetted = { ...stored('3'), meta: { versionId: '3', tag: [{ code: 'SUBSETTED' }] } }
  const large = { ...stored('3'), code: { text: 'x'.repeat(70_000) } }
  test.each<[string, StubAnswer, string?]>([
    ['was a summary', resource(stored('3'), '3'), '?_summary=true'],
    ['was some elements', resource(stored('3'), '3'), '?_elements=status'],
    ['was asked for with something else', resource(stored('3'), '3'), '?_fields=status'],
    ['is tagged as a part', resource(subsetted, '3')],
    ['has no ETag', resource(stored('3'))],
    ['has an ETag that names no version', withHeaders(text, { etag: '"3", "4"' })],
    ['has another version than its ETag', resource(stored('2'), '3')],
    ['is another resource', resource({ ...stored('3'), id: '2' }, '3')],
    ['is another type', resource({ ...stored('3'), resourceType: 'Basic' }, '3')],
    ['cannot be read strictly', withHeaders(text.replace('{', '{"id":"1",'), { etag: 'W/"3"' })],
    ['is not compressed as it says', withHeaders(text, { etag: 'W/"3"', 'content-encoding': 'gzip' })],
    ['is larger than stored resources may be', resource(large, '3')],
    [
      'is larger than that when it is inflated',
      withHeaders(gzipSync(JSON.stringify(large)), { etag: 'W/"3"', 'content-encoding': 'gzip' }),
    ],
    ['is in another format', withHeaders(xmlFlag(''), { etag: 'W/"3"', 'content-type': 'application/fhir+xml' })],
    ['is another version', resource(stored('2'), '2')],
  ])('%s', async (_what, answer, query = '') => {
    const own = await booted(answer)
    await readIt(own, {}, `/STU3/Flag/1${query}`)
    own.upstream.answers({ [get]: resource(stored('3'), '3'), [put]: resource(removal, '4') })
    expect((await removeIt(own)).status).toBe(200)
    expect(asked(own)).toEqual([`GET /Flag/1${query}`, 'GET /Flag/1', 'PUT /Flag/1'])
  })

  test('was read with the cache off', async () => {
    const own = await booted(resource(stored('3'), '3'), { cache: 'off' })
    await readIt(own)
    await removeIt(own)
    expect(asked(own)).toEqual(['GET /Flag/1', 'GET /Flag/1', 'PUT /Flag/1'])
  })

  test('was read before the stored versions were forgotten', async () => {
    const own = await booted(resource(stored('3'), '3'))
    await readIt(own)
    own.gateway.forgetStoredVersions()
    await removeIt(own)
    expect(asked(own)).toEqual(['GET /Flag/1', 'GET /Flag/1', 'PUT /Flag/1'])
  })
})

test('a version that has been read is not replaced by what a client reads later', async () => {
  const own = await booted(resource(stored('3'), '3'))
  await own.send('PUT', '/STU3/Flag/1', jsonHeaders('3'), JSON.stringify(edit))
  own.upstream.answers({ GET: resource({ ...stored('3'), status: 'inactive' }, '3'), [put]: resource(flag, '4') })
  await readIt(own)
  expect((await removeIt(own)).status).toBe(200)
  expect(own.records.at(-1)).toMatchObject({ permittedAs: ['removal'] })
})

test.each([
  ['the client', readIt, 'GET /Flag/1'],
  ['the gateway', removeIt, 'PUT /Flag/1'],
] as const)(
  'a version expires from when %s has read it, not from when it was wanted again',
  async (_who, begin, last) => {
    let passed = 0
    const now = performance.now.bind(performance)
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + passed)
    onTestFinished(() => clock.mockRestore())
    const own = await booted(resource(stored('3'), '3'), { cache: { bytes: 1024 * 1024, expireMs: 60_000 } })
    own.upstream.answers({ GET: resource(stored('3'), '3'), [put]: resource(removal, '3') })
    await begin(own)
    const before = asked(own)
    expect(before.at(-1)).toBe(last)
    passed += 40_000
    await removeIt(own)
    expect(asked(own).slice(before.length)).toEqual(['PUT /Flag/1'])
    passed += 40_000
    await removeIt(own)
    expect(asked(own).slice(before.length)).toEqual(['PUT /Flag/1', 'GET /Flag/1', 'PUT /Flag/1'])
  },
)

describe('a version that is not the current one any more is cached no longer', () => {
  const cachedVersions = ({ gateway }: Booted) => gateway.storedVersions()[0]!.entries
  const conflict = outcome(409, 'conflict')

  test.each([
    ['its change was stored', { [put]: resource(removal, '4') }, 200],
    ['another client was first', { GET: resource(stored('4'), '4'), [put]: conflict }, 409],
    ['it was deleted', { GET: outcome(410, 'deleted'), [put]: conflict }, 410],
    ['it is not there', { GET: outcome(404, 'not-found'), [put]: conflict }, 404],
  ] as const)('because %s', async (_why, answers, status) => {
    const own = await booted(resource(stored('3'), '3'))
    await readIt(own)
    await readIt(own, { authorization: 'Bearer another' })
    expect(cachedVersions(own)).toBe(2)
    own.upstream.answers(answers)
    expect((await removeIt(own)).status).toBe(status)
    // That of another caller is found out when they want it.
    expect(cachedVersions(own)).toBe(1)
  })
})
