import type { Refusal } from '../policy/refusal.ts'
import type { HeaderFields, Reply } from './reply.ts'

/** The longest list of rules in a header field, in characters. */
const maxListed = 1000

/**
 * What would have been refused if the rules that say so were enforced, for the client: rules and elements, and no content.
 * A list of strings, each with where it is (RFC 8941, section 3.1): `"Flag.update";at="Flag.period"`.
 */
export function reportFields(reported: readonly Refusal[] = []): HeaderFields {
  if (reported.length === 0) return {}
  // The judge, too, says that there are no rules; where that is has been said before.
  const isPlaced = ({ cause }: Refusal) =>
    reported.some((other) => other.cause === cause && other.expression !== undefined)
  const told = reported.filter((refusal) => refusal.rule || refusal.expression || !isPlaced(refusal))
  const all = [...new Set(told.map(memberOf))]
  const listed: string[] = []
  let length = 0
  for (const member of all) {
    length += member.length + 2
    if (length > maxListed) break
    listed.push(member)
  }
  const more = all.length - listed.length
  return { 'fhir-policy-report': [...listed, ...(more > 0 ? [`more;count=${more}`] : [])].join(', ') }
}

const memberOf = ({ rule, cause, expression }: Refusal) =>
  quoted(rule ?? cause) + (expression === undefined ? '' : `;at=${quoted(expression)}`)

const quoted = (text: string) => `"${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/[\\"]/g, '\\$&')}"`

/** A reply with what is reported besides. */
export function withReported(reply: Reply, reported: readonly Refusal[] = []): Reply {
  return reported.length > 0 ? { ...reply, reported: [...reported, ...(reply.reported ?? [])] } : reply
}
