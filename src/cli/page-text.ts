import type { Block, Item } from '../policy/words/page.ts'
import type { Colours } from './colour.ts'
import { textWidth, widthOf, wrap, writeTable } from './terminal.ts'

/** A page for a terminal. */
export function writePage(blocks: readonly Block[], colours: Colours): string {
  return `${blocks.map((block) => writeBlock(block, colours).join('\n')).join('\n\n')}\n`
}

function writeBlock(block: Block, colours: Colours): string[] {
  switch (block.kind) {
    case 'heading':
      return wrap(block.text, textWidth).flatMap((line) => [
        colours.strong(line),
        ...(block.level === 3 ? [] : [colours.strong((block.level === 1 ? '=' : '-').repeat(widthOf(line)))]),
      ])
    case 'paragraph':
      return wrap(block.text, textWidth)
    case 'table': {
      const [head = '', ...rows] = writeTable([block.head, ...block.rows], textWidth)
      return [colours.faint(head), ...rows]
    }
    case 'list':
      return block.items.flatMap((item) => writeItem(item, '', colours))
  }
}

function writeItem({ text, items, aside }: Item, indent: string, colours: Colours): string[] {
  const colour = aside ? colours.faint : (line: string) => line
  const lines = wrap(text, textWidth - indent.length - 2).map((line, i) => {
    const lead = i > 0 ? '  ' : aside ? '  ' : '- '
    return `${indent}${lead}${colour(line)}`
  })
  return [...lines, ...items.flatMap((below) => writeItem(below, `${indent}  `, colours))]
}
