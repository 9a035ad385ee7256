import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { bootAndClose, nhsPolicy, shippedPolicy, type Settings } from './booted.ts'
import { keepDecisions } from './decision-sink.ts'
import { edit, flag, jsonHeaders, removal, stored } from './records.ts'
import { outcome, resource, type StubAnswer } from './stub-upstream.ts'

type Json = Record<string, unknown>

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

async function start(settings: Settings = {}, options: Parameters<typeof keepDecisions>[0] = {}) {
  const decisions = keepDecisions(options)
  const booted = await bootAndClose({ ...settings, decisions })
  return { ...booted, decisions }
}

const put = (booted: Awaited<ReturnType<typeof start>>, body: Json, version = '3', more = {}) =>
  booted.send('PUT', '/STU3/Flag/1', { ...jsonHeaders(version), ...more }, JSON.stringify(body))

const answers: Record<string, StubAnswer> = {
  'GET /fhir/Flag/1': resource(stored('3'), '3'),
  'PUT /fhir/Flag/1': resource({ ...removal, meta: { versionId: '4' } }, '4'),
}

const told = (body: string) =>
  (JSON.parse(body) as { issue: { severity: string; diagnostics: string }[] }).issue
    .filter(({ severity }) => severity === 'information')
    .map(({ diagnostics }) => diagnostics)

describe('the record of a decision', () => {
  it('says of a permitted update who wrote which version of what by which policy, and what came of it', async () => {
    const booted = await start({}, { callerHeaderFields: ['x-user'] })
    booted.upstream.answers(answers)
    const requestId = '6f1c0000-0000-4000-8000-000000000001'
    await put(booted, removal, '3', { 'x-user': 'nurse-7', 'x-request-id': requestId })
    const { digest, name } = nhsPolicy()
    expect(booted.decisions.records).toEqual([
      {
        id: expect.stringMatching(uuid),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        requestId,
        base: '/STU3',
        fhirVersion: nhsPolicy().fhirVersion,
        policy: name,
        policyDigest: digest,
        caller: { headerFields: { 'x-user': 'nurse-7' } },
        interaction: 'update',
        resource: { type: 'Flag', id: '1', versionNamed: '3', versionJudged: '3', versionWritten: '4' },
        decision: 'permitted',
        permittedAs: ['removal'],
        outcome: 'success',
        status: 200,
        upstreamStatus: 200,
      },
    ])
  })

  it('says of a refused update every rule and element, and the client reads its id', async () => {
    const booted = await start()
    booted.upstream.answers(answers)
    const answer = await put(booted, edit)
    const [record] = booted.decisions.records
    expect(record).toMatchObject({
      decision: 'refused',
      outcome: 'failure',
      status: 403,
      resource: { type: 'Flag', id: '1', versionJudged: '3' },
      refusals: [
        { cause: 'change-not-permitted', rule: 'Flag.update', path: 'Flag.code.text' },
        { cause: 'change-not-permitted', rule: 'Flag.update', path: 'Flag.code.coding[0]' },
      ],
    })
    expect(told(answer.body)).toEqual([`Whoever runs this server finds this decision under ${record!.id}.`])
  })

  test.each<[what: string, send: (booted: Awaited<ReturnType<typeof start>>) => Promise<unknown>, record: object]>([
    [
      'an update without If-Match',
      ({ send }) => send('PUT', '/STU3/Flag/1', { 'content-type': 'application/fhir+json' }, JSON.stringify(removal)),
      {
        interaction: 'update',
        resource: { type: 'Flag', id: '1' },
        decision: 'refused',
        refusals: [{ cause: 'if-match-missing' }],
        status: 412,
      },
    ],
    [
      'what the policy does not open',
      ({ send }) => send('DELETE', '/STU3/Flag/1'),
      { interaction: 'delete', resource: { type: 'Flag', id: '1' }, decision: 'refused', status: 405 },
    ],
    [
      'a target that nobody can read',
      ({ send }) => send('POST', '/STU3/Flag//1', { 'content-type': 'application/fhir+json' }, '{}'),
      { decision: 'refused', refusals: [{ cause: 'request-malformed' }], status: 400 },
    ],
    [
      'a body that is none',
      ({ send }) => send('PUT', '/STU3/Flag/1', jsonHeaders('3'), '{"resourceType":"Flag","Johnny":1}'),
      {
        decision: 'refused',
        resource: { type: 'Flag', id: '1' },
        status: 400,
      },
    ],
    [
      'a version that is not the current one',
      (booted) => put(booted, removal, '2'),
      {
        decision: 'refused',
        refusals: [{ cause: 'version-mismatch' }],
        resource: { type: 'Flag', id: '1', versionNamed: '2' },
        status: 409,
        upstreamStatus: 200,
      },
    ],
  ])('is kept of %s', async (_, send, record) => {
    const booted = await start()
    booted.upstream.answers(answers)
    await send(booted)
    expect(booted.decisions.records).toMatchObject([{ ...record, outcome: 'failure' }])
    expect(booted.upstream.seen.filter(({ method }) => method !== 'GET')).toEqual([])
  })

  it('is not kept of reads, nor of what lies outside of every base', async () => {
    const booted = await start()
    booted.upstream.answers({ ...answers, GET: resource({ resourceType: 'Bundle', type: 'searchset' }) })
    await booted.send('GET', '/STU3/Flag/1')
    await booted.send('GET', '/STU3/Flag?patient=9')
    await booted.send('GET', '/STU3/Flag//1')
    await booted.send('POST', '/elsewhere', {}, '{}')
    await booted.recorded(4)
    expect(booted.decisions.records).toEqual([])
  })

  test.each<[what: string, answer: StubAnswer, record: object]>([
    [
      'refuses the version',
      outcome(412, 'x'),
      { outcome: 'failure', refusals: [{ cause: 'version-mismatch' }], status: 409 },
    ],
    ['refuses the resource', outcome(422, 'x'), { outcome: 'failure', status: 422, upstreamStatus: 422 }],
    ['breaks off', (res) => res.destroy(), { outcome: 'unknown', status: 502 }],
    [
      'answers what nobody understands',
      { status: 200, body: 'ok' },
      { outcome: 'unknown', status: 502, upstreamStatus: 200 },
    ],
    ['makes it anew', resource(removal, '1', 201), { outcome: 'unknown', status: 502, upstreamStatus: 201 }],
  ])('says that it was permitted and what came of it when the server %s', async (_, answer, record) => {
    const booted = await start()
    booted.upstream.answers({ ...answers, 'PUT /fhir/Flag/1': answer })
    await put(booted, removal)
    expect(booted.decisions.records).toMatchObject([{ decision: 'permitted', permittedAs: ['removal'], ...record }])
  })

  it('calls undecided what failed before it could be judged', async () => {
    const booted = await start()
    booted.upstream.answers({ GET: outcome(500, 'x') })
    await put(booted, removal)
    expect(booted.decisions.records).toMatchObject([{ decision: 'undecided', outcome: 'failure', upstreamStatus: 500 }])
  })

  it('has the id and the version that the server gave to what was created', async () => {
    const booted = await start()
    booted.upstream.answers({
      'POST /fhir/Flag': {
        status: 201,
        headers: { location: `${booted.upstream.url.href}/Flag/77/_history/1`, 'content-length': '0' },
      },
    })
    const { id: _, ...created } = flag
    await booted.send('POST', '/STU3/Flag', { 'content-type': 'application/fhir+json' }, JSON.stringify(created))
    expect(booted.decisions.records).toMatchObject([
      { interaction: 'create', resource: { type: 'Flag', id: '77', versionWritten: '1' }, outcome: 'success' },
    ])
  })

  it('holds no name that a client made up', async () => {
    const booted = await start()
    booted.upstream.answers(answers)
    await put(booted, { ...removal, code: { ...flag.code, JohnSmith: { Born1970: 'x' } } })
    await put(booted, { ...removal, JohnSmith: [] })
    expect(booted.decisions.records).toHaveLength(2)
    expect(JSON.stringify(booted.decisions.records)).not.toMatch(/John|Born/)
    expect(booted.decisions.records[0]).toMatchObject({ refusals: [{ path: 'Flag.code.?' }] })
  })

  it('holds no value of what was stored or sent, whichever elements it stands in, nor of a query', async () => {
    const booted = await start()
    const value = fc.nat().map((number) => `SENTINEL-${number}`)
    const coding = fc.record({ system: value, code: value, display: value })
    const extension = fc.record({ url: value, valueString: value })
    const part = fc.record(
      {
        status: fc.oneof(value, fc.constant('inactive')),
        language: value,
        code: fc.record({ coding: fc.array(coding, { minLength: 1, maxLength: 3 }), text: value }),
        subject: fc.record({ reference: value, display: value }),
        extension: fc.array(extension, { minLength: 1, maxLength: 3 }),
        identifier: fc.array(fc.record({ value }), { minLength: 1, maxLength: 2 }),
        contained: fc.tuple(fc.record({ resourceType: fc.constant('Provenance'), id: value, activity: coding })),
        period: fc.record({ start: value }),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(part, part, fc.boolean(), async (before, after, byCriteria) => {
        booted.upstream.answers({ GET: resource({ ...stored('3'), ...before }, '3'), PUT: resource(removal, '4') })
        const target = byCriteria ? '/STU3/Flag?identifier=SENTINEL-0' : '/STU3/Flag/1'
        const sent = { ...flag, ...before, ...after }
        await booted.send('PUT', target, jsonHeaders('3'), JSON.stringify(sent))
      }),
      { numRuns: 60 },
    )
    expect(booted.decisions.records).toHaveLength(60)
    expect(JSON.stringify(booted.decisions.records)).not.toContain('SENTINEL')
  })
})

describe('the records of a Bundle', () => {
  const observation = (id: string, changes: Json = {}): Json => ({
    resourceType: 'Observation',
    id,
    status: 'preliminary',
    code: { text: 'Potassium' },
    subject: { display: 'A' },
    ...changes,
  })
  const entry = (id: string, changes: Json) => ({
    resource: observation(id, changes),
    request: { method: 'PUT', url: `Observation/${id}`, ifMatch: 'W/"3"' },
  })
  const settings = {
    path: '/R4',
    policy: shippedPolicy('general-r4.yaml'),
    profile: { pagingParameter: '_getpages', pinnedDelete: 'history-version' as const },
  }
  const read = { request: { method: 'GET', url: 'Observation/o1' } }
  const storedOnes = Object.fromEntries(
    ['o1', 'o2'].map((id) => [`GET /fhir/Observation/${id}`, resource(observation(id), '3')]),
  )
  const send = (booted: Awaited<ReturnType<typeof start>>, type: string, entries: readonly object[]) =>
    booted.send(
      'POST',
      '/R4',
      { 'content-type': 'application/fhir+json' },
      JSON.stringify({ resourceType: 'Bundle', type, entry: entries }),
    )
  const withoutIds = (records: readonly { readonly id: string }[]) => new Set(records.map(({ id }) => id)).size

  it('are one for each entry that writes, under one id', async () => {
    const booted = await start(settings)
    const response = (etag: string) => ({ response: { status: '200 OK', etag, location: `Observation/x/_history/9` } })
    booted.upstream.answers({
      ...storedOnes,
      'POST /fhir': resource({
        resourceType: 'Bundle',
        type: 'transaction-response',
        entry: [response('W/"4"'), { response: { status: '200 OK' } }, response('W/"5"')],
      }),
    })
    await send(booted, 'transaction', [entry('o1', { status: 'final' }), read, entry('o2', { status: 'final' })])
    expect(booted.decisions.records).toMatchObject([
      {
        interaction: 'update',
        bundle: { interaction: 'transaction', entry: 0 },
        resource: { id: 'o1', versionNamed: '3', versionJudged: '3', versionWritten: '4' },
        decision: 'permitted',
        permittedAs: ['status'],
        outcome: 'success',
        status: 200,
      },
      { bundle: { entry: 2 }, resource: { id: 'o2', versionWritten: '5' }, decision: 'permitted', outcome: 'success' },
    ])
    expect(withoutIds(booted.decisions.records)).toBe(1)
  })

  it('of a refused transaction have each entry’s own refusals', async () => {
    const booted = await start(settings)
    booted.upstream.answers(storedOnes)
    const answer = await send(booted, 'transaction', [
      entry('o1', { subject: { display: 'B' } }),
      entry('o2', { status: 'final' }),
    ])
    expect(booted.decisions.records).toMatchObject([
      { bundle: { entry: 0 }, decision: 'refused', refusals: [{ path: 'Bundle.entry[0].resource.subject.display' }] },
      { bundle: { entry: 1 }, decision: 'refused', outcome: 'failure', status: 422 },
    ])
    expect(booted.decisions.records[1]).not.toHaveProperty('refusals')
    expect(told(answer.body)).toEqual([expect.stringContaining(booted.decisions.records[0]!.id)])
  })

  it('of a batch have each entry’s own outcome', async () => {
    const booted = await start(settings)
    booted.upstream.answers({
      ...storedOnes,
      'PUT /fhir/Observation/o1': resource(observation('o1', { status: 'final' }), '4'),
    })
    const answer = await send(booted, 'batch', [
      entry('o1', { status: 'final' }),
      read,
      entry('o2', { subject: { display: 'B' } }),
      { request: { method: 'PUT', url: 'Nonsense/1' } },
    ])
    expect(booted.decisions.records).toMatchObject([
      {
        bundle: { interaction: 'batch', entry: 0 },
        resource: { id: 'o1', versionWritten: '4' },
        decision: 'permitted',
        outcome: 'success',
        status: 200,
      },
      { bundle: { entry: 2 }, resource: { id: 'o2' }, decision: 'refused', outcome: 'failure', status: 422 },
      { bundle: { entry: 3 }, decision: 'refused' },
    ])
    expect(answer.body.split(booted.decisions.records[0]!.id)).toHaveLength(3)
  })

  it('are one for a Bundle whose entries nobody has read', async () => {
    const booted = await start(settings)
    await send(booted, 'history', [])
    expect(booted.decisions.records).toMatchObject([{ interaction: 'transaction', decision: 'refused', status: 400 }])
  })
})

describe('where records are required', () => {
  it('an update is sent only when its record is written, which then says what came of it', async () => {
    const booted = await start({}, { required: true })
    const before: number[] = []
    booted.upstream.answers({
      ...answers,
      'PUT /fhir/Flag/1': (res) => {
        before.push(booted.decisions.records.length)
        res.writeHead(200, { 'content-type': 'application/fhir+json', etag: 'W/"4"' }).end(JSON.stringify(removal))
      },
    })
    expect((await put(booted, removal)).status).toBe(200)
    expect(before).toEqual([1])
    const [pending, done] = booted.decisions.records
    expect([pending, done]).toMatchObject([
      { decision: 'permitted', permittedAs: ['removal'], outcome: 'pending', resource: { versionJudged: '3' } },
      { decision: 'permitted', outcome: 'success', status: 200 },
    ])
    expect(pending!.id).toBe(done!.id)
  })

  it('a write whose record cannot be written is answered with 503, and nothing reaches the server', async () => {
    const booted = await start({}, { required: true })
    booted.upstream.answers(answers)
    booted.decisions.fails(true)
    const answer = await put(booted, removal)
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('1')
    expect(JSON.parse(answer.body)).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'transient' }] })
    expect(booted.upstream.seen.map(({ method }) => method)).toEqual(['GET'])
    booted.decisions.fails(false)
    expect((await put(booted, removal)).status).toBe(200)
  })

  it('a refusal that cannot be recorded is answered with 503, too, and reads go on', async () => {
    const booted = await start({}, { required: true })
    booted.upstream.answers(answers)
    booted.decisions.fails(true)
    expect((await put(booted, edit)).status).toBe(503)
    expect((await booted.send('GET', '/STU3/Flag/1')).status).toBe(200)
  })
})

test('without required, a record that cannot be written changes nothing of the answer', async () => {
  const booted = await start()
  booted.upstream.answers(answers)
  booted.decisions.fails(true)
  expect((await put(booted, removal)).status).toBe(200)
  expect((await put(booted, edit)).status).toBe(403)
})

test('an OperationOutcome names no record where none are kept', async () => {
  const booted = await bootAndClose()
  booted.upstream.answers(answers)
  const answer = await booted.send('PUT', '/STU3/Flag/1', jsonHeaders('3'), JSON.stringify(edit))
  expect(told(answer.body)).toEqual([])
})
