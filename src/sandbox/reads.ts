import { fieldsOf, outcome, urlOf } from './answers.ts'
import { capabilityStatement } from './capability.ts'
import type { SandboxAnswer, SandboxRequest } from './message.ts'
import { notModified } from './precondition.ts'
import { matches, searchParameters, unknownParameters } from './search.ts'
import { instantOf } from './stored-form.ts'
import { type Version, isStored } from './store.ts'
import type { Service } from './service.ts'

export function capabilities(
  { definitions, store, fhirVersion, clock }: Service,
  request: SandboxRequest,
): SandboxAnswer {
  const about = { fhirVersion, base: request.base, types: store.types(), date: clock() }
  return { status: 200, resource: capabilityStatement(definitions, about) }
}

export function read(service: Service, request: SandboxRequest, type: string, id: string): SandboxAnswer {
  return answerWith(service, request, service.store.current(type, id), `${type}/${id}`)
}

export function vread(
  service: Service,
  request: SandboxRequest,
  type: string,
  id: string,
  versionId: string,
): SandboxAnswer {
  const version = service.store.history(type, id).find((each) => String(each.version) === versionId)
  return answerWith(service, request, version, `${type}/${id}/_history/${versionId}`)
}

function answerWith(
  { definitions }: Service,
  request: SandboxRequest,
  version: Version | undefined,
  path: string,
): SandboxAnswer {
  if (!version) return outcome(definitions, 404, 'processing', `HAPI-2001: Resource ${path} is not known`)
  if (!isStored(version)) {
    const gone = outcome(definitions, 410, 'processing', `Resource was deleted at ${instantOf(version.lastUpdated)}`)
    return { ...gone, fields: { Location: urlOf(version, request.base) } }
  }
  if (notModified(version, request.field('if-none-match'), request.field('if-modified-since'))) return { status: 304 }
  return { status: 200, resource: version.resource, fields: fieldsOf(version, request.base) }
}

export function historyInstance(service: Service, request: SandboxRequest, type: string, id: string): SandboxAnswer {
  const { store, bundles } = service
  const versions = store.history(type, id).toReversed()
  if (versions.length === 0) return answerWith(service, request, undefined, `${type}/${id}`)
  const self = `${request.base}/${type}/${id}/_history`
  return bundles.history(versions, request.query, request.base, self)
}

/** GET, or POST `_search` with the parameters in the body, the query, or both. */
export function searchType(
  { definitions, store, bundles }: Service,
  request: SandboxRequest,
  type: string,
): SandboxAnswer {
  const query = new URLSearchParams(request.query)
  if (request.method === 'POST') {
    for (const [name, value] of new URLSearchParams(Buffer.from(request.body).toString())) query.append(name, value)
  }
  const unknown = unknownParameters(query)
  if (unknown.length > 0) {
    const valid = searchParameters.join(', ')
    const diagnostics = `HAPI-0524: Unknown search parameter "${unknown[0]}" for resource type "${type}". Valid search parameters for this search are: [${valid}]`
    return outcome(definitions, 400, 'processing', diagnostics)
  }
  const found = store.all(type).filter(({ resource }) => matches(resource, query))
  const self = `${request.base}/${type}${query.size > 0 ? `?${query}` : ''}`
  return bundles.search(found, query, request.base, self)
}

export function furtherPage({ definitions, bundles }: Service, request: SandboxRequest): SandboxAnswer {
  const page = bundles.further(request.query, request.base)
  if (page) return page
  const diagnostics = `HAPI-0417: Search ID "${request.query.get('_getpages')}" does not exist and may have expired`
  return outcome(definitions, 410, 'processing', diagnostics)
}
