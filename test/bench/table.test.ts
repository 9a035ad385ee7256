import { describe, expect, it } from 'vitest'
import { fixed, grouped, percent, table } from './table.ts'

describe('tables of a benchmark', () => {
  it('are Markdown, with texts to the left and numbers to the right', () => {
    const written = table(
      ['server', 'req/s'],
      [
        ['nginx', '12 345'],
        ['gateway', ''],
      ],
    )
    expect(written.split('\n')).toEqual([
      '| server  |  req/s |',
      '| ------- | -----: |',
      '| nginx   | 12 345 |',
      '| gateway |        |',
    ])
  })

  it('leave out what is no number', () => {
    expect([fixed(NaN, 2), fixed(undefined, 2), percent(NaN), fixed(1 / 0, 1)]).toEqual(['', '', '', ''])
  })

  it.each([
    [0, '0'],
    [999, '999'],
    [1234.4, '1 234'],
    [1_234_567, '1 234 567'],
  ])('write %d as %s', (value, text) => {
    expect(grouped(value)).toBe(text)
  })
})
