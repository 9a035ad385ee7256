import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { createCapabilityStatements } from '../../../src/upstream/capability-statements.ts'
import type { UpstreamClient, UpstreamReply } from '../../../src/upstream/client.ts'
import { withoutEmptyValues } from '../../../src/upstream/without-empty-values.ts'

/** A server that says these of itself, one after another, and the last again and again. */
function statements(...told: object[]) {
  let asked = 0
  const send = (): Promise<UpstreamReply> => {
    const body = Buffer.from(JSON.stringify(told[Math.min(asked++, told.length - 1)]))
    return Promise.resolve({
      kind: 'answered',
      status: 200,
      headerFields: { 'content-type': 'application/json' },
      body,
    })
  }
  const client: UpstreamClient = { send, close: () => Promise.resolve(), destroy: () => Promise.resolve() }
  const definitions = definitionsOf('R4')
  const options = { client, basePath: '', definitions, bounds: { nesting: 10 }, maxBytes: 1000 }
  return { ...createCapabilityStatements(options), asked: () => asked }
}

const statement = (more: object) => ({ resourceType: 'CapabilityStatement', status: 'active', ...more })

let now = 1
const pass = (milliseconds: number) => {
  now += milliseconds
  vi.advanceTimersByTime(milliseconds)
}

// The cache's clock is the one that there was when it was loaded.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.spyOn(performance, 'now').mockImplementation(() => now)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('what a server says of itself', () => {
  it('is kept for five minutes', async () => {
    const upstream = statements(statement({ name: 'a' }), statement({ name: 'b' }))
    const first = await upstream.kept('json')
    pass(299_000)
    expect(await upstream.kept('json')).toBe(first)
    pass(2_000)
    expect(await upstream.kept('json')).not.toBe(first)
    expect(upstream.asked()).toBe(2)
  })

  it('is the same when only its id and date are others', async () => {
    const [before, after] = ['a', 'b'].map((id) => statement({ id, date: `2026-01-0${id === 'a' ? 1 : 2}`, name: 'x' }))
    const upstream = statements(before!, after!)
    const first = await upstream.kept('json')
    pass(301_000)
    expect(await upstream.kept('json')).toBe(first)
    expect(upstream.asked()).toBe(2)
    expect(await upstream.kept('json')).toBe(first)
    expect(upstream.asked()).toBe(2)
  })
})

describe('FHIR JSON without empty values', () => {
  it.each([
    ['{"a":1.00,"b":"x"}', '{"a":1.00,"b":"x"}'],
    ['{"a":[],"b":{"c":""},"d":null,"e":[{"f":[{}]}],"g":"x"}', '{"g":"x"}'],
    ['{"a":["x",null],"_a":[null,{"id":"y"}],"b":[]}', '{"a":["x",null],"_a":[null,{"id":"y"}]}'],
    ['{"a":""', '{"a":""'],
    ['[]', '[]'],
  ])('%s is %s', (written, kept) => {
    expect(withoutEmptyValues(Buffer.from(written)).toString()).toBe(kept)
  })
})
