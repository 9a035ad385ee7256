import { type Element, textOf } from '../fhir/element.ts'
import type { Service } from './service.ts'

/**
 * The first reference to a resource of this server that is not there. As with HAPI, only references that a search could
 * go by are looked at: not those in extensions and contained resources, nor those to other servers.
 */
export function danglingReference(element: Element, service: Service): string | undefined {
  if (element.type === 'Reference') {
    const [type, id, ...rest] = (textOf(element, 'reference') ?? '').split('/')
    const isLocal = type !== undefined && id !== undefined && service.definitions.isResource(type)
    if (isLocal && (rest.length === 0 || rest[0] === '_history') && !service.store.current(type, id)?.resource) {
      return `${type}/${id}`
    }
  }
  for (const { items } of element.children.values()) {
    for (const item of items) {
      const found = item.resource || item.type === 'Extension' ? undefined : danglingReference(item, service)
      if (found !== undefined) return found
    }
  }
  return undefined
}
