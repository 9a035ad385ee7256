import type { Interaction, InteractionCode } from '../../fhir/interaction.ts'
import { ifMatchOf, offers, reportsOnly, type ConditionalInteraction, type Policy } from '../policy.ts'

/** What goes through to one resource type: what the policy opens, in report mode also what it only reports. */
export interface OfferedOnType {
  interaction(code: InteractionCode): boolean
  /** By the criteria of a search instead of an id. */
  conditional(code: ConditionalInteraction): boolean
  /** On either level. */
  operation(name: string): boolean
  /** Whether anything goes at all. */
  readonly anything: boolean
  /** Whether a request that changes a resource must name its version (If-Match). */
  readonly versionRequired: boolean
}

/** @param pinsDeletes whether the upstream has a way to pin a delete to a version: without it no delete is sent */
export function offeredOnType(policy: Policy, type: string, pinsDeletes: boolean): OfferedOnType {
  const goes = (asked: Pick<Interaction, 'code'> & Partial<Interaction>) => goesOn(policy, { type, ...asked })
  const interaction = (code: InteractionCode) => goes({ code }) && (code !== 'delete' || pinsDeletes)
  return {
    interaction,
    conditional: (code) => interaction(code) && conditionalGoes(policy, type, code),
    operation: (name) =>
      [undefined, 'id'].some((id) =>
        goesByAnyMethod(policy, { type, operation: name, ...(id !== undefined && { id }) }),
      ),
    anything: policy.mode === 'report' ? policy.definitions.isResource(type) : policy.resources.has(type),
    versionRequired: (['update', 'patch', 'delete'] as const).some((code) => {
      const { ifMatch, mode } = ifMatchOf(policy, type, code)
      return interaction(code) && ifMatch === 'required' && mode === 'enforce'
    }),
  }
}

/** Whether a system-level interaction goes through. */
export function offeredOnBase(policy: Policy, code: InteractionCode): boolean {
  // For a Bundle the policy's own word counts: on the base either kind opens the same target.
  return policy.mode === 'report' || policy.system.interactions.has(code)
}

/** Whether an operation goes through on the base. */
export function operationOnBase(policy: Policy, name: string): boolean {
  return goesByAnyMethod(policy, { operation: name })
}

function conditionalGoes(policy: Policy, type: string, code: ConditionalInteraction): boolean {
  // A conditional create is one by its header field, so its target does not tell.
  if (code === 'create') return policy.mode === 'report' || policy.resources.get(type)!.conditional.has(code)
  return goesOn(policy, { type, code, conditional: true })
}

function goesByAnyMethod(policy: Policy, asked: Partial<Interaction>): boolean {
  return (['GET', 'POST'] as const).some((method) => goesOn(policy, { code: 'operation', method, ...asked }))
}

/** By the very functions that name a request, so that what is told is what is done. */
function goesOn(policy: Policy, asked: Pick<Interaction, 'code'> & Partial<Interaction>): boolean {
  const interaction: Interaction = { method: 'POST', path: '', query: '', ...asked }
  return offers(policy, interaction) || reportsOnly(policy, interaction)
}
