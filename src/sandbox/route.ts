import { outcome } from './answers.ts'
import type { SandboxAnswer, SandboxRequest } from './message.ts'
import { capabilities, furtherPage, historyInstance, read, searchType, vread } from './reads.ts'
import type { Service } from './service.ts'
import { create, remove, removeType, update, updateType } from './writes.ts'

/** Answers one request. The paths are read as HAPI reads them: what stands behind an id hardly counts. */
export function answer(service: Service, request: SandboxRequest): SandboxAnswer {
  const { definitions } = service
  const { segments } = request
  if (!segments) return outcome(definitions, 404, 'not-found', 'This path is outside of the FHIR base')
  const [type, id, third, fourth] = segments
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const reading = method === 'GET'

  if (type === undefined && reading && request.query.has('_getpages')) return furtherPage(service, request)
  if (type === 'metadata' && reading) return capabilities(service, request)
  if (type === undefined || type.startsWith('$') || id?.startsWith('$') || third?.startsWith('$')) {
    return unsupported(service, method)
  }
  if (!definitions.isResource(type)) {
    return outcome(definitions, 404, 'not-supported', `HAPI-0302: Unknown resource type '${type}'`)
  }
  const version = third === '_history' ? fourth : undefined
  switch (method) {
    case 'GET':
      if (id === undefined || id === '_search') return searchType(service, request, type)
      if (version !== undefined) return vread(service, request, type, id, version)
      if (third === '_history') return historyInstance(service, request, type, id)
      return third === undefined && id !== '_history' ? read(service, request, type, id) : unsupported(service, method)
    case 'POST':
      if (id === '_search') return searchType(service, request, type)
      return id === undefined
        ? create(service, request, type)
        : outcome(definitions, 400, 'processing', 'HAPI-0365: Can not create a resource with an ID in the request URL')
    case 'PUT':
      return id === undefined ? updateType(service, request, type) : update(service, request, type, id, version)
    case 'DELETE':
      return id === undefined ? removeType(service, request, type) : remove(service, request, type, id, version)
    default:
      return unsupported(service, method)
  }
}

function unsupported({ definitions }: Service, method: string): SandboxAnswer {
  return outcome(definitions, 400, 'not-supported', `The sandbox does not know how to handle this ${method} request`)
}
