import type { OutcomeIssue } from '../fhir/operation-outcome.ts'
import type { Restoration } from '../policy/decision.ts'
import type { Reply } from './reply.ts'

/** The longest list of elements in a header field, in characters. */
const maxListed = 1000

/** The answer to a write, with what was put back; the client is told of it when the write was stored. */
export function withRestoration(reply: Reply, restoration: Restoration | undefined): Reply {
  if (!restoration) return reply
  if (reply.kind !== 'relayed') return { ...reply, restoration }
  return { ...reply, restoration, headerFields: { ...reply.headerFields, warning: warningOf(restoration) } }
}

/** Warning, with the code of what is to be shown to a person (RFC 7234, section 5.5). It names elements, and no content. */
function warningOf({ count, elements }: Restoration): string {
  const listed: string[] = []
  let length = 0
  for (const { expression } of elements) {
    length += expression.length + 2
    if (length > maxListed) break
    listed.push(expression)
  }
  const more = count - listed.length
  const names = [...listed, ...(more > 0 ? [`${more} more`] : [])].join(', ')
  return `299 - "Not stored as sent, since it may not change: ${names.replaceAll(/[^\x20-\x7e]|["\\]/g, '?')}"`
}

/** The same for an OperationOutcome. */
export function issuesOfRestoration({ count, elements }: Restoration): readonly OutcomeIssue[] {
  const information = { severity: 'information', code: 'informational' } as const
  const issues: OutcomeIssue[] = elements.map(({ expression, diagnostics }) => ({
    ...information,
    diagnostics,
    expression: [expression],
  }))
  const more = count - elements.length
  return more > 0 ? [...issues, { ...information, diagnostics: `${more} more are not listed.` }] : issues
}

/** The rules by which something was put back, each once. */
export function restoringRules({
  restoration,
  restoredBy = [],
}: {
  readonly restoration?: Restoration | undefined
  readonly restoredBy?: readonly string[]
}): readonly string[] {
  return [...new Set([...restoredBy, ...(restoration?.elements.map(({ rule }) => rule) ?? [])])]
}
