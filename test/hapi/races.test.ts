import http from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { withoutServerOwned } from '../../src/fhir/element.ts'
import { parseJson } from '../../src/fhir/json.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { judge } from '../../src/policy/judge.ts'
import { plainRequest } from '../../src/policy/request-facts.ts'
import { ask } from './ask.ts'
import { startGatewayInFront } from './gateway-in-front.ts'
import { flag, removal, removed, type Json } from './records.ts'

const hapi = inject('hapi').DSTU3
type InFront = Awaited<ReturnType<typeof startGatewayInFront>>
let gateways: InFront[]
let next = 0

beforeAll(async () => {
  gateways = [await startGatewayInFront(hapi), await startGatewayInFront(hapi)]
})
afterAll(() => Promise.all(gateways.map((gateway) => gateway.close())))

const freshId = () => `race-${process.pid}-${++next}`

async function stored(id: string): Promise<{ etag: string; record: Json }> {
  const { etag, json } = await ask(`${hapi}/Flag/${id}`)
  return { etag: etag!, record: json }
}

async function put(id: string): Promise<{ etag: string; record: Json }> {
  await ask(`${hapi}/Flag/${id}`, 'PUT', flag(id))
  return stored(id)
}

async function versions(id: string): Promise<Json[]> {
  const { json } = await ask(`${hapi}/Flag/${id}/_history?_count=500`)
  return (json['entry'] as { resource: Json }[]).map(({ resource }) => resource).toReversed()
}

describe('races, in front of HAPI', () => {
  it.each([1, 2])(
    'of 20 removals at once through %i gateway(s) one is stored, nineteen are told 409',
    async (count) => {
      const id = freshId()
      const { etag, record } = await put(id)
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          ask(`${gateways[i % count]!.url}/Flag/${id}`, 'PUT', removed(record), etag),
        ),
      )
      const statuses = answers.map(({ status }) => status).sort()
      expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 409)])
      expect(new Set(answers.map(({ status, json }) => `${status} ${String(json['resourceType'])}`))).toEqual(
        new Set(['200 Flag', '409 OperationOutcome']),
      )
      expect(await versions(id)).toHaveLength(2)
      expect((await stored(id)).etag).toBe('W/"2"')
    },
  )

  it('a write at HAPI between the read and the forward is not lost', async () => {
    const id = freshId()
    const { etag, record } = await put(id)
    // Holds each PUT up until somebody else's change has been stored.
    const holding = http.createServer((req, res) => {
      void (async () => {
        if (req.method === 'PUT') await ask(`${hapi}/Flag/${id}`, 'PUT', { ...record, period: { start: '2026-01-01' } })
        const onward = http.request(
          hapi.replace(/\/fhir$/, '') + req.url,
          { method: req.method!, headers: req.headers },
          (answer) => {
            res.writeHead(answer.statusCode!, answer.headers)
            answer.pipe(res)
          },
        )
        req.pipe(onward)
      })()
    })
    holding.listen(0, '127.0.0.1')
    await once(holding, 'listening')
    const gateway = await startGatewayInFront(`http://127.0.0.1:${(holding.address() as AddressInfo).port}/fhir`)
    try {
      const answer = await ask(`${gateway.url}/Flag/${id}`, 'PUT', removed(record), etag)
      expect(answer.status).toBe(409)
      const now = await stored(id)
      expect(now.etag).toBe('W/"2"')
      expect(now.record).toMatchObject({ status: 'active', period: { start: '2026-01-01' } })
    } finally {
      await gateway.close()
      holding.close()
    }
  })

  it('after 500 mixed requests from 32 connections each stored version is one that the policy permits', async () => {
    const compiled = compilePolicy(
      'policy',
      readFileSync(new URL('../../config/policies/nhs-reasonable-adjustments-stu3.yaml', import.meta.url), 'utf8'),
    )
    if (!compiled.ok) throw new Error('the policy does not compile')
    const { policy } = compiled
    const ids = await Promise.all(
      Array.from({ length: 25 }, async () => {
        const id = freshId()
        await put(id)
        return id
      }),
    )

    // A fixed sequence of requests, dealt out to 32 connections: reads, permitted and refused updates, stale ones.
    const work = Array.from({ length: 500 }, (_, i) => ({
      id: ids[(i * 7) % ids.length]!,
      kind: i % 5,
      gateway: gateways[i % 2]!,
    }))
    const statuses = new Map<number, number>()
    const agent = async () => {
      for (let item = work.shift(); item; item = work.shift()) {
        const { id, kind, gateway } = item
        const url = `${gateway.url}/Flag/${id}`
        const read = await ask(url)
        const { etag, json: record } = read
        let answer = read
        if (kind === 1) answer = await ask(url, 'PUT', record['status'] === 'active' ? removed(record) : record, etag!)
        if (kind === 2) answer = await ask(url, 'PUT', { ...record, code: { text: 'x' } }, etag!)
        if (kind === 3) answer = await ask(url, 'PUT', { ...record, status: 'inactive' }, etag!)
        if (kind === 4)
          answer = await ask(
            url,
            'PUT',
            { ...record, extension: [...(record['extension'] as Json[]), removal()] },
            'W/"9"',
          )
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: 32 }, agent))
    expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([])
    expect(statuses.get(200)).toBeGreaterThan(100)

    const tree = (json: Json) => {
      const read = parseJson(JSON.stringify(json), policy.definitions)
      if (!read.ok) throw new Error(JSON.stringify(read.faults))
      return withoutServerOwned(read.value)
    }
    let changes = 0
    for (const id of ids) {
      const history = await versions(id)
      for (const [i, after] of history.slice(1).entries()) {
        changes++
        const decision = judge(
          policy,
          { interaction: 'update', type: 'Flag', before: tree(history[i]!), after: tree(after) },
          { bases: [], maxRefusals: 10, request: plainRequest('update') },
        )
        expect(decision.verdict).toBe('permit')
      }
    }
    expect(changes).toBeGreaterThan(0)
  })
})
