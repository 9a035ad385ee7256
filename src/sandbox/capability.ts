import type { Definitions } from '../fhir/definitions.ts'
import type { Resource } from '../fhir/element.ts'
import { resourceOf } from './lenient.ts'
import { searchParameters } from './search.ts'
import { instantOf } from './stored-form.ts'

const interactions = ['read', 'vread', 'update', 'delete', 'history-instance', 'create', 'search-type']

/** What `GET [base]/metadata` answers. https://hl7.org/fhir/STU3/capabilitystatement.html */
export function capabilityStatement(
  definitions: Definitions,
  about: {
    readonly fhirVersion: string
    readonly base: string
    readonly types: readonly string[]
    readonly date: Date
  },
): Resource {
  const typeOfParameter = (name: string) => (name === 'patient' || name === 'subject' ? 'reference' : 'token')
  const plain = {
    resourceType: 'CapabilityStatement',
    id: 'sandbox',
    name: 'Sandbox',
    status: 'active',
    date: instantOf(about.date),
    publisher: 'Not provided',
    kind: 'instance',
    software: { name: 'Sandbox FHIR Server', version: '1' },
    implementation: { description: 'In memory, for trying a gateway out', url: about.base },
    fhirVersion: about.fhirVersion,
    acceptUnknown: 'both',
    format: ['application/fhir+json', 'json', 'application/fhir+xml', 'xml'],
    rest: [
      {
        mode: 'server',
        resource: about.types.map((type) => ({
          type,
          interaction: interactions.map((code) => ({ code })),
          versioning: 'versioned-update',
          readHistory: true,
          updateCreate: true,
          conditionalCreate: true,
          conditionalUpdate: true,
          conditionalDelete: 'single',
          searchParam: searchParameters.map((name) => ({ name, type: typeOfParameter(name) })),
        })),
      },
    ],
  }
  return resourceOf(plain, definitions)!
}
