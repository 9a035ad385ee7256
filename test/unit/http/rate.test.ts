import { describe, expect, it, vi } from 'vitest'
import { limitRate, sourceOf } from '../../../src/http/rate.ts'

describe('whom an address stands for', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '0:0:0:0'],
    ['::1', '0:0:0:0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2'],
    ['2001:db8::5:6', '2001:db8:0:0'],
    ['2001::3:4:5:6:7:8', '2001:0:3:4'],
    ['', ''],
  ])('%s: %s', (address, source) => {
    expect(sourceOf(address)).toBe(source)
  })
})

describe('a rate', () => {
  it('counts each client by itself', async () => {
    const limit = limitRate({ requests: 1, perMs: 60_000 })
    expect(await limit.take('a')).toBeUndefined()
    expect(await limit.take('b')).toBeUndefined()
    expect(await limit.take('a')).toBe(60)
  })

  it('counts what is added against what comes after it', async () => {
    const limit = limitRate({ requests: 3, perMs: 60_000 })
    expect(await limit.take('a')).toBeUndefined()
    await limit.add('a', 5)
    expect(await limit.take('a')).toBe(60)
    expect(await limit.take('b')).toBeUndefined()
  })

  it('never says to wait no time at all', async () => {
    const limit = limitRate({ requests: 1, perMs: 10 })
    await limit.take('a')
    expect((await limit.take('a')) ?? 1).toBe(1)
  })

  it('lets a client go on when the time is over', async () => {
    const limit = limitRate({ requests: 1, perMs: 1 })
    await limit.take('a')
    await vi.waitFor(async () => expect(await limit.take('a')).toBeUndefined())
  })
})
