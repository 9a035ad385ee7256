import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { bootAndClose, type Booted, type Settings } from './booted.ts'
import { flag, jsonHeaders, removal, stored } from './records.ts'
import { outcome, resource, type StubAnswer } from './stub-upstream.ts'

const hour = 3_600_000
const breaker = { percent: 50, ofAtLeast: 2, withinMs: hour, pauseMs: hour }

const read = (booted: Booted) => booted.send('GET', '/STU3/Flag/1')
const update = (booted: Booted) => booted.send('PUT', '/STU3/Flag/1', jsonHeaders('3'), JSON.stringify(removal))
const create = (booted: Booted) =>
  booted.send('POST', '/STU3/Flag', { 'content-type': 'application/fhir+json' }, JSON.stringify(flag))

const hangUp: StubAnswer = (res) => void res.socket!.destroy()
const silence: StubAnswer = () => {}

/** Two requests that fail. */
async function opened(settings: Settings = {}): Promise<Booted> {
  const booted = await bootAndClose({ breaker, ...settings })
  booted.upstream.answers({ GET: outcome(500, 'It fails.') })
  await read(booted)
  await read(booted)
  return booted
}

const statesOf = ({ gateway }: Booted) => gateway.breakers().map(({ base, state }) => `${base} ${state}`)

describe('a breaker that is open', () => {
  test('has every request answered at once with 503 and Retry-After, and nothing is sent', async () => {
    const booted = await opened()
    booted.upstream.answers({ GET: resource(stored('3'), '3'), PUT: resource(stored('4'), '4') })
    for (const answer of [await read(booted), await update(booted), await create(booted)]) {
      expect(answer.status).toBe(503)
      expect(answer.headers['retry-after']).toBe('3600')
      expect(answer.body).toContain('Nothing was changed')
    }
    expect(booted.upstream.seen).toHaveLength(2)
    expect(statesOf(booted)).toEqual(['/STU3 open'])
    for (const record of booted.records.slice(2)) {
      expect(record).toMatchObject({ decision: 'failed', refusedBy: ['upstream-unavailable'], status: 503 })
      expect(record).not.toHaveProperty('outcomeUnknown')
    }
  })

  test.each<[string, StubAnswer]>([
    ['breaks off', hangUp],
    ['says nothing in time', silence],
    ['answers 503', outcome(503, 'Busy.')],
  ])('was opened by an upstream that %s', async (_what, answer) => {
    const booted = await bootAndClose({ breaker, timeouts: { upstreamMs: 100 } })
    booted.upstream.answers({ GET: answer })
    await read(booted)
    await update(booted)
    expect(statesOf(booted)).toEqual(['/STU3 open'])
  })

  test.each([400, 401, 403, 404, 409, 410, 412, 422, 429, 501])('is not opened by %i', async (status) => {
    const booted = await bootAndClose({ breaker })
    booted.upstream.answers({
      GET: resource(stored('3'), '3'),
      PUT: outcome(status, 'No.'),
      POST: outcome(status, 'No.'),
    })
    for (let i = 0; i < 3; i++) await Promise.all([update(booted), create(booted)])
    booted.upstream.answers({ GET: outcome(status, 'No.') })
    for (let i = 0; i < 9; i++) await read(booted)
    expect(statesOf(booted)).toEqual(['/STU3 closed'])
  })

  test('never makes the outcome of a write that was sent another one', async () => {
    const booted = await bootAndClose({ breaker: { ...breaker, ofAtLeast: 1 } })
    const sent = new Promise<ServerResponse>((resolve) => {
      booted.upstream.answers({ 'GET /fhir/Flag/1': resource(stored('3'), '3'), GET: hangUp, PUT: resolve })
    })
    const answer = update(booted)
    const response = await sent
    await booted.send('GET', '/STU3/Flag/2')
    expect(statesOf(booted)).toEqual(['/STU3 open'])
    response.writeHead(200, { 'content-type': 'application/fhir+json', etag: 'W/"4"' }).end(JSON.stringify(stored('4')))
    expect((await answer).status).toBe(200)
  })

  test('stays as it is when another config with the same upstream is taken, and is gone without one', async () => {
    const booted = await opened()
    booted.reconfigure({ breaker: { ...breaker }, cache: 'off' })
    expect((await read(booted)).status).toBe(503)
    booted.upstream.answers({ GET: resource(stored('3'), '3') })
    booted.reconfigure({})
    expect((await read(booted)).status).toBe(200)
    expect(statesOf(booted)).toEqual([])
  })
})

describe('a breaker whose pause is over', () => {
  const soon = { breaker: { ...breaker, pauseMs: 1 } }

  /** Until the pause is over. */
  const halfOpen = async () => {
    const booted = await opened(soon)
    while (statesOf(booted)[0] !== '/STU3 half-open') await new Promise((resolve) => setImmediate(resolve))
    return booted
  }

  test('lets one read try whether the upstream has recovered, and then everything through', async () => {
    const booted = await halfOpen()
    const arrived = new Promise<ServerResponse>((resolve) => booted.upstream.answers({ GET: resolve }))
    const probe = read(booted)
    const response = await arrived
    const meanwhile = [await read(booted), await update(booted)]
    expect(meanwhile.map(({ status, headers }) => [status, headers['retry-after']])).toEqual([
      [503, '1'],
      [503, '1'],
    ])
    expect(booted.upstream.seen).toHaveLength(3)
    booted.upstream.answers({ GET: resource(stored('3'), '3'), PUT: resource(stored('4'), '4') })
    response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(stored('3')))
    expect((await probe).status).toBe(200)
    expect(statesOf(booted)).toEqual(['/STU3 closed'])
    expect((await update(booted)).status).toBe(200)
  })

  test('never has a write try: the gateway asks for /metadata itself', async () => {
    const booted = await halfOpen()
    const asked = new Promise<ServerResponse>((resolve) => {
      booted.upstream.answers({ 'GET /fhir/metadata': resolve, POST: resource(stored('1'), '1', 201) })
    })
    expect((await create(booted)).status).toBe(503)
    const response = await asked
    const closed = once(response, 'finish')
    response.writeHead(200, { 'content-type': 'application/fhir+json' }).end('{"resourceType":"CapabilityStatement"}')
    await closed
    while (statesOf(booted)[0] !== '/STU3 closed') await new Promise((resolve) => setImmediate(resolve))
    expect(booted.upstream.seen.filter(({ method }) => method === 'POST')).toEqual([])
    expect((await create(booted)).status).toBe(201)
  })
})
