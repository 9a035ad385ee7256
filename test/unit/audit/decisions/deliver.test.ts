import { expect, it } from 'vitest'
import { deliver, type Posted } from '../../../../src/audit/decisions/deliver.ts'
import type { DecisionQueue } from '../../../../src/audit/decisions/queue.ts'
import type { QueuedLine } from '../../../../src/audit/decisions/queue-segments.ts'
import type { DecisionRecord } from '../../../../src/audit/decisions/record.ts'
import { idOf, sampleRecord } from './sample.ts'

/** The machine may be busy with other things. */
const patience = { timeout: 15_000 }

const emptyQueue: DecisionQueue = {
  push: async () => {},
  first: async () => undefined,
  delivered: async () => {},
  onPush() {},
  bytes: () => 0,
  close: async () => {},
}

/** A queue in memory, and a server that answers what a test says, in order. */
function setUp(count: number, answers: readonly Posted[]) {
  const left = Array.from({ length: count }, (_, number) => ({
    record: sampleRecord({ id: idOf(number) }),
    end: { segment: 1, offset: number },
  }))
  const queue = {
    ...emptyQueue,
    first: async () => left[0],
    delivered: async () => void left.shift(),
  }
  const posts: string[] = []
  const aside: DecisionRecord[] = []
  const results: string[] = []
  const delivery = deliver({
    queue,
    post: async ({ id }) => {
      posts.push(id)
      return answers[posts.length - 1] ?? { status: 201 }
    },
    setAside: async (record) => void aside.push(record),
    tried: (result) => void results.push(result),
    retryMs: 1,
  })
  return { delivery, posts, aside, results, left }
}

it.each<[what: string, answer: Posted]>([
  ['cannot be reached', { error: new Error('x') }],
  ['fails', { status: 503 }],
  ['wants other credentials', { status: 401 }],
  ['is asked too much', { status: 429 }],
  ['has no such path', { status: 404 }],
])('an event is tried again, and nothing overtakes it, while the server %s', async (_, answer) => {
  const { delivery, posts, results } = setUp(2, [answer, answer])
  await expect.poll(() => posts.length, patience).toBe(4)
  await delivery.stop(1000)
  expect(posts).toEqual([idOf(0), idOf(0), idOf(0), idOf(1)])
  expect(results).toEqual(['failed', 'failed', 'delivered', 'delivered'])
})

it.each([400, 409, 412, 413, 422])(
  'an event that the server does not take (%i) is set aside, and the next one sent',
  async (status) => {
    const { delivery, posts, aside } = setUp(2, [{ status }])
    await expect.poll(() => posts.length, patience).toBe(2)
    await delivery.stop(1000)
    expect(aside.map(({ id }) => id)).toEqual([idOf(0)])
  },
)

it('what is left is delivered before it stops, up to the first failure', async () => {
  const { delivery, posts, left } = setUp(3, [{ status: 201 }, { status: 500 }])
  await delivery.stop(1000)
  expect(posts).toHaveLength(2)
  expect(left).toHaveLength(2)
})

it('what is pushed while the queue is looked into is delivered before it stops, too', async () => {
  let look = () => {}
  const looked = new Promise<undefined>((resolve) => (look = () => resolve(undefined)))
  const line = { record: sampleRecord(), end: { segment: 1, offset: 1 } }
  const looks: (Promise<undefined> | QueuedLine)[] = [looked, line]
  const posts: string[] = []
  const delivery = deliver({
    queue: { ...emptyQueue, first: async () => looks.shift() },
    post: async ({ id }) => {
      posts.push(id)
      return { status: 201 }
    },
    setAside: async () => {},
    tried() {},
  })
  const stopped = delivery.stop(15_000)
  look()
  await stopped
  expect(posts).toEqual([line.record.id])
})
