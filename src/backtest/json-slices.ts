/**
 * Finds where the parts of a JSON text stand without reading what is in them: one resource of a page that cannot be read
 * must not make the others unreadable, and each must be read as it was written. What is sliced out is read strictly later.
 */
export interface Slice {
  readonly start: number
  readonly end: number
}

export const wholeOf = (text: string): Slice => ({ start: 0, end: text.length })

/** The members of an object by name; undefined for what is none, or has a name twice. */
export function membersOf(text: string, slice: Slice): ReadonlyMap<string, Slice> | undefined {
  const members = new Map<string, Slice>()
  const whole = partsOf(text, slice, '{', '}', (at) => {
    const nameEnd = text[at] === '"' ? endOfString(text, at) : -1
    const colon = nameEnd < 0 ? -1 : afterSpace(text, nameEnd)
    const name = text[colon] === ':' ? textIn(text, { start: at, end: nameEnd }) : undefined
    const start = afterSpace(text, colon + 1)
    const end = endOfValue(text, start)
    if (name === undefined || members.has(name) || end < 0) return -1
    members.set(name, { start, end })
    return end
  })
  return whole ? members : undefined
}

/** The items of an array; undefined for what is none. */
export function itemsOf(text: string, slice: Slice): readonly Slice[] | undefined {
  const items: Slice[] = []
  const whole = partsOf(text, slice, '[', ']', (start) => {
    const end = endOfValue(text, start)
    if (end >= 0) items.push({ start, end })
    return end
  })
  return whole ? items : undefined
}

/** What a string says; undefined for what is none. */
export function textIn(text: string, { start, end }: Slice): string | undefined {
  if (text[start] !== '"') return undefined
  try {
    const read: unknown = JSON.parse(text.slice(start, end))
    return typeof read === 'string' ? read : undefined
  } catch {
    return undefined
  }
}

/** Goes through what stands between two brackets, parted by commas. @param part gives the end of what starts there, or -1 */
function partsOf(text: string, slice: Slice, open: string, close: string, part: (at: number) => number): boolean {
  let at = afterSpace(text, slice.start)
  if (text[at] !== open) return false
  at = afterSpace(text, at + 1)
  if (text[at] === close) return isEnd(text, at + 1, slice.end)
  while (at < slice.end) {
    const end = part(at)
    if (end < 0) return false
    at = afterSpace(text, end)
    if (text[at] === close) return isEnd(text, at + 1, slice.end)
    if (text[at] !== ',') return false
    at = afterSpace(text, at + 1)
  }
  return false
}

const isEnd = (text: string, at: number, end: number) => afterSpace(text, at) >= end

function afterSpace(text: string, from: number): number {
  let at = from
  for (let code = text.charCodeAt(at); code === 32 || (code >= 9 && code <= 13); code = text.charCodeAt(at)) at++
  return at
}

/** @param start of the opening quotation mark */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at + 1
    if (code === 0x5c) at++
  }
  return -1
}

function endOfValue(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return endOfString(text, start)
  if (first !== '{' && first !== '[') {
    const literal = /[-+.0-9A-Za-z]+/y
    literal.lastIndex = start
    return literal.test(text) ? literal.lastIndex : -1
  }
  let depth = 0
  for (let at = start; at >= 0 && at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) at = endOfString(text, at) - 1
    else if (code === 0x7b || code === 0x5b) depth++
    else if ((code === 0x7d || code === 0x5d) && --depth === 0) return at + 1
    if (at < 0) return -1
  }
  return -1
}
