import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, it, onTestFinished } from 'vitest'
import { openQueue as open, type DecisionQueue } from '../../../../src/audit/decisions/queue.ts'
import { idOf, sampleRecord } from './sample.ts'

const opened: DecisionQueue[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((queue) => queue.close()))
})

async function openQueue(...parameters: Parameters<typeof open>): Promise<DecisionQueue> {
  const queue = await open(...parameters)
  opened.push(queue)
  return queue
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'queue-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const options = { sync: false, maxBytes: 1024 * 1024, segmentBytes: 1200 }
const record = (number: number, outcome: 'pending' | 'success' = 'success') =>
  sampleRecord({ id: idOf(number), outcome })

async function takeFirst(queue: DecisionQueue): Promise<string | undefined> {
  const line = await queue.first()
  if (line) await queue.delivered(line)
  return line && `${line.record.id} ${line.record.outcome}`
}

async function takeAll(queue: DecisionQueue): Promise<readonly string[]> {
  const taken: string[] = []
  for (let one = await takeFirst(queue); one !== undefined; one = await takeFirst(queue)) taken.push(one)
  return taken
}

const segments = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.queue'))

it('gives what was pushed, in order, over several files, which go when they are read', async () => {
  const folder = newFolder()
  const queue = await openQueue(folder, options)
  for (let number = 0; number < 30; number++) await queue.push([record(number)])
  expect(segments(folder).length).toBeGreaterThan(5)
  expect(await takeAll(queue)).toEqual(Array.from({ length: 30 }, (_, number) => `${idOf(number)} success`))
  expect(segments(folder)).toHaveLength(1)
  await queue.close()
})

it('has of a write that was about to be sent the outcome only, and after a crash that it is not known', async () => {
  const folder = newFolder()
  const queue = await openQueue(folder, options)
  await queue.push([record(1, 'pending')])
  await queue.push([record(2, 'pending')])
  await queue.push([record(2)])
  expect(await takeAll(queue)).toEqual([`${idOf(2)} success`])
  const again = await openQueue(folder, options)
  expect(await takeAll(again)).toEqual([`${idOf(1)} unknown`])
  const third = await openQueue(folder, options)
  expect(await takeAll(third)).toEqual([])
})

it('takes the outcome of a write that was let go on when it is full, and nothing else', async () => {
  const queue = await openQueue(newFolder(), { ...options, maxBytes: 1500 })
  await queue.push([record(1, 'pending')])
  await queue.push([record(2)])
  await expect(queue.push([record(3), record(4)])).rejects.toMatchObject({ code: 'QUEUE_FULL' })
  await queue.push([record(1)])
  await expect(queue.push([record(5, 'pending')])).rejects.toMatchObject({ code: 'QUEUE_FULL' })
  expect(await takeAll(queue)).toEqual([`${idOf(2)} success`, `${idOf(1)} success`])
})

it('tells what became of a write as soon as it can be written again, and keeps no file for it after that', async () => {
  const folder = newFolder()
  const queue = await openQueue(folder, { ...options, segmentBytes: 1 })
  await queue.push([record(1, 'pending')])
  const inTheWay = join(folder, '000000000002.queue')
  mkdirSync(inTheWay)
  await expect(queue.push([record(1)])).rejects.toMatchObject({ code: 'EISDIR' })
  await expect(queue.push([record(2)])).rejects.toMatchObject({ code: 'EISDIR' })
  rmSync(inTheWay, { recursive: true })
  await queue.push([record(3)])
  await queue.push([record(4)])
  expect(await takeAll(queue)).toEqual([1, 3, 4].map((number) => `${idOf(number)} success`))
  expect(segments(folder)).toHaveLength(1)
  expect(await takeAll(await openQueue(folder, options))).toEqual([])
})

it('passes over what a disk has damaged, and reads everything again when it does not know how far it was', async () => {
  const folder = newFolder()
  const queue = await openQueue(folder, { ...options, segmentBytes: 1_000_000 })
  for (const number of [1, 2, 3]) await queue.push([record(number)])
  await takeFirst(queue)
  await queue.close()
  const file = join(folder, segments(folder)[0]!)
  writeFileSync(file, readFileSync(file, 'utf8').replace(`"id":"${idOf(2)}`, `"id":"${idOf(9)}`))
  writeFileSync(join(folder, 'delivered.json'), '{"segm')
  expect(await takeAll(await openQueue(folder, options))).toEqual([`${idOf(1)} success`, `${idOf(3)} success`])
})

it('loses nothing that was pushed, keeps the order, and holds no half line, wherever it crashes', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('take' as const) }),
    fc.record({ kind: fc.constant('crash' as const), torn: fc.integer({ min: 0, max: 200 }) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const folder = mkdtempSync(join(tmpdir(), 'queue-'))
      try {
        let queue = await openQueue(folder, options)
        let pushed = 0
        const taken: number[] = []
        const take = async () => {
          const line = await queue.first()
          if (!line) return false
          taken.push(Number(line.record.id.slice(-12)))
          await queue.delivered(line)
          return true
        }
        for (const one of steps) {
          if (one.kind === 'push') {
            await queue.push(Array.from({ length: one.count }, () => record(pushed++)))
          } else if (one.kind === 'take') await take()
          else {
            await queue.close()
            // The beginning of a line that was never told to be written.
            const last = segments(folder).at(-1)
            const half = `0badc0de ${JSON.stringify(record(999_999))}`.slice(0, one.torn)
            if (last !== undefined) appendFileSync(join(folder, last), half)
            queue = await openQueue(folder, options)
          }
        }
        while (await take());
        expect(taken).toEqual(Array.from({ length: pushed }, (_, number) => number))
      } finally {
        await Promise.all(opened.splice(0).map((queue) => queue.close()))
        rmSync(folder, { recursive: true })
      }
    }),
    { numRuns: 60 },
  )
})

it('reads what was delivered again, and no other, when the note of it is lost with the machine', async () => {
  const folder = newFolder()
  const queue = await openQueue(folder, options)
  for (const number of [1, 2]) await queue.push([record(number)])
  await takeFirst(queue)
  truncateSync(join(folder, 'delivered.json'), 0)
  expect(await takeAll(await openQueue(folder, options))).toEqual([`${idOf(1)} success`, `${idOf(2)} success`])
})
