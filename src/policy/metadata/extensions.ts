import { keptWhere } from '../../fhir/build.ts'
import { textOf, type Children, type Element } from '../../fhir/element.ts'

/** Extensions that say how to read the statement, or where tokens come from. */
const known: ReadonlySet<string> = new Set([
  'http://fhir-registry.smarthealthit.org/StructureDefinition/capabilities',
  'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
  'http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation',
  'http://hl7.org/fhir/StructureDefinition/capabilitystatement-search-parameter-combination',
  'http://hl7.org/fhir/StructureDefinition/conformance-expectation',
  'http://hl7.org/fhir/StructureDefinition/conformance-search-parameter-combination',
])

/** The same element without extensions that are not known, at any depth: they may offer what nobody has opened. */
export function withoutUnknownExtensions(element: Element): Element {
  const children = new Map<string, Children>()
  for (const [name, { list, items }] of element.children) {
    if (name !== 'extension') children.set(name, { list, items: items.map(withoutUnknownExtensions) })
  }
  const kept = keptWhere(element, 'extension', (one) => known.has(textOf(one, 'url') ?? ''))
  return { ...element, children: kept ? new Map([['extension', kept], ...children]) : children }
}
