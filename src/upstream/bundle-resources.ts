/** A resource in a Bundle. Nothing in its text is read: who takes it for a resource reads it strictly, by itself. */
export interface BundledResource {
  /** Where its server says that it is; undefined where it says nothing, or says it twice. */
  readonly fullUrl: string | undefined
  readonly text: string
}

const quote = '"'.charCodeAt(0)
const backslash = '\\'.charCodeAt(0)
const openBrace = '{'.charCodeAt(0)
const openBracket = '['.charCodeAt(0)
const closeBracket = ']'.charCodeAt(0)
const comma = ','.charCodeAt(0)
const colon = ':'.charCodeAt(0)

/**
 * The resources that stand in the entries of a Bundle.
 * @param text characters stand for bytes (latin1)
 * @throws {SyntaxError} when it cannot be told where they are
 */
export function resourcesInBundle(text: string): readonly BundledResource[] {
  const found: BundledResource[] = []
  const end = eachMember(text, skipSpace(text, 0), (name, at) =>
    name === 'entry'
      ? eachItem(text, at, (entry) => {
          const fullUrls: string[] = []
          const resources: string[] = []
          const after = eachMember(text, entry, (part, value) => {
            const end = skipValue(text, value)
            if (part === 'fullUrl') fullUrls.push(text.slice(value, end))
            if (part === 'resource') resources.push(text.slice(value, end))
            return end
          })
          const fullUrl = fullUrls.length === 1 ? textOf(fullUrls[0]!) : undefined
          found.push(...resources.map((resource) => ({ fullUrl, text: resource })))
          return after
        })
      : skipValue(text, at),
  )
  return skipSpace(text, end) === text.length ? found : fail()
}

/** Whether a resource may be this version: its text has such an `id` and such a `versionId` somewhere. */
export function mayBe(text: string, { id, versionId }: Readonly<Record<'id' | 'versionId', string>>): boolean {
  return hasMember(text, ids, id) && hasMember(text, versionIds, versionId)
}

const ids = /"id"\s*:\s*"([^"\\]*)"/g
const versionIds = /"versionId"\s*:\s*"([^"\\]*)"/g

function hasMember(text: string, members: RegExp, value: string): boolean {
  for (const [, found] of text.matchAll(members)) if (found === value) return true
  return false
}

function textOf(token: string): string | undefined {
  const value: unknown = JSON.parse(token)
  return typeof value === 'string' ? value : undefined
}

function fail(): never {
  throw new SyntaxError('Not a Bundle in JSON.')
}

/** @param visit told of a name, and where its value begins; gives where that ends. @returns where the object ends */
function eachMember(text: string, start: number, visit: (name: string, value: number) => number): number {
  if (text.charCodeAt(start) !== openBrace) fail()
  let at = skipSpace(text, start + 1)
  if (text[at] === '}') return at + 1
  for (;;) {
    if (text.charCodeAt(at) !== quote) fail()
    const nameEnd = endOfString(text, at)
    const name = JSON.parse(text.slice(at, nameEnd)) as string
    at = skipSpace(text, nameEnd)
    if (text.charCodeAt(at) !== colon) fail()
    at = skipSpace(text, visit(name, skipSpace(text, at + 1)))
    if (text[at] === '}') return at + 1
    if (text.charCodeAt(at) !== comma) fail()
    at = skipSpace(text, at + 1)
  }
}

/** @param visit told where an item begins; gives where it ends. @returns where the array ends */
function eachItem(text: string, start: number, visit: (item: number) => number): number {
  if (text.charCodeAt(start) !== openBracket) fail()
  let at = skipSpace(text, start + 1)
  if (text.charCodeAt(at) === closeBracket) return at + 1
  for (;;) {
    at = skipSpace(text, visit(at))
    if (text.charCodeAt(at) === closeBracket) return at + 1
    if (text.charCodeAt(at) !== comma) fail()
    at = skipSpace(text, at + 1)
  }
}

const bracketOrQuote = /["{}[\]]/g
const endOfScalar = /[\s,\]}]|$/g

/** Of a container, strings and brackets are all that counts. */
function skipValue(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === quote) return endOfString(text, start)
  if (first !== openBrace && first !== openBracket) return indexOf(text, endOfScalar, start)
  let depth = 0
  let at = start
  do {
    at = indexOf(text, bracketOrQuote, at)
    switch (text[at]) {
      case '"':
        at = endOfString(text, at)
        break
      case '{':
      case '[':
        depth++
        at++
        break
      default:
        depth--
        at++
    }
  } while (depth > 0)
  return at
}

function indexOf(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from
  return pattern.exec(text)?.index ?? fail()
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end
    while (text.charCodeAt(first - 1) === backslash) first--
    if ((end - first) % 2 === 0) return end + 1
  }
  return fail()
}

function skipSpace(text: string, start: number): number {
  let at = start
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++
  return at
}
