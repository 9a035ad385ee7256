import type { InteractionCode } from '../fhir/interaction.ts'
import type { OutcomeIssue } from '../fhir/operation-outcome.ts'
import type { Restoration } from '../policy/decision.ts'
import type { Cause, Refusal } from '../policy/refusal.ts'

export type HeaderFields = Readonly<Record<string, string | string[]>>

/** What a write is about, for its decision record. */
export interface Subject {
  readonly interaction: InteractionCode
  readonly type: string
  readonly id?: string
  /** The version that If-Match names. */
  readonly versionNamed?: string
  /** The version that was judged. */
  readonly versionJudged?: string
}

/** One entry of a Bundle that writes, or that could not be read, for its decision record. */
export interface NotedEntry {
  /** From 0. */
  readonly entry: number
  readonly subject: Subject | undefined
  /** What became of it. The entries of a transaction share what became of the whole. */
  readonly reply?: Reply
  /** Of an entry of a transaction. */
  readonly permittedAs?: readonly string[]
  readonly restoredBy?: readonly string[]
  /** Where the server says what it has stored: ETag and Location. */
  readonly stored?: HeaderFields
}

/** What the record of the request says beside the answer itself. */
interface Noted {
  readonly upstreamStatus?: number
  readonly permittedAs?: readonly string[]
  /** What of a write was put back to what is stored. */
  readonly restoration?: Restoration
  /** The rules that had something put back in the entries of a Bundle. */
  readonly restoredBy?: readonly string[]
  readonly outcomeUnknown?: true
  /** What the request turned out to be when its body had been read. */
  readonly interaction?: InteractionCode
  /** What would have been refused if it were not for the report mode of the rules that say so. */
  readonly reported?: readonly Refusal[]
  /** What was refused of a batch whose other entries went on. */
  readonly refused?: readonly Refusal[]
  readonly error?: unknown
  /** Of a single write. */
  readonly subject?: Subject
  /** The id of the decision records, where they are kept. */
  readonly decisionId?: string
  /** Of a Bundle whose entries have been read. */
  readonly entries?: readonly NotedEntry[]
}

/** What a request comes to. */
export type Reply = Noted &
  (
    | {
        readonly kind: 'relayed'
        readonly status: number
        readonly headerFields: HeaderFields
        readonly body?: Buffer | string
      }
    /** The upstream's error, rebuilt. */
    | {
        readonly kind: 'told'
        readonly status: number
        readonly headerFields: HeaderFields
        readonly issues: readonly OutcomeIssue[]
      }
    /** Refused by us. `further` follows our own issues: what the upstream had to say. */
    | {
        readonly kind: 'refused'
        readonly refusals: readonly Refusal[]
        readonly headerFields?: HeaderFields
        readonly further?: readonly OutcomeIssue[]
      }
    /** A fault of the upstream's or our own. */
    | { readonly kind: 'failed'; readonly refusals: readonly Refusal[]; readonly headerFields?: HeaderFields }
    /** The answer has been streamed; `whole` is false when the upstream or the client broke off. */
    | { readonly kind: 'streamed'; readonly status: number; readonly whole: boolean }
    /** The client left before there was an answer. */
    | { readonly kind: 'client-gone' }
  )

/** A refusal with one cause and a sentence. */
export function refuse(cause: Cause, diagnostics: string, headerFields?: HeaderFields): Reply {
  return { kind: 'refused', refusals: [{ cause, diagnostics }], ...(headerFields && { headerFields }) }
}

/** A fault with one cause and a sentence. */
export function fail(cause: Cause, diagnostics: string, noted: Noted = {}): Reply {
  return { kind: 'failed', refusals: [{ cause, diagnostics }], ...noted }
}
