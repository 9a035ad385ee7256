/** So many values are kept, and of no longer texts: who sends others all the time gains nothing by it. */
const most = 100
const longest = 200

/**
 * A pure function of a text that is nearly always one of a few, such as a media type, with its last values kept: to read one
 * takes 5 µs, and every request brings several.
 */
export function remembering<T>(valueOf: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    if (known.has(text)) return known.get(text)!
    const value = valueOf(text)
    if (text.length > longest) return value
    if (known.size >= most) known.clear()
    known.set(text, value)
    return value
  }
}
