import { readIfMatch } from '../fhir/entity-tag.ts'
import type { Interaction } from '../fhir/interaction.ts'
import { ifMatchOf, type Policy } from '../policy/policy.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { RequestHead } from './request-head.ts'

/** The version that an update names, or everything that is wrong with the preconditions (RFC 9110, section 13.1). */
export type Preconditions =
  | {
      readonly kind: 'met-later'
      /** Undefined where none is named: then it is the current one, whichever that is. */
      readonly version: string | undefined
      /** What would have been refused if it were not for report mode. */
      readonly reported: readonly Refusal[]
    }
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal[] }

/**
 * Preconditions that would be evaluated by nobody are refused, never dropped: a client that sends one relies on it.
 * If-Modified-Since on a write is not one, nor is Range without If-Range (RFC 9110, sections 13.1.3 and 14.2).
 */
export function readPreconditions(
  { code, type }: Pick<Interaction, 'code' | 'type'>,
  head: Pick<RequestHead, 'fieldLines'>,
  policy: Policy,
): Preconditions {
  const refusals: Refusal[] = []
  const has = (name: string) => head.fieldLines(name).length > 0
  const closed = (...names: string[]) => {
    for (const name of names.filter(has)) refusals.push(notOffered(name))
  }
  const reported: Refusal[] = []
  let version: string | undefined
  switch (code) {
    case 'update':
    case 'patch':
    case 'delete': {
      const lines = head.fieldLines('if-match')
      const read = readIfMatch(lines)
      const { ifMatch, mode } = ifMatchOf(policy, type!, code)
      const asked = mode === 'report' ? reported : refusals
      if (read.kind === 'version') version = read.version
      if (ifMatch === 'forbidden') {
        if (lines.length > 0) (read.kind === 'version' ? asked : refusals).push(notOffered('if-match'))
      } else if (read.kind !== 'version' && (ifMatch === 'required' || lines.length > 0)) {
        // An empty one is no way to leave it out.
        const isMissing = read.kind === 'missing' && lines.length === 0
        const refusal = { cause: `if-match-${read.kind}`, diagnostics: read.sentence } as const
        if (isMissing) asked.push(refusal)
        else refusals.push(refusal)
      }
      closed('if-none-match', 'if-unmodified-since', 'if-none-exist')
      break
    }
    case 'create':
      closed('if-match', 'if-none-match', 'if-unmodified-since')
      if (head.fieldLines('if-none-exist').length > 1) {
        refusals.push({ cause: 'request-malformed', diagnostics: 'If-None-Exist occurs more than once; send it once.' })
      }
      if (has('if-none-exist') && !policy.resources.get(type ?? '')?.conditional.has('create')) {
        const closedHere = policy.mode === 'report' ? reported : refusals
        closedHere.push({
          cause: 'interaction-not-offered',
          diagnostics: 'A conditional create (If-None-Exist) is not offered; create without it.',
        })
      }
      break
    case 'transaction':
    case 'batch':
      closed('if-match', 'if-none-match', 'if-unmodified-since', 'if-none-exist')
      break
    default:
      closed('if-match', 'if-unmodified-since', 'if-range')
  }
  return refusals.length > 0 ? { kind: 'refused', refusals } : { kind: 'met-later', version, reported }
}

const notOffered = (name: string): Refusal => ({
  cause: 'precondition-not-offered',
  diagnostics: `The precondition ${name} is not offered on this interaction; leave it out.`,
})
