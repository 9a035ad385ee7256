import { expect, test } from 'vitest'
import { atOnce } from '../../../../src/http/bundle/at-once.ts'

test('no more than the limit are worked on at the same time, and the results stand in order', async () => {
  let now = 0
  let most = 0
  const waiting: (() => void)[] = []
  const results = atOnce([1, 2, 3, 4, 5], 2, async (item, index) => {
    most = Math.max(most, ++now)
    await new Promise<void>((resolve) => {
      waiting.push(resolve)
      if (waiting.length === 2 || index === 4) for (const go of waiting.splice(0).toReversed()) go()
    })
    now--
    return item * 10
  })
  expect(await results).toEqual([10, 20, 30, 40, 50])
  expect(most).toBe(2)
})

test('a fault is thrown on', async () => {
  await expect(atOnce([1], 4, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
})

test('of nothing nothing comes', async () => {
  expect(await atOnce([], 4, () => Promise.resolve(1))).toEqual([])
})
