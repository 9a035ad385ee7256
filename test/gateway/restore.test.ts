import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseXml } from '../../src/fhir/xml.ts'
import { writeJson } from '../../src/fhir/json.ts'
import { compiled } from '../unit/policy/small-policy.ts'
import { boot, type Booted } from './booted.ts'
import { outcome, resource } from './stub-upstream.ts'

type Json = Record<string, unknown>

const policy = compiled(`policy: p
fhir: 4.0.1
system: { interactions: [transaction, batch] }
resources:
  Flag:
    interactions: [update, patch, create]
    conditional: [update]
    update:
      if-match: required
      changes:
        removal: [{ replaced: status, from: active, to: inactive }]
      rest: { restore-as: kept, except: [subject] }
    create:
      changes: { new: [{ added: $this, open: true }] }
`)

let booted: Booted
beforeEach(async () => {
  booted = await boot({ path: '/R4', policy })
})
afterEach(() => booted.close())

const flag: Json = {
  resourceType: 'Flag',
  id: '1',
  status: 'active',
  code: { text: 'Deaf' },
  subject: { reference: 'Patient/1' },
}
const inactive = { ...flag, status: 'inactive' }
/** A removal with other things that may not change. */
const sent = { ...inactive, language: 'en', code: { text: 'Other' } }
const elements = ['Flag.code.text', 'Flag.language']
const warning = `299 - "Not stored as sent, since it may not change: ${elements.join(', ')}"`

const headers = { 'content-type': 'application/fhir+json', 'if-match': 'W/"3"' }
const get = 'GET /fhir/Flag/1'
const put = 'PUT /fhir/Flag/1'
const writes = () => booted.upstream.seen.filter(({ method }) => method !== 'GET')
const send = (body: Json, method = 'PUT', target = '/R4/Flag/1', more = {}) =>
  booted.send(method, target, { ...headers, ...more }, JSON.stringify(body))
const record = { decision: 'permitted', permittedAs: ['removal', 'kept'], restoredBy: ['Flag.update'] }

describe('what may not change is put back:', () => {
  beforeEach(() => booted.upstream.answers({ [get]: resource(flag, '3'), [put]: resource(inactive, '4') }))

  test('the rest of an update is stored, pinned, and the client is told', async () => {
    const answer = await send(sent)
    expect([answer.status, answer.headers['warning']]).toEqual([200, warning])
    expect(writes()).toMatchObject([{ method: 'PUT', url: '/fhir/Flag/1', headers: { 'if-match': 'W/"3"' } }])
    expect(JSON.parse(writes()[0]!.body)).toEqual(inactive)
    expect(booted.records).toMatchObject([record])
  })

  test('nothing is told of an update that has nothing to put back', async () => {
    const answer = await send(inactive)
    expect(answer.headers).not.toHaveProperty('warning')
    expect(booted.records[0]).not.toHaveProperty('restoredBy')
  })

  test('an update of which nothing is left is sent all the same, so that a stale version is told', async () => {
    booted.upstream.answers({ [get]: resource(flag, '3'), [put]: outcome(412, 'version') })
    const answer = await send({ ...flag, language: 'en' })
    expect(JSON.parse(writes()[0]!.body)).toEqual(flag)
    expect(answer.status).toBe(412)
    expect(answer.headers).not.toHaveProperty('warning')
    expect(booted.records[0]).toMatchObject({ decision: 'refused', permittedAs: ['kept'] })
  })

  test('an exception is refused, and nothing is sent', async () => {
    const answer = await send({ ...sent, subject: { reference: 'Patient/2' } })
    expect(answer.status).toBe(422)
    const { issue } = JSON.parse(answer.body) as { issue: readonly { expression: readonly string[] }[] }
    expect(issue.map(({ expression }) => expression)).toEqual([['Flag.subject.reference']])
    expect(writes()).toEqual([])
  })

  test('of a patch', async () => {
    const patch = [
      { op: 'replace', path: '/status', value: 'inactive' },
      { op: 'replace', path: '/code/text', value: 'Other' },
      { op: 'add', path: '/language', value: 'en' },
    ]
    const answer = await booted.send(
      'PATCH',
      '/R4/Flag/1',
      { ...headers, 'content-type': 'application/json-patch+json' },
      JSON.stringify(patch),
    )
    expect([answer.status, answer.headers['warning']]).toEqual([200, warning])
    expect(JSON.parse(writes()[0]!.body)).toEqual(inactive)
    expect(booted.records).toMatchObject([record])
  })

  test('of a conditional update', async () => {
    const match = { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: flag, search: { mode: 'match' } }] }
    booted.upstream.answers({ [get]: resource(flag, '3'), [put]: resource(inactive, '4'), GET: resource(match) })
    const answer = await send(sent, 'PUT', '/R4/Flag?identifier=a')
    expect([answer.status, answer.headers['warning']]).toEqual([200, warning])
    expect(JSON.parse(writes()[0]!.body)).toEqual(inactive)
  })

  test('of XML, written as XML in the order of FHIR', async () => {
    const type = 'application/fhir+xml'
    const xml = (inner: string) => `<Flag xmlns="http://hl7.org/fhir"><id value="1"/>${inner}</Flag>`
    const rest = '<subject><reference value="Patient/1"/></subject>'
    const before = xml(`<status value="active"/><code><text value="Deaf"/></code>${rest}`)
    const after = xml(`<language value="en"/><status value="inactive"/><code><text value="Other"/></code>${rest}`)
    const answered = (body: string) => ({ status: 200, headers: { 'content-type': type, etag: 'W/"3"' }, body })
    booted.upstream.answers({ [get]: answered(before), [put]: answered(before) })
    const answer = await booted.send('PUT', '/R4/Flag/1', { ...headers, 'content-type': type }, after)
    expect(answer.status).toBe(200)
    expect(answer.headers['warning']).toMatch(/^299 - "/)
    const read = parseXml(writes()[0]!.body, policy.definitions)
    expect(read.ok && JSON.parse(writeJson(read.value))).toEqual(inactive)
    expect(writes()[0]!.body).toBe(before.replace('active', 'inactive'))
  })
})

test('the warning names as many elements as fit, and how many there are beside them', async () => {
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`undefinedElement${'x'.repeat(40)}${i}`, 'v']))
  booted.upstream.answers({ [get]: resource(flag, '3'), [put]: resource(flag, '4') })
  const answer = await send({ ...flag, ...many })
  const told = answer.headers['warning']!
  expect(told.length).toBeLessThan(1200)
  expect(told).toMatch(/, Flag\.undefinedElementx+\d+, \d+ more"$/)
})

describe('in a Bundle', () => {
  const entry = { resource: sent, request: { method: 'PUT', url: 'Flag/1', ifMatch: 'W/"3"' } }
  const created = { resource: { ...flag, id: 'x' }, request: { method: 'POST', url: 'Flag' } }
  const bundle = (type: string) =>
    booted.send(
      'POST',
      '/R4',
      { 'content-type': 'application/fhir+json' },
      JSON.stringify({ resourceType: 'Bundle', type, entry: [created, entry] }),
    )
  const issue = (expression: string, what: string) => ({
    severity: 'information',
    code: 'informational',
    diagnostics: `${expression} ${what}: what is stored was kept.`,
    expression: [`Bundle.entry[1].resource.${expression.slice('Flag.'.length)}`],
  })
  const issues = [issue('Flag.code.text', 'differs from the stored version'), issue('Flag.language', 'was added')]
  const outcomes = (body: string) =>
    (JSON.parse(body) as { entry: { response: { outcome?: { issue: unknown } } }[] }).entry.map(
      ({ response }) => response.outcome?.issue,
    )

  test('a batch tells it in the outcome of the entry', async () => {
    booted.upstream.answers({
      [get]: resource(flag, '3'),
      [put]: resource(inactive, '4'),
      'POST /fhir/Flag': resource({ ...flag, id: '9' }, '1', 201),
    })
    const answer = await bundle('batch')
    expect(outcomes(answer.body)).toEqual([undefined, issues])
    expect(JSON.parse(writes()[1]!.body)).toEqual(inactive)
    expect(booted.records[0]).toMatchObject({ permittedAs: ['new', 'removal', 'kept'], restoredBy: ['Flag.update'] })
  })

  test.each([
    [
      'beside what the server says there',
      [{ severity: 'information', code: 'informational', diagnostics: 'Updated.' }],
    ],
    ['where the server says nothing', []],
  ])('a transaction tells it in the outcome of the entry, %s', async (_where, own) => {
    booted.upstream.answers({
      [get]: resource(flag, '3'),
      'POST /fhir': resource({
        resourceType: 'Bundle',
        type: 'transaction-response',
        entry: [
          { response: { status: '201 Created', location: `${booted.upstream.url.href}/Flag/9/_history/1` } },
          {
            response: {
              status: '200 OK',
              ...(own.length > 0 && { outcome: { resourceType: 'OperationOutcome', issue: own } }),
            },
          },
        ],
      }),
    })
    const answer = await bundle('transaction')
    expect(answer.status).toBe(200)
    expect(outcomes(answer.body)).toEqual([undefined, [...own, ...issues]])
    expect(answer.body).toContain(`${booted.origin}/R4/Flag/9/_history/1`)
    expect((JSON.parse(writes()[0]!.body) as { entry: { resource: Json }[] }).entry[1]!.resource).toEqual(inactive)
    expect(booted.records[0]).toMatchObject({ permittedAs: ['new', 'removal', 'kept'], restoredBy: ['Flag.update'] })
  })
})
