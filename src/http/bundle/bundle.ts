import { childrenOf, textOf, type Resource } from '../../fhir/element.ts'
import { isFormatOnly } from '../../fhir/criteria.ts'
import { allowedMethods, reportedInteraction } from '../../policy/policy.ts'
import type { Refusal } from '../../policy/refusal.ts'
import { readSentResource } from '../asked-write.ts'
import type { Exchange } from '../exchange.ts'
import { readPreconditions } from '../preconditions.ts'
import { withReported } from '../reported.ts'
import { refuse, type Reply } from '../reply.ts'
import { runBatch } from './batch.ts'
import { withinScopes } from './entry-scopes.ts'
import { readEntry } from './entry.ts'
import { transact } from './transaction.ts'

/**
 * A Bundle on the base: every entry is read as a request of its own. The first stage that finds fault answers, naming all
 * the faults of that stage. https://hl7.org/fhir/R4/http.html#transaction
 */
export async function bundle(exchange: Exchange): Promise<Reply> {
  const { base, interaction, head, config } = exchange
  const preconditions = readPreconditions(interaction, head, base.policy)
  const refusals: Refusal[] = preconditions.kind === 'refused' ? [...preconditions.refusals] : []
  if (!isFormatOnly(interaction.query)) {
    const diagnostics = 'A Bundle takes no query but `_format` and `_pretty`; leave the rest out.'
    refusals.push({ cause: 'request-malformed', diagnostics })
  }
  if (refusals.length > 0) return { kind: 'refused', refusals }

  const sent = await readSentResource(exchange)
  if (!sent.ok) return sent.reply
  const { resource, format } = sent
  if (resource.type !== 'Bundle') return refuse('body-mismatch', 'The body is not a Bundle, which the base takes.')
  const kind = textOf(resource, 'type')
  if (kind !== 'transaction' && kind !== 'batch') {
    return about('Bundle.type', 'body-mismatch', 'The type of the Bundle is neither transaction nor batch.')
  }
  const isOpen = base.policy.system.interactions.has(kind)
  const reported = isOpen ? undefined : reportedInteraction(base.policy, { ...interaction, code: kind })
  if (!isOpen && !reported) {
    const allow = allowedMethods(base.policy, interaction).join(', ')
    return { ...refuse('interaction-not-offered', `A ${kind} is not offered here.`, { allow }), interaction: kind }
  }
  const entries = childrenOf(resource, 'entry')
  const most = config.limits.bundleEntries
  if (entries.length > most) {
    return { ...about('Bundle.entry', 'too-large', `The Bundle has more than ${most} entries.`), interaction: kind }
  }
  await exchange.countEntries(entries.length)
  const unknown = unknownParts(resource)
  if (unknown.length > 0) return { kind: 'refused', refusals: unknown, interaction: kind }

  const knownBases = [exchange.urls.own, ...exchange.knownBases, ...base.policy.bases]
  const { nesting, elements, bodyBytes } = config.limits
  const bounds = { nesting, elements, characters: bodyBytes }
  const read = entries.map((entry, index) =>
    withinScopes(exchange, readEntry({ base, knownBases, format, bounds }, entry, index), index),
  )
  const reply = await (kind === 'transaction' ? transact : runBatch)(exchange, read, format)
  return { ...withReported(reply, reported && [reported]), interaction: kind }
}

const about = (expression: string, cause: Refusal['cause'], diagnostics: string): Reply => ({
  kind: 'refused',
  refusals: [{ cause, diagnostics, expression }],
})

/** What does not change what a Bundle asks. It is not sent on. */
const descriptive = new Set(['id', 'meta', 'language', 'identifier', 'timestamp', 'link'])

function unknownParts(bundle: Resource): Refusal[] {
  return [...bundle.children.keys()]
    .filter((name) => name !== 'type' && name !== 'entry' && !descriptive.has(name))
    .map((name) => ({
      cause: 'body-malformed',
      diagnostics: 'This element is not offered in a transaction or batch; leave it out.',
      expression: `Bundle.${name}`,
    }))
}
