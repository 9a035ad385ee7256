import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { GatewayInFront } from './gateway-in-front.ts'
import { startGeneralGateway } from './general-writes.ts'
import type { Json } from './records.ts'

/** Transactions and batches through the gateway; what HAPI itself has is read afterwards. */
const hapi = inject('hapi').R4
let gateway: GatewayInFront
beforeAll(async () => {
  gateway = await startGeneralGateway(hapi)
})
afterAll(() => gateway.close())

interface Asked {
  readonly status: number
  readonly etag: string | null
  readonly json: Json
}

async function ask(url: string, method = 'GET', body?: object): Promise<Asked> {
  const answer = await fetch(url, {
    method,
    headers: {
      accept: 'application/fhir+json',
      'cache-control': 'no-cache',
      ...(body ? { 'content-type': 'application/fhir+json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await answer.text()
  return {
    status: answer.status,
    etag: answer.headers.get('etag'),
    json: (text === '' ? {} : JSON.parse(text)) as Json,
  }
}

const system = 'https://lab.example/ids'
const observation = (identifier: string, changes: Json = {}): Json => ({
  resourceType: 'Observation',
  identifier: [{ system, value: identifier }],
  status: 'preliminary',
  code: { text: 'Potassium' },
  subject: { display: 'A' },
  ...changes,
})

/** A resource of HAPI's, made past the gateway. */
async function stored(changes: Json = {}) {
  const identifier = randomUUID()
  const made = await ask(`${hapi}/Observation`, 'POST', observation(identifier, changes))
  const path = `Observation/${String(made.json['id'])}`
  const { json: record, etag } = await ask(`${hapi}/${path}`)
  return { identifier, path, record, etag: etag! }
}

const state = async (path: string) => {
  const { status, etag, json } = await ask(`${hapi}/${path}`)
  return { status, etag, content: json['status'] }
}
const found = async (identifier: string) => {
  const { json } = await ask(`${hapi}/Observation?identifier=${system}|${identifier}`)
  return ((json['entry'] ?? []) as { resource: Json }[]).map(({ resource }) => resource)
}

const put = ({ path, record, etag }: Awaited<ReturnType<typeof stored>>, changes: Json, ifMatch: string = etag) => ({
  resource: { ...record, ...changes },
  request: { method: 'PUT', url: path, ifMatch },
})
const post = (identifier: string, changes: Json = {}, request: Json = {}) => ({
  resource: observation(identifier, changes),
  request: { method: 'POST', url: 'Observation', ...request },
})

interface Entry {
  readonly response: {
    readonly status: string
    readonly location?: string
    readonly etag?: string
    readonly outcome?: Json
  }
  readonly resource?: Json
}
async function send(type: 'transaction' | 'batch', entry: readonly object[], base = gateway.url) {
  const answer = await ask(base, 'POST', { resourceType: 'Bundle', type, entry })
  const entries = (answer.json['entry'] ?? []) as readonly Entry[]
  return { ...answer, entries, statuses: entries.map(({ response }) => response.status.slice(0, 3)) }
}
const places = (outcome: Json) =>
  (outcome['issue'] as { expression?: string[] }[]).flatMap((issue) => issue.expression ?? [])

describe('a transaction through the gateway', () => {
  it('stores all that it was permitted to, and gives the references their ids', async () => {
    const [one, two] = [await stored(), await stored()]
    const [created, referring] = [randomUUID(), randomUUID()]
    const fullUrl = `urn:uuid:${randomUUID()}`
    const answer = await send('transaction', [
      put(one, { status: 'final' }),
      { ...post(created), fullUrl },
      post(referring, { derivedFrom: [{ reference: fullUrl }] }),
      put(two, { note: [{ text: 'n' }] }),
      { request: { method: 'GET', url: one.path } },
      { request: { method: 'GET', url: `Observation?identifier=${system}|${two.identifier}` } },
    ])
    expect(answer.json['resourceType']).toBe('Bundle')
    expect([answer.status, answer.statuses]).toEqual([200, ['200', '201', '201', '200', '200', '200']])
    expect(JSON.stringify(answer.json)).not.toContain(hapi)
    expect(answer.entries[0]!.resource).toMatchObject({ status: 'final' })
    expect(await state(one.path)).toEqual({ status: 200, etag: 'W/"2"', content: 'final' })
    expect(await state(two.path)).toEqual({ status: 200, etag: 'W/"2"', content: 'preliminary' })
    const [target] = await found(created)
    expect(await found(referring)).toMatchObject([
      { derivedFrom: [{ reference: `Observation/${String(target!['id'])}` }] },
    ])
    expect(gateway.records.at(-1)).toMatchObject({
      interaction: 'transaction',
      decision: 'permitted',
      permittedAs: ['status', 'new', 'edit'],
    })
  })

  it('takes XML, and answers in XML', async () => {
    const one = await stored()
    const xml = { accept: 'application/fhir+xml', 'content-type': 'application/fhir+xml' }
    const record = await (await fetch(`${hapi}/${one.path}`, { headers: { accept: xml.accept } })).text()
    const resource = record.replace(/^<\?xml[^>]*>/, '').replace('value="preliminary"', 'value="final"')
    const request = `<request><method value="PUT"/><url value="${one.path}"/><ifMatch value="W/&quot;1&quot;"/></request>`
    const body = `<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><entry><resource>${resource}</resource>${request}</entry></Bundle>`
    const answer = await fetch(gateway.url, { method: 'POST', headers: xml, body })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/fhir+xml;charset=UTF-8'])
    expect(await answer.text()).toContain('<status value="200 OK"/>')
    expect(await state(one.path)).toEqual({ status: 200, etag: 'W/"2"', content: 'final' })
  })

  it('stores nothing when one entry is refused, which HAPI would have taken', async () => {
    const [one, two] = [await stored(), await stored()]
    const created = randomUUID()
    const entries = [put(one, { status: 'final' }), post(created), put(two, { subject: { display: 'B' } })]
    const refused = await send('transaction', entries)
    expect([refused.status, places(refused.json)]).toEqual([422, ['Bundle.entry[2].resource.subject.display']])
    expect(await state(one.path)).toEqual({ status: 200, etag: one.etag, content: 'preliminary' })
    expect(await state(two.path)).toEqual({ status: 200, etag: two.etag, content: 'preliminary' })
    expect(await found(created)).toEqual([])
    expect((await send('transaction', entries, hapi)).status).toBe(200)
  })

  it('stores nothing when a version is not the current one', async () => {
    const [one, two] = [await stored(), await stored()]
    const entries = [put(one, { status: 'final' }), put(two, { status: 'final' }, 'W/"7"')]
    const refused = await send('transaction', entries)
    expect([refused.status, places(refused.json)]).toEqual([412, ['Bundle.entry[1].request.ifMatch']])
    expect(await state(one.path)).toEqual({ status: 200, etag: one.etag, content: 'preliminary' })
  })

  it('stores nothing when a version has been judged from memory and is not the current one any more', async () => {
    const [one, two] = [await stored(), await stored()]
    // The gateway learns the versions, by a refusal.
    await send('transaction', [put(one, { subject: { display: 'B' } }), put(two, { subject: { display: 'B' } })])
    expect((await ask(`${hapi}/${two.path}`, 'PUT', { ...two.record, status: 'cancelled' })).status).toBe(200)
    const refused = await send('transaction', [put(one, { status: 'final' }), put(two, { status: 'final' })])
    expect(refused.status).toBe(412)
    expect(await state(one.path)).toEqual({ status: 200, etag: one.etag, content: 'preliminary' })
    expect(await state(two.path)).toEqual({ status: 200, etag: 'W/"2"', content: 'cancelled' })
  })

  it('revives nothing that has been deleted since it was judged', async () => {
    const one = await stored()
    await send('transaction', [put(one, { subject: { display: 'B' } })])
    expect((await ask(`${hapi}/${one.path}`, 'DELETE')).status).toBe(200)
    expect((await send('transaction', [put(one, { status: 'final' })])).status).toBeGreaterThanOrEqual(400)
    expect((await state(one.path)).status).toBe(410)
  })

  it('deletes nothing, which HAPI would do whatever version is named', async () => {
    const one = await stored({ status: 'entered-in-error' })
    const entries = [{ request: { method: 'DELETE', url: one.path, ifMatch: 'W/"9"' } }]
    const refused = await send('transaction', entries)
    expect([refused.status, places(refused.json)]).toEqual([422, ['Bundle.entry[0].request.url']])
    expect((await state(one.path)).status).toBe(200)
    expect((await send('transaction', entries, hapi)).status).toBe(200)
    expect((await state(one.path)).status).toBe(410)
  })

  it('updates by criteria as by id, pinned, and creates once', async () => {
    const one = await stored()
    const created = randomUUID()
    const url = `Observation?identifier=${system}|${one.identifier}`
    const conditional = (ifMatch: string) => ({
      resource: { ...one.record, status: 'final' },
      request: { method: 'PUT', url, ifMatch },
    })
    expect((await send('transaction', [conditional('W/"9"')])).status).toBe(412)
    expect(await state(one.path)).toEqual({ status: 200, etag: one.etag, content: 'preliminary' })
    const ifNoneExist = `identifier=${system}|${created}`
    const first = await send('transaction', [conditional(one.etag), post(created, {}, { ifNoneExist })])
    const second = await send('transaction', [post(created, {}, { ifNoneExist })])
    expect([first.statuses, second.statuses]).toEqual([['200', '201'], ['200']])
    expect(await state(one.path)).toEqual({ status: 200, etag: 'W/"2"', content: 'final' })
    expect(await found(created)).toHaveLength(1)
  })

  it('applies patches, and stores none of them when one is refused', async () => {
    const [one, two] = [await stored(), await stored()]
    const patch = ({ path, etag }: typeof one, ...operations: readonly object[]) => ({
      resource: {
        resourceType: 'Binary',
        contentType: 'application/json-patch+json',
        data: Buffer.from(JSON.stringify(operations)).toString('base64'),
      },
      request: { method: 'PATCH', url: path, ifMatch: etag },
    })
    const finalised = patch(one, { op: 'replace', path: '/status', value: 'final' })
    const refused = await send('transaction', [finalised, patch(two, { op: 'remove', path: '/subject' })])
    expect(refused.status).toBe(422)
    expect(await state(one.path)).toEqual({ status: 200, etag: one.etag, content: 'preliminary' })
    expect((await send('transaction', [finalised])).statuses).toEqual(['200'])
    expect(await state(one.path)).toEqual({ status: 200, etag: 'W/"2"', content: 'final' })
    expect(await state(two.path)).toEqual({ status: 200, etag: two.etag, content: 'preliminary' })
  })

  it('puts no new id into what was judged as unchanged, which HAPI would do for a fullUrl', async () => {
    const namingSystem = `urn:uuid:${randomUUID()}`
    const identifier = [{ system: namingSystem, value: 'a' }]
    const one = await stored({ identifier })
    const entries = [put(one, { status: 'final' }), { ...post(randomUUID()), fullUrl: namingSystem }]
    const refused = await send('transaction', entries)
    expect([refused.status, places(refused.json)]).toEqual([400, ['Bundle.entry[1].fullUrl']])
    expect(await state(one.path)).toEqual({ status: 200, etag: one.etag, content: 'preliminary' })
    expect((await send('transaction', entries, hapi)).status).toBe(200)
    expect((await ask(`${hapi}/${one.path}`)).json['identifier']).not.toEqual(identifier)
  })
})

describe('a batch through the gateway', () => {
  it('carries out each entry for itself, in the order asked', async () => {
    const [one, two, three, four] = [
      await stored(),
      await stored(),
      await stored({ status: 'entered-in-error' }),
      await stored(),
    ]
    const created = randomUUID()
    const answer = await send('batch', [
      { request: { method: 'GET', url: `Observation?identifier=${system}|${one.identifier}` } },
      put(one, { status: 'final' }),
      put(two, { subject: { display: 'B' } }),
      post(created),
      post(randomUUID(), { status: 'entered-in-error' }),
      { request: { method: 'DELETE', url: three.path, ifMatch: three.etag } },
      { request: { method: 'DELETE', url: four.path, ifMatch: four.etag } },
      put(four, { status: 'final' }, 'W/"9"'),
      { request: { method: 'GET', url: four.path } },
      { request: { method: 'GET', url: 'Observation/there-is-none' } },
    ])
    expect(answer.json).toMatchObject({ resourceType: 'Bundle', type: 'batch-response' })
    expect(answer.statuses).toEqual(['200', '200', '422', '201', '422', '204', '422', '412', '200', '404'])
    expect(JSON.stringify(answer.json)).not.toContain(hapi)
    expect(answer.entries[1]!.response).toMatchObject({ etag: 'W/"2"' })
    expect(answer.entries[3]!.response.location).toMatch(new RegExp(`^${gateway.url}/Observation/[^/]+/_history/1$`))
    expect(answer.entries[8]!.resource).toEqual(four.record)
    expect(await state(one.path)).toEqual({ status: 200, etag: 'W/"2"', content: 'final' })
    expect(await state(two.path)).toEqual({ status: 200, etag: two.etag, content: 'preliminary' })
    expect(await found(created)).toHaveLength(1)
    expect((await state(three.path)).status).toBe(410)
    expect(await state(four.path)).toEqual({ status: 200, etag: four.etag, content: 'preliminary' })
    expect(gateway.records.at(-1)).toMatchObject({
      interaction: 'batch',
      decision: 'permitted',
      permittedAs: ['status', 'new', 'remove'],
    })
  })
})
