import { childrenOf, type Element, type Resource } from '../../fhir/element.ts'
import type { Cause } from '../../policy/refusal.ts'

/** Notes one thing that is wrong with an entry. `part`: where, below the entry; left out, it follows from the cause. */
export type Refuse = (cause: Cause, diagnostics: string, part?: string) => void

/** Bundle.entry.request. What stands for header fields is read as header fields are. */
export interface RequestParts {
  readonly method: string
  readonly url: string
  fieldLines(name: string): readonly string[]
}

/** What a client says in an entry. */
export interface EntryParts {
  readonly request: RequestParts | undefined
  readonly resource: Resource | undefined
  readonly fullUrl: string | undefined
}

/** `link` and element ids say nothing of what is to be done, and are not sent on. */
const partsOfEntry = new Set(['id', 'link', 'fullUrl', 'resource', 'request'])

/** https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.request */
const headerFieldOf: ReadonlyMap<string, string> = new Map([
  ['ifNoneMatch', 'if-none-match'],
  ['ifModifiedSince', 'if-modified-since'],
  ['ifMatch', 'if-match'],
  ['ifNoneExist', 'if-none-exist'],
])
const partsOfRequest = new Set(['id', 'method', 'url', ...headerFieldOf.keys()])

/** Reads the parts of an entry. What would be dropped silently is refused: a client that says it relies on it. */
export function readParts(entry: Element, refuse: Refuse): EntryParts {
  refuseOthers(entry, partsOfEntry, '', refuse)
  const request = childrenOf(entry, 'request')[0]
  const resource = childrenOf(entry, 'resource')[0]
  if (!request) refuse('body-malformed', 'The request of the entry is missing.', 'request')
  return {
    request: request && readRequest(request, refuse),
    resource: resource?.resource ? (resource as Resource) : undefined,
    fullUrl: plainText(entry, 'fullUrl', 'fullUrl', refuse),
  }
}

function readRequest(request: Element, refuse: Refuse): RequestParts | undefined {
  refuseOthers(request, partsOfRequest, 'request.', refuse)
  const part = (name: string) => plainText(request, name, `request.${name}`, refuse)
  const fields = new Map<string, string>()
  for (const [name, field] of headerFieldOf) {
    const text = part(name)
    if (text !== undefined) fields.set(field, text)
  }
  const method = part('method')
  const url = part('url')
  if (method === undefined) refuse('body-malformed', 'The method of the entry is missing.', 'request.method')
  if (url === undefined) refuse('body-malformed', 'The url of the entry is missing.', 'request.url')
  if (method === undefined || url === undefined) return undefined
  return {
    method,
    url,
    fieldLines(name) {
      const text = fields.get(name)
      return text === undefined ? [] : [text]
    },
  }
}

function refuseOthers(element: Element, known: ReadonlySet<string>, within: string, refuse: Refuse): void {
  for (const name of element.children.keys()) {
    if (!known.has(name))
      refuse('body-malformed', 'This element is not offered in a request; leave it out.', within + name)
  }
}

/** The value of a primitive that is a value and nothing else. */
function plainText(element: Element, name: string, part: string, refuse: Refuse): string | undefined {
  const item = childrenOf(element, name)[0]
  if (!item) return undefined
  if (item.value?.kind === 'string' && item.children.size === 0) return item.value.text
  refuse('body-malformed', 'This element must have a value, and no extension.', part)
  return undefined
}
