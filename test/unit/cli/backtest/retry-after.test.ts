import { describe, expect, it } from 'vitest'
import { waitingTime } from '../../../../src/cli/backtest/retry-after.ts'

const now = Date.parse('2026-01-01T00:00:00Z')

describe('Retry-After', () => {
  it.each([
    ['7', 1, 7000],
    ['0', 1, 1000],
    ['300', 1, 300_000],
    ['301', 1, undefined],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 1, 30_000],
    ['Thu, 01 Jan 2025 00:00:30 GMT', 1, 1000],
    ['Fri, 02 Jan 2026 00:00:30 GMT', 1, undefined],
    [undefined, 1, 2000],
    [undefined, 3, 8000],
    ['soon', 2, 4000],
  ])('%s, the %i. time: wait %s ms', (retryAfter, attempt, milliseconds) => {
    expect(waitingTime(retryAfter, attempt, now)).toBe(milliseconds)
  })
})
