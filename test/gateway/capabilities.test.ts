import { describe, expect, test } from 'vitest'
import { bootAndClose, shippedPolicy, type Booted, type Settings } from './booted.ts'
import { outcome, resource, type StubAnswer } from './stub-upstream.ts'
import { compiled } from '../unit/policy/small-policy.ts'

const get = 'GET /fhir/metadata'

const interactions = ['read', 'vread', 'update', 'patch', 'delete', 'create', 'search-type']

/** What a server says of itself, below a base. */
const statementOf = (base: string, more: object = {}) => ({
  resourceType: 'CapabilityStatement',
  status: 'active',
  date: '2026-01-01',
  kind: 'instance',
  implementation: { description: 'A server', url: base },
  fhirVersion: '3.0.2',
  acceptUnknown: 'both',
  format: ['application/fhir+json', 'application/fhir+xml'],
  rest: [
    {
      mode: 'server',
      resource: ['Flag', 'Patient'].map((type) => ({ type, interaction: interactions.map((code) => ({ code })) })),
    },
  ],
  ...more,
})

async function start(settings: Settings = {}, answer?: (base: string) => StubAnswer): Promise<Booted> {
  const booted = await bootAndClose(settings)
  const { href } = booted.upstream.url
  booted.upstream.answers({ [get]: answer?.(href) ?? resource(statementOf(href)) })
  return booted
}

const codesOf = (body: string) => {
  const [flag] = JSON.parse(body).rest[0].resource
  return (flag.interaction as { code: string }[]).map(({ code }) => code)
}

describe('/metadata', () => {
  test('is the upstream’s, narrowed to the policy, with the gateway’s URL', async () => {
    const booted = await start()
    const answer = await booted.send('GET', '/STU3/metadata')
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/fhir+json;charset=utf-8',
      'cache-control': 'no-cache',
      vary: 'Accept',
    })
    const json = JSON.parse(answer.body)
    expect(json.implementation).toEqual({ description: 'A server', url: `${booted.origin}/STU3` })
    expect(json.rest[0].resource.map(({ type }: { type: string }) => type)).toEqual(['Flag'])
    expect(codesOf(answer.body)).toEqual(['read', 'vread', 'update', 'create', 'search-type'])
    expect(json.rest[0].documentation).toContain('nhs-reasonable-adjustments@')
    expect(answer.body).not.toContain(booted.upstream.url.host)
    expect(booted.records[0]).toMatchObject({ interaction: 'capabilities', decision: 'relayed', status: 200 })
  })

  test('names what is refused as closed, and what is open as open', async () => {
    const booted = await start()
    const open = new Set(codesOf((await booted.send('GET', '/STU3/metadata')).body))
    const asked = { update: 'PUT', patch: 'PATCH', delete: 'DELETE' } as const
    for (const [code, method] of Object.entries(asked)) {
      const { status } = await booted.send(method, '/STU3/Flag/1')
      expect([code, status === 405]).toEqual([code, !open.has(code)])
    }
  })

  test('is asked of the upstream once, without what is the caller’s', async () => {
    const booted = await start()
    const field = { authorization: 'Bearer token', 'user-agent': 'x', 'x-correlation-id': 'y', 'if-none-match': '"z"' }
    const [first, second] = await Promise.all([
      booted.send('GET', '/STU3/metadata', field),
      booted.send('GET', '/STU3/metadata'),
    ])
    expect([first.status, second.status]).toEqual([200, 200])
    expect((await booted.send('HEAD', '/STU3/metadata')).headers['content-length']).toBe(
      String(Buffer.byteLength(first.body)),
    )
    expect(booted.upstream.seen).toHaveLength(1)
    expect(Object.keys(booted.upstream.seen[0]!.headers).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'via',
    ])
  })

  test('has a strong ETag, with which it is told that nothing has changed', async () => {
    const booted = await start()
    const { headers } = await booted.send('GET', '/STU3/metadata')
    const tag = headers.etag!
    expect(tag).toMatch(/^"[\w-]{43}"$/)
    for (const ifNoneMatch of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      const answer = await booted.send('GET', '/STU3/metadata', { 'if-none-match': ifNoneMatch })
      expect(answer).toMatchObject({ status: 304, body: '', headers: { etag: tag } })
    }
    for (const ifNoneMatch of ['"x"', tag.slice(1, -1)]) {
      expect((await booted.send('GET', '/STU3/metadata', { 'if-none-match': ifNoneMatch })).status).toBe(200)
    }
    const xml = await booted.send('GET', '/STU3/metadata', { accept: 'application/fhir+xml' })
    const elsewhere = await booted.send('GET', '/STU3/metadata', { host: 'elsewhere.example' })
    expect(new Set([tag, xml.headers.etag, elsewhere.headers.etag]).size).toBe(3)
  })

  test('has each caller’s own URL, but for that of PUBLIC_URL', async () => {
    const booted = await start()
    const urlFor = async (host: string) =>
      JSON.parse((await booted.send('GET', '/STU3/metadata', { host })).body).implementation.url as string
    expect(await urlFor('one.example')).toBe('http://one.example/STU3')
    expect(await urlFor('two.example')).toBe('http://two.example/STU3')
    expect(booted.upstream.seen).toHaveLength(1)
    const known = await start({ publicUrl: new URL('https://fhir.example') })
    const { body } = await known.send('GET', '/STU3/metadata')
    expect(JSON.parse(body).implementation.url).toBe('https://fhir.example/STU3')
  })

  test.each([
    ['GET', '/STU3/metadata', { accept: 'application/fhir+xml' }],
    ['GET', '/STU3/metadata?_format=xml', {}],
  ])('%s %s is XML where that is asked for', async (method, target, fields) => {
    const booted = await start({}, (base) => ({
      status: 200,
      headers: { 'content-type': 'application/fhir+xml' },
      body:
        `<CapabilityStatement xmlns="http://hl7.org/fhir"><status value="active"/><kind value="instance"/>` +
        `<implementation><description value="x"/><url value="${base}"/></implementation><fhirVersion value="3.0.2"/>` +
        `<rest><mode value="server"/><resource><type value="Flag"/><interaction><code value="delete"/></interaction>` +
        `<interaction><code value="update"/></interaction></resource></rest></CapabilityStatement>`,
    }))
    const answer = await booted.send(method, target, { host: 'a&b.example', ...fields })
    expect(answer.status).toBe(400)
    const told = await booted.send(method, target, fields)
    expect(told.headers['content-type']).toBe('application/fhir+xml;charset=utf-8')
    expect(told.body).toContain(`<url value="${booted.origin}/STU3"/>`)
    expect(told.body).toContain('<code value="update"/><documentation value="The request names')
    expect(told.body).toContain('<versioning value="versioned-update"/>')
    expect(told.body).not.toContain('delete')
  })

  test.each([
    ['?mode=full', 200],
    ['?_summary=true&_pretty=true', 200],
    ['?_elements=rest', 200],
    ['?mode=terminology', 400],
    ['?mode=normative', 400],
    ['?name=x', 400],
    ['?_format=html', 406],
  ])('with %s is answered %i', async (query, status) => {
    const booted = await start()
    expect((await booted.send('GET', `/STU3/metadata${query}`)).status).toBe(status)
  })

  test('goes on in report mode with a query that the whole does not answer', async () => {
    const booted = await start({
      policy: compiled('policy: p\nfhir: 3.0.2\nmode: report\nresources: { Flag: { interactions: [read] } }'),
    })
    booted.upstream.answers({ GET: resource({ resourceType: 'CapabilityStatement', name: 'terminology' }) })
    const answer = await booted.send('GET', '/STU3/metadata?mode=terminology')
    expect(JSON.parse(answer.body)).toMatchObject({ name: 'terminology' })
    expect(booted.upstream.seen[0]!.url).toBe('/fhir/metadata?mode=terminology')
  })

  test('tells in report mode what is open then', async () => {
    const booted = await start({
      policy: compiled('policy: p\nfhir: 3.0.2\nmode: report\nresources: { Flag: { interactions: [read] } }'),
      profile: { pinnedDelete: 'history-version' },
    })
    const answer = await booted.send('GET', '/STU3/metadata')
    expect(codesOf(answer.body)).toEqual(interactions)
    expect(answer.headers['fhir-policy-report']).toBe('"interaction-not-offered";at="system.capabilities"')
  })

  test('of another policy is another, once that is in force', async () => {
    const booted = await start()
    const { headers } = await booted.send('GET', '/STU3/metadata')
    booted.reconfigure({
      policy: compiled(
        'policy: other\nfhir: 3.0.2\nsystem: { interactions: [capabilities] }\nresources: { Flag: { interactions: [read] } }',
      ),
    })
    const answer = await booted.send('GET', '/STU3/metadata', { 'if-none-match': headers.etag })
    expect(answer.status).toBe(200)
    expect(codesOf(answer.body)).toEqual(['read'])
  })

  test('is asked for anew when the upstream has been away', async () => {
    const booted = await start()
    await booted.send('GET', '/STU3/metadata')
    booted.gateway.forgetStoredVersions()
    booted.upstream.answers({ [get]: resource(statementOf(booted.upstream.url.href, { name: 'Other' })) })
    expect(JSON.parse((await booted.send('GET', '/STU3/metadata')).body).name).toBe('Other')
  })

  test('comes through although the server writes empty values', async () => {
    const booted = await start({}, (base) =>
      resource(statementOf(base, { name: '', contact: [], software: {}, instantiates: null })),
    )
    expect((await booted.send('GET', '/STU3/metadata')).status).toBe(200)
  })
})

describe('/metadata of a server that wants to know who asks', () => {
  const asks = (base: string): StubAnswer => {
    const body = JSON.stringify(statementOf(base))
    return (res, req) => {
      const known = req.headers.authorization === 'Bearer a'
      res.writeHead(known ? 200 : 401, { 'content-type': 'application/fhir+json', 'www-authenticate': 'Bearer' })
      res.end(known ? body : '{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"login"}]}')
    }
  }

  test('is told to those whom it tells it, and kept for nobody', async () => {
    const booted = await start({}, asks)
    const known = await booted.send('GET', '/STU3/metadata', { authorization: 'Bearer a' })
    expect([known.status, known.headers['cache-control']]).toEqual([200, 'private, no-cache'])
    for (const fields of [{}, { authorization: 'Bearer b' }]) {
      const unknown = await booted.send('GET', '/STU3/metadata', fields)
      expect([unknown.status, unknown.headers['www-authenticate']]).toEqual([401, 'Bearer'])
    }
  })

  test('is asked for each tenant, where a header field says which', async () => {
    const booted = await start({ forwardHeaderFields: ['x-tenant'] })
    for (const tenant of ['a', 'b']) await booted.send('GET', '/STU3/metadata', { 'x-tenant': tenant })
    expect(booted.upstream.seen.map(({ headers }) => headers['x-tenant'])).toEqual(['a', 'b'])
  })
})

describe('/metadata of a server whose statement cannot be used', () => {
  test.each<[what: string, answer: StubAnswer, status: number, says: string]>([
    ['is no FHIR', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }, 502, 'neither FHIR JSON'],
    ['is another resource', resource({ resourceType: 'Flag' }), 502, 'another resource'],
    ['is no JSON', resource('{"resourceType"'), 502, 'cannot be used'],
    [
      'breaks FHIR’s grammar',
      resource({ resourceType: 'CapabilityStatement', rest: { mode: 'server' } }),
      502,
      'CapabilityStatement.rest: ',
    ],
    ['is an error', outcome(500, 'down'), 500, 'answered 500'],
    ['is not there', (res) => void res.destroy(), 502, 'cannot be reached'],
    [
      'is larger than the bound',
      resource({ resourceType: 'CapabilityStatement', name: 'x'.repeat(300_000) }),
      502,
      'larger',
    ],
  ])('because it %s says so, and is asked again', async (_what, answer, status, says) => {
    const booted = await start({}, () => answer)
    const told = await booted.send('GET', '/STU3/metadata')
    expect([told.status, told.body]).toEqual([status, expect.stringContaining(says)])
    booted.upstream.answers({ [get]: resource(statementOf(booted.upstream.url.href)) })
    expect((await booted.send('GET', '/STU3/metadata')).status).toBe(200)
  })
})

describe('/metadata as an entry of a Bundle', () => {
  const bundle = (type: string, url = 'metadata') =>
    JSON.stringify({ resourceType: 'Bundle', type, entry: [{ request: { method: 'GET', url } }] })
  const fields = { 'content-type': 'application/fhir+json' }
  const r4 = (base: string) => {
    const { acceptUnknown: _, ...rest } = statementOf(base)
    return resource({ ...rest, fhirVersion: '4.0.1' })
  }
  const settings: Settings = { policy: shippedPolicy('general-r4.yaml') }

  test('is narrowed in a batch', async () => {
    const booted = await start(settings, r4)
    const answer = await booted.send('POST', '/STU3', fields, bundle('batch'))
    const [{ resource: told }] = JSON.parse(answer.body).entry
    expect(told.rest[0].documentation).toContain('general-r4@')
    const refused = await booted.send('POST', '/STU3', fields, bundle('batch', 'metadata?mode=terminology'))
    expect(JSON.parse(refused.body).entry[0].response.status).toMatch(/^400/)
  })

  test('is refused in a transaction, which the server itself would answer', async () => {
    const booted = await start(settings, r4)
    const answer = await booted.send('POST', '/STU3', fields, bundle('transaction'))
    expect([answer.status, answer.body]).toEqual([422, expect.stringContaining('CapabilityStatement is not offered')])
    expect(booted.upstream.seen).toEqual([])
  })
})
