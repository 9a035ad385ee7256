import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { rememberFiles } from '../../../src/config/files.ts'
import { loadConfig, needsSandbox, upstreamMistake, withUpstream, type LoadedConfig } from '../../../src/config/load.ts'

const policy = `policy: reading-only
fhir: 4.0.1
summary: Nothing is written.
resources:
  Flag:
    interactions: [read]
`

/** A folder with these files. */
function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

function loadedFrom(files: Record<string, string>): LoadedConfig {
  const result = loadConfig(folderWith(files))
  if (!result.ok) throw new Error(JSON.stringify(result))
  return result.loaded
}

const oneBase = (upstream = '') =>
  loadedFrom({
    'gateway.yaml': `bases: [{ path: /r4, policy: policies/p.yaml${upstream} }]`,
    'policies/p.yaml': policy,
  })

const twoBases = (first = '', second = '') =>
  loadedFrom({
    'gateway.yaml': `bases: [{ path: /a, policy: p.yaml${first} }, { path: /b, policy: p.yaml${second} }]`,
    'p.yaml': policy,
  })

const at = (url: string) => `, upstream: { url: '${url}' }`

describe('loading a config', () => {
  it('loads the one that is shipped', () => {
    expect(loadConfig('config')).toMatchObject({ ok: true, loaded: { file: 'config/gateway.yaml' } })
  })

  it('loads the live set-up among the examples', () => {
    expect(loadConfig('config/examples/live')).toMatchObject({ ok: true })
  })

  it('reads certificate and key from anywhere, remembers them, and tells every mistake where it is named', () => {
    const elsewhere = folderWith({ 'tls.key': 'secret' })
    const text = `bases: [{ path: /r4, policy: p.yaml }]
listener:
  tls: { certificate: tls.crt, key: ${join(elsewhere, 'tls.key')} }
`
    const files = rememberFiles()
    const folder = folderWith({ 'gateway.yaml': text, 'p.yaml': policy, 'tls.crt': 'x' })
    const result = loadConfig(folder, files.read)
    expect(result.ok ? [] : 'diagnostics' in result && result.diagnostics).toMatchObject([
      { line: 3, column: 23, message: 'There is no certificate in PEM in `tls.crt`.' },
      { line: 3, column: 37, message: expect.stringMatching(/^There is no private key in PEM in `.*tls\.key`\.$/) },
    ])
    expect(JSON.stringify(result)).not.toContain('secret')
    expect(files.paths()).toEqual(expect.arrayContaining([join(folder, 'tls.crt'), join(elsewhere, 'tls.key')]))
  })

  it('takes the file itself as well as its folder', () => {
    const folder = folderWith({ 'gateway.yaml': 'bases: [{ path: /r4, policy: p.yaml }]', 'p.yaml': policy })
    expect(loadConfig(join(folder, 'gateway.yaml'))).toEqual(loadConfig(folder))
    expect(loadConfig(folder).ok).toBe(true)
  })

  describe('with a policy that names a file', () => {
    const listed = (file: string) => `policy: p
fhir: 4.0.1
lists: { reasons: { file: ${file} } }
resources:
  Flag:
    interactions: [create]
    create:
      changes:
        new: [{ added: $this, open: true, holds: { code: { coded: reasons } } }]
`
    const reasons = (code: string) =>
      JSON.stringify({
        resourceType: 'CodeSystem',
        url: 'https://reasons.example',
        status: 'active',
        content: 'complete',
        concept: [{ code }],
      })
    const files = (file: string) => ({
      'config/gateway.yaml': 'bases: [{ path: /r4, policy: policies/p.yaml }]',
      'config/policies/p.yaml': listed(file),
      'config/lists/reasons.json': reasons('a'),
      'reasons.json': reasons('a'),
    })
    const load = (own: Record<string, string>) => loadConfig(join(folderWith(own), 'config'))

    it('reads it relative to the policy', () => {
      expect(load(files('../lists/reasons.json'))).toMatchObject({ ok: true })
    })

    it('covers its text by the digest', () => {
      const digest = (text: string) => {
        const result = load({ ...files('../lists/reasons.json'), 'config/lists/reasons.json': text })
        return result.ok ? result.loaded.bases[0]!.compiled.digest : undefined
      }
      expect(digest(reasons('a'))).toBe(digest(reasons('a')))
      expect(digest(reasons('a'))).not.toBe(digest(reasons('b')))
    })

    it.each([
      ['../../reasons.json', '`../../reasons.json` leads out of the folder of the config, '],
      ['/etc/hostname', '`/etc/hostname` leads out of the folder of the config, '],
      ['../lists', 'There is no file `../lists` beside the policy.'],
      ['lists/reasons.json', 'There is no file `lists/reasons.json` beside the policy.'],
    ])('tells a mistake where it stands: %s', (file, message) => {
      expect(load(files(file))).toMatchObject({
        ok: false,
        diagnostics: [{ line: 3, column: 27, path: 'lists.reasons.file', message: expect.stringContaining(message) }],
      })
    })
  })

  describe('with a policy that asks about the request', () => {
    const asking = (require: string) => `policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [create]
    create:
      rest: { permit-as: anything }
      invariants:
        - rule: asked by a clerk
          require: "${require}"
`
    const load = (require: string, settings = '') =>
      loadConfig(
        folderWith({
          'gateway.yaml': `bases: [{ path: /r4, policy: p.yaml }]\n${settings}`,
          'p.yaml': asking(require),
        }),
      )

    it('takes the header fields that gateway.yaml names', () => {
      expect(load("%`header-x-role` = 'clerk'", 'rule-header-fields: [X-Role]')).toMatchObject({
        ok: true,
        loaded: { ruleHeaderFields: ['x-role'] },
      })
    })

    it.each([
      [
        "%`header-x-role` = 'clerk'",
        21,
        /^The header field `x-role` is not among the `rule-header-fields` of .*gateway\.yaml\. Did you mean `x-roles`\?$/,
      ],
      ["true and %scopes contains 'clerk'", 30, /^The base `\/r4` has no `tokens`, so that there are no scopes/],
    ])('tells where it asks for what the gateway does not know: %s', (require, column, message) => {
      expect(load(require, 'rule-header-fields: [X-Roles]')).toMatchObject({
        ok: false,
        policies: 1,
        diagnostics: [{ line: 10, column, message: expect.stringMatching(message) }],
      })
    })
  })

  it('lets pages send the header fields that are asked of them', () => {
    const corsOf = (asked: string) => {
      const text = `bases: [{ path: /r4, policy: p.yaml, header-fields: ${asked}, cors: { origins: ['https://a.example'], header-fields: [X-Other] } }]`
      const fields = 'header-fields: { X-Role: { required: true }, X-Other: { required: true } }\n'
      const loaded = loadedFrom({ 'gateway.yaml': text, 'p.yaml': policy + fields })
      return withUpstream(loaded, new URL('http://upstream/fhir')).bases[0]!.cors!.headerFields
    }
    expect(corsOf('on')).toEqual(['x-other', 'x-role'])
    expect(corsOf('off')).toEqual(['x-other'])
  })

  it('compiles a policy that two bases share once', () => {
    const [first, second] = twoBases().bases
    expect(first!.compiled).toBe(second!.compiled)
  })

  it('refuses a rate of clients that nobody can tell apart', () => {
    const text = 'bases: [{ path: /r4, policy: p.yaml }]\nlimits:\n  client-rate: { requests: 1, per: 1s }\n'
    expect(loadConfig(folderWith({ 'gateway.yaml': text, 'p.yaml': policy }))).toMatchObject({
      ok: false,
      diagnostics: [{ line: 3, path: 'limits.client-rate', message: expect.stringMatching(/^No base has `tokens`/) }],
    })
  })

  it('tells that there is no such config', () => {
    expect(loadConfig('/does/not/exist')).toEqual({ ok: false, mistake: 'There is no config file /does/not/exist.' })
    const folder = folderWith({})
    expect(loadConfig(folder)).toEqual({
      ok: false,
      mistake: `There is no config file ${join(folder, 'gateway.yaml')}.`,
    })
  })

  it('tells the mistakes of every policy, and the policies that are not there', () => {
    const folder = folderWith({
      'gateway.yaml':
        'bases: [{ path: /a, policy: a.yaml }, { path: /b, policy: b.yaml }, { path: /c, policy: c.yaml }]',
      'a.yaml': policy.replace('Flag', 'Flagg'),
      'b.yaml': policy.replace('read]', 'raed]'),
    })
    const result = loadConfig(folder)
    expect(result).toMatchObject({ ok: false, policies: 3 })
    const diagnostics = 'diagnostics' in result ? result.diagnostics : []
    expect(diagnostics.map(({ file }) => file)).toEqual(
      ['a.yaml', 'b.yaml', 'gateway.yaml'].map((name) => join(folder, name)),
    )
  })
})

describe('the upstream', () => {
  it('of the only base is the one of UPSTREAM_URL, before that of gateway.yaml', () => {
    const config = withUpstream(oneBase(at('http://own/fhir')), new URL('http://other/fhir'))
    expect(config.bases[0]!.upstream.url.href).toBe('http://other/fhir')
    expect(withUpstream(oneBase(at('http://own/fhir')), undefined).bases[0]!.upstream.url.href).toBe('http://own/fhir')
  })

  it('is the sandbox when nobody names one', () => {
    expect(needsSandbox(oneBase(), undefined)).toBe(true)
    expect(needsSandbox(oneBase(at('http://own/fhir')), undefined)).toBe(false)
    expect(needsSandbox(oneBase(), new URL('http://other/fhir'))).toBe(false)
  })

  it('of several bases is not the one of UPSTREAM_URL', () => {
    expect(upstreamMistake(twoBases(), new URL('http://other/fhir'))).toMatch(/^UPSTREAM_URL names .+ has 2\./)
    expect(upstreamMistake(oneBase(), new URL('http://other/fhir'))).toBeUndefined()
  })

  it('of several bases stands in gateway.yaml for each of them', () => {
    expect(upstreamMistake(twoBases(at('http://a')), undefined)).toMatch(
      /each needs its upstream\.url: \/b has none\.$/,
    )
    expect(upstreamMistake(twoBases(), undefined)).toMatch(/: \/a, \/b have none\.$/)
    expect(upstreamMistake(twoBases(at('http://a'), at('http://b')), undefined)).toBeUndefined()
  })
})
