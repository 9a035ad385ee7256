import { afterEach, describe, expect, test } from 'vitest'
import { compiled } from '../unit/policy/small-policy.ts'
import { boot, type Booted } from './booted.ts'
import { outcome, resource, type StubAnswer } from './stub-upstream.ts'

type Json = Record<string, unknown>

/** A policy with a mode for the whole, and one for the rules of an update. */
const policyWith = (whole: string, ofUpdate: string) =>
  compiled(`policy: p
fhir: 4.0.1
mode: ${whole}
resources:
  Flag:
    interactions: [update]
    update:
      if-match: required
      ${ofUpdate}
      changes:
        removal:
          - { replaced: status, from: active, to: inactive, otherwise: { say: Only active to inactive. } }
          - { added: extension('https://reason.example'), mode: enforce, open: true, otherwise: { say: Give a reason. } }
`)

const opened: Booted[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((booted) => booted.close()))
})
async function start(whole = 'report', ofUpdate = '', pinnedDelete = true): Promise<Booted> {
  const profile = { pagingParameter: '_getpages', ...(pinnedDelete && { pinnedDelete: 'history-version' as const }) }
  const booted = await boot({ path: '/R4', policy: policyWith(whole, ofUpdate), profile })
  opened.push(booted)
  return booted
}

const flag: Json = {
  resourceType: 'Flag',
  id: '1',
  status: 'active',
  code: { text: 'Deaf' },
  subject: { reference: 'Patient/1' },
}
const edited: Json = { ...flag, code: { text: 'Blind' } }
const json = { 'content-type': 'application/fhir+json' }
const get = 'GET /fhir/Flag/1'
const put = 'PUT /fhir/Flag/1'
const stored = { [get]: resource(flag, '3'), [put]: resource(edited, '4') }
const write = (booted: Booted, body: Json, more: Json = {}, method = 'PUT', target = '/R4/Flag/1') =>
  booted.send(method, target, { ...json, ...more } as Record<string, string>, JSON.stringify(body))
const writes = ({ upstream }: Booted) => upstream.seen.filter(({ method }) => method !== 'GET')
const report = 'fhir-policy-report'
const ofIfMatch = '"if-match-missing"'

describe('an update in report mode', () => {
  test('goes on as it was sent, pinned to the version that it names, and the client is told', async () => {
    const booted = await start()
    booted.upstream.answers(stored)
    const answer = await write(booted, edited, { 'if-match': 'W/"3"' })
    expect([answer.status, answer.headers[report]]).toEqual([200, '"Flag.update";at="Flag.code.text"'])
    expect(writes(booted)).toMatchObject([{ method: 'PUT', headers: { 'if-match': 'W/"3"' } }])
    expect(JSON.parse(writes(booted)[0]!.body)).toEqual(edited)
    expect(booted.records).toMatchObject([
      { decision: 'permitted', permittedAs: ['reported'], reported: ['Flag.update'], status: 200 },
    ])
  })

  test('without If-Match is judged against the current version, always read anew, and pinned to it', async () => {
    const booted = await start()
    booted.upstream.answers(stored)
    await write(booted, edited, { 'if-match': 'W/"3"' })
    booted.upstream.answers({
      [get]: resource({ ...edited, meta: { versionId: '4' } }, '4'),
      [put]: resource(flag, '5'),
    })
    const answer = await write(booted, flag)
    expect([answer.status, answer.headers[report]]).toEqual([200, `${ofIfMatch}, "Flag.update";at="Flag.code.text"`])
    expect(booted.upstream.seen.map(({ method, headers }) => [method, headers['if-match']])).toEqual([
      ['GET', undefined],
      ['PUT', 'W/"3"'],
      ['GET', undefined],
      ['PUT', 'W/"4"'],
    ])
    expect(booted.records[1]).toMatchObject({ reported: ['if-match-missing', 'Flag.update'] })
  })

  test('that nothing would refuse says nothing', async () => {
    const booted = await start()
    booted.upstream.answers(stored)
    const answer = await write(booted, flag, { 'if-match': 'W/"3"' })
    expect(answer.headers).not.toHaveProperty(report)
    expect(booted.records[0]).toMatchObject({ permittedAs: ['no-change'] })
    expect(booted.records[0]).not.toHaveProperty('reported')
  })

  test('is refused for a rule in it that is enforced; what is reported besides is for the log', async () => {
    const booted = await start()
    booted.upstream.answers(stored)
    const answer = await write(booted, { ...edited, status: 'inactive' })
    expect(answer.status).toBe(422)
    expect(answer.headers).not.toHaveProperty(report)
    expect(writes(booted)).toEqual([])
    expect(booted.records[0]).toMatchObject({
      decision: 'refused',
      refusedBy: ["Flag.update.removal.extension('https://reason.example')"],
      reported: ['if-match-missing', 'Flag.update'],
    })
  })

  test('that somebody else overtakes is told so', async () => {
    const booted = await start()
    booted.upstream.answers({ ...stored, [put]: outcome(412, 'version') })
    const answer = await write(booted, edited)
    expect(answer.status).toBe(412)
    expect(answer.body).toContain('was changed by another request in the meantime')
  })

  test.each<[what: string, answers: Record<string, StubAnswer>, status: number]>([
    ['is not there', { [get]: outcome(404, 'unknown') }, 404],
    ['is deleted', { [get]: outcome(410, 'gone') }, 410],
  ])('of a resource that %s, without If-Match, is told so', async (_what, answers, status) => {
    const booted = await start()
    booted.upstream.answers(answers)
    expect((await write(booted, edited)).status).toBe(status)
    expect(writes(booted)).toEqual([])
  })
})

describe('the rules of an update in report mode', () => {
  test('let an update without If-Match go on, and nothing that is closed', async () => {
    const booted = await start('enforce', 'mode: report')
    booted.upstream.answers(stored)
    expect((await write(booted, edited)).headers[report]).toBe(`${ofIfMatch}, "Flag.update";at="Flag.code.text"`)
    expect((await booted.send('GET', '/R4/Flag/1')).status).toBe(405)
    expect((await booted.send('DELETE', '/R4/Flag/1')).status).toBe(405)
  })

  test('are enforced when they say so in a policy that is not, If-Match included', async () => {
    const booted = await start('report', 'mode: enforce')
    booted.upstream.answers(stored)
    expect((await write(booted, edited)).status).toBe(412)
    expect((await write(booted, edited, { 'if-match': 'W/"3"' })).status).toBe(422)
    expect(writes(booted)).toEqual([])
  })
})

describe('what a policy in report mode does not open goes on, and is reported:', () => {
  const closed = (place: string) => `"interaction-not-offered";at="${place}"`

  test.each<[string, string, string, StubAnswer]>([
    ['GET', '/Flag/1', 'Flag.read', resource(flag, '3')],
    ['HEAD', '/Flag/1', 'Flag.read', resource(flag, '3')],
    ['GET', '/Patient?name=a', 'Patient.search-type', resource({ resourceType: 'Bundle', type: 'searchset' })],
    ['GET', '/Flag/1/_history', 'Flag.history-instance', resource({ resourceType: 'Bundle', type: 'history' })],
    ['GET', '/metadata', 'system.capabilities', resource({ resourceType: 'CapabilityStatement' })],
    ['GET', '/Patient/1/$everything', 'Patient.$everything', resource({ resourceType: 'Bundle', type: 'searchset' })],
    ['GET', '/Flag/2', 'Flag.read', outcome(404, 'unknown')],
  ])('%s %s', async (method, target, place, answer) => {
    const booted = await start()
    booted.upstream.answers({ GET: answer, HEAD: answer })
    const told = await booted.send(method, `/R4${target}`)
    expect([told.status, told.headers[report]]).toEqual(['status' in answer ? answer.status : 0, closed(place)])
    expect(booted.upstream.seen[0]).toMatchObject({ url: `/fhir${target}` })
    expect(booted.records[0]).toMatchObject({ decision: 'relayed', reported: ['interaction-not-offered'] })
  })

  const created = { 'POST /fhir/Flag': resource({ ...flag, id: '9' }, '1', 201) }

  test('a create, of any type', async () => {
    const booted = await start()
    booted.upstream.answers(created)
    const answer = await write(booted, flag, { 'if-none-exist': 'identifier=a' }, 'POST', '/R4/Flag')
    expect([answer.status, answer.headers[report]]).toEqual([201, closed('Flag.create')])
    expect(writes(booted)[0]).toMatchObject({ headers: { 'if-none-exist': 'identifier=a' } })
    expect(booted.records[0]).toMatchObject({ decision: 'permitted', permittedAs: ['reported'] })
  })

  test('a patch, as the update that it comes to, pinned', async () => {
    const booted = await start()
    booted.upstream.answers(stored)
    const patch = JSON.stringify([{ op: 'replace', path: '/code/text', value: 'Blind' }])
    const answer = await booted.send('PATCH', '/R4/Flag/1', { 'content-type': 'application/json-patch+json' }, patch)
    expect(answer.headers[report]).toBe(`${closed('Flag.patch')}, ${ofIfMatch}, "Flag.update";at="Flag.code.text"`)
    expect(writes(booted)).toMatchObject([{ method: 'PUT', headers: { 'if-match': 'W/"3"' } }])
    expect(JSON.parse(writes(booted)[0]!.body)).toEqual(edited)
  })

  test('a delete, pinned, where the server pins deletes; else it stays refused', async () => {
    const [pinning, other] = [await start(), await start('report', '', false)]
    for (const booted of [pinning, other]) booted.upstream.answers({ ...stored, DELETE: { status: 204 } })
    expect((await pinning.send('DELETE', '/R4/Flag/1')).headers[report]).toBe(closed('Flag.delete'))
    expect(writes(pinning)).toMatchObject([{ method: 'DELETE', url: '/fhir/Flag/1/_history/3' }])
    expect((await other.send('DELETE', '/R4/Flag/1')).status).toBe(405)
    expect(other.upstream.seen).toEqual([])
  })

  test('a conditional update, of what matches and of what does not', async () => {
    const booted = await start()
    const found = (...matches: Json[]) =>
      resource({ resourceType: 'Bundle', type: 'searchset', entry: matches.map((match) => ({ resource: match })) })
    booted.upstream.answers({ ...stored, GET: found(flag) })
    const { id: _, ...body } = edited
    const updated = await write(booted, body, {}, 'PUT', '/R4/Flag?identifier=a')
    expect(updated.headers[report]).toBe(`${closed('Flag.update')}, ${ofIfMatch}, "Flag.update";at="Flag.code.text"`)
    expect(writes(booted)).toMatchObject([{ method: 'PUT', headers: { 'if-match': 'W/"3"' } }])
    booted.upstream.answers({ ...created, GET: resource({ resourceType: 'Bundle', type: 'searchset', total: 0 }) })
    const made = await write(booted, body, {}, 'PUT', '/R4/Flag?identifier=b')
    expect([made.status, writes(booted)[1]!.headers['if-none-exist']]).toEqual([201, 'identifier=b'])
    expect(made.headers[report]).toBe(`${closed('Flag.update')}, ${ofIfMatch}`)
  })

  test('an operation, by its name', async () => {
    const booted = await start()
    booted.upstream.answers({ 'POST /fhir/Flag/$validate': resource({ resourceType: 'OperationOutcome', issue: [] }) })
    const answer = await write(booted, { resourceType: 'Parameters' }, {}, 'POST', '/R4/Flag/$validate')
    expect(answer.headers[report]).toBe(closed('Flag.$validate'))
    expect(writes(booted)).toHaveLength(1)
  })

  const entries = [
    { resource: edited, request: { method: 'PUT', url: 'Flag/1' } },
    { resource: { ...flag, id: 'x' }, request: { method: 'POST', url: 'Flag' } },
    { request: { method: 'GET', url: 'Flag/1' } },
  ]
  const inBundle = [
    '"if-match-missing";at="Bundle.entry[0].request.ifMatch"',
    '"Flag.update";at="Bundle.entry[0].resource.code.text"',
    '"interaction-not-offered";at="Bundle.entry[1].request.url"',
    '"interaction-not-offered";at="Bundle.entry[2].request.url"',
  ]

  test('a batch, and its entries', async () => {
    const booted = await start()
    booted.upstream.answers({ ...stored, ...created })
    const answer = await write(booted, { resourceType: 'Bundle', type: 'batch', entry: entries }, {}, 'POST', '/R4')
    expect(answer.headers[report]).toBe([closed('system.batch'), ...inBundle].join(', '))
    const { entry } = JSON.parse(answer.body) as { entry: { response: { status: string } }[] }
    expect(entry.map(({ response }) => response.status)).toEqual(['200 OK', '201 Created', '200 OK'])
    expect(writes(booted)[0]).toMatchObject({ headers: { 'if-match': 'W/"3"' } })
  })

  test('a transaction, and its entries, each update pinned', async () => {
    const booted = await start()
    const response = { resourceType: 'Bundle', type: 'transaction-response' }
    const answered = ['200 OK', '201 Created', '200 OK'].map((status) => ({ response: { status } }))
    booted.upstream.answers({ ...stored, 'POST /fhir': resource({ ...response, entry: answered }) })
    const answer = await write(
      booted,
      { resourceType: 'Bundle', type: 'transaction', entry: entries },
      {},
      'POST',
      '/R4',
    )
    expect([answer.status, answer.headers[report]]).toEqual([
      200,
      [closed('system.transaction'), ...inBundle].join(', '),
    ])
    const { entry } = JSON.parse(writes(booted)[0]!.body) as { entry: { request: Json }[] }
    expect(entry[0]!.request).toEqual({ method: 'PUT', url: 'Flag/1', ifMatch: 'W/"3"' })
    expect(booted.records[0]).toMatchObject({
      permittedAs: ['reported'],
      reported: ['interaction-not-offered', 'if-match-missing', 'Flag.update'],
    })
  })
})

describe('what cannot be carried, or could be read in two ways, stays refused in report mode:', () => {
  const body = JSON.stringify(edited)
  test.each<
    [what: string, method: string, target: string, headers: Record<string, string>, body: string, status: number]
  >([
    ['a malformed If-Match', 'PUT', '/Flag/1', { ...json, 'if-match': '*' }, body, 412],
    [
      'another precondition',
      'PUT',
      '/Flag/1',
      { ...json, 'if-unmodified-since': 'Mon, 02 Mar 2026 09:30:00 GMT' },
      body,
      412,
    ],
    ['an odd path', 'PUT', '/Flag//1', json, body, 400],
    ['a path that FHIR does not know', 'GET', '/Flag/1/other', {}, '', 405],
    ['a type that the FHIR version does not know', 'GET', '/Flagg/1', {}, '', 405],
    ['a method that FHIR does not know there', 'PUT', '/metadata', json, body, 405],
    ['a body that is malformed', 'PUT', '/Flag/1', json, '{"resourceType":"Flag","id":"1","id":"2"}', 400],
    ['a body of another type', 'PUT', '/Flag/1', json, '{"resourceType":"List","id":"1"}', 400],
    ['a body of another media type', 'PUT', '/Flag/1', { 'content-type': 'text/plain' }, body, 415],
  ])('%s', async (_what, method, target, headers, sent, status) => {
    const booted = await start()
    booted.upstream.answers(stored)
    const answer = await booted.send(method, `/R4${target}`, headers, sent)
    expect(answer.status).toBe(status)
    expect(booted.upstream.seen).toEqual([])
    expect(booted.records[0]).toMatchObject({ decision: 'refused' })
  })
})

test('the header field names as many as fit, and how many there are beside them', async () => {
  const booted = await start()
  booted.upstream.answers(stored)
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`undefinedElement${'x'.repeat(40)}${i}`, 'v']))
  const told = (await write(booted, { ...flag, ...many }, { 'if-match': 'W/"3"' })).headers[report] as string
  expect(told.length).toBeLessThan(1100)
  expect(told).toMatch(/^"Flag\.update";at="Flag\.undefinedElementx+0", .*, more;count=\d+$/)
})
