import { describe, expect, it } from 'vitest'
import { writeMarkdown } from '../../../../src/policy/words/markdown.ts'
import { aside, code, heading, item, list, paragraph, spansOf } from '../../../../src/policy/words/page.ts'

describe('a page as Markdown', () => {
  it('has headings, paragraphs, tables and lists inside lists', () => {
    const blocks = [
      heading(2, 'Flag'),
      paragraph('It may change.'),
      list([item('outer:', [item('inner.'), aside('else 400.')]), item('next.')]),
      { kind: 'table' as const, head: ['', 'create'], rows: [['Flag', '`new`']] },
    ]
    expect(writeMarkdown(blocks)).toBe(`## Flag

It may change.

- Outer:
  - Inner.
  - _Else 400._
- Next.

|  | create |
| --- | --- |
| Flag | \`new\` |
`)
  })

  it.each([
    ['a *b* _c_ <d> [e](f) # \\', String.raw`a \*b\* \_c\_ \<d\> \[e\](f) \# \\`],
    ['two\n  lines', 'two lines'],
    ['`a*b` and c*d', String.raw`${'`a*b`'} and c\*d`],
  ])('makes no markup of %j', (text, expected) => {
    expect(writeMarkdown([paragraph(text)])).toBe(`${expected}\n`)
  })

  it('keeps a bar in a cell from ending it', () => {
    const table = { kind: 'table' as const, head: ['a'], rows: [[code("[coding = 's|c']")]] }
    expect(writeMarkdown([table])).toContain(String.raw`| ${'`'}[coding = 's\|c']${'`'} |`)
  })

  it.each(['a', '`', 'a`b', '``', 'a ``b` c'])('finds the code %j again in a text', (text) => {
    expect(spansOf(`before ${code(text)} after`)).toEqual([
      { text: 'before ', code: false },
      { text: code(text), code: true },
      { text: ' after', code: false },
    ])
  })
})
