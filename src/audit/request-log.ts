import type { HashId } from './id-hash.ts'
import type { Log } from './log.ts'
import type { RecordRequest, RequestRecord } from './request-record.ts'

/** Writes one line per request. The resource's id is written as a keyed hash only. */
export function requestLog(log: Log, hashId: HashId): RecordRequest {
  return (record) => {
    const { requestId, base, interaction, type, id, decision, permittedAs, restoredBy, refusedBy, reported } = record
    log[levelOf(record)](
      {
        requestId,
        base,
        policy: record.policy,
        interaction,
        type,
        ...(type !== undefined && id !== undefined && { idHash: hashId(type, id) }),
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
      },
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
