import {
  closeBrace,
  closeBracket,
  colon,
  comma,
  endOfStretch,
  isEndOfScalar,
  isSpace,
  isWhole,
  notJson,
  openBrace,
  openBracket,
  quote,
  stringAt,
} from './json-bytes.ts'

/** A resource in a Bundle. Nothing in it is read: who takes it for a resource reads it strictly, by itself. */
export interface BundledResource {
  /** Where its server says that it is; undefined where it says nothing, or says it twice. */
  readonly fullUrl: string | undefined
  /** A part of the Bundle's. */
  readonly bytes: Buffer
}

/**
 * The resources that stand in the entries of a Bundle.
 * @param bundle in JSON
 * @throws {SyntaxError} when it cannot be told where they are
 */
export function resourcesInBundle(bundle: Buffer): readonly BundledResource[] {
  const found: BundledResource[] = []
  const end = eachMember(bundle, skipSpace(bundle, 0), (name, at) =>
    name === 'entry'
      ? eachItem(bundle, at, (entry) => {
          const fullUrls: (string | undefined)[] = []
          const resources: Buffer[] = []
          const after = eachMember(bundle, entry, (part, value) => {
            const end = endOfValue(bundle, value)
            if (part === 'fullUrl') fullUrls.push(bundle[value] === quote ? stringAt(bundle, value, end) : undefined)
            if (part === 'resource') resources.push(bundle.subarray(value, end))
            return end
          })
          const fullUrl = fullUrls.length === 1 ? fullUrls[0] : undefined
          found.push(...resources.map((bytes) => ({ fullUrl, bytes })))
          return after
        })
      : endOfValue(bundle, at),
  )
  return skipSpace(bundle, end) === bundle.length ? found : notJson()
}

/** Whether a resource may be this version: its text has such an `id` and such a `versionId` somewhere. */
export function mayBe(resource: Buffer, { id, versionId }: Readonly<Record<'id' | 'versionId', string>>): boolean {
  const text = resource.toString('latin1')
  return hasMember(text, ids, id) && hasMember(text, versionIds, versionId)
}

const ids = /"id"\s*:\s*"([^"\\]*)"/g
const versionIds = /"versionId"\s*:\s*"([^"\\]*)"/g

function hasMember(text: string, members: RegExp, value: string): boolean {
  for (const [, found] of text.matchAll(members)) if (found === value) return true
  return false
}

/** @param visit told of a name, and where its value begins; gives where that ends. @returns where the object ends */
function eachMember(bytes: Buffer, start: number, visit: (name: string, value: number) => number): number {
  return eachPart(bytes, start, openBrace, closeBrace, (at) => {
    if (bytes[at] !== quote) notJson()
    const nameEnd = endOfValue(bytes, at)
    const behind = skipSpace(bytes, nameEnd)
    if (bytes[behind] !== colon) notJson()
    return visit(stringAt(bytes, at, nameEnd), skipSpace(bytes, behind + 1))
  })
}

/** @param visit told where an item begins; gives where it ends. @returns where the array ends */
const eachItem = (bytes: Buffer, start: number, visit: (item: number) => number) =>
  eachPart(bytes, start, openBracket, closeBracket, visit)

function eachPart(bytes: Buffer, start: number, opening: number, closing: number, visit: (at: number) => number) {
  if (bytes[start] !== opening) notJson()
  let at = skipSpace(bytes, start + 1)
  if (bytes[at] === closing) return at + 1
  for (;;) {
    at = skipSpace(bytes, visit(at))
    if (bytes[at] === closing) return at + 1
    if (bytes[at] !== comma) notJson()
    at = skipSpace(bytes, at + 1)
  }
}

/** Of a container, strings and brackets are all that counts. */
function endOfValue(bytes: Buffer, start: number): number {
  const first = bytes[start]
  const isString = first === quote
  if (!isString && first !== openBrace && first !== openBracket) {
    let end = start
    while (end < bytes.length && !isEndOfScalar(bytes[end]!)) end++
    return end
  }
  const stretch = { depth: isString ? 0 : 1, isInString: isString, isEscaped: false }
  const end = endOfStretch(bytes, start + 1, stretch)
  return isWhole(stretch) ? end : notJson()
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start
  while (at < bytes.length && isSpace(bytes[at]!)) at++
  return at
}
