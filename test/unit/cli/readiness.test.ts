import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { watchUpstreams } from '../../../src/cli/readiness.ts'
import type { GatewayConfig } from '../../../src/config/config.ts'
import type { Gateway } from '../../../src/gateway.ts'
import { startStubUpstream, type StubUpstream } from '../../gateway/stub-upstream.ts'

/** A server that says its FHIR version, or that is none. */
async function upstream(fhirVersion?: string): Promise<StubUpstream> {
  const stub = await startStubUpstream()
  onTestFinished(() => stub.close())
  const body = JSON.stringify({ resourceType: 'CapabilityStatement', fhirVersion })
  const headers = { 'content-type': 'application/fhir+json' }
  stub.answers(fhirVersion === undefined ? {} : { GET: { status: 200, headers, body } })
  return stub
}

const configOf = (...bases: readonly (readonly [string, StubUpstream, string?])[]) =>
  ({
    bases: bases.map(([path, { url }, fhirVersion = '4.0.1']) => ({
      path,
      policy: { fhirVersion },
      upstream: { url },
    })),
    timeouts: { firstByteMs: 1000 },
  }) as unknown as GatewayConfig

/** Watches the upstreams of a config, from the moment on at which they have answered. */
async function watched(config: GatewayConfig) {
  const logged: string[] = []
  const log = new Proxy({}, { get: () => (fields: object) => logged.push(JSON.stringify(fields)) }) as never
  const forgetStoredVersions = vi.fn<() => void>()
  const upstreams = watchUpstreams(
    { config: () => config, forgetStoredVersions, breakers: () => [] } as unknown as Gateway,
    log,
  )
  onTestFinished(() => upstreams.stop())
  const answered = (count: number) => vi.waitFor(() => expect(logged).toHaveLength(count))
  await answered(config.bases.length)
  return { upstreams, logged, answered, forgetStoredVersions }
}

const away = { ready: false, reason: expect.stringContaining('/metadata') }

describe('readiness after a reload', () => {
  it('is that of before, until the new upstream has answered', async () => {
    const { upstreams, answered } = await watched(configOf(['/a', await upstream('4.0.1')]))
    upstreams.follow(configOf(['/a', await upstream()]))
    expect(upstreams.now(false)).toEqual({ ready: true, bases: [{ path: '/a', ready: true }] })
    await answered(2)
    expect(upstreams.now(false)).toEqual({ ready: false, bases: [{ path: '/a', ...away }] })
  })

  it('comes with a new upstream that is ready, and with one for another FHIR version goes', async () => {
    const known = await upstream('4.0.1')
    const { upstreams, answered, forgetStoredVersions } = await watched(configOf(['/a', await upstream()]))
    expect(forgetStoredVersions).toHaveBeenCalledTimes(1)
    upstreams.follow(configOf(['/a', known]))
    expect(upstreams.now(false)).toMatchObject({ ready: false })
    await answered(2)
    expect(upstreams.now(false)).toMatchObject({ ready: true })
    upstreams.follow(configOf(['/a', known, '3.0.2']))
    await answered(3)
    expect(upstreams.now(false)).toMatchObject({ ready: false, bases: [{ reason: expect.stringContaining('4.0.1') }] })
    expect(forgetStoredVersions).toHaveBeenCalledTimes(2)
  })

  it('is not lost by a base that is new, and not asked for again where nothing has changed', async () => {
    const first = await upstream('4.0.1')
    const second = await upstream('4.0.1')
    const { upstreams, answered } = await watched(configOf(['/a', first]))
    upstreams.follow(configOf(['/a', first], ['/b', second]))
    expect(upstreams.now(false)).toMatchObject({ ready: true, bases: [{ path: '/a' }, { path: '/b' }] })
    await answered(2)
    expect([first.seen.length, second.seen.length]).toEqual([1, 1])
  })

  it('has nothing to do with a base that is gone', async () => {
    const gone = await upstream()
    const kept = await upstream('4.0.1')
    const { upstreams } = await watched(configOf(['/a', gone], ['/b', kept]))
    upstreams.follow(configOf(['/b', kept]))
    expect(upstreams.now(false)).toEqual({ ready: true, bases: [{ path: '/b', ready: true }] })
  })

  it('is not there while the gateway drains', async () => {
    const { upstreams } = await watched(configOf(['/a', await upstream('4.0.1')]))
    expect(upstreams.now(true)).toMatchObject({ ready: false, reason: 'The gateway is draining.' })
  })
})
