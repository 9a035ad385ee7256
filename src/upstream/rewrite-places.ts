/** `url`: the whole value is a URL. `text`: URLs may occur in it. */
export type Place = 'url' | 'text' | undefined

const inBundle: ReadonlySet<string> = new Set([
  'link.url',
  'entry.link.url',
  'entry.fullUrl',
  'entry.request.url',
  'entry.response.location',
])
const inOperationOutcome: ReadonlySet<string> = new Set(['issue.diagnostics', 'issue.details.text', 'text.div'])

/**
 * What stands at a path (names from the resource on, without indexes) of a resource that the server itself makes up.
 * The content of every other resource is told on as it is: clients send it back.
 */
export function placeAt(resourceType: string | undefined, path: string): Place {
  switch (resourceType) {
    case 'Bundle':
      return inBundle.has(path) ? 'url' : undefined
    case 'CapabilityStatement':
      return 'url'
    case 'OperationOutcome':
      return inOperationOutcome.has(path) ? 'text' : undefined
    default:
      return undefined
  }
}

/** Whether a resource stands at a path of a Bundle. */
export function isEntryResource(resourceType: string | undefined, path: string): boolean {
  return resourceType === 'Bundle' && (path === 'entry.resource' || path === 'entry.response.outcome')
}

/** A stretch of a text, and what comes in its place. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Applies edits that stand in order and do not overlap; everything between them stays as it is. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let end = 0
  let result = ''
  for (const edit of edits) {
    result += text.slice(end, edit.start) + edit.text
    end = edit.end
  }
  return result + text.slice(end)
}
