/** What is measured: each case is one kind of request, and the answers that count as correct. */
import {
  capabilityOf,
  correction,
  editedFlag,
  flag,
  idPlaceholder,
  inXml,
  listOf,
  listWithout,
  observation,
  removedFlag,
  searchPage,
} from './records.ts'

export interface BenchRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** What the clients send, over and over. */
export interface Load {
  /** Sent in blocks: a block of the first, then a block of the second with the same ids. */
  readonly requests: readonly BenchRequest[]
  /** `fresh`: each request of a block has an id that no request before had. */
  readonly ids: 'same' | 'fresh'
}

/** An answer is correct when it has this status and its body holds this text. */
export interface Expected {
  readonly status: number
  readonly holds: string
}

export interface BenchCase {
  readonly name: string
  readonly title: string
  readonly policy: 'nhs-reasonable-adjustments-stu3' | 'general-r4'
  readonly load: Load
  /** Of a server that judges. */
  readonly judged: Expected
  /** Of a server that forwards blindly. */
  readonly forwarded: Expected
  /** Whether the peer that was written by hand knows what to do with it. */
  readonly byHand: boolean
  /** A measurement takes no less time, in seconds: else 256 clients could get no whole answer in it. */
  readonly leastSeconds?: number
  /** The requests per second, as a multiple of what http-proxy does with the same request, that we want at least. */
  readonly target?: number
}

const json = 'application/fhir+json'
const xml = 'application/fhir+xml'
const onFlag = `/STU3/Flag/${idPlaceholder}`
const pinned = { 'if-match': 'W/"1"' }

const get = (path: string, accept = json): BenchRequest => ({ method: 'GET', path, headers: { accept } })

const put = (path: string, body: string, headers: BenchRequest['headers'] = pinned, format = json): BenchRequest => ({
  method: 'PUT',
  path,
  headers: { accept: format, 'content-type': format, ...headers },
  body,
})

const removal = put(onFlag, JSON.stringify(removedFlag))
const edit = put(onFlag, JSON.stringify(editedFlag))
const stored: Expected = { status: 200, holds: 'RemovalReason' }
const refused: Expected = { status: 403, holds: 'OperationOutcome' }

/** A case of the first policy whose ids stay the same, unless it says otherwise. */
const benchCase = (
  name: string,
  title: string,
  request: BenchRequest,
  judged: Expected,
  more: Partial<BenchCase> = {},
): BenchCase => ({
  name,
  title,
  policy: 'nhs-reasonable-adjustments-stu3',
  load: { requests: [request], ids: 'same' },
  judged,
  forwarded: judged,
  byHand: true,
  ...more,
})

export const cases: readonly BenchCase[] = [
  benchCase('get', 'GET of a Flag, 2.5 KB', get(onFlag), { status: 200, holds: '"Flag"' }, { target: 1.7 }),
  benchCase(
    'search',
    'GET of a search Bundle, 200 KB',
    get('/STU3/Flag?status=active&_count=80'),
    {
      status: 200,
      holds: '"id":"f79"',
    },
    { leastSeconds: 3 },
  ),
  benchCase('put', 'PUT that removes a Flag, 3 KB, its version in the cache', removal, stored, { target: 1 }),
  benchCase('put-cold', 'PUT that removes a Flag, each time another', removal, stored, {
    load: { requests: [removal], ids: 'fresh' },
    target: 0.55,
  }),
  benchCase(
    'put-after-get',
    'GET of a Flag and later its PUT, each time another (both count)',
    removal,
    { status: 200, holds: '"Flag"' },
    { load: { requests: [get(onFlag), removal], ids: 'fresh' } },
  ),
  benchCase(
    'put-pretty',
    'The same removal, pretty-printed, 4.5 KB, so that its text is not the server’s',
    put(onFlag, JSON.stringify(removedFlag, undefined, 2)),
    stored,
  ),
  benchCase(
    'put-xml',
    'The same removal in XML, 4 KB',
    put(onFlag, inXml(removedFlag), pinned, xml),
    { status: 200, holds: 'RemovalReason' },
    { byHand: false, target: 0.5 },
  ),
  benchCase(
    'list',
    'PUT that removes one of 50 Conditions in a List, 20 KB',
    put(`/STU3/List/${idPlaceholder}`, JSON.stringify(listWithout(50))),
    stored,
    { byHand: false },
  ),
  benchCase(
    'no-if-match',
    'PUT without If-Match: 412',
    put(onFlag, JSON.stringify(removedFlag), {}),
    { status: 412, holds: 'OperationOutcome' },
    { forwarded: stored, target: 1.5 },
  ),
  benchCase('refusal', 'PUT that is refused for five reasons: 403', edit, refused, { forwarded: stored, target: 1.1 }),
  benchCase(
    'patch',
    'JSON Patch of an Observation, 2 KB',
    {
      method: 'PATCH',
      path: `/R4/Observation/${idPlaceholder}`,
      headers: { accept: json, 'content-type': 'application/json-patch+json', ...pinned },
      body: JSON.stringify(correction),
    },
    { status: 200, holds: '"Observation"' },
    { policy: 'general-r4', byHand: false },
  ),
]

/** @throws {Error} when there is none */
export function caseNamed(name: string): BenchCase {
  const found = cases.find((one) => one.name === name)
  if (!found) throw new Error(`There is no case ${name}. There are: ${cases.map((one) => one.name).join(', ')}.`)
  return found
}

/** Fills the cache with texts: the version on which a refused change was made stays the current one. Each time another. */
export const textsStay: BenchCase = {
  ...caseNamed('refusal'),
  load: { requests: [edit], ids: 'fresh' },
}

/** Fills it with trees: a version is made one when it is wanted a second time. */
export const treesStay: BenchCase = { ...textsStay, load: { requests: [edit, edit], ids: 'fresh' } }

/** Where the base of a case is served. */
export const basePathOf = ({ policy }: BenchCase) => (policy === 'general-r4' ? '/R4' : '/STU3')

export interface CannedAnswer {
  readonly json: { readonly headerFields: Readonly<Record<string, string>>; readonly body: string }
  readonly xml?: CannedAnswer['json']
}

const written = (resource: object, version?: string): CannedAnswer['json'] => ({
  headerFields: { 'Content-Type': `${json};charset=UTF-8`, ...(version !== undefined && { ETag: `W/"${version}"` }) },
  body: JSON.stringify(resource),
})

const writtenXml = (resource: object, version: string): CannedAnswer['json'] => ({
  headerFields: { 'Content-Type': `${xml};charset=UTF-8`, ETag: `W/"${version}"` },
  body: inXml(resource),
})

/**
 * What the upstream answers, by method and target; see programs/stub.mjs. A write makes the second version of what it is about,
 * except where the same one is sent over and over: a second one would not be a change, and the first stays the current version.
 */
export const canned = (): Readonly<Record<string, CannedAnswer>> => ({
  'GET /STU3/metadata': { json: written(capabilityOf('3.0.2')) },
  'GET /R4/metadata': { json: written(capabilityOf('4.0.1')) },
  'GET /STU3/Flag/': { json: written(flag, '1'), xml: writtenXml(flag, '1') },
  'GET /STU3/Flag?': { json: written(searchPage) },
  'PUT /STU3/Flag/': { json: written(removedFlag, '2'), xml: writtenXml(removedFlag, '2') },
  [`PUT ${onFlag}`]: { json: written(removedFlag, '1'), xml: writtenXml(removedFlag, '1') },
  'GET /STU3/List/': { json: written(listOf(50), '1') },
  [`PUT /STU3/List/${idPlaceholder}`]: { json: written(listWithout(50), '1') },
  'GET /R4/Observation/': { json: written(observation, '1') },
  [`PUT /R4/Observation/${idPlaceholder}`]: { json: written(observation, '1') },
  [`PATCH /R4/Observation/${idPlaceholder}`]: { json: written(observation, '1') },
})
