/**
 * A text for people, as blocks that a terminal and Markdown show each in its own way. In all texts, code stands between
 * backticks (as many as it takes); everything else is plain.
 */
export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'list'; readonly items: readonly Item[] }

/** An item of a list, with what stands below it. */
export interface Item {
  readonly text: string
  readonly items: readonly Item[]
  /** It says how a refusal is answered: set off, where that can be. */
  readonly aside?: true
}

export const heading = (level: 1 | 2 | 3, text: string): Block => ({ kind: 'heading', level, text })
export const paragraph = (text: string): Block => ({ kind: 'paragraph', text })
export const list = (items: readonly Item[]): Block => ({ kind: 'list', items })
export const item = (text: string, items: readonly Item[] = []): Item => ({ text: capitalised(text), items })
export const aside = (text: string): Item => ({ text: capitalised(text), items: [], aside: true })

/** A text as code. */
export function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const ticks = '`'.repeat(longest + 1)
  return longest === 0 ? ticks + text + ticks : `${ticks} ${text} ${ticks}`
}

/** The code and the plain text of a text, in their order. */
export function spansOf(text: string): readonly { readonly text: string; readonly code: boolean }[] {
  const spans = []
  let at = 0
  for (const found of text.matchAll(/(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/gs)) {
    if (found.index > at) spans.push({ text: text.slice(at, found.index), code: false })
    spans.push({ text: found[0], code: true })
    at = found.index + found[0].length
  }
  if (at < text.length) spans.push({ text: text.slice(at), code: false })
  return spans
}

const capitalised = (text: string) => text.replace(/^[a-z]/, (letter) => letter.toUpperCase())

/** `a`, `a and b`, `a, b and c` */
export function joined(texts: readonly string[], last: 'and' | 'or' = 'and'): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} ${last} ${texts.at(-1)}`
}
