import type { Aggregator } from 'prom-client'

/** What one metric of the gateway's own is. The page of metrics is generated from these, and a test holds both together. */
export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** One sentence. */
  readonly help: string
  readonly labels: readonly LabelName[]
  /** What several worker processes come to as one; `sum` unless it is said. */
  readonly aggregator?: Aggregator
}

/** Every label, and the values that it can have. There is no other: nothing that a client chose is one. */
export const labels = {
  base: 'Path of the FHIR base, as gateway.yaml has it; `none` outside of every base.',
  interaction: 'FHIR’s restful-interaction code; `none` where a request is none.',
  type: 'Resource type, where the policy names it; `other` for the other types of the FHIR version, `none` for everything else.',
  decision:
    '`permitted` (a write), `refused`, `relayed` (a read, or an error of the upstream), `failed` (a fault of the upstream or of the gateway, or the client left).',
  status: 'HTTP status of the answer; 499 where the client left before there was one.',
  permitted_as: 'Name of the change as which the policy permits it.',
  restored_by: 'Rule of the policy that had something put back.',
  refused_by: 'Rule of the policy, or the cause where no rule is concerned (docs/policy-reference.md lists them).',
  reported_by: 'Rule in report mode, or the cause.',
  kind: '`read` (for a client), `stored-version` (to judge against) or `write`.',
  reason:
    '`unreachable` (no connection, or it broke), `too-slow`, `too-large` (beyond a limit of gateway.yaml), `broken-off` (by the upstream, while it was streamed on) or `server-error` (5xx).',
  result:
    '`applied` or `refused`; of a look into the cache: `hit` or `miss`; of decision records: `written` or `lost`; of AuditEvents: `delivered`, `failed` (it is tried again) or `set-aside` (the server does not take it).',
  use: '`listener`: what clients are shown.',
  policy: 'Name of the policy.',
  digest: 'SHA-256 of the policy file and of the files that it names.',
} as const satisfies Record<string, string>

export type LabelName = keyof typeof labels

/** From a millisecond to the longest time that is waited for, in seconds. */
export const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const

export const definitions = {
  fhir_gateway_requests_total: {
    kind: 'counter',
    help: 'Requests answered.',
    labels: ['base', 'interaction', 'type', 'decision', 'status'],
  },
  fhir_gateway_request_duration_seconds: {
    kind: 'histogram',
    help: 'Time to answer a request, the upstream’s part included.',
    labels: ['base', 'interaction'],
  },
  fhir_gateway_requests_in_flight: {
    kind: 'gauge',
    help: 'Requests that are being answered.',
    labels: [],
    aggregator: 'sum',
  },
  fhir_gateway_permits_total: {
    kind: 'counter',
    help: 'Permitted writes, by the name of the change as which the policy permits them.',
    labels: ['base', 'interaction', 'type', 'permitted_as'],
  },
  fhir_gateway_restorations_total: {
    kind: 'counter',
    help: 'Permitted writes of which something was put back to what is stored, by the rule that had it put back.',
    labels: ['base', 'interaction', 'type', 'restored_by'],
  },
  fhir_gateway_refusals_total: {
    kind: 'counter',
    help: 'Refused and failed requests, by the rule or cause; one with several counts for each.',
    labels: ['base', 'interaction', 'type', 'refused_by'],
  },
  fhir_gateway_reported_total: {
    kind: 'counter',
    help: 'Requests that went on although a rule in report mode would have refused them, by that rule or cause.',
    labels: ['base', 'interaction', 'type', 'reported_by'],
  },
  fhir_gateway_unknown_outcomes_total: {
    kind: 'counter',
    help: 'Writes that were sent to the upstream and whose outcome is not known.',
    labels: [],
  },
  fhir_gateway_faults_total: {
    kind: 'counter',
    help: 'Requests answered with 500 because of a fault of the gateway’s own.',
    labels: [],
  },
  fhir_gateway_upstream_request_duration_seconds: {
    kind: 'histogram',
    help: 'Time from the sending of a request to the upstream’s answer: to its header section where a read passes through, else to its end.',
    labels: ['base', 'kind'],
  },
  fhir_gateway_upstream_errors_total: {
    kind: 'counter',
    help: 'Requests to the upstream that failed, or that it answered with 5xx.',
    labels: ['base', 'kind', 'reason'],
  },
  fhir_gateway_upstream_ready: {
    kind: 'gauge',
    help: 'Whether the upstream has last answered /metadata with the FHIR version of the policy.',
    labels: ['base'],
    aggregator: 'min',
  },
  fhir_gateway_upstream_breaker_open: {
    kind: 'gauge',
    help: 'Whether the breaker holds requests back because the upstream failed too often; absent where there is none.',
    labels: ['base'],
    aggregator: 'max',
  },
  fhir_gateway_stored_version_lookups_total: {
    kind: 'counter',
    help: 'Looks into the cache of stored versions for the version that If-Match names.',
    labels: ['base', 'result'],
  },
  fhir_gateway_stored_version_evictions_total: {
    kind: 'counter',
    help: 'Stored versions that left the cache for others because it was full.',
    labels: ['base'],
  },
  fhir_gateway_stored_versions: {
    kind: 'gauge',
    help: 'Stored versions in the cache.',
    labels: ['base'],
    aggregator: 'sum',
  },
  fhir_gateway_stored_version_bytes: {
    kind: 'gauge',
    help: 'Memory of the stored versions in the cache, as it is reckoned against its bound.',
    labels: ['base'],
    aggregator: 'sum',
  },
  fhir_gateway_certificate_expiry_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the first certificate of a chain that is in use expires; none without TLS.',
    labels: ['use'],
    aggregator: 'min',
  },
  fhir_gateway_policy_info: {
    kind: 'gauge',
    help: 'The policy in force on each base; the value is 1.',
    labels: ['base', 'policy', 'digest'],
    aggregator: 'max',
  },
  fhir_gateway_decision_records_total: {
    kind: 'counter',
    help: 'Decision records, by what became of them. One that is lost was not written; where records are required its write was refused.',
    labels: ['result'],
  },
  fhir_gateway_audit_events_total: {
    kind: 'counter',
    help: 'Tries to deliver a decision record as a FHIR AuditEvent.',
    labels: ['result'],
  },
  fhir_gateway_decision_queue_bytes: {
    kind: 'gauge',
    help: 'Decision records on the disk that wait to be delivered as AuditEvents; 0 where they go elsewhere.',
    labels: [],
    aggregator: 'sum',
  },
  fhir_gateway_reloads_total: {
    kind: 'counter',
    help: 'Attempts to take a changed config or policy.',
    labels: ['result'],
    aggregator: 'max',
  },
  fhir_gateway_last_reload_success_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the config and the policies in force were loaded.',
    labels: [],
    aggregator: 'min',
  },
  fhir_gateway_last_reload_successful: {
    kind: 'gauge',
    help: 'Whether what was read last is in force: 0 when it was refused and an older policy serves.',
    labels: [],
    aggregator: 'min',
  },
  fhir_gateway_workers: {
    kind: 'gauge',
    help: 'Worker processes that serve, where `WORKERS` is more than 1.',
    labels: [],
  },
  fhir_gateway_worker_ends_total: {
    kind: 'counter',
    help: 'Worker processes that ended although nobody had asked them to, where `WORKERS` is more than 1.',
    labels: [],
  },
} as const satisfies Record<`fhir_gateway_${string}`, MetricDefinition>

export type MetricName = keyof typeof definitions

/** Names of the metrics of one kind. */
export type NameOf<Kind extends MetricDefinition['kind']> = {
  [Name in MetricName]: (typeof definitions)[Name]['kind'] extends Kind ? Name : never
}[MetricName]
