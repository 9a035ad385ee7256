import { complex, keptWhere, value, withChildren } from '../../fhir/build.ts'
import { childrenOf, textOf, type Children, type Element } from '../../fhir/element.ts'
import type { InteractionCode } from '../../fhir/interaction.ts'
import type { Policy } from '../policy.ts'
import { operationForCallers, policyForCallers } from '../words/for-callers.ts'
import { documented, eachDocumented } from './documented.ts'
import { narrowResource, operationName } from './narrow-resource.ts'
import { offeredOnBase, offeredOnType, operationOnBase } from './offered.ts'
import { order } from './order.ts'
import type { Told } from './told.ts'

const at = 'CapabilityStatement.rest'

/** What is said of a server's RESTful interface. */
export function narrowRest(rest: Element, policy: Policy, told: Told): Element {
  const resources = childrenOf(rest, 'resource').flatMap(
    (resource) => narrowResource(resource, policy, told.pinsDeletes) ?? [],
  )
  const types = resources.map((resource) => textOf(resource, 'type')!)
  const anyType = (offers: (offered: ReturnType<typeof offeredOnType>) => boolean) =>
    types.some((type) => offers(offeredOnType(policy, type, told.pinsDeletes)))
  const searches = offeredOnBase(policy, 'search-system') || anyType(({ interaction }) => interaction('search-type'))
  // Before R4 the operations of all levels stand here.
  const operationGoes = (name: string) =>
    operationOnBase(policy, name) || (policy.release === 'STU3' && anyType(({ operation }) => operation(name)))
  const operation = keptWhere(rest, 'operation', (one) => operationGoes(operationName(one)))
  return withChildren(
    rest,
    {
      documentation: documented(rest, policy, at, policyForCallers(policy)),
      security: narrowSecurity(rest, policy, told),
      resource: { list: true, items: resources },
      interaction: keptWhere(rest, 'interaction', (one) =>
        offeredOnBase(policy, (textOf(one, 'code') ?? '') as InteractionCode),
      ),
      ...(!searches && { searchParam: undefined }),
      operation: eachDocumented(operation, policy, `${at}.operation`, order.operation, (one) =>
        operationForCallers(policy, undefined, operationName(one)),
      ),
    },
    order.rest,
  )
}

/** The gateway's answers have no header fields of CORS but its own; who checks tokens says of which kind. */
function narrowSecurity(rest: Element, { definitions, release }: Policy, told: Told): Children | undefined {
  const [known] = childrenOf(rest, 'security')
  if (!known && !told.security && !told.cors) return undefined
  const here = `${at}.security`
  const security = known ?? complex(definitions, at, 'security', {}).items[0]!
  const spoken = told.cors || textOf(security, 'cors') !== undefined
  const own = told.security && {
    service: complex(definitions, here, 'service', {
      coding: complex(definitions, 'CodeableConcept', 'coding', {
        system: value(definitions, 'Coding', 'system', serviceSystems[release]),
        code: value(definitions, 'Coding', 'code', told.security.service),
      }),
    }),
    description: value(definitions, here, 'description', told.security.description),
  }
  const narrowed = withChildren(
    security,
    { ...(spoken && { cors: value(definitions, here, 'cors', String(told.cors)) }), ...own },
    order.security,
  )
  return { list: false, items: [narrowed] }
}

const serviceSystems = {
  STU3: 'http://hl7.org/fhir/restful-security-service',
  R4: 'http://terminology.hl7.org/CodeSystem/restful-security-service',
  R5: 'http://terminology.hl7.org/CodeSystem/restful-security-service',
} as const
