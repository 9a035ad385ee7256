import { spansOf, type Block, type Item } from './page.ts'

/** A page as Markdown. */
export function writeMarkdown(blocks: readonly Block[]): string {
  return `${blocks.map(writeBlock).join('\n\n')}\n`
}

function writeBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${escaped(block.text)}`
    case 'paragraph':
      return escaped(block.text)
    case 'table': {
      const line = (cells: readonly string[]) => `| ${cells.map(cellOf).join(' | ')} |`
      return [line(block.head), line(block.head.map(() => '---')), ...block.rows.map(line)].join('\n')
    }
    case 'list':
      return writeItems(block.items, '').join('\n')
  }
}

function writeItems(items: readonly Item[], indent: string): string[] {
  return items.flatMap(({ text, items: below, aside }) => {
    const shown = aside ? `_${escaped(text)}_` : escaped(text)
    return [`${indent}- ${shown}`, ...writeItems(below, `${indent}  `)]
  })
}

/** A table's cell ends at a bar, also in code. */
const cellOf = (text: string) => escaped(text).replaceAll('|', String.raw`\|`)

/** Nothing of a text that a policy's author wrote becomes markup. */
function escaped(text: string): string {
  return spansOf(text.replaceAll(/\s*\n\s*/g, ' '))
    .map((span) => (span.code ? span.text : span.text.replaceAll(/[\\*_<>[\]#]/g, String.raw`\$&`)))
    .join('')
}
