import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadAgain, type Settled, type Standing } from '../../../src/config/reload.ts'

const policy = (fhir: string) => `policy: reading-only
fhir: ${fhir}
summary: Nothing is written.
resources:
  Flag:
    interactions: [read]
`
const sandbox = { url: new URL('http://127.0.0.1:1/fhir'), release: 'R4' } as const
const traces = JSON.stringify({ endpoint: 'http://a.example' })
const decisions = JSON.stringify({ to: 'stdout', callerHeaderFields: [] })
const own = new URL('http://own.example/fhir')
const named = ", upstream: { url: 'http://named.example/fhir' }"
const base = (path: string, upstream = '') => `{ path: ${path}, policy: p.yaml${upstream} }`

const settled: Settled = { traces: '"off"', decisions: '"off"', log: 'stdout', tls: 'off' }
const nothingStands: Standing = {
  upstreamUrl: undefined,
  sandbox: undefined,
  settled,
}

function again(bases: readonly string[], standing: Partial<Standing>, fhir = '4.0.1') {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'gateway.yaml'), `bases: [${bases.join(', ')}]\n`)
  writeFileSync(join(folder, 'p.yaml'), policy(fhir))
  return loadAgain(folder, { ...nothingStands, ...standing })
}

describe('a config that is read again', () => {
  it.each<[string, readonly string[], Partial<Standing>, readonly string[]]>([
    ['gateway.yaml', [base('/a', named)], {}, ['http://named.example/fhir']],
    ['UPSTREAM_URL before it', [base('/a', named)], { upstreamUrl: own }, [own.href]],
    ['the sandbox that runs', [base('/a')], { sandbox }, [sandbox.url.href]],
    [
      'gateway.yaml, for each base',
      [base('/a', named), base('/b', named)],
      {},
      Array(2).fill(`http://named.example/fhir`),
    ],
  ])('has its upstream from %s', (_, bases, standing, urls) => {
    const result = again(bases, standing)
    expect(result.ok && result.config.bases.map(({ upstream }) => upstream.url.href)).toEqual(urls)
  })

  it.each<[string, readonly string[], Partial<Standing>, string, string]>([
    ['no upstream, and no sandbox runs', [base('/a')], {}, '4.0.1', 'no sandbox runs'],
    ['an upstream, and the sandbox runs', [base('/a', named)], { sandbox }, '4.0.1', 'an upstream is named'],
    ['other traces', [base('/a', named)], { settled: { ...settled, traces } }, '4.0.1', '`traces` has changed'],
    [
      'no records any more',
      [base('/a', named)],
      { settled: { ...settled, decisions } },
      '4.0.1',
      '`decisions` has changed',
    ],
    ['another FHIR version than the sandbox', [base('/a')], { sandbox }, '3.0.2', 'and the sandbox speaks R4'],
  ])('needs a restart where it has %s', (_, bases, standing, fhir, message) => {
    const result = again(bases, standing, fhir)
    expect(result).toMatchObject({ ok: false, mistakes: [{ file: expect.stringMatching(/gateway\.yaml$/) }] })
    const [mistake] = result.ok ? [] : result.mistakes
    expect(mistake!.message).toMatch(/^This needs a restart: /)
    expect(mistake!.message).toContain(message)
  })

  it('needs a restart where it has no TLS any more', () => {
    const result = again([base('/a', named)], { settled: { ...settled, tls: 'one-sided' } })
    const message = 'This needs a restart: `listener.tls` is switched on or off.'
    expect(result).toMatchObject({ ok: false, mistakes: [{ message }] })
  })

  it('is refused where UPSTREAM_URL cannot be the upstream of several bases', () => {
    const result = again([base('/a', named), base('/b', named)], { upstreamUrl: own })
    expect(result).toMatchObject({ ok: false, mistakes: [{ message: expect.stringContaining('UPSTREAM_URL names') }] })
  })

  it('does not repeat the line of a mistake, which may hold a secret', () => {
    const result = again([base('/a', ", upstream: { url: 'http://user:secret@named.example/fhir' }")], {})
    expect(result.ok).toBe(false)
    expect(JSON.stringify(result)).not.toContain('secret')
  })

  it('is refused, and not thrown, when reading it fails by a fault of ours', () => {
    const standing = nothingStands
    const result = loadAgain('config', standing, () => {
      throw new TypeError('secret')
    })
    expect(result).toMatchObject({ ok: false, error: expect.any(TypeError) })
    expect(result.ok ? '' : JSON.stringify(result.mistakes)).not.toContain('secret')
  })
})
