import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readGatewayFile } from '../../../src/config/gateway-file.ts'

const smallest = 'bases: [{ path: /fhir, policy: p.yaml }]\n'

const mistakesOf = (text: string) =>
  readGatewayFile('gateway.yaml', text).diagnostics.map(({ path, message }) => `${path}: ${message}`)

describe('gateway.yaml', () => {
  it('needs no more than a path and a policy', () => {
    const { settings } = readGatewayFile('gateway.yaml', smallest)
    expect(settings).toEqual({
      bases: [{ path: '/fhir', policy: 'p.yaml', profile: {}, access: {}, headerFieldsAsked: false }],
      limits: {
        bodyBytes: 1_048_576,
        nesting: 64,
        elements: 50_000,
        bundleEntries: 200,
        storedBytes: 4_194_304,
        rewriteBytes: 16_777_216,
        refusals: 50,
        connections: 20_000,
        inFlight: 2000,
        heldBytes: 128 * 1024 * 1024,
        rate: 'off',
        clientRate: 'off',
      },
      timeouts: {
        headerSectionMs: 30_000,
        bodyMs: 30_000,
        answerTakenMs: 60_000,
        idleMs: 65_000,
        connectMs: 2000,
        firstByteMs: 30_000,
        betweenPartsMs: 30_000,
        wholeMs: 60_000,
        drainDelayMs: 0,
        drainMs: 25_000,
      },
      listener: { trustedProxies: [], forwardedIn: 'x-forwarded' },
      traces: 'off',
      cache: { bytes: 67_108_864, expireMs: 300_000 },
      forwardHeaderFields: [],
      ruleHeaderFields: [],
      decisions: 'off',
      log: 'stdout',
      reload: { watch: true },
    })
  })

  it('shows in the file that is shipped the values that hold without it', () => {
    const shipped = readGatewayFile('gateway.yaml', readFileSync('config/gateway.yaml', 'utf8'))
    const { bases: _, ...settings } = readGatewayFile('gateway.yaml', smallest).settings!
    expect(shipped.diagnostics).toEqual([])
    expect(shipped.settings).toMatchObject(settings)
  })

  it('takes an upstream, the cache switched off and further header fields', () => {
    const { settings } = readGatewayFile(
      'gateway.yaml',
      `bases:
  - path: /a/R4
    policy: p.yaml
    upstream: { url: 'https://fhir.example/r4/', paging-parameter: _getpages }
cache: off
forward-header-fields: [X-Tenant]
rule-header-fields: [X-Role]
`,
    )
    expect(settings).toMatchObject({
      bases: [{ path: '/a/R4', profile: { pagingParameter: '_getpages' } }],
      cache: 'off',
      forwardHeaderFields: ['x-tenant'],
      ruleHeaderFields: ['x-role'],
    })
    expect(settings!.bases[0]!.upstreamUrl!.href).toBe('https://fhir.example/r4')
  })

  it('takes one time for all parts of a request or of an answer, and one for each', () => {
    const timeouts = (text: string) =>
      readGatewayFile('gateway.yaml', `${smallest}timeouts: ${text}`).settings!.timeouts
    expect(timeouts('{ request: 5s, upstream: 7s }')).toMatchObject({
      headerSectionMs: 5000,
      bodyMs: 5000,
      firstByteMs: 7000,
      betweenPartsMs: 7000,
      wholeMs: 14_000,
    })
    const each = '{ header-section: 1s, body: 2s, first-byte: 3s, between-parts: 4s, whole: 5s, drain-delay: 6s }'
    expect(timeouts(each)).toMatchObject({
      headerSectionMs: 1000,
      bodyMs: 2000,
      firstByteMs: 3000,
      betweenPartsMs: 4000,
      wholeMs: 5000,
      drainDelayMs: 6000,
    })
    expect(timeouts('{ upstream: 500h }').wholeMs).toBe(2 ** 31 - 1)
    expect(timeouts('{ drain-delay: 0s }').drainDelayMs).toBe(0)
  })

  it('takes a collector for traces', () => {
    const { settings } = readGatewayFile(
      'gateway.yaml',
      `${smallest}traces: { endpoint: 'http://a.example/v1/traces' }`,
    )
    expect(settings!.traces).toEqual({
      endpoint: new URL('http://a.example/v1/traces'),
      serviceName: 'fhir-policy-gateway',
      sample: 1,
      incoming: 'continue',
    })
  })

  it('takes a breaker, with what is usual where it says no more', () => {
    const breaker = (text: string) =>
      readGatewayFile('gateway.yaml', `bases: [{ path: /a, policy: p.yaml, upstream: { breaker: ${text} } }]`).settings!
        .bases[0]!.breaker
    expect(breaker('off')).toBeUndefined()
    expect(breaker('{}')).toEqual({ percent: 50, ofAtLeast: 20, withinMs: 10_000, pauseMs: 5000 })
    expect(breaker("{ failed: '100%', of-at-least: 5, within: 1m, pause: 2s }")).toEqual({
      percent: 100,
      ofAtLeast: 5,
      withinMs: 60_000,
      pauseMs: 2000,
    })
  })

  it.each([
    ['', ': `bases` is missing: expected a list.'],
    ['bases: []', 'bases: Expected at least 1 item.'],
    [`${smallest}limit: {}`, 'limit: There is no setting `limit` here. Did you mean `limits`?'],
    [`${smallest}limits: { bdy: 1 MiB }`, 'limits.bdy: There is no setting `bdy` here. Did you mean `body`?'],
    [`${smallest}limits: { body: 1 MB }`, 'limits.body: Expected a size such as `512 KiB` or `1 MiB`.'],
    [`${smallest}limits: { nesting: 0 }`, 'limits.nesting: Expected at least 1.'],
    [`${smallest}timeouts: { drain: 30 }`, 'timeouts.drain: Expected a duration such as `250ms`, `30s`, `5m` or `1h`.'],
    [
      `${smallest}timeouts: { drain: 30 s! }`,
      'timeouts.drain: Expected a duration such as `250ms`, `30s`, `5m` or `1h`.',
    ],
    [`${smallest}timeouts: { drain: 0s }`, 'timeouts.drain: Expected a duration such as `250ms`, `30s`, `5m` or `1h`.'],
    [
      `${smallest}timeouts: { drain-delay: 0ms }`,
      'timeouts.drain-delay: Expected a duration such as `250ms`, `30s`, `5m` or `1h`; `0s` is none.',
    ],
    [`${smallest}limits: { connections: 0 }`, 'limits.connections: Expected at least 1.'],
    [
      'bases: [{ path: /a, policy: p.yaml, upstream: { breaker: { failed: 0.5 } } }]',
      'bases[0].upstream.breaker.failed: Expected a percentage such as `50 %`.',
    ],
    [`${smallest}limits: { rate: on }`, 'limits.rate: Expected `off`, or a mapping of keys to values.'],
    [`${smallest}limits: { rate: { per: 1s } }`, 'limits.rate: `requests` is missing: expected a number.'],
    [
      `${smallest}traces: { endpoint: 'http://user:secret@a.example/v1/traces' }`,
      'traces.endpoint: Expected the http or https URL of an OTLP collector, such as `http://collector:4318/v1/traces`.',
    ],
    [`${smallest}traces: { endpoint: 'http://a.example', sample: 2 }`, 'traces.sample: Expected at most 1.'],
    [
      `${smallest}traces: { sample: 1 }`,
      'traces: `endpoint` is missing: expected the http or https URL of an OTLP collector, such as `http://collector:4318/v1/traces`.',
    ],
    [`${smallest}reload: { watch: off }`, 'reload.watch: Expected true or false.'],
    [`${smallest}cache: on`, 'cache: Expected `off`, or a mapping of keys to values.'],
    [`${smallest}cache: { expires: 5m }`, 'cache.expires: There is no setting `expires` here. Did you mean `expire`?'],
    [
      `${smallest}rule-header-fields: [Authorization]`,
      'rule-header-fields[0]: Expected the name of a header field that holds no credentials.',
    ],
    [
      `${smallest}forward-header-fields: [If-Match]`,
      'forward-header-fields[0]: Expected the name of a header field that the gateway does not make itself.',
    ],
    [
      'bases: [{ path: fhir, policy: p.yaml }]',
      'bases[0].path: Expected a path with a leading and no trailing slash, such as `/fhir`.',
    ],
    [
      'bases: [{ path: /a, policy: p.yaml }, { path: /a/b, policy: p.yaml }]',
      'bases[1].path: `/a/b` overlaps `/a`: one base may not lie within another.',
    ],
    [
      'bases: [{ path: /a, policy: p.yaml, upstream: { url: ftp://x } }]',
      'bases[0].upstream.url: Expected an http or https URL without user, query or fragment, such as `http://localhost:8081/fhir`.',
    ],
  ])('says what is wrong with %j', (text, mistake) => {
    expect(mistakesOf(text)).toEqual([mistake])
  })

  const base = (settings: string) => `bases: [{ path: /a, policy: p.yaml, ${settings} }]`

  it('takes the origins of pages, and the addresses of proxies', () => {
    const { settings } = readGatewayFile(
      'gateway.yaml',
      `${base("cors: { origins: ['https://app.example', 'http://[::1]:3000', 'capacitor://localhost'], header-fields: [X-Role] }")}
listener: { trusted-proxies: [10.0.0.0/8, '::1'], forwarded-in: forwarded }
`,
    )
    expect(settings!.bases[0]!.cors).toEqual({
      origins: ['https://app.example', 'http://[::1]:3000', 'capacitor://localhost'],
      credentials: false,
      headerFields: ['x-role'],
      maxAgeMs: 600_000,
    })
    expect(settings!.listener).toEqual({
      trustedProxies: [
        { address: '10.0.0.0', family: 'ipv4', prefix: 8 },
        { address: '::1', family: 'ipv6', prefix: 128 },
      ],
      forwardedIn: 'forwarded',
    })
  })

  it.each([
    'null',
    'app.example',
    'https://app.example/',
    'https://APP.example',
    'https://app.example:443',
    'https://*.app.example',
    'https://a@app.example',
    'https://',
    '**',
  ])('takes no origin that no browser sends: %s', (origin) => {
    const message =
      'Expected the origin of a page as browsers send it, such as `https://app.example` or `http://localhost:3000`, or `*`.'
    expect(mistakesOf(base(`cors: { origins: ['${origin}'] }`))).toEqual([`bases[0].cors.origins[0]: ${message}`])
  })

  it.each([
    ['cors: on', 'bases[0].cors: Expected `off`, or a mapping of keys to values.'],
    ['cors: { origins: [] }', 'bases[0].cors.origins: Expected at least 1 item.'],
    [
      "cors: { origins: ['*', 'https://app.example'] }",
      'bases[0].cors.origins: `*` is all origins: name it alone, or name the origins.',
    ],
    [
      "cors: { origins: ['*'], credentials: true }",
      'bases[0].cors.credentials: Credentials are not for all origins: name those that may use them.',
    ],
  ])('says what is wrong with a base that has %s', (settings, mistake) => {
    expect(mistakesOf(base(settings))).toEqual([mistake])
  })

  it.each(['/', '/a/', '//a', '/a//b', '/.', '/a/../b', '/a b', '/%41', '/a?b', '/a;b'])(
    'takes no base path that could be read two ways: %s',
    (path) => {
      expect(mistakesOf(`bases: [{ path: '${path}', policy: p.yaml }]`)).toHaveLength(1)
    },
  )

  it('tells every mistake at once, each with its place', () => {
    const { diagnostics } = readGatewayFile('gateway.yaml', 'bases:\n  - path: x\n    polcy: p.yaml\ncache: never\n')
    expect(diagnostics.map(({ line, column, path }) => `${line}:${column} ${path}`).sort()).toEqual([
      '2:11 bases[0].path',
      '2:5 bases[0]',
      '3:5 bases[0].polcy',
      '4:8 cache',
    ])
  })
})
