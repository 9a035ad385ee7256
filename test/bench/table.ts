/** A table in Markdown, wide enough to be read as it is. Every column but the first is of numbers. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, at) => Math.max(3, title.length, ...rows.map((row) => (row[at] ?? '').length)))
  const line = (cells: readonly string[]) => {
    const padded = widths.map((width, at) =>
      at === 0 ? (cells[at] ?? '').padEnd(width) : (cells[at] ?? '').padStart(width),
    )
    return `| ${padded.join(' | ')} |`
  }
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(header), line(rule), ...rows.map(line)].join('\n')
}

/** A number with so many digits after the point; nothing where there is no number. */
export function fixed(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? '' : value.toFixed(digits)
}

/** 1234567 → 1 234 567 */
export function grouped(value: number): string {
  return fixed(value, 0).replace(/\B(?=(?:\d{3})+$)/g, ' ')
}

export const percent = (share: number) => (Number.isFinite(share) ? `${(share * 100).toFixed(0)} %` : '')

export const mebibytes = (bytes: number) => fixed(bytes / 1024 ** 2, 0)
