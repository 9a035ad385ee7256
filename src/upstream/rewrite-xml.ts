import { SaxesParser } from 'saxes'
import type { BaseUrls } from './base-urls.ts'
import { applyEdits, isEntryResource, placeAt, type Edit } from './rewrite-places.ts'

/** An element that is open: the resource it belongs to, and its path from there. */
interface Open {
  readonly type: string | undefined
  readonly path: string
  /** Where its content begins. */
  readonly contentStart: number
}

/**
 * Puts the gateway's base in the place of the upstream's where a server writes URLs of its own; not a byte more.
 * @throws {Error} when the text is not well-formed, or has a DTD.
 */
export function rewriteXml(text: string, urls: BaseUrls): string {
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
    const parent = stack.at(-1)
    const within = parent && !isEntryResource(parent.type, parent.path)
    const open: Open = {
      type: within ? parent.type : name,
      path: !within ? '' : parent.path === '' ? name : `${parent.path}.${name}`,
      contentStart: parser.position,
    }
    stack.push(open)
    const place = placeAt(open.type, open.path)
    if (!place) return
    const value = valueAttribute(text, text.lastIndexOf('<', parser.position - 1), parser.position)
    if (!value) return
    const before = text.slice(value.start, value.end)
    const after = place === 'url' ? urls.url(unescape(before)) : urls.inText(unescape(before))
    if (after !== unescape(before)) edits.push({ ...value, text: escape(after) })
  })
  parser.on('closetag', ({ isSelfClosing }) => {
    const { type, path, contentStart } = stack.pop()!
    if (isSelfClosing || path !== 'text.div' || placeAt(type, path) !== 'text') return
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
