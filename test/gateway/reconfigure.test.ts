import { EventEmitter, once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, expect, test, vi } from 'vitest'
import type { Policy } from '../../src/policy/policy.ts'
import { bootAndClose, nhsPolicy, shippedPolicy, type Booted } from './booted.ts'
import { jsonHeaders, removal, stored } from './records.ts'
import { resource, startStubUpstream, type StubAnswer, type StubUpstream } from './stub-upstream.ts'

const get = 'GET /fhir/Flag/1'
const put = 'PUT /fhir/Flag/1'
const remove = (booted: Booted) => booted.send('PUT', '/STU3/Flag/1', jsonHeaders('3'), JSON.stringify(removal))
/** The server finds nothing to change, so that the version stays the current one, and cached. */
const answers = { [get]: resource(stored('3'), '3'), [put]: resource(stored('3'), '3') }
const asked = ({ seen }: StubUpstream, method: string) => seen.filter((request) => request.method === method).length

/** The NHS policy with every removal refused, under another digest. */
function stricter(): Policy {
  const policy = nhsPolicy()
  const flag = policy.resources.get('Flag')!
  const resources = new Map(policy.resources).set('Flag', { ...flag, update: { ...flag.update!, changes: [] } })
  return { ...policy, digest: 'f'.repeat(64), resources }
}

/** An answer that a test gives when it likes. */
function held() {
  const waiting = new EventEmitter<{ request: [ServerResponse] }>()
  const request = once(waiting, 'request').then(([response]) => response as ServerResponse)
  return { answer: ((response) => waiting.emit('request', response)) satisfies StubAnswer, request }
}

function give(response: ServerResponse, answer: StubAnswer): void {
  if (typeof answer !== 'function') response.writeHead(answer.status, answer.headers).end(answer.body)
}

describe('another policy', () => {
  test('judges the next request, while one in flight ends by the policy with which it began', async () => {
    const booted = await bootAndClose({ cache: 'off' })
    const waiting = held()
    booted.upstream.answers({ ...answers, [get]: waiting.answer })
    const first = remove(booted)
    const response = await waiting.request
    booted.reconfigure({ cache: 'off', policy: stricter() })
    booted.upstream.answers(answers)
    expect((await remove(booted)).status).toBe(403)
    give(response, answers[get]!)
    expect((await first).status).toBe(200)
    const { name, digest } = nhsPolicy()
    expect(booted.records.map(({ policy, status }) => [policy, status])).toEqual([
      [`${name}@ffffffffffff`, 403],
      [`${name}@${digest.slice(0, 12)}`, 200],
    ])
  })

  test('judges the stored versions that are there already, over the connections that are there already', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers(answers)
    expect((await remove(booted)).status).toBe(200)
    const connections = await booted.upstream.connections()
    booted.reconfigure({})
    expect((await remove(booted)).status).toBe(200)
    expect(asked(booted.upstream, 'GET')).toBe(1)
    booted.reconfigure({ policy: stricter() })
    expect((await remove(booted)).status).toBe(403)
    expect(await booted.upstream.connections()).toBe(connections)
  })

  test('for another FHIR version does not judge trees that were read with the types of the one before', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers(answers)
    await remove(booted)
    booted.reconfigure({ policy: shippedPolicy('general-r4.yaml') })
    await remove(booted)
    expect(asked(booted.upstream, 'GET')).toBe(2)
  })
})

describe('other settings', () => {
  test.each([
    ['cache', { cache: 'off' }],
    ['size of a stored resource', { limits: { storedBytes: 4096 } }],
    ['nesting', { limits: { nesting: 20 } }],
    ['elements', { limits: { elements: 400 } }],
  ] as const)('of the %s leave nothing of the cache, and the connections as they are', async (_, settings) => {
    const booted = await bootAndClose()
    booted.upstream.answers(answers)
    await remove(booted)
    const connections = await booted.upstream.connections()
    booted.reconfigure(settings)
    await remove(booted)
    expect(asked(booted.upstream, 'GET')).toBe(2)
    expect(await booted.upstream.connections()).toBe(connections)
  })

  test('of the time-outs hold for the next request', async () => {
    const booted = await bootAndClose({ cache: 'off' })
    booted.upstream.answers({ [get]: held().answer })
    booted.reconfigure({ cache: 'off', timeouts: { upstreamMs: 50 } })
    expect((await remove(booted)).status).toBe(504)
  })

  test('of the body hold for the next request', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers(answers)
    booted.reconfigure({ limits: { bodyBytes: 10 } })
    expect((await remove(booted)).status).toBe(413)
  })

  test('of the paths are served at once, each base with what was its own', async () => {
    const booted = await bootAndClose()
    booted.upstream.answers(answers)
    booted.reconfigure({ path: '/other' })
    expect((await remove(booted)).status).toBe(404)
    expect((await booted.send('GET', '/other/Flag/1')).status).toBe(200)
  })
})

describe('another upstream', () => {
  test('is asked by the next request, and the one before loses its connections after the last that uses them', async () => {
    const booted = await bootAndClose({ cache: 'off' })
    const other = await startStubUpstream()
    other.answers(answers)
    const waiting = held()
    booted.upstream.answers({ ...answers, [put]: waiting.answer })
    expect((await booted.send('GET', '/STU3/Flag/1')).status).toBe(200)
    const first = remove(booted)
    const response = await waiting.request
    booted.reconfigure({ cache: 'off', upstreamUrl: other.url })
    expect((await remove(booted)).status).toBe(200)
    expect(asked(other, 'PUT')).toBe(1)
    expect(await booted.upstream.connections()).toBeGreaterThan(0)
    give(response, answers[put]!)
    expect((await first).status).toBe(200)
    await vi.waitFor(async () => expect(await booted.upstream.connections()).toBe(0))
    await booted.close()
    await vi.waitFor(async () => expect(await other.connections()).toBe(0))
    await other.close()
  })

  test('does not keep a request in flight from being waited for at the end', async () => {
    const booted = await bootAndClose({ cache: 'off' })
    const other = await startStubUpstream()
    const waiting = held()
    booted.upstream.answers({ ...answers, [put]: waiting.answer })
    const first = remove(booted)
    const response = await waiting.request
    booted.reconfigure({ cache: 'off', upstreamUrl: other.url })
    const drained = booted.gateway.drain()
    give(response, answers[put]!)
    expect((await first).status).toBe(200)
    await drained
    await vi.waitFor(async () => expect(await booted.upstream.connections()).toBe(0))
    await other.close()
  })

  test('does not keep a request in flight from being cut when the time to drain is over', async () => {
    const booted = await bootAndClose({ cache: 'off' })
    const other = await startStubUpstream()
    const waiting = held()
    booted.upstream.answers({ ...answers, [put]: waiting.answer })
    const first = remove(booted)
    await waiting.request
    booted.reconfigure({ cache: 'off', upstreamUrl: other.url, timeouts: { drainMs: 20 } })
    await booted.gateway.drain()
    expect((await first).status).toBe(502)
    await other.close()
  })
})
