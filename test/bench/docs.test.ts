import { describe, expect, it } from 'vitest'
import { withSection } from './docs.ts'

describe('docs/benchmarks.md', () => {
  const text = '# Benchmarks\n\n## One\n\nold\n\n### Inside\n\nold\n\n## Two\n\nkept\n'

  it('gets a section in place of the one under the same heading', () => {
    expect(withSection(text, 'One', 'new')).toBe('# Benchmarks\n\n## One\n\nnew\n\n## Two\n\nkept\n')
    expect(withSection(text, 'Two', 'new')).toBe(text.replace('kept', 'new'))
  })

  it('gets a new section at its end', () => {
    expect(withSection(text, 'Three', 'new')).toBe(`${text}\n## Three\n\nnew\n`)
  })
})
