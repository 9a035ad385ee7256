import type { Interaction, InteractionCode } from '../../fhir/interaction.ts'
import { readTarget } from '../../fhir/target.ts'
import { offers, reportedInteraction } from '../../policy/policy.ts'
import type { Refusal } from '../../policy/refusal.ts'
import type { AskedWrite } from '../asked-write.ts'
import type { GovernedBase } from '../exchange.ts'
import { pinsDeletes } from '../write.ts'
import type { Refuse, RequestParts } from './entry-parts.ts'

/** The reads that an entry may ask: no page, which is a link of somebody's search, and no operation. */
const reads: ReadonlySet<InteractionCode> = new Set([
  'read',
  'vread',
  'search-type',
  'history-instance',
  'history-type',
  'history-system',
  'capabilities',
])

const writes: ReadonlySet<InteractionCode> = new Set<AskedWrite['interaction']>(['create', 'update', 'patch', 'delete'])

const isRead = ({ code, method }: Interaction) => reads.has(code) && method !== 'POST'

export function isWrite(interaction: Interaction): interaction is Interaction & { code: AskedWrite['interaction'] } {
  return writes.has(interaction.code)
}

/**
 * Names what an entry asks by the grammar of request targets, if the policy opens it and it can stand in a Bundle.
 * @param reported gets what is not refused in report mode only
 */
export function nameInteraction(
  base: GovernedBase,
  knownBases: readonly string[],
  { method, url }: RequestParts,
  refuse: Refuse,
  reported: Refusal[],
): Interaction | undefined {
  const known = knownBases.find((own) => url.startsWith(`${own}/`))
  const relative = known === undefined ? url : url.slice(known.length + 1)
  if (!/^(?:[A-Z]|_history|metadata)/.test(relative)) {
    const sentence = 'The url of an entry is relative to the base: `[type]`, `[type]/[id]` or `[type]?[criteria]`.'
    refuse('request-malformed', sentence)
    return undefined
  }
  const target = readTarget(method, `/${relative}`, '')
  if (target.kind === 'malformed') {
    for (const { sentence } of target.faults) refuse('request-malformed', sentence)
    return undefined
  }
  const interaction = target.kind === 'interaction' ? target.interaction : undefined
  const canStand = interaction !== undefined && (isRead(interaction) || isWrite(interaction))
  const isOpen = canStand && offers(base.policy, interaction)
  const goesOn = canStand && !isOpen ? reportedInteraction(base.policy, interaction) : undefined
  if (goesOn) reported.push({ cause: goesOn.cause, diagnostics: goesOn.diagnostics })
  if (!interaction || !(isOpen || goesOn)) {
    refuse('interaction-not-offered', 'This interaction is not offered here as an entry of a Bundle.')
  } else if (interaction.code === 'delete' && !pinsDeletes(base)) {
    refuse('interaction-not-offered', 'A delete cannot be pinned to a version on this FHIR server.')
  } else {
    return interaction
  }
  return undefined
}
