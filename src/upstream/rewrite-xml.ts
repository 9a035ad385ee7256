import { SaxesParser } from 'saxes'
import type { BaseUrls } from './base-urls.ts'
import type { Places } from './rewrite-places.ts'

/** A stretch of a text, and what comes in its place. */
interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** An element that is open. */
interface Open {
  readonly places: Places | undefined
  /** Where its content begins. */
  readonly contentStart: number
}

/**
 * Puts the gateway's base in the place of the upstream's where a server writes URLs of its own; not a byte more.
 * @throws {Error} when the text is not well-formed, or has a DTD.
 */
export function rewriteXml(text: string, urls: BaseUrls, places: Places): string {
  const parser = new SaxesParser({ xmlns: false, position: true })
  const edits: Edit[] = []
  const stack: Open[] = []
  parser.on('error', (error) => {
    throw error
  })
  parser.on('doctype', () => {
    throw new Error('A DTD is not taken.')
  })
  parser.on('opentag', ({ name }) => {
    const parent = stack.length === 0 ? places : stack.at(-1)!.places
    const own = parent?.resources ? parent.resources.get(name) : (parent?.members?.get(name) ?? parent?.others)
    stack.push({ places: own, contentStart: parser.position })
    const place = own?.place
    if (!place) return
    const value = valueAttribute(text, text.lastIndexOf('<', parser.position - 1), parser.position)
    if (!value) return
    const before = text.slice(value.start, value.end)
    const after = place === 'url' ? urls.url(unescape(before)) : urls.inText(unescape(before))
    if (after !== unescape(before)) edits.push({ ...value, text: escape(after) })
  })
  parser.on('closetag', ({ name, isSelfClosing }) => {
    const { places: own, contentStart } = stack.pop()!
    // The one text that is no attribute.
    if (isSelfClosing || name !== 'div' || own?.place !== 'text') return
    const end = text.lastIndexOf('<', parser.position - 1)
    const before = text.slice(contentStart, end)
    const after = urls.inText(before)
    if (after !== before) edits.push({ start: contentStart, end, text: after })
  })
  parser.write(text).close()
  return applyEdits(text, edits)
}

const attribute = /\s+([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/y

/** Where the text of the attribute `value` of a tag stands. */
function valueAttribute(text: string, tagStart: number, tagEnd: number): { start: number; end: number } | undefined {
  attribute.lastIndex = tagStart + 1 + text.slice(tagStart + 1, tagEnd).search(/[\s/>]/)
  for (let match = attribute.exec(text); match; match = attribute.exec(text)) {
    if (match[1] !== 'value') continue
    const end = attribute.lastIndex - 1
    return { start: end - (match[2] ?? match[3])!.length, end }
  }
  return undefined
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescape(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex: string, decimal: string, name: string) =>
    name !== undefined ? (entities[name] ?? whole) : String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal)),
  )
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Applies edits that stand in order and do not overlap; everything between them stays as it is. */
function applyEdits(text: string, edits: readonly Edit[]): string {
  let end = 0
  let result = ''
  for (const edit of edits) {
    result += text.slice(end, edit.start) + edit.text
    end = edit.end
  }
  return result + text.slice(end)
}
