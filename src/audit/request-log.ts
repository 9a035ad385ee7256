import type { HashId } from './id-hash.ts'
import type { Log } from './log.ts'
import type { RecordRequest, RequestRecord } from './request-record.ts'

/** The fields of a request's line; the page of the log is generated from these. A field without a value is left out. */
export const requestFields = {
  requestId:
    'The client’s X-Request-ID when that is a UUID, else one of the gateway’s own; the answer has it in X-Request-ID.',
  traceId: 'The OpenTelemetry trace, where traces are on.',
  base: 'Path of the FHIR base.',
  policy: 'The policy by which it was judged: its name and the first 12 digits of its digest.',
  interaction: 'FHIR’s restful-interaction code: `update`, `search-type`, `transaction` …',
  type: 'Resource type, when the FHIR version defines it.',
  idHash:
    'Stands for type and id of the resource: an HMAC-SHA-256 with the key of LOG_HASH_KEY, 16 hexadecimal digits.',
  decision: 'As in the metrics: `permitted`, `refused`, `relayed` or `failed`.',
  permittedAs: 'Names of the changes as which a write was permitted.',
  restoredBy: 'Rules that had something put back to what is stored.',
  refusedBy: 'Rules, or causes where no rule is concerned, for which it was refused or failed.',
  reported: 'Rules in report mode, or causes, for which it would have been refused.',
  status: 'HTTP status of the answer; 499 where the client left before there was one.',
  upstreamStatus: 'HTTP status of the upstream’s last answer, when it was asked.',
  ms: 'Milliseconds from the reading of the header section to the end of the answer.',
  outcomeUnknown: '`true` where a write was sent and nobody knows whether it was stored.',
  error:
    'Of a fault: class and code of the error (`name`, `code`, `cause`), and for one without a code where it came from (`at`); never its message.',
} as const satisfies Record<string, string>

/** Writes one line per request. The resource's id is written as a keyed hash only. */
export function requestLog(log: Log, hashId: HashId): RecordRequest {
  return (record) => {
    const { requestId, base, interaction, type, id, decision, permittedAs, restoredBy, refusedBy, reported } = record
    log[levelOf(record)](
      {
        requestId,
        traceId: record.traceId,
        base,
        policy: record.policy,
        interaction,
        type,
        idHash: type !== undefined && id !== undefined ? hashId(type, id) : undefined,
        decision,
        permittedAs,
        restoredBy,
        refusedBy,
        reported,
        status: record.status,
        upstreamStatus: record.upstreamStatus,
        ms: Math.round(record.milliseconds * 10) / 10,
        outcomeUnknown: record.outcomeUnknown,
        error: record.error,
      } satisfies Record<keyof typeof requestFields, unknown>,
      'request',
    )
  }
}

/**
 * A write whose outcome nobody knows, one that created what it was to change, and a fault of our own need somebody's eye;
 * other 5xx are the upstream's.
 */
function levelOf({ decision, outcomeUnknown, status, upstreamStatus }: RequestRecord): 'error' | 'warn' | 'info' {
  const createdAmiss = decision === 'failed' && upstreamStatus === 201
  if (outcomeUnknown || createdAmiss || status === 500) return 'error'
  return status > 500 ? 'warn' : 'info'
}
