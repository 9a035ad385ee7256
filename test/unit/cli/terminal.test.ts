import { describe, expect, it } from 'vitest'
import { wrap, writeTable } from '../../../src/cli/terminal.ts'

describe('wrap', () => {
  it.each([
    ['one two three', 8, ['one two', 'three']],
    ['one two three', 13, ['one two three']],
    ['', 8, ['']],
    ['  one \n two ', 80, ['one two']],
    ['äöü äöü', 7, ['äöü äöü']],
    ['see https://a.example/b/c now', 12, ['see', 'https://a.', 'example/b/c', 'now']],
    ['abcdefghij', 4, ['abcd', 'efgh', 'ij']],
  ])('breaks %j at %i columns', (text, width, lines) => {
    expect(wrap(text, width)).toEqual(lines)
  })
})

describe('writeTable', () => {
  it('is as wide as its cells where that fits', () => {
    expect(
      writeTable(
        [
          ['', 'create'],
          ['Flag', 'new'],
        ],
        80,
      ),
    ).toEqual(['      create', 'Flag  new'])
  })

  it('breaks the cells of the widest columns where it does not', () => {
    expect(writeTable([['Flag', 'a long cell of several words', 'short']], 30)).toEqual([
      'Flag  a long cell of     short',
      '      several words',
    ])
  })

  it('never takes more columns than it has', () => {
    const rows = [['word '.repeat(30), 'x'.repeat(90), 'word '.repeat(20)]]
    for (const line of writeTable(rows, 60)) expect(line.length).toBeLessThanOrEqual(60)
  })
})
