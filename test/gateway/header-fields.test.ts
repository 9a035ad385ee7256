import { describe, expect, test } from 'vitest'
import { compilePolicy } from '../../src/policy/compile.ts'
import { bootAndClose, nhsPolicy, type Answer, type Booted, type Settings } from './booted.ts'
import { jsonHeaders, removal, stored } from './records.ts'
import { resource } from './stub-upstream.ts'

const requestId = '60E0B220-8136-4CA5-AE46-1D97EF59D068'
const good = { 'x-request-id': requestId, 'nhsd-session-urid': '555254240100' }

async function start(settings: Settings = {}): Promise<Booted> {
  const booted = await bootAndClose({ headerFieldsAsked: true, ...settings })
  booted.upstream.answers({
    GET: resource(stored('3'), '3'),
    PUT: resource(stored('4'), '4'),
    'GET /fhir/metadata': resource({ resourceType: 'CapabilityStatement', status: 'active', fhirVersion: '3.0.2' }),
  })
  return booted
}

interface Issue {
  readonly code: string
  readonly diagnostics: string
  readonly details: { readonly coding: readonly { readonly code: string }[]; readonly text: string }
}
const issues = (answer: Answer) => (JSON.parse(answer.body) as { issue: Issue[] }).issue

describe('the header fields that the NHS’s API asks for', () => {
  test('let a request pass when they are there, and are repeated as they came', async () => {
    const booted = await start()
    const fields = { ...good, 'x-correlation-id': 'any value' }
    const put = await booted.send('PUT', '/STU3/Flag/1', { ...jsonHeaders('3'), ...fields }, JSON.stringify(removal))
    const read = await booted.send('GET', '/STU3/Flag/1', fields)
    const missing = await booted.send('GET', '/STU3/Flag/1/$x', fields)
    expect([put, read, missing].map(({ status }) => status)).toEqual([200, 200, 405])
    for (const { headers } of [put, read, missing]) {
      expect(headers).toMatchObject({ 'x-request-id': requestId, 'x-correlation-id': 'any value' })
      expect(headers).not.toHaveProperty('nhsd-session-urid')
    }
    expect(booted.records[0]).toMatchObject({ requestId: requestId.toLowerCase() })
  })

  test('are all named at once when they are not, before the body is read, with the policy’s codes', async () => {
    const booted = await start()
    const answer = await booted.send('PUT', '/STU3/Flag/1', { 'x-request-id': 'sentinel' }, 'no resource')
    expect(answer.status).toBe(400)
    expect(
      issues(answer).map(({ code, details, diagnostics }) => [code, details.coding[0]!.code, diagnostics]),
    ).toEqual([
      ['value', 'MISSING_OR_INVALID_HEADER', 'The header field X-Request-ID must be a UUID.'],
      ['required', 'MISSING_OR_INVALID_HEADER', 'The header field NHSD-Session-URID is missing.'],
    ])
    expect(issues(answer)[0]!.details.text).toBe('A request needs an X-Request-ID of its own: a UUID.')
    expect(JSON.stringify(answer)).not.toContain('sentinel')
    expect(booted.upstream.seen).toEqual([])
    expect(booted.records).toMatchObject([
      { decision: 'refused', refusedBy: ['header-fields/X-Request-ID', 'header-fields/NHSD-Session-URID'] },
    ])
  })

  test.each([
    ['an empty one', { 'nhsd-session-urid': ' ' }, 'is missing.'],
    ['two of one', { 'nhsd-session-urid': ['a', 'b'] }, 'occurs more than once; send it once.'],
    ['one that is too long', { 'nhsd-session-urid': 'a'.repeat(257) }, 'is longer than 256 characters.'],
    ['one with other characters', { 'nhsd-session-urid': 'é' }, 'holds a character outside of printable ASCII.'],
  ])('are refused: %s', async (_, fields, sentence) => {
    const booted = await start()
    const answer = await booted.send('GET', '/STU3/Flag/1', { ...good, ...fields })
    expect(answer.status).toBe(400)
    expect(issues(answer).map(({ diagnostics }) => diagnostics)).toEqual([
      `The header field NHSD-Session-URID ${sentence}`,
    ])
  })

  test('are repeated in an error of the gateway, too, but not where they do not hold', async () => {
    const booted = await start()
    const fields = { 'x-request-id': requestId, 'x-correlation-id': `a${'b'.repeat(300)}` }
    const { status, headers } = await booted.send('GET', '/STU3/Flag/1', fields)
    expect(status).toBe(400)
    expect(headers['x-request-id']).toBe(requestId)
    expect(headers).not.toHaveProperty('x-correlation-id')
  })

  test('are not asked of /metadata', async () => {
    const booted = await start()
    expect((await booted.send('GET', '/STU3/metadata')).status).toBe(200)
  })

  test('are not asked where the config leaves that off', async () => {
    const booted = await start({ headerFieldsAsked: false })
    const { status, headers } = await booted.send('GET', '/STU3/Flag/1', { 'x-correlation-id': 'a' })
    expect(status).toBe(200)
    expect(headers).not.toHaveProperty('x-correlation-id')
    expect(nhsPolicy().headerFields).toHaveLength(3)
  })
})

describe('a policy that asks for header fields', () => {
  const compiled = (fields: string) =>
    compilePolicy(
      'p.yaml',
      `policy: p\nfhir: 3.0.2\nheader-fields: { ${fields} }\nresources: { Flag: { interactions: [read] } }\n`,
    )

  test.each([
    ['X-Role: { is: [clerk, nurse] }', 'doctor', 400, 'The header field X-Role must be one of clerk, nurse.'],
    [
      'X-Role: { is: clerk, required: true, otherwise: { status: 403, issue: forbidden, help: Ask for it. } }',
      '',
      403,
      'The header field X-Role is missing: clerk. Ask for it.',
    ],
    ['X-Role: { format: digits }', '12a', 400, 'The header field X-Role must be digits only.'],
    [
      'X-Role: { format: alphanumeric, max-length: 3 }',
      'abcd',
      400,
      'The header field X-Role is longer than 3 characters.',
    ],
    ['X-Role: { format: alphanumeric }', 'a-b', 400, 'The header field X-Role must be letters and digits only.'],
  ])('says what is wrong: %s', async (fields, value, status, sentence) => {
    const policy = compiled(fields)
    const booted = await start({ ...(policy.ok && { policy: policy.policy }) })
    const answer = await booted.send('GET', '/STU3/Flag/1', { 'x-role': value })
    expect(answer.status).toBe(status)
    expect(issues(answer).map(({ diagnostics }) => diagnostics)).toEqual([sentence])
  })

  test('in report mode lets requests pass, and tells', async () => {
    const policy = compiled('X-Role: { required: true, mode: report }')
    const booted = await start({ ...(policy.ok && { policy: policy.policy }) })
    const answer = await booted.send('GET', '/STU3/Flag/1')
    expect(answer.status).toBe(200)
    expect(answer.headers['fhir-policy-report']).toBe('"header-fields/X-Role"')
    expect(booted.records).toMatchObject([{ decision: 'relayed', reported: ['header-fields/X-Role'] }])
  })

  test.each([
    ['Authorization: { mirrored: true }', /a meaning of its own/],
    ['If-Match: { required: true }', /a meaning of its own/],
    ['Set-Cookie: { mirrored: true }', /a meaning of its own/],
    ['Content-Length: { format: digits }', /a meaning of its own/],
    ['Access-Control-Allow-Origin: { mirrored: true }', /a meaning of its own/],
    ["'X Role': { required: true }", /the name of a header field/],
    ['X-Role: { required: true }, x-role: { format: digits }', /stands here twice/],
    ['X-Role: {}', /Nothing is asked of it/],
    ['X-Role: { mode: report }', /Nothing is asked of it/],
    ['X-Role: { format: guid }', /Expected one of `uuid`/],
    ['X-Role: { required: true, otherwise: { issue: requird } }', /Did you mean `required`/],
    ['X-Role: { required: true, otherwise: { code: A } }', /outcome\.codes/],
  ])('does not compile: %s', (fields, message) => {
    const result = compiled(fields)
    expect(!result.ok && result.diagnostics.map((one) => one.message)).toEqual([expect.stringMatching(message)])
  })
})
