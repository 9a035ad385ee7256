/** As wide as texts are written for people at a terminal. */
export const textWidth = 100

/** How many columns a text takes, each code point taken for one. */
export const widthOf = (text: string) => [...text].length

/**
 * Breaks a text into lines of at most `width` columns, between words; a word that is longer, such as a URL, after one of the
 * signs in it.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter((word) => word !== '')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (widthOf(longer) <= width) {
      line = longer
      continue
    }
    if (line !== '') lines.push(line)
    const pieces = piecesOf(word, width)
    lines.push(...pieces.slice(0, -1))
    line = pieces.at(-1)!
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line]
}

/** A word in pieces of at most `width` columns. */
function piecesOf(word: string, width: number): string[] {
  const pieces: string[] = []
  let rest = [...word]
  while (rest.length > width) {
    const sign = rest.slice(0, width).findLastIndex((letter) => /[^\p{L}\p{N}'`“”]/u.test(letter))
    const end = sign < width / 2 ? width : sign + 1
    pieces.push(rest.slice(0, end).join(''))
    rest = rest.slice(end)
  }
  return [...pieces, rest.join('')]
}

/** A table with a head, of at most `width` columns in all; cells are broken into lines. */
export function writeTable(rows: readonly (readonly string[])[], width: number): string[] {
  const gap = 2
  const widths = columnWidths(rows, width, gap)
  return rows.flatMap((row) => {
    const cells = row.map((cell, i) => wrap(cell, widths[i]!))
    const height = Math.max(...cells.map((lines) => lines.length))
    return Array.from({ length: height }, (_, line) =>
      cells
        .map((lines, i) => padded(lines[line] ?? '', widths[i]!))
        .join(' '.repeat(gap))
        .trimEnd(),
    )
  })
}

const padded = (text: string, width: number) => text + ' '.repeat(Math.max(0, width - widthOf(text)))

/** As wide as the cells are; the widest give way when that is too much, but to no less than their longest word. */
function columnWidths(rows: readonly (readonly string[])[], width: number, gap: number): number[] {
  const columns = rows[0]!.map((_, i) => rows.map((row) => row[i] ?? ''))
  const widths = columns.map((cells) => Math.max(...cells.map(widthOf)))
  const least = columns.map((cells) => Math.max(...cells.flatMap((cell) => cell.split(' ').map(widthOf))))
  const available = width - gap * (columns.length - 1)
  for (let over = widths.reduce((a, b) => a + b, 0) - available; over > 0; over--) {
    const slack = widths.map((its, i) => its - Math.min(least[i]!, 20))
    const widest = slack.indexOf(Math.max(...slack))
    widths[widest] = Math.max(1, widths[widest]! - 1)
  }
  return widths
}
