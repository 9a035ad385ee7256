import { describe, expect, it } from 'vitest'
import { median, medianRatio, slope, spread } from './statistics.ts'

describe('statistics of a benchmark', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[10, 9], 9.5],
    [[7], 7],
  ])('takes the middle of %j, sorted as numbers', (values, middle) => {
    expect(median(values)).toBe(middle)
  })

  it('leaves the values in their order', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
  })

  it('tells the spread as half of the way from the least to the greatest, as a share of the middle', () => {
    expect(spread([90, 100, 120])).toBeCloseTo(0.15)
    expect(spread([5])).toBe(0)
  })

  it('takes a ratio round by round, so that a slow round changes nothing', () => {
    expect(medianRatio([100, 10, 100], [50, 5, 50])).toBe(2)
    // The medians themselves would make it 20.
    expect(medianRatio([100, 10, 100], [50, 5, 5])).toBe(2)
  })

  it('has no ratio where there is nothing to compare with', () => {
    expect(medianRatio([1, 2], [])).toBeNaN()
  })

  it('finds how much a line rises', () => {
    const line = [0, 1, 2, 3].map((x) => [x, 5 + 2 * x] as const)
    expect(slope(line)).toBeCloseTo(2)
  })
})
