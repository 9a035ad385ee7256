import { describe, expect, test } from 'vitest'
import type { TokenTerms } from '../../src/config/config.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { bootAndClose, type Answer, type Booted } from './booted.ts'
import { startIssuer } from './issuer.ts'
import { resource } from './stub-upstream.ts'

const compiled = compilePolicy(
  'p.yaml',
  `policy: p
fhir: 4.0.1
system: { interactions: [batch, transaction, search-system, paging], operations: { $close: { methods: [POST] } } }
resources:
  Flag:
    interactions: [read, vread, history-instance, history-type, search-type, create, update, patch, delete]
    conditional: [create, update, patch, delete]
    operations: { $count: { methods: [GET, POST] } }
    update: &rules
      if-match: optional
      rest: { permit-as: edit }
      invariants:
        - rule: only a clerk ends a flag
          when: "%after.status = 'inactive'"
          require: "%scopes contains 'clerk'"
          otherwise: { status: 403, issue: forbidden }
    create: { rest: { permit-as: new } }
    delete: { if-match: optional, rest: { permit-as: gone } }
  List:
    interactions: [read, create, search-type]
    create: { rest: { permit-as: new } }
`,
)
if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
const { policy } = compiled

const flag = { resourceType: 'Flag', id: '1', status: 'active', code: { text: 'a' }, subject: { display: 'b' } }
const json = 'application/fhir+json'

/** A gateway that asks for scopes, and a way to send what a token with some of them asks. */
async function start(terms: Partial<Exclude<TokenTerms['scopes'], 'off'>> = {}) {
  const scopeTerms = { patient: 'grant-nothing', operations: new Map(), ...terms } as const
  const issuer = await startIssuer({ scopes: scopeTerms })
  const booted = await bootAndClose({
    path: '/R4',
    policy,
    tokens: issuer.terms,
    profile: { pagingParameter: '_getpages', pinnedDelete: 'history-version' },
  })
  const empty = resource({ resourceType: 'Bundle', type: 'searchset', total: 0 })
  const one = resource({
    resourceType: 'Bundle',
    type: 'searchset',
    entry: [{ resource: { ...flag, meta: { versionId: '3' } }, search: { mode: 'match' } }],
  })
  booted.upstream.answers({
    GET: empty,
    'GET /fhir/Flag/1': resource(flag, '3'),
    'GET /fhir/Flag/1/_history/3': resource(flag, '3'),
    'GET /fhir/Flag?code=a&_count=2': one,
    PUT: resource(flag, '4'),
    POST: resource(flag, '1', 201),
    'POST /fhir/Flag/_search': empty,
    'POST /fhir/$close': resource({ resourceType: 'Parameters' }),
    DELETE: { status: 204 },
  })
  const send = async (scope: string, method: string, target: string, body?: object | string, headers = {}) =>
    booted.send(
      method,
      `/R4${target}`,
      {
        authorization: `Bearer ${await issuer.token({ scope })}`,
        ...(body !== undefined && { 'content-type': json }),
        ...headers,
      },
      typeof body === 'object' ? JSON.stringify(body) : body,
    )
  return { booted, send }
}

const issues = (answer: Answer) =>
  (JSON.parse(answer.body) as { issue: { code: string; diagnostics: string; expression?: string[] }[] }).issue

const reached = (booted: Booted) => booted.upstream.seen.length

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const patch = { 'content-type': 'application/json-patch+json' }

/** What a request needs: it goes on with exactly these, and with none of them missing. */
const rows: readonly (readonly [string, string, string, readonly string[], (object | string)?, object?])[] = [
  ['a read', 'GET', '/Flag/1', ['user/Flag.r']],
  ['a HEAD', 'HEAD', '/Flag/1', ['user/Flag.r']],
  ['a read of a version', 'GET', '/Flag/1/_history/3', ['user/Flag.r']],
  ['the history of a resource', 'GET', '/Flag/1/_history', ['user/Flag.r']],
  ['the history of a type', 'GET', '/Flag/_history', ['user/Flag.s']],
  ['a search', 'GET', '/Flag?status=active', ['user/Flag.s']],
  ['a search by POST', 'POST', '/Flag/_search', ['user/Flag.s'], 'status=active', form],
  ['a search of all types', 'GET', '?_lastUpdated=gt2026', ['user/*.s']],
  [
    'a search that brings another type',
    'GET',
    '/Flag?_include=Flag:subject:Patient',
    ['user/Flag.s', 'user/Patient.r'],
  ],
  [
    'a search by POST that brings another type',
    'POST',
    '/Flag/_search',
    ['user/Flag.s', 'user/Provenance.s'],
    '_revinclude=Provenance:target',
    form,
  ],
  ['a page', 'GET', '?_getpages=1', ['user/*.s']],
  [
    'a page that brings another type',
    'GET',
    '?_getpages=1&_include=Flag:subject:Patient',
    ['user/*.s', 'user/Patient.r'],
  ],
  ['a create', 'POST', '/Flag', ['user/Flag.c'], flag],
  ['a conditional create', 'POST', '/Flag', ['user/Flag.c', 'user/Flag.s'], flag, { 'if-none-exist': 'code=a' }],
  [
    'one by criteria that reach another type',
    'POST',
    '/Flag',
    ['user/Flag.c', 'user/Flag.s', 'user/Group.s'],
    flag,
    { 'if-none-exist': 'Flag?_has:Group:member:code=a' },
  ],
  [
    'one whose criteria hold a question mark',
    'POST',
    '/Flag',
    ['user/Flag.c', 'user/Flag.s', 'user/Group.s'],
    flag,
    { 'if-none-exist': '_has:Group:member:code=a&code=x?' },
  ],
  ['an update', 'PUT', '/Flag/1', ['user/Flag.u'], flag],
  ['a conditional update', 'PUT', '/Flag?code=a', ['user/Flag.u', 'user/Flag.s'], flag],
  ['a patch', 'PATCH', '/Flag/1', ['user/Flag.u'], '[{"op":"replace","path":"/code/text","value":"c"}]', patch],
  ['a delete', 'DELETE', '/Flag/1', ['user/Flag.d']],
  ['a conditional delete', 'DELETE', '/Flag?code=a', ['user/Flag.d', 'user/Flag.s']],
]

const table = rows.map(([name, method, target, needed, body, headers]) => ({
  name,
  method,
  target,
  needed,
  body,
  headers,
}))

describe('the scopes of a token', () => {
  test.each(table)('cover $name when they are there, and only then', async (row) => {
    const { method, target, needed, body, headers } = row
    const { booted, send } = await start()
    for (const missing of needed) {
      const others = needed.filter((one) => one !== missing)
      const answer = await send(['openid', 'user/List.cruds', ...others].join(' '), method, target, body, headers)
      expect(answer.status).toBe(403)
      const sentence = `The scopes of the token do not cover this; it needs ${missing}.`
      expect(answer.body === '' ? 'HEAD' : issues(answer)[0]!.diagnostics).toBe(method === 'HEAD' ? 'HEAD' : sentence)
      expect(answer.headers['www-authenticate']).toBe(
        `Bearer realm="/R4", error="insufficient_scope", error_description="${sentence}", scope="${missing}"`,
      )
    }
    expect(reached(booted)).toBe(0)
    const answer = await send(needed.join(' '), method, target, body, headers)
    expect(answer.status).toBeLessThan(300)
    expect(reached(booted)).toBeGreaterThan(0)
    expect(booted.records.map(({ refusedBy }) => refusedBy)).toEqual([
      ...needed.map(() => ['scope-missing']),
      undefined,
    ])
  })

  test('of version 1 cover the same', async () => {
    const { send } = await start()
    expect((await send('user/Flag.read', 'GET', '/Flag/1')).status).toBe(200)
    expect((await send('user/Flag.read', 'PUT', '/Flag/1', flag)).status).toBe(403)
    expect((await send('user/*.write', 'PUT', '/Flag/1', flag)).status).toBe(200)
    expect((await send('user/*.write', 'PUT', '/Flag?code=a', flag)).status).toBe(403)
  })

  test('within the compartment of a patient count only where the upstream enforces that', async () => {
    const scope = 'launch/patient patient/Flag.cruds'
    expect((await (await start()).send(scope, 'GET', '/Flag/1')).status).toBe(403)
    expect((await (await start({ patient: 'upstream-enforces' })).send(scope, 'GET', '/Flag/1')).status).toBe(200)
  })

  test('are told as the caller could have them', async () => {
    const { send } = await start()
    const answer = await send('system/List.read', 'PUT', '/Flag/1', flag)
    expect(answer.headers['www-authenticate']).toMatch(/scope="system\/Flag\.u"$/)
  })

  test('cover an operation as the config says, and no other', async () => {
    const { booted, send } = await start({
      operations: new Map([
        [
          'close',
          [
            { type: 'Flag', action: 'u' },
            { type: 'List', action: 'u' },
          ],
        ],
      ]),
    })
    const parameters = { resourceType: 'Parameters' }
    expect((await send('user/Flag.u', 'POST', '/$close', parameters)).status).toBe(403)
    expect(reached(booted)).toBe(0)
    expect((await send('user/*.u', 'POST', '/$close', parameters)).status).toBe(200)
    for (const method of ['GET', 'POST']) {
      const answer = await send('user/*.cruds', method, '/Flag/$count', method === 'POST' ? parameters : undefined)
      expect(answer.status).toBe(403)
      expect(issues(answer)).toMatchObject([{ diagnostics: 'No scope lets this operation be called.' }])
    }
    expect(reached(booted)).toBe(1)
  })

  test('come before anything that tells of a record', async () => {
    const { booted, send } = await start()
    for (const target of ['/Flag/1', '/Flag/2']) {
      const answer = await send('user/List.cruds', 'PUT', target, { ...flag, id: 'other' }, { 'if-match': 'W/"9"' })
      expect(answer.status).toBe(403)
    }
    expect(reached(booted)).toBe(0)
  })

  test('are what rules ask for by %scopes', async () => {
    const { booted, send } = await start()
    const ended = { ...flag, status: 'inactive' }
    expect((await send('user/Flag.u', 'PUT', '/Flag/1', ended)).status).toBe(403)
    expect(booted.records[0]!.refusedBy).toEqual(['Flag.update/only a clerk ends a flag'])
    expect((await send('user/Flag.u clerk', 'PUT', '/Flag/1', ended)).status).toBe(200)
  })
})

describe('a Bundle', () => {
  const entries = [
    { resource: flag, request: { method: 'PUT', url: 'Flag/1' } },
    { request: { method: 'GET', url: 'List?status=current' } },
    { resource: flag, request: { method: 'POST', url: 'Flag', ifNoneExist: 'code=a' } },
    { request: { method: 'GET', url: 'Flag?_include=Flag:subject' } },
  ]
  const bundle = (type: string) => ({ resourceType: 'Bundle', type, entry: entries })

  test('needs for each entry what it would need alone; a batch carries out what is covered', async () => {
    const { booted, send } = await start()
    const answer = await send('user/Flag.us', 'POST', '', bundle('batch'))
    expect(answer.status).toBe(200)
    const { entry } = JSON.parse(answer.body) as {
      entry: { response: { status: string; outcome?: { issue: object[] } } }[]
    }
    expect(entry.map(({ response }) => response.status.slice(0, 3))).toEqual(['200', '403', '403', '403'])
    expect(entry[2]!.response.outcome!.issue).toMatchObject([
      {
        code: 'forbidden',
        diagnostics: 'The scopes of the token do not cover this; it needs user/Flag.c.',
        expression: ['Bundle.entry[2].request.url'],
      },
    ])
    expect(booted.upstream.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /fhir/Flag/1',
      'PUT /fhir/Flag/1',
    ])
  })

  test('that is a transaction is refused as a whole, and all that is missing is named', async () => {
    const { booted, send } = await start()
    const answer = await send('user/Flag.us', 'POST', '', bundle('transaction'))
    expect(answer.status).toBe(403)
    expect(issues(answer).map(({ expression }) => expression)).toEqual(
      [1, 2, 3].map((index) => [`Bundle.entry[${index}].request.url`]),
    )
    expect(answer.headers['www-authenticate']).toMatch(/scope="user\/List\.s user\/Flag\.c user\/\*\.r"$/)
    expect(reached(booted)).toBe(0)
  })

  test('carries no token in the url of an entry', async () => {
    const { booted, send } = await start()
    const entry = [{ request: { method: 'GET', url: 'Flag?access_token=sentinel' } }]
    const answer = await send('user/*.cruds', 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry })
    expect(answer.status).toBe(400)
    expect(answer.body).not.toContain('sentinel')
    expect(reached(booted)).toBe(0)
  })
})
