import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { compiled } from '../unit/policy/small-policy.ts'
import { boot, type Answer, type Booted } from './booted.ts'
import { outcome, resource } from './stub-upstream.ts'

type Json = Record<string, unknown>
type Rule = 'required' | 'optional' | 'forbidden'

const policyWith = (ifMatch: Rule) =>
  compiled(`policy: p
fhir: 4.0.1
system: { interactions: [transaction, batch] }
resources:
  Flag:
    interactions: [read, create, update, patch, delete]
    conditional: [update, patch, delete, create]
    update:
      if-match: ${ifMatch}
      changes: { removal: [{ replaced: status, from: active, to: inactive }] }
    delete:
      if-match: ${ifMatch}
      changes: { remove: [{ removed: $this, open: true, holds: { status: { is: active } } }] }
    create:
      changes: { new: [{ added: $this, open: true }] }
`)
const profile = { pagingParameter: '_getpages', pinnedDelete: 'history-version' } as const

const opened: Booted[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((booted) => booted.close()))
})
async function start(ifMatch: Rule, upstreamUrl?: URL): Promise<Booted> {
  const booted = await boot({ path: '/R4', policy: policyWith(ifMatch), profile, ...(upstreamUrl && { upstreamUrl }) })
  opened.push(booted)
  return booted
}

const flag: Json = {
  resourceType: 'Flag',
  id: '1',
  status: 'active',
  code: { text: 'Deaf' },
  subject: { display: 'A' },
}
const inactive: Json = { ...flag, status: 'inactive' }
const { id: _, ...inactiveWithoutId } = inactive
const xml = (status: string) =>
  `<Flag xmlns="http://hl7.org/fhir"><id value="1"/><status value="${status}"/><code><text value="Deaf"/></code><subject><display value="A"/></subject></Flag>`
const xmlType = 'application/fhir+xml'
const jsonType = 'application/fhir+json'
const get = 'GET /fhir/Flag/1'
const put = 'PUT /fhir/Flag/1'
const search = 'GET /fhir/Flag?identifier=a&_count=2'
const remove = 'DELETE /fhir/Flag/1/_history/7'

/** What the upstream was asked: method, target, and the version to which it is pinned. */
const asked = ({ upstream }: Booted) =>
  upstream.seen.map(({ method, url, headers }) => [`${method} ${url}`, headers['if-match']])

/** The stub has version 7. */
function answers({ upstream }: Booted): void {
  const xmlAnswer = (status: string, version: string) => ({
    status: 200,
    headers: { 'content-type': xmlType, etag: `W/"${version}"` },
    body: xml(status),
  })
  const byFormat =
    (json: Json, status: string, version: string) =>
    (res: import('node:http').ServerResponse, req: import('node:http').IncomingMessage) => {
      const inXml = req.headers.accept === xmlType
      const { headers, body } = inXml
        ? xmlAnswer(status, version)
        : { headers: { 'content-type': jsonType, etag: `W/"${version}"` }, body: JSON.stringify(json) }
      res.writeHead(200, headers).end(body)
    }
  upstream.answers({
    [get]: byFormat(flag, 'active', '7'),
    [put]: byFormat(inactive, 'inactive', '8'),
    [search]: resource({ resourceType: 'Bundle', type: 'searchset', entry: [{ resource: flag }] }),
    [remove]: { status: 204 },
    'POST /fhir': resource({
      resourceType: 'Bundle',
      type: 'transaction-response',
      entry: [{ response: { status: '200 OK' } }],
    }),
  })
}

const bundle = (type: string, ifMatch?: string) =>
  JSON.stringify({
    resourceType: 'Bundle',
    type,
    entry: [{ resource: inactive, request: { method: 'PUT', url: 'Flag/1', ...(ifMatch && { ifMatch }) } }],
  })
const jsonPatch = JSON.stringify([{ op: 'replace', path: '/status', value: 'inactive' }])
const xmlPatch = '<diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Flag/f:status/@value">inactive</replace></diff>'

interface Way {
  readonly method: string
  readonly target: string
  readonly type: string
  readonly body: string | undefined
  /** What reaches the upstream. */
  readonly asked: readonly (readonly [string, string | undefined])[]
}

const pinned = [put, 'W/"7"'] as const
const ways: Readonly<Record<string, Way>> = {
  'a PUT in JSON': {
    method: 'PUT',
    target: '/Flag/1',
    type: jsonType,
    body: JSON.stringify(inactive),
    asked: [[get, undefined], pinned],
  },
  'a PUT in XML': {
    method: 'PUT',
    target: '/Flag/1',
    type: xmlType,
    body: xml('inactive'),
    asked: [[get, undefined], pinned],
  },
  'a JSON Patch': {
    method: 'PATCH',
    target: '/Flag/1',
    type: 'application/json-patch+json',
    body: jsonPatch,
    asked: [[get, undefined], pinned],
  },
  'an XML Patch': {
    method: 'PATCH',
    target: '/Flag/1',
    type: 'application/xml-patch+xml',
    body: xmlPatch,
    asked: [[get, undefined], pinned],
  },
  'a conditional update': {
    method: 'PUT',
    target: '/Flag?identifier=a',
    type: jsonType,
    body: JSON.stringify(inactiveWithoutId),
    asked: [[search, undefined], [get, undefined], pinned],
  },
  'a conditional patch': {
    method: 'PATCH',
    target: '/Flag?identifier=a',
    type: 'application/json-patch+json',
    body: jsonPatch,
    asked: [[search, undefined], [get, undefined], pinned],
  },
  'a delete': {
    method: 'DELETE',
    target: '/Flag/1',
    type: jsonType,
    body: undefined,
    asked: [
      [get, undefined],
      [remove, 'W/"7"'],
    ],
  },
  'a conditional delete': {
    method: 'DELETE',
    target: '/Flag?identifier=a',
    type: jsonType,
    body: undefined,
    asked: [
      [search, undefined],
      [get, undefined],
      [remove, 'W/"7"'],
    ],
  },
  'an entry of a batch': {
    method: 'POST',
    target: '',
    type: jsonType,
    body: bundle('batch'),
    asked: [[get, undefined], pinned],
  },
  'an entry of a transaction': {
    method: 'POST',
    target: '',
    type: jsonType,
    body: bundle('transaction'),
    asked: [
      [get, undefined],
      ['POST /fhir', undefined],
    ],
  },
}

const sendBy = (
  booted: Booted,
  { method, target, type, body }: Way,
  more: Record<string, string> = {},
): Promise<Answer> =>
  booted.send(method, `/R4${target}`, { ...(body !== undefined && { 'content-type': type }), ...more }, body)

describe.each(['optional', 'forbidden'] as const)('where If-Match is %s', (rule) => {
  test.each(Object.entries(ways))(
    '%s without it reads the current version once, judges that, and is pinned to it',
    async (_name, way) => {
      const booted = await start(rule)
      answers(booted)
      const answer = await sendBy(booted, way)
      expect(answer.status).toBe(way.method === 'DELETE' ? 204 : 200)
      expect(asked(booted)).toEqual(way.asked)
      expect(booted.records).toMatchObject([{ decision: 'permitted' }])
      expect(booted.records[0]).not.toHaveProperty('reported')
    },
  )

  test('the current version is never taken from the cache', async () => {
    const booted = await start(rule)
    // The server finds nothing to change, so that the version is cached when the second one comes.
    booted.upstream.answers({ [get]: resource(flag, '7'), [put]: resource(inactive, '7') })
    await sendBy(booted, ways['a PUT in JSON']!)
    expect(booted.gateway.storedVersions()).toMatchObject([{ entries: 1 }])
    await sendBy(booted, ways['a PUT in JSON']!)
    expect(asked(booted).map(([what]) => what)).toEqual([get, put, get, put])
  })

  test('a transaction pins each update in its entry', async () => {
    const booted = await start(rule)
    answers(booted)
    await sendBy(booted, ways['an entry of a transaction']!)
    const { entry } = JSON.parse(booted.upstream.seen[1]!.body) as { entry: { request: Json }[] }
    expect(entry[0]!.request).toEqual({ method: 'PUT', url: 'Flag/1', ifMatch: 'W/"7"' })
  })

  test('what the rules refuse is refused, and nothing is sent', async () => {
    const booted = await start(rule)
    answers(booted)
    const way = ways['a PUT in JSON']!
    const answer = await sendBy(booted, { ...way, body: JSON.stringify({ ...flag, language: 'en' }) })
    expect(answer.status).toBe(422)
    expect(asked(booted)).toEqual([[get, undefined]])
  })

  test.each([
    ['a PUT in JSON', put, 412],
    ['a PUT in JSON', put, 409],
    ['a delete', remove, 409],
    ['an entry of a transaction', 'POST /fhir', 412],
  ])('%s that another request overtakes changes nothing and is told so: %s %i', async (name, target, status) => {
    const booted = await start(rule)
    answers(booted)
    const current = resource(flag, '7')
    booted.upstream.answers({ [get]: current, [target]: outcome(status, 'version conflict') })
    const answer = await sendBy(booted, ways[name]!)
    expect(answer.status).toBe(412)
    expect(answer.body).toContain('was changed by another request in the meantime')
  })

  test.each([
    [404, 404],
    [410, 410],
    [401, 401],
    [500, 500],
  ])('a current version that is answered with %i is told as %i', async (status, told) => {
    const booted = await start(rule)
    booted.upstream.answers({ [get]: outcome(status, 'no') })
    expect((await sendBy(booted, ways['a PUT in JSON']!)).status).toBe(told)
    expect(asked(booted)).toEqual([[get, undefined]])
  })

  test('a current version without a version id is not judged', async () => {
    const booted = await start(rule)
    booted.upstream.answers({ [get]: resource(flag) })
    expect((await sendBy(booted, ways['a PUT in JSON']!)).status).toBe(502)
    expect(asked(booted)).toEqual([[get, undefined]])
  })

  test.each(['', '*', 'W/"1", W/"2"', '7'])('one that is malformed is refused: %j', async (ifMatch) => {
    const booted = await start(rule)
    const answer = await sendBy(booted, ways['a PUT in JSON']!, { 'if-match': ifMatch })
    expect(answer.status).toBe(412)
    expect(booted.upstream.seen).toEqual([])
  })
})

describe('where If-Match is optional', () => {
  test('the version that it names is judged, as where it is required', async () => {
    const booted = await start('optional')
    answers(booted)
    const way = ways['a PUT in JSON']!
    expect((await sendBy(booted, way, { 'if-match': 'W/"7"' })).status).toBe(200)
    const stale = await sendBy(booted, way, { 'if-match': 'W/"6"' })
    expect([stale.status, stale.body.includes('The version that If-Match names is not the current one')]).toEqual([
      412,
      true,
    ])
    expect(asked(booted)).toEqual([[get, undefined], pinned, [get, undefined]])
  })
})

describe('where If-Match is forbidden', () => {
  test.each(Object.entries(ways).filter(([, { target }]) => target !== ''))(
    '%s with it is refused',
    async (_name, way) => {
      const booted = await start('forbidden')
      const answer = await sendBy(booted, way, { 'if-match': 'W/"7"' })
      expect(answer.status).toBe(412)
      expect(booted.records).toMatchObject([{ refusedBy: ['precondition-not-offered'] }])
      expect(booted.upstream.seen).toEqual([])
    },
  )

  test.each(['batch', 'transaction'])('an entry of a %s with ifMatch is refused', async (type) => {
    const booted = await start('forbidden')
    const way = ways['an entry of a batch']!
    await sendBy(booted, { ...way, body: bundle(type, 'W/"7"') })
    expect(booted.records).toMatchObject([{ refusedBy: ['precondition-not-offered'] }])
    expect(booted.upstream.seen).toEqual([])
  })
})

describe('in front of the sandbox', () => {
  let sandbox: Awaited<ReturnType<typeof startSandbox>>
  beforeEach(async () => {
    sandbox = await startSandbox({ fhirVersion: '4.0.1' })
  })
  afterEach(() => sandbox.close())

  async function stored(): Promise<string> {
    const { id: _id, ...body } = flag
    const made = await fetch(`${sandbox.url}/Flag`, {
      method: 'POST',
      headers: { 'content-type': jsonType },
      body: JSON.stringify(body),
    })
    return /Flag\/([^/]+)\/_history/.exec(made.headers.get('location')!)![1]!
  }
  const send = (booted: Booted, method: string, id: string, body: object | undefined, type = jsonType) =>
    booted.send(method, `/R4/Flag/${id}`, body ? { 'content-type': type } : {}, body && JSON.stringify(body))

  test.each(['optional', 'forbidden'] as const)(
    'writes without If-Match are stored, one version after another: %s',
    async (rule) => {
      const booted = await start(rule, new URL(sandbox.url))
      const [one, other, third] = [await stored(), await stored(), await stored()]
      expect((await send(booted, 'PUT', one, { ...inactive, id: one })).headers['etag']).toBe('W/"2"')
      const patched = await send(booted, 'PATCH', other, JSON.parse(jsonPatch) as object, 'application/json-patch+json')
      expect(patched.headers['etag']).toBe('W/"2"')
      expect((await send(booted, 'DELETE', third, undefined)).status).toBe(204)
      expect((await send(booted, 'PUT', third, { ...inactive, id: third })).status).toBe(410)
      expect((await send(booted, 'PUT', 'unknown', { ...inactive, id: 'unknown' })).status).toBe(404)
      expect((await send(booted, 'DELETE', one, undefined)).status).toBe(422)
    },
  )

  test('of two removals at once one is stored, and the other is told of it or changes nothing', async () => {
    const booted = await start('optional', new URL(sandbox.url))
    const id = await stored()
    const all = await Promise.all(Array.from({ length: 8 }, () => send(booted, 'PUT', id, { ...inactive, id })))
    expect(all.map(({ status }) => status).filter((status) => status !== 200 && status !== 412)).toEqual([])
    expect(all.filter(({ status }) => status === 200).length).toBeGreaterThan(0)
  })
})
