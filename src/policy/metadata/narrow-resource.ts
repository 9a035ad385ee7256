import { keptWhere, value, withChildren } from '../../fhir/build.ts'
import { textOf, type Children, type Element } from '../../fhir/element.ts'
import type { InteractionCode } from '../../fhir/interaction.ts'
import type { Policy } from '../policy.ts'
import { operationForCallers, rulesForCallers } from '../words/for-callers.ts'
import { eachDocumented } from './documented.ts'
import { offeredOnType } from './offered.ts'
import { order } from './order.ts'

const at = 'CapabilityStatement.rest.resource'

/**
 * What is said of one resource type; undefined when nothing of it goes through.
 * @param pinsDeletes whether the upstream has a way to pin a delete to a version
 */
export function narrowResource(resource: Element, policy: Policy, pinsDeletes: boolean): Element | undefined {
  const type = textOf(resource, 'type') ?? ''
  const { definitions, release } = policy
  const offered = offeredOnType(policy, type, pinsDeletes)
  const interaction = keptWhere(resource, 'interaction', (one) =>
    offered.interaction((textOf(one, 'code') ?? '') as InteractionCode),
  )
  const operation = keptWhere(resource, 'operation', (one) => offered.operation(operationName(one)))
  // In STU3 a type has interactions, or is not there.
  const hasOthers = release !== 'STU3' && (operation !== undefined || !resource.children.has('interaction'))
  if (!interaction && !(hasOthers && offered.anything)) return undefined

  const is = (code: InteractionCode) => interaction?.items.some((one) => textOf(one, 'code') === code) === true
  /** True only where the upstream says so, too; what does not go is said to be so. */
  const flag = (name: string, goes: boolean): Children | undefined => {
    if (!definitions.child(at, name)) return undefined
    const told = textOf(resource, name)
    return goes && told === undefined ? undefined : value(definitions, at, name, String(told === 'true' && goes))
  }
  const coded = (name: string, code: string | undefined) =>
    code === undefined ? undefined : value(definitions, at, name, code)
  const byCriteria = (['create', 'update', 'patch', 'delete'] as const).some(
    (code) => is(code) && offered.conditional(code),
  )
  const searched = is('search-type')
  return withChildren(
    resource,
    {
      interaction: eachDocumented(interaction, policy, `${at}.interaction`, order.interaction, (one) =>
        rulesForCallers(policy, type, (textOf(one, 'code') ?? '') as InteractionCode),
      ),
      versioning: coded('versioning', versioningOf(resource, offered.versionRequired)),
      readHistory: flag('readHistory', is('vread')),
      // An update of what is not there is 404: there is nothing that it could be judged against.
      updateCreate: flag('updateCreate', false),
      conditionalCreate: flag('conditionalCreate', is('create') && offered.conditional('create')),
      conditionalRead: is('read') ? resource.children.get('conditionalRead') : undefined,
      conditionalUpdate: flag('conditionalUpdate', is('update') && offered.conditional('update')),
      conditionalPatch: flag('conditionalPatch', is('patch') && offered.conditional('patch')),
      conditionalDelete: coded(
        'conditionalDelete',
        conditionalDelete(resource, is('delete') && offered.conditional('delete')),
      ),
      ...(!searched && { searchInclude: undefined, searchRevInclude: undefined }),
      ...(!searched && !byCriteria && { searchParam: undefined }),
      operation: eachDocumented(operation, policy, `${at}.operation`, order.operation, (one) =>
        operationForCallers(policy, type, operationName(one)),
      ),
    },
    order.resource,
  )
}

/** `$everything` and `everything` both occur. */
export function operationName(operation: Element): string {
  return (textOf(operation, 'name') ?? '').replace(/^\$/, '')
}

/** Who must name a version is told so; who need not is, too: the gateway names it to the upstream. */
function versioningOf(resource: Element, required: boolean): string | undefined {
  if (required) return 'versioned-update'
  const told = textOf(resource, 'versioning')
  return told === 'versioned-update' ? 'versioned' : told
}

/** The gateway deletes one resource at a time: criteria that match several are refused. */
function conditionalDelete(resource: Element, goes: boolean): string | undefined {
  const told = textOf(resource, 'conditionalDelete')
  if (goes && told === undefined) return undefined
  return goes && told !== 'not-supported' ? 'single' : 'not-supported'
}
