import type { Resource } from '../../fhir/element.ts'
import type { RequestFacts } from '../request-facts.ts'
import { fhirPathPackage } from './engine.ts'
import type { Values } from './expression.ts'
import { headerPrefix } from './names.ts'
import { toPlain } from './plain.ts'
import { Unevaluable } from './unevaluable.ts'

/** What the invariants of one write are evaluated on; undefined when one of its resources cannot be shown to them as it is. */
export function valuesOf(
  before: Resource | undefined,
  after: Resource | undefined,
  { interaction, scopes, headerFields }: RequestFacts,
): Values | undefined {
  const { FP_Decimal } = fhirPathPackage()
  const plain = (resource: Resource | undefined) => resource && toPlain(resource, (text) => FP_Decimal.getDecimal(text))
  try {
    const variables = Object.create(null) as Record<string, unknown>
    variables.before = plain(before)
    variables.after = plain(after)
    variables.resource = variables.after ?? variables.before
    variables.interaction = interaction
    variables.scopes = scopes
    for (const [name, lines] of Object.entries(headerFields)) variables[headerPrefix + name] = lines
    return { root: variables.resource as Values['root'], variables }
  } catch (error) {
    if (error instanceof Unevaluable) return undefined
    throw error
  }
}
