/** Where the white space ends that begins at a place of a JSON text (RFC 8259, section 2) or an XML text, if any does. */
export function pastWhiteSpace(text: string, from: number): number {
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at
  }
}
