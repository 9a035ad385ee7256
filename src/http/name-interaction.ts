import type { Interaction } from '../fhir/interaction.ts'
import { faultsOfTarget, readTarget } from '../fhir/target.ts'
import { allowedMethods, notOffered, offers, reportedInteraction, type Policy } from '../policy/policy.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { GovernedBase } from './exchange.ts'
import { refuse, type Reply } from './reply.ts'
import { hasBody, refusalsOfHead, type RequestHead } from './request-head.ts'

/** What is asked, or the answer to it: a refusal, or what a page asks beforehand. */
export type Named =
  | {
      readonly kind: 'interaction'
      readonly interaction: Interaction
      readonly base: GovernedBase
      /** That the policy does not open it, where that is only reported. */
      readonly reported: readonly Refusal[]
    }
  | { readonly kind: 'answered'; readonly reply: Reply; readonly interaction?: Interaction }

/** Names the interaction that method and target ask for, or refuses what could be read in two ways or is not open. */
export function nameInteraction(
  bases: readonly GovernedBase[],
  head: RequestHead,
  base: GovernedBase | undefined,
): Named {
  const malformed = (refusals: readonly Refusal[]): Named => ({
    kind: 'answered',
    reply: { kind: 'refused', refusals },
  })
  if (!base) {
    const faults = faultsOfTarget(head.target)
    if (faults.length > 0) return malformed(faults.map(malformedRequest))
    const paths = bases.map(({ path }) => path).join(', ')
    return { kind: 'answered', reply: refuse('not-found', `Nothing is served here. FHIR is served under: ${paths}.`) }
  }
  const { policy } = base
  const target = readTarget(head.method, head.target, base.path, base.upstream.profile.pagingParameter)
  const refusals = [
    ...(target.kind === 'malformed' ? target.faults.map(malformedRequest) : []),
    ...refusalsOfHead(head),
  ]
  if (refusals.length > 0 || target.kind === 'malformed') return malformed(refusals)

  const interaction = target.kind === 'interaction' ? target.interaction : target.known
  const isOpen = target.kind === 'interaction' && offers(policy, target.interaction)
  const reported =
    target.kind === 'interaction' && !isOpen ? reportedInteraction(policy, target.interaction) : undefined
  if (!interaction || !(isOpen || reported)) {
    const allow = interaction ? allowOn(policy, interaction) : ''
    return {
      kind: 'answered',
      reply: refuse('interaction-not-offered', notOffered(head.method, allow), { allow }),
      ...(target.kind === 'interaction' && { interaction: target.interaction }),
    }
  }
  if (!methodsWithBody.has(interaction.method) && hasBody(head)) {
    const sentence = `A ${interaction.method} takes no body; leave it out.`
    return { ...malformed([malformedRequest({ sentence })]), interaction } as Named
  }
  // Which kind of Bundle it is says its body.
  const isBundle = interaction.code === 'transaction'
  return { kind: 'interaction', interaction, base, reported: reported && !isBundle ? [reported] : [] }
}

/** `[type]/_search` has the type's interaction and one method of its own. */
function allowOn(policy: Policy, interaction: Interaction): string {
  if (interaction.path.endsWith('/_search')) return offers(policy, interaction) ? 'POST' : ''
  return allowedMethods(policy, interaction).join(', ')
}

const methodsWithBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/** What a client is told of a method that the policy has not opened on a target. */
const malformedRequest = ({ sentence }: { readonly sentence: string }): Refusal => ({
  cause: 'request-malformed',
  diagnostics: sentence,
})
