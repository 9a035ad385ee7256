import fc from 'fast-check'
import { expect, test } from 'vitest'
import { baseUrls } from '../../../src/upstream/base-urls.ts'
import { jsonRewriter, rewriteJson } from '../../../src/upstream/rewrite-json.ts'
import { inAnswer, inTransactionAnswer, type Places } from '../../../src/upstream/rewrite-places.ts'

const urls = baseUrls('https://ours.example/STU3', new URL('http://hapi:8080/fhir'))

/** A JSON value as it is written: strings by their tokens, and white space. */
type Written =
  | { readonly kind: 'object'; readonly members: readonly (readonly [name: string, Written])[]; readonly space: string }
  | { readonly kind: 'array'; readonly items: readonly Written[]; readonly space: string }
  | { readonly kind: 'string'; readonly token: string }
  | { readonly kind: 'scalar'; readonly token: string }

const valueOf = (token: string) => JSON.parse(token) as string

const urlsOfBundle = /^(?:link\.url|entry\.(?:link\.url|fullUrl|request\.url|response\.location))$/
const textsOfOutcome = /^(?:issue\.(?:diagnostics|details\.text)|text\.div)$/

/** Where a value stands: in which resource, and of what kind of answer the resource is. */
interface Standing {
  readonly type: string | undefined
  readonly path: string
  /** In a transaction's answer the entries are answers, in theirs they are content; of content only what failed is told. */
  readonly kind: 'transaction' | 'answer' | 'content'
}

function rewrittenAt({ type, path, kind }: Standing, text: string): string {
  if (type === 'OperationOutcome' && textsOfOutcome.test(path)) return urls.inText(text)
  if (kind === 'content') return text
  return (type === 'Bundle' && urlsOfBundle.test(path)) || type === 'CapabilityStatement' ? urls.url(text) : text
}

/** What a resource in an entry is; undefined where none stands. */
function kindInside({ type, path, kind }: Standing): Standing['kind'] | undefined {
  if (type !== 'Bundle' || kind === 'content') return undefined
  if (path === 'entry.resource') return kind === 'transaction' ? 'answer' : 'content'
  return path === 'entry.response.outcome' ? 'content' : undefined
}

/** Writes a value before and after, by a walk of the tree: the oracle. */
function write(value: Written, standing: Standing): readonly [before: string, after: string] {
  switch (value.kind) {
    case 'scalar':
      return [value.token, value.token]
    case 'string': {
      const before = valueOf(value.token)
      const after = rewrittenAt(standing, before)
      return [value.token, after === before ? value.token : JSON.stringify(after)]
    }
    case 'array':
      return joined(
        '[',
        ']',
        value.space,
        value.items.map((item) => write(item, standing)),
      )
    case 'object': {
      const kind = kindInside(standing)
      const own = kind ? { type: typeOf(value), path: '', kind } : standing
      const members = value.members.map(([name, member]) => {
        // The path of the resource itself is empty: a member with an empty name is another.
        const path = (own.path === '' ? '' : `${own.path}.`) + (valueOf(name) || '?')
        const [before, after] = write(member, { ...own, path })
        const colon = `${value.space}:${value.space}`
        return [name + colon + before, name + colon + after] as const
      })
      return joined('{', '}', value.space, members)
    }
  }
}

function joined(open: string, close: string, space: string, parts: readonly (readonly [string, string])[]) {
  const text = (side: 0 | 1) => open + space + parts.map((part) => part[side]).join(`${space},${space}`) + space + close
  return [text(0), text(1)] as const
}

function typeOf(value: Written): string | undefined {
  if (value.kind !== 'object') return undefined
  const type = value.members.find(([name]) => valueOf(name) === 'resourceType')?.[1]
  return type?.kind === 'string' ? valueOf(type.token) : undefined
}

/** The same string, written with escapes that JSON need not have. */
const tokenOf = (text: string, escaping: number) =>
  escaping === 0
    ? JSON.stringify(text)
    : escaping === 1
      ? JSON.stringify(text).replaceAll('/', '\\/')
      : `"${Array.from(text, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`

const escaping = fc.nat(2)
const space = fc.constantFrom('', '', ' ', '\r\n\t ')
const texts = [
  'http://hapi:8080/fhir/Flag/1',
  'http://hapi:8080/fhir',
  'http://hapi:8080/fhirx',
  'see http://hapi:8080/fhir/Flag, and “é😀”',
  '\\',
  '\\\\"',
  '"}],{[',
  'é😀 ',
  '',
]
const types = ['Bundle', 'OperationOutcome', 'CapabilityStatement', 'Flag']
const names = ['link', 'url', 'entry', 'fullUrl', 'resource', 'response', 'outcome', 'location', 'request']
const otherNames = ['issue', 'diagnostics', 'details', 'text', 'div', 'x', 'é"\\', '__proto__', '']

const stringOf = (texts: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...texts), escaping)
    .map(([text, how]) => ({ kind: 'string', token: tokenOf(text, how) }) as const)
const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...names) },
  fc.constantFrom(...otherNames, 'resourceType'),
)
const { value } = fc.letrec<{ value: Written; object: Written }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    stringOf([...texts, ...types]),
    fc.constantFrom('1.00', '-0', '1e5', 'true', 'null').map((token) => ({ kind: 'scalar', token }) as const),
    fc.record({ kind: fc.constant('array' as const), items: fc.array(tie('value'), { maxLength: 3 }), space }),
    tie('object'),
    tie('object'),
  ),
  object: fc
    .record({
      type: fc.option(stringOf(types), { freq: 4 }),
      at: fc.nat(4),
      space,
      members: fc.uniqueArray(fc.tuple(name, escaping, tie('value')), { maxLength: 5, selector: ([key]) => key }),
    })
    .map(({ type, at, space, members }): Written => {
      const written = members
        .filter(([key]) => !type || key !== 'resourceType')
        .map(([key, how, member]) => [tokenOf(key, how), member] as const)
      if (type) written.splice(Math.min(at, written.length) * (at % 2), 0, ['"resourceType"', type])
      return { kind: 'object', members: written, space }
    }),
}))
const root = value.filter(({ kind }) => kind === 'object')

const kinds = fc.constantFrom<[Standing['kind'], Places]>(['answer', inAnswer], ['transaction', inTransactionAnswer])

const inParts = (bytes: Buffer, places: Places, ends: readonly number[]) => {
  const rewriter = jsonRewriter(urls, places, Infinity)
  const results: Buffer[] = []
  let start = 0
  for (const end of [...ends.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    results.push(...rewriter.push(bytes.subarray(start, end)))
    start = end
  }
  rewriter.end()
  return Buffer.concat(results).toString()
}

test('what is rewritten is what a walk of the tree rewrites, and nothing else, wherever the parts end', () => {
  fc.assert(
    fc.property(root, kinds, space, fc.array(fc.nat(), { maxLength: 8 }), (resource, [kind, places], around, ends) => {
      const written = write(resource, { type: typeOf(resource), path: '', kind })
      const [before, after] = written.map((text) => around + text + around)
      const bytes = Buffer.from(before!)
      expect(rewriteJson(bytes, urls, places).toString()).toBe(after)
      expect(inParts(bytes, places, ends)).toBe(after)
      expect(inParts(bytes, places, [...bytes.keys()])).toBe(after)
    }),
    { numRuns: 3000 },
  )
})

test('a part of a text is not the whole, wherever it breaks off', () => {
  fc.assert(
    fc.property(root, fc.nat(), (resource, at) => {
      const [before] = write(resource, { type: typeOf(resource), path: '', kind: 'answer' })
      const bytes = Buffer.from(before)
      expect(() => rewriteJson(bytes.subarray(0, at % bytes.length), urls, inAnswer)).toThrow(SyntaxError)
    }),
  )
})

test('what is held is bounded; what is skipped is not held', () => {
  const big = 'x'.repeat(5000)
  const pushed = (text: string) => {
    const rewriter = jsonRewriter(urls, inAnswer, 1000)
    return () => [...text].map((character) => rewriter.push(Buffer.from(character)).join('')).join('')
  }
  const skipped = `{"resourceType":"Bundle","id":"${big}","entry":[{"resource":{"resourceType":"Flag","text":"${big}"}}]}`
  expect(pushed(skipped)()).toBe(skipped)
  expect(pushed(`{"resourceType":"Bundle","link":[{"url":"${big}"}]}`)).toThrow(SyntaxError)
  expect(pushed(`{"id":"${big}","resourceType":"Bundle"}`)).toThrow(SyntaxError)
})
