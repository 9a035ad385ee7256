import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { basePathOf, cases, type BenchCase } from '../bench/cases.ts'
import { startStub, type Stub } from '../bench/servers.ts'
import { boot, shippedPolicy } from './booted.ts'

let stub: Stub

beforeAll(async () => {
  stub = await startStub()
})
afterAll(() => stub.stop())

/** Sends the requests of a case twice, through a gateway that was just started. */
async function sentTwice(benchCase: BenchCase) {
  const path = basePathOf(benchCase)
  const gateway = await boot({
    path,
    policy: shippedPolicy(`${benchCase.policy}.yaml`),
    upstreamUrl: new URL(stub.origin + path),
  })
  const before = await stub.requests()
  const answers = []
  for (const { method, path, headers, body } of [...benchCase.load.requests, ...benchCase.load.requests]) {
    answers.push(await gateway.send(method, path, headers, body))
  }
  const upstreamRequests = (await stub.requests()) - before
  await gateway.close()
  return { answers, upstreamRequests }
}

describe('the cases of the benchmark', () => {
  it.each(cases)('$name is answered as it expects', async (benchCase) => {
    const { status, holds } = benchCase.judged
    const { answers } = await sentTwice(benchCase)
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => status))
    expect(answers.filter(({ body }) => !body.includes(holds))).toEqual([])
  })

  it.each([
    ['get', 2],
    ['no-if-match', 0],
    // The second one has the version from the cache.
    ['put', 3],
    ['put-xml', 3],
    ['patch', 3],
    // Read, then asked whether the cached version may be told of.
    ['refusal', 2],
  ])('%s, sent twice, asks the upstream %d times', async (name, count) => {
    const { upstreamRequests } = await sentTwice(cases.find((one) => one.name === name)!)
    expect(upstreamRequests).toBe(count)
  })
})
