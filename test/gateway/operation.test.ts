import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { boot, type Booted } from './booted.ts'
import { reason } from './records.ts'
import { outcome, resource, type StubAnswer } from './stub-upstream.ts'

let booted: Booted
beforeEach(async () => {
  booted = await boot()
})
afterEach(() => booted.close())

const { valueCodeableConcept } = reason.extension[0]!
const parameters = (nhsNumber = '9000000009', more: readonly object[] = []) => ({
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'removerarecord',
      part: [
        { name: 'nhsNumber', valueString: nhsNumber },
        { name: 'removalReason', valueCodeableConcept },
        { name: 'supportingComment', valueString: 'The patient wants no record.' },
        ...more,
      ],
    },
  ],
})

const post = 'POST /fhir/$removerarecord'
const json = { 'content-type': 'application/fhir+json' }
const call = (body: object | string, headers: Record<string, string> = {}, target = '/STU3/$removerarecord') =>
  booted.send('POST', target, { ...json, ...headers }, typeof body === 'string' ? body : JSON.stringify(body))

interface Issue {
  readonly diagnostics: string
  readonly expression?: readonly string[]
  readonly details?: { readonly coding?: readonly { readonly code: string }[] }
}
const issues = (body: string) => (JSON.parse(body) as { issue: Issue[] }).issue

describe('$removerarecord', () => {
  test('is judged, written anew and sent, with the version that If-Match names', async () => {
    booted.upstream.answers({ [post]: resource({ resourceType: 'OperationOutcome', issue: [] }) })
    const spaced = JSON.stringify(parameters(), null, 4)
    const answer = await call(spaced, { 'if-match': '"7"', 'x-secret': 's', authorization: 'Bearer token' })
    expect(answer.status).toBe(200)
    const [sent] = booted.upstream.seen
    expect(sent).toMatchObject({
      method: 'POST',
      url: '/fhir/$removerarecord',
      headers: { 'if-match': 'W/"7"', authorization: 'Bearer token' },
      body: JSON.stringify(parameters()),
    })
    expect(sent!.headers).not.toHaveProperty('x-secret')
    await booted.recorded(1)
    expect(booted.records).toMatchObject([
      { interaction: 'operation', decision: 'permitted', permittedAs: ['remove-record'] },
    ])
  })

  test.each<[string, StubAnswer]>([
    ['HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' }],
    ['504', { status: 504 }],
    ['half an answer', (res) => void res.writeHead(200, { 'content-length': '99' }).write('{', () => res.destroy())],
  ])('that is answered with %s leaves open what became of it', async (_what, stubbed) => {
    booted.upstream.answers({ [post]: stubbed })
    const answer = await call(parameters())
    expect([502, 504]).toContain(answer.status)
    expect(issues(answer.body)[0]!.diagnostics).toContain('It is not known whether the change was stored')
    await booted.recorded(1)
    expect(booted.records).toMatchObject([{ decision: 'failed', outcomeUnknown: true }])
  })

  test('has the refusal of an upstream without it passed back', async () => {
    booted.upstream.answers({ [post]: outcome(400, 'The server does not know $removerarecord') })
    const answer = await call(parameters())
    expect(answer.status).toBe(400)
    expect(issues(answer.body)[0]!.diagnostics).toBe('The server does not know $removerarecord')
  })

  test('with several faults is refused with all of them, and nothing is sent', async () => {
    const body = parameters('9000000008', [{ name: 'supportingComment', valueString: 'again' }])
    const answer = await call(body)
    expect(answer.status).toBe(400)
    expect(issues(answer.body).map(({ expression, details }) => [expression?.[0], details?.coding?.[0]?.code])).toEqual(
      [
        ['Parameters.parameter[0].part[3]', 'MISSING_VALUE'],
        ['Parameters.parameter[0].part[0].value', 'INVALID_NHS_NUMBER'],
      ],
    )
    expect(booted.upstream.seen).toEqual([])
  })

  test.each<[string, () => Promise<{ status: number }>, number]>([
    ['another resource', () => call({ resourceType: 'Flag', id: '1', status: 'active' }), 400],
    ['a malformed If-Match', () => call(parameters(), { 'if-match': '*' }), 412],
    ['a precondition that nobody evaluates', () => call(parameters(), { 'if-none-match': '*' }), 412],
    ['parameters in the query', () => call(parameters(), {}, '/STU3/$removerarecord?nhsNumber=1'), 400],
    ['another media type', () => call(parameters(), { 'content-type': 'text/plain' }), 415],
    [
      'a second parameter',
      () => call({ ...parameters(), parameter: [...parameters().parameter, { name: 'x', valueString: 'y' }] }),
      400,
    ],
    ['GET', () => booted.send('GET', '/STU3/$removerarecord'), 405],
    ['another operation', () => call(parameters(), {}, '/STU3/$expunge'), 405],
    ['the operation on a type', () => call(parameters(), {}, '/STU3/Flag/$removerarecord'), 405],
  ])('with %s is refused, and nothing is sent', async (_what, ask, status) => {
    expect((await ask()).status).toBe(status)
    expect(booted.upstream.seen).toEqual([])
  })
})
