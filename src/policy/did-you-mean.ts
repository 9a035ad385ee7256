/** What people write for FHIR's word: the method of HTTP, and what other languages call it. */
const otherWords: ReadonlyMap<string, string> = new Map([
  ['get', 'read'],
  ['put', 'update'],
  ['post', 'create'],
  ['metadata', 'capabilities'],
  ['message', 'say'],
])

/** ` Did you mean \`status\`?` for a name that is close to a known one, else the empty string. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const written = name.toLowerCase()
  const candidates = [...known]
  const meant = otherWords.get(written)
  if (meant !== undefined && candidates.includes(meant)) return suggestion(meant)
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of candidates) {
    const other = candidate.toLowerCase()
    // The beginning of a name is near to it, however long the rest is.
    const distance = written.length > 3 && other.startsWith(written) ? 1 : editDistance(written, other)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best === undefined ? '' : suggestion(best)
}

const suggestion = (name: string) => ` Did you mean \`${name}\`?`

/** Levenshtein's distance, with a swap of neighbours counted as one. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const above = rows[i - 1]!
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1)
      row.push(best)
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
