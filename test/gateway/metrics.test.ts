import { once } from 'node:events'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createLog } from '../../src/audit/log.ts'
import { requestFields } from '../../src/audit/request-log.ts'
import { operateGateway } from '../../src/cli/operated.ts'
import { configOf, request, type Settings } from './booted.ts'
import { edit, flag, jsonHeaders, removal, stored } from './records.ts'
import { resource, startStubUpstream } from './stub-upstream.ts'

/** A gateway with its admin port, in front of a stub, until the test ends. */
async function operate(settings: Settings = {}) {
  const upstream = await startStubUpstream()
  const stop = new AbortController()
  const lines: string[] = []
  const log = createLog('trace', { write: (line) => void lines.push(line) })
  const environment = { port: 0, adminPort: 0, workers: 1, logLevel: 'silent' } as const
  const operated = operateGateway(configOf(settings, upstream), environment, log, stop.signal)
  const [port, adminPort] = [await listen(operated.gateway.server), await listen(operated.admin)]
  onTestFinished(async () => {
    await upstream.close()
    await operated.close()
  })
  return {
    upstream,
    lines,
    port,
    send: (method: string, target: string, headers = {}, body?: string) => request(port, method, target, headers, body),
    async metrics(name = '') {
      const { body } = await request(adminPort, 'GET', '/metrics', {}, undefined)
      return body.split('\n').filter((line) => line.startsWith(`fhir_gateway_${name}`))
    },
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}

describe('the metrics of a gateway', () => {
  it('tell of reads, of what was read to judge against, and of writes, apart', async () => {
    const { upstream, send, metrics } = await operate()
    upstream.answers({
      GET: resource(stored('3'), '3'),
      'GET /fhir/Flag/2': resource({ ...stored('3'), id: '2' }, '3'),
      // A server that finds nothing to change: the version stays the current one.
      PUT: resource(stored('3'), '3'),
    })
    await send('GET', '/STU3/Flag/2')
    const put = (body: object) => send('PUT', '/STU3/Flag/1', jsonHeaders('3'), JSON.stringify(body))
    expect((await put(removal)).status).toBe(200)
    expect((await put(edit)).status).toBe(403)

    const counts = (await metrics('upstream_request_duration_seconds_count')).map((line) =>
      line.replace(/^.*_count/, ''),
    )
    expect(counts.toSorted()).toEqual([
      '{base="/STU3",kind="read"} 1',
      // The second time the version is in the cache, and what is learnt from there is told when the upstream has confirmed it.
      '{base="/STU3",kind="stored-version"} 2',
      '{base="/STU3",kind="write"} 1',
    ])
    expect(await metrics('stored_version_lookups')).toEqual([
      'fhir_gateway_stored_version_lookups_total{base="/STU3",result="miss"} 1',
      'fhir_gateway_stored_version_lookups_total{base="/STU3",result="hit"} 1',
    ])
    // What was read, and what was read to judge against.
    expect(Number((await metrics('stored_versions{'))[0]!.split(' ')[1])).toBeGreaterThanOrEqual(2)
    expect(await metrics('upstream_errors')).toEqual([])
  })

  it('tell why requests to the upstream failed', async () => {
    const limits = { rewriteBytes: 1024, storedBytes: 1024 }
    const { upstream, send, metrics } = await operate({ limits, timeouts: { upstreamMs: 200 } })
    const headers = { 'content-type': 'application/fhir+json' }
    const broken = (res: ServerResponse) => {
      res.writeHead(200, headers)
      res.write('{"resourceType":"Flag"', () => res.destroy())
    }
    upstream.answers({
      'GET /fhir/Flag/1': { status: 500 },
      'GET /fhir/Flag/2': broken,
      'GET /fhir/Flag/3': () => {},
      'GET /fhir/Flag/4': resource({ ...stored('3'), id: '4', language: 'x'.repeat(2000) }, '3'),
      PUT: (res) => void res.destroy(),
      'GET /fhir/Flag/5': resource({ ...stored('3'), id: '5' }, '3'),
    })
    for (const id of ['1', '2', '3']) await send('GET', `/STU3/Flag/${id}`)
    for (const id of ['4', '5']) {
      await send('PUT', `/STU3/Flag/${id}`, jsonHeaders('3'), JSON.stringify({ ...removal, id }))
    }
    const told = (await metrics('upstream_errors')).map((line) =>
      /kind="([\w-]+)",reason="([\w-]+)"} (\d+)/.exec(line)!.slice(1),
    )
    expect(told).toEqual([
      ['read', 'server-error', '1'],
      ['read', 'unreachable', '1'],
      ['read', 'too-slow', '1'],
      ['stored-version', 'too-large', '1'],
      ['write', 'unreachable', '1'],
    ])
    expect(await metrics('unknown_outcomes')).toEqual(['fhir_gateway_unknown_outcomes_total 1'])
  })

  it('tell of an answer that breaks off while it is streamed on, and not of a client that leaves', async () => {
    const { upstream, port, send, metrics } = await operate()
    const headers = { 'content-type': 'application/fhir+json' }
    const large = `{"resourceType":"Flag","x":"${'x'.repeat(400_000)}`
    upstream.answers({
      'GET /fhir/Flag/1': (res) => {
        res.writeHead(200, headers)
        res.write(large, () => setImmediate(() => res.destroy()))
      },
      'GET /fhir/Flag/2': (res) => {
        res.writeHead(200, headers)
        res.write(large)
      },
    })
    const leaving = http.get({ port, path: '/STU3/Flag/2', agent: false })
    const [answer] = (await once(leaving, 'response')) as [IncomingMessage]
    answer.on('error', () => {}).destroy()
    await expect(send('GET', '/STU3/Flag/1')).rejects.toThrow('aborted')
    await vi.waitUntil(async () => (await metrics('upstream_request_duration_seconds_count'))[0]?.endsWith(' 2'))
    expect(await metrics('upstream_errors')).toEqual([
      'fhir_gateway_upstream_errors_total{base="/STU3",kind="read",reason="broken-off"} 1',
    ])
  })

  it('count what leaves the cache for others', async () => {
    const { upstream, send, metrics } = await operate({ cache: { bytes: 2000, expireMs: 60_000 } })
    const ids = ['1', '2', '3']
    upstream.answers(
      Object.fromEntries(ids.map((id) => [`GET /fhir/Flag/${id}`, resource({ ...stored('3'), id }, '3')])),
    )
    for (const id of ids) await send('PUT', `/STU3/Flag/${id}`, jsonHeaders('3'), JSON.stringify({ ...edit, id }))
    const value = async (name: string) => Number((await metrics(name))[0]!.split(' ')[1])
    const evicted = await value('stored_version_evictions_total')
    expect(evicted).toBeGreaterThan(0)
    expect((await value('stored_versions')) + evicted).toBe(ids.length)
    expect(await value('stored_version_bytes')).toBeLessThanOrEqual(2000)
  })

  it('count a version that was wanted once by its text, and one that was wanted again by what is made of it', async () => {
    const { upstream, send, metrics } = await operate()
    upstream.answers({ 'GET /fhir/Flag/1': resource(stored('3'), '3') })
    const asked = async () => {
      await send('PUT', '/STU3/Flag/1', jsonHeaders('3'), JSON.stringify(edit))
      return Number((await metrics('stored_version_bytes'))[0]!.split(' ')[1])
    }
    const text = JSON.stringify(stored('3')).length
    expect(await asked()).toBeLessThan(text + 600)
    expect(await asked()).toBeGreaterThan(text * 10)
  })

  it('grow by nothing that a client chooses: paths, types, methods, operations, ids, versions, queries, header fields; nor does the log hold any of it', async () => {
    const { upstream, lines, send, metrics } = await operate()
    upstream.answers({ GET: resource(stored('3'), '3') })
    const body = JSON.stringify(flag)
    const flood = async (round: number) => {
      const odd = `x${round}9000000009`
      const requests: [method: string, target: string, headers?: object, body?: string][] = [
        ['GET', `/${odd}`],
        ['GET', `/STU3/${odd}`],
        ['GET', `/STU3/Type${odd}/${odd}`],
        ['GET', `/STU3/Flag/${odd}`],
        ['GET', `/STU3/Flag/1/_history/${odd}`],
        ['GET', `/STU3/Flag?${odd}=${odd}`],
        ['GET', `/STU3/Flag/../${odd}`],
        ['GET', `/STU3/${types[round % types.length]}/${odd}`],
        ['POST', `/STU3/$${odd}`, jsonHeaders('3'), '{}'],
        ['POST', `/STU3/Flag/$${odd}`, jsonHeaders('3'), '{}'],
        ['PUT', `/STU3/Flag/${odd}`, jsonHeaders(odd), body],
        ['PUT', `/STU3/Flag/1`, jsonHeaders(`${odd}"`), body],
        ['PUT', `/STU3/Flag/1`, { ...jsonHeaders('3'), 'content-type': `${odd}/${odd}` }, body],
        ['PATCH', `/STU3/Flag/1`, { 'if-match': 'W/"3"', 'content-type': odd }, body],
        ['DELETE', `/STU3/Flag/${odd}`],
        ['PROPFIND', `/STU3/Flag/${odd}`],
        ['POST', '/STU3', jsonHeaders('3'), JSON.stringify({ resourceType: odd, type: odd })],
        ['POST', '/STU3/Flag', jsonHeaders('3'), JSON.stringify({ resourceType: odd, [odd]: odd })],
      ]
      for (const [method, target, headers, sent] of requests) await send(method, target, headers, sent)
    }
    for (let round = 0; round < types.length; round++) await flood(round)
    const before = await metrics()
    for (let round = 0; round < 3 * types.length; round++) await flood(types.length + round)
    const after = await metrics()
    expect(after.map(seriesOf).toSorted()).toEqual(before.map(seriesOf).toSorted())
    expect(after.length).toBeLessThan(400)
    expect(after.join('\n')).not.toMatch(/9000000009|PROPFIND/)
    expect(lines.length).toBeGreaterThan(200)
    expect(lines.join('')).not.toMatch(/9000000009|PROPFIND/)
    const fields = new Set<string>(['level', 'time', 'msg', ...Object.keys(requestFields)])
    const requests = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg === 'request')
    expect(requests.flatMap((line) => Object.keys(line)).filter((name) => !fields.has(name))).toEqual([])
    expect(new Set(after.flatMap((line) => /type="(\w+)"/.exec(line)?.[1] ?? []))).toEqual(
      new Set(['none', 'Flag', 'other']),
    )
  })
})

/** Types of the FHIR version that the policy does not name. */
const types = ['Account', 'Basic', 'Patient', 'Observation']

const seriesOf = (line: string) => line.replace(/ \S+$/, '')
