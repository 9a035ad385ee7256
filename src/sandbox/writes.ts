import { type Resource, idOf } from '../fhir/element.ts'
import { idPattern } from '../fhir/target.ts'
import { fieldsOf, outcome, pathOf, urlOf } from './answers.ts'
import { readBody } from './body.ts'
import type { SandboxAnswer, SandboxRequest } from './message.ts'
import { readIfMatch } from './precondition.ts'
import { danglingReference } from './references.ts'
import { hasCriteria, matches } from './search.ts'
import type { Service } from './service.ts'
import type { Version } from './store.ts'

type Read = { readonly resource: Resource } | { readonly refusal: SandboxAnswer }

export function create(service: Service, request: SandboxRequest, type: string): SandboxAnswer {
  const body = readTyped(service, request, type)
  if ('refusal' in body) return body.refusal
  const ifNoneExist = request.field('if-none-exist')
  if (ifNoneExist !== undefined && ifNoneExist !== '') {
    const found = matching(service, type, new URLSearchParams(ifNoneExist.replace(/^.*\?/, '')))
    if (found.length > 1) return tooMany(service, 'create')
    if (found.length === 1) return located(written(service, request, found[0]!, 200), found[0]!, request)
  }
  const created = service.store.create(body.resource)
  return located(written(service, request, created, 201), created, request)
}

/** A version in the path counts like If-Match, and outranks it. */
export function update(
  service: Service,
  request: SandboxRequest,
  type: string,
  id: string,
  versionId?: string,
): SandboxAnswer {
  const { definitions } = service
  const body = readTyped(service, request, type)
  if ('refusal' in body) return body.refusal
  const bodyId = bareId(body.resource)
  if (bodyId === undefined) {
    const diagnostics =
      'HAPI-0419: Can not update resource, resource body must contain an ID element for update (PUT) operation'
    return outcome(definitions, 400, 'processing', diagnostics)
  }
  if (bodyId !== id) {
    const diagnostics =
      'HAPI-0420: Can not update resource, resource body must contain an ID element which matches the request URL for update (PUT) operation'
    return outcome(definitions, 400, 'processing', diagnostics)
  }
  if (!idPattern.test(id)) {
    const diagnostics = `HAPI-0521: Can not process entity with ID[${id}], this is not a valid FHIR ID`
    return outcome(definitions, 400, 'processing', diagnostics)
  }
  const ifMatch = readIfMatch(versionId ?? request.field('if-match'))
  if (ifMatch === 'unreadable') {
    return outcome(definitions, 500, 'exception', 'HAPI-2223: If-Match names no version number')
  }
  const result = service.store.update(body.resource, id, ifMatch === 'none' ? undefined : ifMatch)
  if (result.kind === 'not-current') {
    const diagnostics = `HAPI-0550: HAPI-0989: Trying to update ${type}/${id}/_history/${String(ifMatch)} but this is not the current version`
    return outcome(definitions, 409, 'processing', diagnostics)
  }
  return written(service, request, result.version, result.kind === 'created' ? 201 : 200)
}

/** PUT to a type: by criteria in the query, whatever If-Match says; without, the id may stand in Content-Location. */
export function updateType(service: Service, request: SandboxRequest, type: string): SandboxAnswer {
  if (!hasCriteria(request.query)) {
    const id = new RegExp(`(?:^|/)${type}/([^/?]+)`).exec(request.field('content-location') ?? '')?.[1]
    if (id !== undefined) return update(service, request, type, id)
    const diagnostics = 'HAPI-0418: Can not update a resource without an ID or criteria in the request URL'
    return outcome(service.definitions, 400, 'processing', diagnostics)
  }
  const body = readTyped(service, request, type)
  if ('refusal' in body) return body.refusal
  const found = matching(service, type, request.query)
  if (found.length > 1) return tooMany(service, 'update')
  if (found.length === 0 && !matches(body.resource, request.query)) {
    const diagnostics = `HAPI-0929: Failed to process conditional create. The supplied resource of type ${type} did not satisfy the conditional URL.`
    return outcome(service.definitions, 400, 'processing', diagnostics)
  }
  const id = found[0]?.id ?? bareId(body.resource)
  if (id === undefined) return written(service, request, service.store.create(body.resource), 201)
  const result = service.store.update(body.resource, id)
  if (result.kind === 'not-current') throw new Error('An update without If-Match is unconditional.')
  return written(service, request, result.version, result.kind === 'created' ? 201 : 200)
}

/** If-Match counts for nothing here; a version in the path does. */
export function remove(
  service: Service,
  request: SandboxRequest,
  type: string,
  id: string,
  versionId?: string,
): SandboxAnswer {
  const { definitions, store } = service
  const current = store.current(type, id)
  if (current && versionId !== undefined && versionId !== String(current.version)) {
    const diagnostics = `HAPI-0550: HAPI-0961: Trying to delete ${type}/${id}/_history/${versionId} but this is not the current version`
    return outcome(definitions, 409, 'processing', diagnostics)
  }
  const tombstone = store.delete(type, id)
  if (!tombstone) {
    const path = current ? pathOf(current) : `${type}/${id}`
    const diagnostics = `Not deleted, resource ${path} ${current ? 'was already deleted' : 'does not exist'}.`
    const not = outcome(definitions, 200, 'not-found', diagnostics, 'warning')
    return { ...not, fields: { 'Content-Location': `${request.base}/${path}` } }
  }
  const done = outcome(definitions, 200, 'informational', 'Successfully deleted 1 resource(s)', 'information')
  return { ...done, fields: { 'Content-Location': urlOf(tombstone, request.base) } }
}

export function removeType(service: Service, request: SandboxRequest, type: string): SandboxAnswer {
  if (!hasCriteria(request.query))
    return outcome(service.definitions, 400, 'processing', 'Criteria are needed to delete')
  const found = matching(service, type, request.query)
  if (found.length > 1) return tooMany(service, 'delete')
  if (found.length === 1) return remove(service, request, type, found[0]!.id)
  return outcome(service.definitions, 200, 'not-found', 'Not deleted: nothing matches the criteria', 'warning')
}

function readTyped(service: Service, request: SandboxRequest, type: string): Read {
  const { definitions } = service
  const body = readBody(request, definitions)
  if ('diagnostics' in body) return { refusal: outcome(definitions, 400, 'processing', body.diagnostics) }
  if (body.resource.type === type) {
    const missing = danglingReference(body.resource, service)
    if (missing === undefined) return body
    const diagnostics = `HAPI-1094: Resource ${missing} not found`
    return { refusal: outcome(definitions, 400, 'processing', diagnostics) }
  }
  const diagnostics = `HAPI-0450: Failed to parse request body. Error was: HAPI-1814: Incorrect resource type found, expected "${type}" but found "${body.resource.type}"`
  return { refusal: outcome(definitions, 400, 'processing', diagnostics) }
}

/** The id of a body, which HAPI also takes with the type before it and a version behind. */
function bareId(resource: Resource): string | undefined {
  return idOf(resource)
    ?.replace(/\/_history\/.*$/, '')
    .replace(/^.*\//, '')
}

/** Location stands on the answer to a POST only. */
function located(answer: SandboxAnswer, version: Version, request: SandboxRequest): SandboxAnswer {
  return { ...answer, fields: { ...answer.fields, Location: urlOf(version, request.base) } }
}

function matching({ store }: Service, type: string, criteria: URLSearchParams): readonly Version[] {
  return store.all(type).filter(({ resource }) => matches(resource, criteria))
}

function tooMany({ definitions }: Service, doing: string): SandboxAnswer {
  return outcome(
    definitions,
    412,
    'processing',
    `HAPI-0958: Failed to ${doing}: more than one resource matches the criteria`,
  )
}

/** The answer to a write, as Prefer asks for it. https://hl7.org/fhir/STU3/http.html#2.21.0.5.2 */
function written({ definitions }: Service, request: SandboxRequest, version: Version, status: number): SandboxAnswer {
  const fields = fieldsOf(version, request.base)
  const preferred = /\breturn=("?)(\w+)\1/i.exec(request.field('prefer') ?? '')?.[2]?.toLowerCase()
  if (preferred === 'minimal') return { status, fields }
  if (preferred === 'operationoutcome') {
    const done = status === 201 ? 'created' : 'updated'
    const diagnostics = `Successfully ${done} resource "${pathOf(version)}".`
    return { ...outcome(definitions, status, 'informational', diagnostics, 'information'), fields }
  }
  return { status, fields, resource: version.resource! }
}
