import type { InteractionCode } from '../fhir/interaction.ts'

/** What is known of one request when it has been answered. The log turns it into one line; nothing here is content. */
export interface RequestRecord {
  /** The gateway's own id of the request, or the client's X-Request-ID when that is a UUID. */
  readonly requestId: string
  /** The OpenTelemetry trace of which a span was made. */
  readonly traceId?: string
  /** Path of the FHIR base: `/STU3`. */
  readonly base?: string
  /** The policy by which it was judged: its name, and the beginning of its digest. */
  readonly policy?: string
  readonly interaction?: InteractionCode
  /** Resource type. */
  readonly type?: string
  /** The resource's id in the clear: it may hold a patient's number. The log writes a keyed hash of it only. */
  readonly id?: string
  readonly decision: 'permitted' | 'refused' | 'relayed' | 'failed'
  /** The names of the changes as which a write was permitted. */
  readonly permittedAs?: readonly string[]
  /** The rules by which something of a write was put back to what is stored. */
  readonly restoredBy?: readonly string[]
  /** The rules, or the causes where no rule is concerned, for which it was refused. */
  readonly refusedBy?: readonly string[]
  /** The rules, or causes, for which it would have been refused if they were not in report mode. */
  readonly reported?: readonly string[]
  /** HTTP status of our answer. */
  readonly status: number
  /** HTTP status of the upstream's last answer, when it was asked. */
  readonly upstreamStatus?: number
  readonly milliseconds: number
  /** A write was sent and its outcome is not known. */
  readonly outcomeUnknown?: true
  /** The error behind a `failed`; only its class and code are logged, never its message. */
  readonly error?: unknown
}

export type RecordRequest = (record: RequestRecord) => void
