import type { Fault } from './fault.ts'
import type { Interaction, InteractionCode } from './interaction.ts'

/** What a request target under a base turns out to be. Whatever is not an interaction is refused. */
export type Target =
  | { readonly kind: 'interaction'; readonly interaction: Interaction }
  /** The path is known, or not even that; the method means nothing there. `known` is what another method does there. */
  | { readonly kind: 'not-offered'; readonly known: Interaction | undefined }
  /** It could be read in two ways, or it breaks the grammar. */
  | { readonly kind: 'malformed'; readonly faults: readonly Fault[] }

/** A FHIR id: https://hl7.org/fhir/STU3/datatypes.html#id */
export const idPattern = /^[A-Za-z0-9\-.]{1,64}$/

const typePattern = /^[A-Z][A-Za-z]*$/
const operationPattern = /^\$[A-Za-z][A-Za-z0-9-]*$/

/** Whether a raw request target lies under a base path, compared at a segment's end: `/STU3x` is not under `/STU3`. */
export function isUnder(basePath: string, rawTarget: string): boolean {
  if (!rawTarget.startsWith(basePath)) return false
  const next = rawTarget[basePath.length]
  return next === undefined || next === '/' || next === '?'
}

/** Nearly every target: nothing that is looked for below can occur in it. Looking for it took 2 µs of CPU time. */
const plainTarget = /^(?:\/[A-Za-z0-9_$-][A-Za-z0-9_$.-]*)+(?:\?[\x21\x22\x24-\x7e]*)?$/

const none: readonly Fault[] = []

/**
 * Everything for which a raw request target (RFC 9112, section 3.2) could be read in another way by another server.
 * Only origin-form is taken: `/path?query`.
 */
export function faultsOfTarget(rawTarget: string): readonly Fault[] {
  if (plainTarget.test(rawTarget)) return none
  const faults: Fault[] = []
  const fault = (sentence: string) => faults.push({ sentence })
  if (!/^[\x21-\x7e]*$/.test(rawTarget)) {
    fault(
      'The request target holds a space, a control character or a character outside of ASCII; percent-encode it in the query.',
    )
  }
  if (rawTarget.includes('#')) fault('The request target holds a fragment (#); leave it out.')
  if (!rawTarget.startsWith('/')) {
    fault('The request target must begin with a slash; the absolute form is not offered.')
    return faults
  }
  const path = pathOf(rawTarget)
  if (path.includes('//')) fault('The path holds an empty segment (//); write it with single slashes.')
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) {
    fault('The path holds a dot segment; write it without.')
  }
  if (path.includes('%')) fault('The path is percent-encoded; no character of a FHIR path needs that.')
  if (path.includes('\\')) fault('The path holds a backslash; segments are separated by slashes.')
  if (path.includes(';')) fault('The path holds a semicolon; path parameters are not offered.')
  if (path.length > 1 && path.endsWith('/')) fault('The path ends with a slash; leave it out.')
  return faults
}

/** Reads the method and the raw target of a request under a base path. */
export function readTarget(method: string, rawTarget: string, basePath: string, pagingParameter?: string): Target {
  const target = withoutSlashOfBase(rawTarget, basePath)
  const faults = [...faultsOfTarget(target)]
  if (faults.length > 0) return { kind: 'malformed', faults }

  const query = queryOf(target)
  const path = pathOf(target).slice(basePath.length)
  const parameters = readQuery(query)
  if (parameters === undefined) {
    return malformed('The query is not percent-encoded UTF-8.')
  }
  const times = (name: string) => parameters.filter(([key]) => key === name).length
  if (times('_method') > 0)
    faults.push({ sentence: 'The parameter `_method` is not offered; use the HTTP method itself.' })
  if (times('_format') > 1) faults.push({ sentence: 'The parameter `_format` occurs more than once; send it once.' })

  const segments = path === '' ? [] : path.slice(1).split('/')
  const known = shapeOf(segments, path, query, parameters, pagingParameter)
  if (known === 'bad-id')
    faults.push({ sentence: 'An id or version id in the path is not a FHIR id: 1 to 64 of A-Z, a-z, 0-9, - and dot.' })
  if (known === 'bad-id' || faults.length > 0) return { kind: 'malformed', faults }

  const found = known?.methods.find((interaction) => interaction.method === (method === 'HEAD' ? 'GET' : method))
  if (!found) return { kind: 'not-offered', known: known && interactionOf(known, known.methods[0]!) }
  const others = parameters.some(([name]) => !isFormatParameter(name))
  if (others && found.code === 'update' && !found.conditional) {
    return malformed('An update takes no query but `_format` and `_pretty`; leave the rest out.')
  }
  // There are clients whose conditional create looks like this: without the condition it would be a second record.
  if (others && found.code === 'create') {
    return malformed('A create takes no query but `_format` and `_pretty`; a condition goes into If-None-Exist.')
  }
  const asked = method === 'HEAD' ? ({ code: found.code, method } as const) : found
  return { kind: 'interaction', interaction: interactionOf(known!, asked) }
}

/** `[base]/` is the base: there are clients that join it with an empty path, for transactions and for pages. */
function withoutSlashOfBase(rawTarget: string, basePath: string): string {
  return pathOf(rawTarget) === `${basePath}/` ? basePath + rawTarget.slice(basePath.length + 1) : rawTarget
}

/** Whether a parameter says how an answer is written, and nothing of what is asked. */
export const isFormatParameter = (name: string) => name === '_format' || name === '_pretty'

/** The name and value pairs of a query or a form (application/x-www-form-urlencoded); undefined when it is malformed. */
export function readQuery(query: string): readonly (readonly [string, string])[] | undefined {
  const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
  try {
    return query
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const equals = pair.indexOf('=')
        return equals < 0 ? [decode(pair), ''] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))]
      })
  } catch {
    return undefined
  }
}

function pathOf(rawTarget: string): string {
  const mark = rawTarget.indexOf('?')
  return mark < 0 ? rawTarget : rawTarget.slice(0, mark)
}
function queryOf(rawTarget: string): string {
  const mark = rawTarget.indexOf('?')
  return mark < 0 ? '' : rawTarget.slice(mark + 1)
}
const malformed = (sentence: string): Target => ({ kind: 'malformed', faults: [{ sentence }] })

/** What a server's own paging link may hold beside the paging parameter and those that begin with its name. */
const pagingCompanions = new Set([
  '_count',
  '_offset',
  '_pageId',
  '_bundletype',
  '_format',
  '_pretty',
  '_summary',
  '_elements',
  '_include',
  '_revinclude',
])

/** What a method means on a path. */
type Meaning = Pick<Interaction, 'code' | 'method' | 'conditional'>

/** What a path names, with what each method means there: an interaction is made of that which came, and not of all. */
interface Shape {
  readonly methods: readonly Meaning[]
  readonly on: Omit<Interaction, keyof Meaning>
}

const interactionOf = ({ on }: Shape, meaning: Meaning): Interaction => Object.assign({}, meaning, on)

const reads = (code: InteractionCode): readonly Meaning[] => [{ code, method: 'GET' }]
const posts = (code: InteractionCode): readonly Meaning[] => [{ code, method: 'POST' }]

const onBase: readonly Meaning[] = [...reads('search-system'), ...posts('transaction')]
const onPageOfBase: readonly Meaning[] = [...reads('paging'), ...posts('transaction')]
const onMetadata = reads('capabilities')
const onHistoryOfBase = reads('history-system')
const onSearchOfBase = posts('search-system')
const onType: readonly Meaning[] = [
  { code: 'search-type', method: 'GET' },
  { code: 'create', method: 'POST' },
  { code: 'update', method: 'PUT', conditional: true },
  { code: 'patch', method: 'PATCH', conditional: true },
  { code: 'delete', method: 'DELETE', conditional: true },
]
const onHistoryOfType = reads('history-type')
const onSearchOfType = posts('search-type')
const onInstance: readonly Meaning[] = [
  { code: 'read', method: 'GET' },
  { code: 'update', method: 'PUT' },
  { code: 'patch', method: 'PATCH' },
  { code: 'delete', method: 'DELETE' },
]
const onHistoryOfInstance = reads('history-instance')
const onVersion = reads('vread')
const onOperation: readonly Meaning[] = [...reads('operation'), ...posts('operation')]

/** What is on a path; undefined where FHIR knows no such path. */
function shapeOf(
  segments: readonly string[],
  path: string,
  query: string,
  parameters: readonly (readonly [string, string])[],
  pagingParameter: string | undefined,
): Shape | 'bad-id' | undefined {
  const [first, second, third, fourth] = segments
  const at = { path, query }

  if (first === undefined) {
    const names = parameters.map(([name]) => name)
    const paging =
      pagingParameter !== undefined &&
      names.filter((name) => name === pagingParameter).length === 1 &&
      names.every((name) => name.startsWith(pagingParameter) || pagingCompanions.has(name))
    return { methods: paging ? onPageOfBase : onBase, on: at }
  }
  if (segments.length === 1) {
    if (first === 'metadata') return { methods: onMetadata, on: at }
    if (first === '_history') return { methods: onHistoryOfBase, on: at }
    if (first === '_search') return { methods: onSearchOfBase, on: at }
    if (operationPattern.test(first)) return operation(first, at)
  }
  if (!typePattern.test(first)) return undefined
  const ofType = { type: first, path, query }

  if (second === undefined) return { methods: onType, on: ofType }
  if (segments.length === 2) {
    if (second === '_history') return { methods: onHistoryOfType, on: ofType }
    if (second === '_search') return { methods: onSearchOfType, on: ofType }
    if (operationPattern.test(second)) return operation(second, ofType)
  }
  if (second.startsWith('_') || second.startsWith('$')) return undefined
  if (!idPattern.test(second)) return 'bad-id'
  const ofInstance = { id: second, type: first, path, query }

  if (third === undefined) return { methods: onInstance, on: ofInstance }
  if (segments.length === 3 && third === '_history') return { methods: onHistoryOfInstance, on: ofInstance }
  if (segments.length === 3 && operationPattern.test(third)) return operation(third, ofInstance)
  if (segments.length === 4 && third === '_history') {
    return idPattern.test(fourth!) ? { methods: onVersion, on: { version: fourth!, ...ofInstance } } : 'bad-id'
  }
  return undefined
}

const operation = (segment: string, on: Shape['on']): Shape => ({
  methods: onOperation,
  on: { ...on, operation: segment.slice(1) },
})
