import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAdmin, type AdminSources } from '../../../src/http/admin.ts'

async function adminWith(sources: Partial<AdminSources>): Promise<string> {
  const server = createAdmin({
    readiness: () => ({ ready: true, bases: [] }),
    policies: () => ({ bases: [] }),
    metrics: () => Promise.resolve('requests 1\n'),
    metricsContentType: 'text/plain; version=0.0.4',
    ...sources,
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('the admin port', () => {
  it.each([
    ['/health/live', 200, { live: true }],
    ['/health/ready', 200, { ready: true, bases: [] }],
    ['/policies', 200, { bases: [] }],
    ['/', 404, { error: 'There are /health/live, /health/ready, /policies and /metrics.' }],
    ['/health/ready/', 404, { error: 'There are /health/live, /health/ready, /policies and /metrics.' }],
  ])('answers %s with %d', async (path, status, body) => {
    const response = await fetch((await adminWith({})) + path)
    expect([response.status, await response.json()]).toEqual([status, body])
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it('says with 503 why requests cannot be served', async () => {
    const readiness = {
      ready: false,
      bases: [{ path: '/fhir', ready: false, reason: 'The upstream cannot be reached.' }],
    }
    const response = await fetch(`${await adminWith({ readiness: () => readiness })}/health/ready?verbose`)
    expect([response.status, await response.json()]).toEqual([503, readiness])
  })

  it('gives the metrics as text', async () => {
    const response = await fetch(`${await adminWith({})}/metrics`)
    expect([response.headers.get('content-type'), await response.text()]).toEqual([
      'text/plain; version=0.0.4',
      'requests 1\n',
    ])
  })

  it('answers 500 without a reason when the metrics fail, and stays alive', async () => {
    const origin = await adminWith({ metrics: () => Promise.reject(new Error('secret')) })
    const failed = await fetch(`${origin}/metrics`)
    expect([failed.status, await failed.text()]).toEqual([500, '{"error":"The metrics cannot be told."}\n'])
    expect((await fetch(`${origin}/health/live`)).status).toBe(200)
  })

  it.each(['POST', 'PUT', 'DELETE'])('offers no %s', async (method) => {
    const response = await fetch(`${await adminWith({})}/health/live`, { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})
