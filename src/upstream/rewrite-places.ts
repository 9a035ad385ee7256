/** `url`: the whole value is a URL. `text`: URLs may occur in it. */
export type Place = 'url' | 'text' | undefined

const inBundle: ReadonlySet<string> = new Set([
  'link.url',
  'entry.link.url',
  'entry.fullUrl',
  'entry.request.url',
  'entry.response.location',
])
const inEntry: ReadonlySet<string> = new Set(['entry.resource', 'entry.response.outcome'])
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
  return resourceType === 'Bundle' && inEntry.has(path)
}

/** What may be rewritten in a value and in what is below it: all that `placeAt` and `isEntryResource` say, by names. */
export interface Places {
  readonly place?: Place
  /** A resource of its own stands there. */
  readonly resource?: boolean
  readonly members?: ReadonlyMap<string, Places>
  /** Of the members that are not named. */
  readonly others?: Places
}

const everyString: { place: Place; others?: Places } = { place: 'url' }
everyString.others = everyString

const namedPlaces: ReadonlyMap<string, Places> = new Map([
  ['Bundle', placesAt('Bundle', [...inBundle, ...inEntry])],
  ['CapabilityStatement', everyString],
  ['OperationOutcome', placesAt('OperationOutcome', [...inOperationOutcome])],
])

function placesAt(resourceType: string, paths: readonly string[], at = ''): Places {
  const below = paths.filter((path) => at === '' || path.startsWith(`${at}.`))
  const names = new Set(below.map((path) => path.slice(at.length).replace(/^\./, '').split('.', 1)[0]!))
  const place = placeAt(resourceType, at)
  return {
    ...(place && { place }),
    ...(isEntryResource(resourceType, at) && { resource: true }),
    ...(names.size > 0 && {
      members: new Map(
        [...names].map((name) => [name, placesAt(resourceType, paths, at === '' ? name : `${at}.${name}`)]),
      ),
    }),
  }
}

/** The places in a resource; undefined where it has none. */
export function placesIn(resourceType: string): Places | undefined {
  return namedPlaces.get(resourceType)
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
