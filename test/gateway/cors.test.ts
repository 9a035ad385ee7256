import { describe, expect, test } from 'vitest'
import { bootAndClose, shippedPolicy, type Answer, type Settings } from './booted.ts'
import { edit, jsonHeaders, removal, stored } from './records.ts'
import { outcome, resource } from './stub-upstream.ts'

const app = 'https://app.example'
const cors = { origins: [app, 'http://localhost:3000'], credentials: false, headerFields: [], maxAgeMs: 600_000 }

const boot = (settings: Settings = {}) => bootAndClose({ cors, ...settings })

const corsOf = ({ headers }: Answer) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')))

const asks = (method: string, origin = app) => ({ origin, 'access-control-request-method': method })

describe('a page that asks beforehand', () => {
  test.each([
    ['PUT', '/Flag/1'],
    ['GET', '/Flag/1'],
    ['HEAD', '/Flag/1'],
    ['POST', '/Flag'],
    ['GET', '/Flag?patient=1&status=active'],
    ['POST', '/Flag/_search'],
    ['GET', '/metadata'],
  ])('may use %s on [base]%s, which the policy opens, without a word to the upstream', async (method, below) => {
    const booted = await boot()
    const answer = await booted.send('OPTIONS', `/STU3${below}`, {
      ...asks(method),
      'access-control-request-headers': 'authorization,content-type,if-match',
    })
    expect(answer).toMatchObject({ status: 204, body: '' })
    expect(corsOf(answer)).toMatchObject({
      'access-control-allow-origin': app,
      'access-control-allow-methods': method,
      'access-control-max-age': '600',
    })
    expect(answer.headers['access-control-allow-headers']).toMatch(/(?:^|, )Authorization, .*Content-Type, If-Match/)
    expect(answer.headers['vary']).toBe('Origin')
    expect(booted.upstream.seen).toEqual([])
    expect(booted.records).toMatchObject([{ base: '/STU3', decision: 'relayed', status: 204 }])
    expect(booted.records[0]).not.toHaveProperty('interaction')
  })

  test.each([
    ['DELETE', '/Flag/1', 405],
    ['PATCH', '/Flag/1', 405],
    ['PUT', '/Flag?_id=1', 405],
    ['OPTIONS', '/Flag/1', 405],
    ['put', '/Flag/1', 405],
    ['GET', '/Patient/1', 405],
    ['PUT', '/Flag/../Flag/1', 400],
    ['PUT', '/Flag/1?_method=GET', 400],
  ])('may not use %s on [base]%s', async (method, below, status) => {
    const booted = await boot()
    const answer = await booted.send('OPTIONS', `/STU3${below}`, asks(method))
    expect(answer.status).toBe(status)
    expect(answer.headers).not.toHaveProperty('access-control-allow-methods')
    expect(answer.headers['access-control-allow-origin']).toBe(app)
    expect(booted.upstream.seen).toEqual([])
  })

  test('may use what is open in report mode only, since that goes on', async () => {
    const policy = { ...shippedPolicy('nhs-reasonable-adjustments-stu3.yaml'), mode: 'report' as const }
    const booted = await boot({ policy })
    expect((await booted.send('OPTIONS', '/STU3/Flag/1', asks('DELETE'))).status).toBe(204)
  })

  test.each<[string, Record<string, string | string[]>]>([
    ['another origin', asks('PUT', 'https://evil.example')],
    ['an origin within another', asks('PUT', 'https://app.example.evil')],
    ['an origin in capitals', asks('PUT', 'https://APP.example')],
    ['no origin that it tells', asks('PUT', 'null')],
    ['no origin', { 'access-control-request-method': 'PUT' }],
    ['no method', { origin: app }],
    ['two methods', { origin: app, 'access-control-request-method': ['PUT', 'GET'] }],
  ])('is refused as any OPTIONS with %s', async (_what, fields) => {
    const booted = await boot()
    const answer = await booted.send('OPTIONS', '/STU3/Flag/1', fields)
    expect(answer.status).toBe(405)
    expect(answer.headers).not.toHaveProperty('access-control-allow-methods')
    expect(answer.headers['vary']).toBe('Accept, Origin')
  })

  test('is refused where there are two origins', async () => {
    const booted = await boot()
    const raw = await booted.raw(
      `OPTIONS /STU3/Flag/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: ${app}\r\nOrigin: ${app}\r\nAccess-Control-Request-Method: PUT\r\n\r\n`,
    )
    expect(raw).toMatch(/^HTTP\/1\.1 405 /)
    expect(raw.toLowerCase()).not.toContain('access-control-allow')
  })

  test('may set further header fields that the config names', async () => {
    const booted = await boot({ cors: { ...cors, headerFields: ['nhsd-session-urid'] } })
    const answer = await booted.send('OPTIONS', '/STU3/Flag/1', asks('PUT'))
    expect(answer.headers['access-control-allow-headers']).toMatch(/, X-Request-ID, nhsd-session-urid$/)
  })

  test('is refused where the base is closed to pages', async () => {
    const booted = await bootAndClose()
    const answer = await booted.send('OPTIONS', '/STU3/Flag/1', asks('PUT'))
    expect(answer.status).toBe(405)
    expect(corsOf(answer)).toEqual({})
    expect(answer.headers['vary']).toBe('Accept')
  })
})

describe('a page of an origin that is named can read', () => {
  const from = { origin: app }

  test('a resource, its ETag, and nothing that the upstream says of it', async () => {
    const booted = await boot()
    booted.upstream.answers({
      GET: {
        status: 200,
        headers: {
          'content-type': 'application/fhir+json',
          etag: 'W/"3"',
          vary: 'Accept-Encoding',
          'access-control-allow-origin': '*',
          'access-control-allow-credentials': 'true',
          'access-control-allow-methods': 'DELETE',
          'access-control-expose-headers': 'X-Upstream',
        },
        body: JSON.stringify(stored('3')),
      },
    })
    const answer = await booted.send('GET', '/STU3/Flag/1', { ...from, cookie: 'a=b' })
    expect(answer.status).toBe(200)
    const { 'access-control-expose-headers': exposed, ...others } = corsOf(answer)
    expect(others).toEqual({ 'access-control-allow-origin': app })
    expect(String(exposed).split(', ')).toEqual(
      expect.arrayContaining(['ETag', 'FHIR-Policy-Report', 'Location', 'Warning', 'X-Request-ID']),
    )
    expect(answer.headers['vary']).toBe('Accept-Encoding, Origin')
    expect(booted.upstream.seen[0]!.headers).not.toHaveProperty('origin')
  })

  test('a search, whose URLs are rewritten', async () => {
    const booted = await boot()
    booted.upstream.answers({ GET: resource({ resourceType: 'Bundle' }) })
    const answer = await booted.send('GET', '/STU3/Flag', from)
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, app])
  })

  test('that it has what is current', async () => {
    const booted = await boot()
    booted.upstream.answers({ GET: { status: 304, headers: { etag: 'W/"3"' } } })
    const answer = await booted.send('GET', '/STU3/Flag/1', { ...from, 'if-none-match': 'W/"3"' })
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([304, app])
  })

  test('the answer to a write', async () => {
    const booted = await boot()
    booted.upstream.answers({ GET: resource(stored('3'), '3'), PUT: resource(removal, '4') })
    const answer = await booted.send('PUT', '/STU3/Flag/1', { ...from, ...jsonHeaders('3') }, JSON.stringify(removal))
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, app])
  })

  test.each([
    ['a refusal of the policy', edit, {}, 403],
    ['a malformed body', '{', {}, 400],
    ['a missing If-Match', removal, { 'if-match': undefined }, 412],
    ['an error of the upstream', removal, {}, 422],
  ])('why not: %s', async (_what, body, fields, status) => {
    const booted = await boot()
    booted.upstream.answers({ GET: resource(stored('3'), '3'), PUT: outcome(422, 'no') })
    const headers = Object.fromEntries(
      Object.entries({ ...from, ...jsonHeaders('3'), ...fields }).filter(([, value]) => value !== undefined),
    )
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await booted.send('PUT', '/STU3/Flag/1', headers, text)
    expect(answer.status).toBe(status)
    expect(answer.headers['access-control-allow-origin']).toBe(app)
    expect(answer.headers['access-control-expose-headers']).toContain('WWW-Authenticate')
    expect(answer.headers['vary']).toBe('Accept, Origin')
  })

  test('that the upstream is not there', async () => {
    const booted = await boot({ upstreamUrl: new URL('http://127.0.0.1:1/fhir') })
    const answer = await booted.send('GET', '/STU3/Flag/1', from)
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([502, app])
  })

  test('a fault of the gateway', async () => {
    const judge = () => {
      throw new Error('x')
    }
    const booted = await boot({ judge })
    booted.upstream.answers({ GET: resource(stored('3'), '3') })
    const answer = await booted.send('PUT', '/STU3/Flag/1', { ...from, ...jsonHeaders('3') }, JSON.stringify(removal))
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([500, app])
  })
})

test.each(['https://evil.example', undefined])(
  'a page of another origin (%s) may read nothing, and no cache gives it what another got',
  async (origin) => {
    const booted = await boot()
    booted.upstream.answers({ GET: resource(stored('3'), '3') })
    const answer = await booted.send('GET', '/STU3/Flag/1', origin === undefined ? {} : { origin })
    expect(answer.status).toBe(200)
    expect(corsOf(answer)).toEqual({})
    expect(answer.headers['vary']).toBe('Origin')
  },
)

test('all origins may be named, and then no answer varies with them', async () => {
  const booted = await boot({ cors: { ...cors, origins: ['*'] } })
  booted.upstream.answers({ GET: resource(stored('3'), '3') })
  const answer = await booted.send('GET', '/STU3/Flag/1', { origin: 'https://any.example' })
  expect(answer.headers['access-control-allow-origin']).toBe('*')
  expect(answer.headers).not.toHaveProperty('vary')
  expect((await booted.send('OPTIONS', '/STU3/Flag/1', asks('PUT', 'null'))).status).toBe(204)
})

test('credentials that browsers keep are allowed where the config says so', async () => {
  const booted = await boot({ cors: { ...cors, credentials: true } })
  const allowed = await booted.send('OPTIONS', '/STU3/Flag/1', asks('PUT'))
  expect(allowed.headers['access-control-allow-credentials']).toBe('true')
  const other = await booted.send('OPTIONS', '/STU3/Flag/1', asks('PUT', 'https://evil.example'))
  expect(corsOf(other)).toEqual({})
})

test('outside of every base nothing is said of pages', async () => {
  const booted = await boot()
  expect(corsOf(await booted.send('GET', '/x', { origin: app }))).toEqual({})
})
