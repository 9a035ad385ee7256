/** How words are set off on a terminal. */
export interface Colours {
  good(text: string): string
  bad(text: string): string
  doubtful(text: string): string
  faint(text: string): string
  strong(text: string): string
}

/** Whether to colour what goes to a stream. https://no-color.org */
export function wantsColour(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
}

const asItIs = (text: string) => text

/** Select Graphic Rendition of ECMA-48. */
const rendition = (on: number, off: number) => (text: string) => `\u001B[${on}m${text}\u001B[${off}m`

export const plain: Colours = { good: asItIs, bad: asItIs, doubtful: asItIs, faint: asItIs, strong: asItIs }

export const coloured: Colours = {
  good: rendition(32, 39),
  bad: rendition(31, 39),
  doubtful: rendition(33, 39),
  faint: rendition(2, 22),
  strong: rendition(1, 22),
}
