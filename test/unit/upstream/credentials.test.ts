import { describe, expect, test } from 'vitest'
import { tokensKept } from '../../../src/upstream/credentials.ts'

/** An issuer, and a clock that stands still until it is moved. */
function issuer(lifetimeMs = 600_000) {
  let time = 0
  let asked = 0
  let broken = false
  const credentials = tokensKept(
    async () => {
      asked++
      if (broken) throw new Error('none')
      return { token: `t${asked}`, lifetimeMs }
    },
    () => time,
  )
  return {
    credentials,
    shown: async () => (await credentials.headerFields())['authorization'],
    after: (ms: number) => void (time += ms),
    breaks: (isSo: boolean) => void (broken = isSo),
    asked: () => asked,
  }
}

describe('a token', () => {
  test('is used until 30 s before it expires', async () => {
    const { shown, after } = issuer()
    expect(await shown()).toBe('Bearer t1')
    after(569_999)
    expect(await shown()).toBe('Bearer t1')
    after(1)
    expect(await shown()).toBe('Bearer t2')
  })

  test('that is good for less than a minute is used for half of it', async () => {
    const { shown, after } = issuer(20_000)
    await shown()
    after(9_999)
    expect(await shown()).toBe('Bearer t1')
    after(1)
    expect(await shown()).toBe('Bearer t2')
  })

  test('is asked for once by all who need it at the same time', async () => {
    const { shown, asked } = issuer()
    expect(await Promise.all([shown(), shown(), shown()])).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t1'])
    expect(asked()).toBe(1)
  })

  test('that is not to be had is asked for again after a second, not before', async () => {
    const { shown, after, breaks, asked } = issuer()
    breaks(true)
    await expect(shown()).rejects.toThrow('none')
    await expect(shown()).rejects.toThrow('none')
    expect(asked()).toBe(1)
    breaks(false)
    after(1000)
    expect(await shown()).toBe('Bearer t2')
  })

  test('that the upstream refuses is followed by another one, at most every 10 s', async () => {
    const { credentials, shown, after } = issuer()
    const first = await credentials.headerFields()
    credentials.refused(first)
    expect(await shown()).toBe('Bearer t1')
    after(10_000)
    credentials.refused(first)
    const second = await credentials.headerFields()
    expect(second).toEqual({ authorization: 'Bearer t2' })
    after(10_000)
    credentials.refused(first)
    expect(await shown()).toBe('Bearer t2')
  })
})
