import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readEnvironment, variables } from '../../../src/config/environment.ts'

const mistakesOf = (env: Record<string, string>) => {
  const read = readEnvironment(env)
  return read.ok ? [] : read.mistakes
}

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'key')
  writeFileSync(file, text)
  return file
}

describe('the environment', () => {
  it('may say nothing', () => {
    expect(readEnvironment({})).toEqual({
      ok: true,
      environment: { port: 8080, adminPort: 9090, workers: 1, logLevel: 'info' },
    })
  })

  it('says nothing with an empty variable', () => {
    const empty = Object.fromEntries(variables.map(([name]) => [name, '']))
    expect(readEnvironment(empty)).toEqual(readEnvironment({}))
  })

  it('may set everything', () => {
    const read = readEnvironment({
      UPSTREAM_URL: 'http://hapi:8080/fhir/',
      PORT: '0',
      ADMIN_PORT: '0',
      HOST: '::1',
      PUBLIC_URL: 'https://fhir.example',
      CONFIG: 'somewhere',
      WORKERS: '4',
      LOG_LEVEL: 'warn',
      LOG_HASH_KEY: '0123456789abcdef',
    })
    expect(read).toEqual({
      ok: true,
      environment: {
        upstreamUrl: new URL('http://hapi:8080/fhir'),
        port: 0,
        adminPort: 0,
        host: '::1',
        publicUrl: new URL('https://fhir.example'),
        workers: 4,
        logLevel: 'warn',
        logHashKey: '0123456789abcdef',
      },
    })
  })

  it('has as many workers as there are processors with `auto`', () => {
    const read = readEnvironment({ WORKERS: 'auto' })
    expect(read).toMatchObject({ ok: true, environment: { workers: availableParallelism() } })
  })

  it('takes the key of the hashes from a file, without the line break at its end', () => {
    const read = readEnvironment({ LOG_HASH_KEY_FILE: fileWith('0123456789abcdef\n') })
    expect(read).toMatchObject({ ok: true, environment: { logHashKey: '0123456789abcdef' } })
  })

  it.each([
    ['PORT', '80a'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['ADMIN_PORT', '8080.0'],
    ['UPSTREAM_URL', 'hapi:8080/fhir'],
    ['UPSTREAM_URL', 'http://'],
    ['UPSTREAM_URL', 'http://user:pass@hapi/fhir'],
    ['UPSTREAM_URL', 'http://hapi/fhir?x=1'],
    ['UPSTREAM_URL', 'http://hapi/fhir#'],
    ['UPSTREAM_URL', ' http://hapi/fhir'],
    ['PUBLIC_URL', 'https://fhir.example/path'],
    ['PUBLIC_URL', 'fhir.example'],
    ['HOST', 'http://x'],
    ['WORKERS', '0'],
    ['WORKERS', '257'],
    ['WORKERS', '1.5'],
    ['WORKERS', 'all'],
    ['LOG_LEVEL', 'loud'],
    ['LOG_HASH_KEY', 'short'],
    ['LOG_HASH_KEY_FILE', '/does/not/exist'],
  ])('is told what %s expects instead of %j, which is not repeated', (name, value) => {
    const mistakes = mistakesOf({ [name]: value })
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toMatch(new RegExp(`^${name}: expected .+\\.$`))
    expect(mistakes[0]).not.toContain(`\`${value}\``)
  })

  it('is told of a key file that holds too short a key', () => {
    expect(mistakesOf({ LOG_HASH_KEY_FILE: fileWith('short') })).toHaveLength(1)
  })

  it('is told of every mistake at once', () => {
    const mistakes = mistakesOf({ PORT: 'x', LOG_LEVEL: 'x', UPSTREAM_URL: 'x', PUBLIC_URL: 'x' })
    expect(mistakes.map((mistake) => mistake.split(':')[0]).sort()).toEqual([
      'LOG_LEVEL',
      'PORT',
      'PUBLIC_URL',
      'UPSTREAM_URL',
    ])
  })

  it.each([
    [{ PORT: '9000', ADMIN_PORT: '9000' }, 'PORT and ADMIN_PORT: expected two ports, and both are 9000.'],
    [
      { LOG_HASH_KEY: '0123456789abcdef', LOG_HASH_KEY_FILE: 'x' },
      'LOG_HASH_KEY and LOG_HASH_KEY_FILE: expected one of them, and both are set.',
    ],
  ])('is told what does not go together: %j', (env, mistake) => {
    expect(mistakesOf(env as Record<string, string>)).toContain(mistake)
  })
})
