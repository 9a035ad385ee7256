import type { Decided } from '../decide-write.ts'
import { subjectOf } from '../decide-write.ts'
import type { PermittedWrite } from '../decisions.ts'
import type { HeaderFields, NotedEntry, Reply, Subject } from '../reply.ts'
import { restoringRules } from '../restored.ts'
import type { Sendable } from './built-transaction.ts'
import type { Entry } from './entry.ts'
import { refusalOfEntry } from './entry-refusals.ts'
import { replyOfEntry } from './one-answer.ts'

/** The entries of a Bundle that may write, with what is known of each, for their decision records. */
export function notedEntries(
  entries: readonly Entry[],
  known: (index: number) => Partial<Omit<NotedEntry, 'entry'>> = () => ({}),
): readonly NotedEntry[] {
  return entries.flatMap((entry, index) => {
    if (entry.kind === 'read') return []
    const { subject, ...rest } = known(index)
    return [
      { entry: index, subject: subject ?? (entry.kind === 'write' ? subjectOf(entry.asked) : undefined), ...rest },
    ]
  })
}

/** Those of a batch, each with its own answer. */
export function notedOfBatch(entries: readonly Entry[], replies: readonly Reply[]): readonly NotedEntry[] {
  return notedEntries(entries, (index) => {
    const reply = replies[index]!
    return { reply, ...(reply.subject && { subject: reply.subject }) }
  })
}

/** Those of a transaction that is not sent, with the answers that some of them had. */
export function notedOfUnsent(
  entries: readonly Entry[],
  decided: readonly (Sendable | Extract<Decided, { kind: 'answered' }>)[],
  replies: readonly (Reply | undefined)[],
): readonly NotedEntry[] {
  return notedEntries(entries, (index) => {
    const subject = subjectOfDecided(decided[index]!)
    const reply = replies[index]
    return { ...(subject && { subject }), ...(reply && { reply: replyOfEntry(index, reply) }) }
  })
}

/**
 * Those of a transaction that was sent.
 * @param stored what the server says of each entry
 */
export function notedOfSent(
  entries: readonly Entry[],
  sent: readonly Sendable[],
  stored: readonly HeaderFields[] | undefined,
): readonly NotedEntry[] {
  return notedEntries(entries, (index) => {
    const entry = sent[index]!
    if (entry.kind !== 'permitted') return {}
    const told = stored?.[index]
    const { subject, permittedAs } = entry
    return { subject, permittedAs, restoredBy: restoringRules(entry), ...(told && { stored: told }) }
  })
}

/** The writes of a transaction that is about to be sent. */
export function permittedWrites(entries: readonly Sendable[]): readonly PermittedWrite[] {
  return entries.flatMap((entry, index) => {
    if (entry.kind !== 'permitted') return []
    const { subject, permittedAs } = entry
    const reported = entry.reported.map((refusal) => refusalOfEntry(index, refusal))
    const bundle = { interaction: 'transaction', entry: index } as const
    return [{ bundle, subject, permittedAs, restoredBy: restoringRules(entry), reported }]
  })
}

function subjectOfDecided(decided: Sendable | Extract<Decided, { kind: 'answered' }>): Subject | undefined {
  if (decided.kind === 'answered') return decided.reply.subject
  return decided.kind === 'permitted' ? decided.subject : undefined
}
