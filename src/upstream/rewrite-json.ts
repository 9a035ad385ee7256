import type { BaseUrls } from './base-urls.ts'
import { applyEdits, isEntryResource, placeAt, type Edit } from './rewrite-places.ts'

/** Where a value stands in the text; `end` is behind it. */
type Node =
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, Node])[] }
  | { readonly kind: 'array'; readonly items: readonly Node[] }
  | { readonly kind: 'string'; readonly start: number; readonly end: number }
  | { readonly kind: 'other' }

/**
 * Puts the gateway's base in the place of the upstream's where a server writes URLs of its own; not a byte more.
 * @throws {SyntaxError} when the text is not JSON.
 */
export function rewriteJson(text: string, urls: BaseUrls): string {
  const edits: Edit[] = []
  const visit = (node: Node, type: string | undefined, path: string) => {
    if (node.kind === 'array') {
      for (const item of node.items) visit(item, type, path)
    } else if (node.kind === 'object') {
      if (isEntryResource(type, path)) {
        visit(node, typeOf(node, text), '')
        return
      }
      for (const [name, value] of node.members) visit(value, type, path === '' ? name : `${path}.${name}`)
    } else if (node.kind === 'string') {
      const place = placeAt(type, path)
      if (!place) return
      const before = JSON.parse(text.slice(node.start, node.end)) as string
      const after = place === 'url' ? urls.url(before) : urls.inText(before)
      if (after !== before) edits.push({ start: node.start, end: node.end, text: JSON.stringify(after) })
    }
  }
  const root = scan(text)
  visit(root, typeOf(root, text), '')
  return applyEdits(text, edits)
}

function typeOf(node: Node, text: string): string | undefined {
  if (node.kind !== 'object') return undefined
  const type = node.members.find(([name]) => name === 'resourceType')?.[1]
  return type?.kind === 'string' ? (JSON.parse(text.slice(type.start, type.end)) as string) : undefined
}

const maxDepth = 200
const other = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=[\s,\]}]|$)/y

/** JSON.parse gives no positions; this gives nothing else. */
function scan(text: string): Node {
  let at = 0
  const fail = (): never => {
    throw new SyntaxError('Not JSON.')
  }
  const space = () => {
    while (' \t\n\r'.includes(text[at] ?? 'x')) at++
  }
  const expect = (character: string) => {
    space()
    if (text[at] !== character) fail()
    at++
  }
  const takes = (character: string): boolean => {
    space()
    if (text[at] !== character) return false
    at++
    return true
  }
  const string = () => {
    space()
    const start = at
    if (text[at] !== '"') fail()
    for (at++; text[at] !== '"'; at++) {
      if (at >= text.length) fail()
      if (text[at] === '\\') at++
    }
    at++
    return { kind: 'string', start, end: at } as const
  }
  const value = (depth: number): Node => {
    if (depth > maxDepth) fail()
    space()
    if (text[at] === '"') return string()
    if (takes('{')) {
      const members: [string, Node][] = []
      if (takes('}')) return { kind: 'object', members }
      do {
        const key = string()
        expect(':')
        members.push([JSON.parse(text.slice(key.start, key.end)) as string, value(depth + 1)])
      } while (takes(','))
      expect('}')
      return { kind: 'object', members }
    }
    if (takes('[')) {
      const items: Node[] = []
      if (takes(']')) return { kind: 'array', items }
      do items.push(value(depth + 1))
      while (takes(','))
      expect(']')
      return { kind: 'array', items }
    }
    other.lastIndex = at
    if (!other.test(text)) fail()
    at = other.lastIndex
    return { kind: 'other' }
  }
  if (text.startsWith('\ufeff')) at++
  const root = value(0)
  space()
  return at === text.length ? root : fail()
}
