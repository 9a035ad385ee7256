import { complex, keptWhere, value, withChildren, withTexts } from '../../fhir/build.ts'
import { childrenOf, textOf, type Children, type Resource } from '../../fhir/element.ts'
import { askedFormat } from '../../fhir/media-type.ts'
import type { Policy } from '../policy.ts'
import { withoutUnknownExtensions } from './extensions.ts'
import { narrowRest } from './narrow-rest.ts'
import { order } from './order.ts'
import type { Told } from './told.ts'

/**
 * A server's CapabilityStatement, narrowed to what goes through the gateway. What the server does not offer is never added.
 * Of several interfaces only those of a server are told.
 * https://hl7.org/fhir/STU3/capabilitystatement.html, https://hl7.org/fhir/R4/capabilitystatement.html
 */
export function narrowStatement(statement: Resource, policy: Policy, told: Told): Resource {
  const rest = childrenOf(statement, 'rest')
    .filter((one) => textOf(one, 'mode') === 'server')
    .map((one) => withoutUnknownExtensions(narrowRest(one, policy, told)))
  const patches = rest
    .flatMap((one) => childrenOf(one, 'resource'))
    .flatMap((one) => childrenOf(one, 'interaction'))
    .some((one) => textOf(one, 'code') === 'patch')
  const only = (name: string, keeps: (text: string) => boolean) =>
    keptWhere(statement, name, ({ value }) => value !== undefined && keeps(value.text))
  const narrowed = withChildren(
    statement,
    {
      implementation: implementationOf(statement, policy, told),
      format: only('format', (format) => askedFormat(format, undefined) !== 'none'),
      patchFormat: only('patchFormat', (format) => patches && told.patchTypes.includes(format)),
      rest: { list: true, items: rest },
    },
    order.statement,
  )
  return withTexts(narrowed, told.ownUrl)
}

/** The statement of a kind of server, rather than of this one, has no implementation and no address. */
function implementationOf(statement: Resource, { definitions }: Policy, told: Told): Children | undefined {
  const [known] = childrenOf(statement, 'implementation')
  if (!known && textOf(statement, 'kind') !== 'instance') return undefined
  const implementation = known ?? complex(definitions, 'CapabilityStatement', 'implementation', {}).items[0]!
  const here = 'CapabilityStatement.implementation'
  const description = value(definitions, here, 'description', 'A FHIR server behind fhir-policy-gateway')
  const own = withChildren(
    implementation,
    {
      url: value(definitions, here, 'url', told.url),
      ...(!implementation.children.has('description') && { description }),
    },
    order.implementation,
  )
  return { list: false, items: [own] }
}
