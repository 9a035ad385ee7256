import { refusalOfAccess } from '../access.ts'
import type { Exchange } from '../exchange.ts'
import type { Entry } from './entry.ts'
import { refusalOfEntry } from './entry-refusals.ts'

/** An entry as it is, or refused where the token that came with the Bundle does not cover what it asks. */
export function withinScopes(exchange: Pick<Exchange, 'base' | 'grants'>, entry: Entry, index: number): Entry {
  if (entry.kind === 'refused') return entry
  const refusal = refusalOfAccess(exchange, askedBy(entry))
  return refusal ? { kind: 'refused', refusals: [refusalOfEntry(index, refusal)] } : entry
}

function askedBy(entry: Exclude<Entry, { kind: 'refused' }>) {
  if (entry.kind === 'read') return entry.interaction
  const { interaction: code, type, criteria } = entry.asked
  return { code, type, query: criteria ?? '', conditional: criteria !== undefined }
}
