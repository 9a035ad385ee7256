import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { CountDecisions } from './decisions/decisions.ts'
import type { GatewayConfig } from '../config/config.ts'
import {
  definitions,
  secondsBuckets,
  type MetricDefinition,
  type MetricName,
  type NameOf,
} from './metric-definitions.ts'
import type { RecordRequest, RequestRecord } from './request-record.ts'
import { tallyCounter, tallyHistogram } from './tally.ts'
import type { CacheEvent, UpstreamRecord } from './upstream-record.ts'

/** The gateway's metrics in Prometheus' text format. No label holds anything that a client chose. */
export interface Metrics {
  readonly record: RecordRequest
  /** Counts a request to an upstream. */
  upstream(record: UpstreamRecord): void
  /** Counts what became of a look into the cache of a base. */
  cache(base: string, event: CacheEvent): void
  /** Counts decision records. */
  readonly decisions: CountDecisions
  /** Counts a try to deliver an AuditEvent. */
  auditEvent(result: 'delivered' | 'set-aside' | 'failed'): void
  /** Counts an attempt to take another config. */
  reloaded(result: 'applied' | 'refused'): void
  /** All of them; each says how those of several processes become one. */
  readonly registry: Registry
  readonly contentType: string
  text(): Promise<string>
}

/** What is told of a gateway as it is at the moment. */
export interface Measured {
  /** The number of requests that are being answered. */
  inFlight(): number
  /** How much waits on the disk to be delivered as AuditEvents. */
  decisionQueueBytes?(): number
  /** What is served. */
  config(): Pick<GatewayConfig, 'bases'>
  /** What the cache of each base holds. */
  storedVersions(): readonly { readonly base: string; readonly entries: number; readonly bytes: number }[]
  /** When the certificates that are in use expire, in milliseconds since 1970. */
  certificates(): readonly { readonly use: 'listener'; readonly expires: number }[]
  /** The breakers of the bases that have one. */
  breakers(): readonly { readonly base: string; readonly state: string }[]
  /** Whether each upstream can be served. */
  upstreams(): readonly { readonly path: string; readonly ready: boolean }[]
}

export function createMetrics(measured: Measured): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })

  const described = (name: MetricName) => {
    const { help, labels, aggregator }: MetricDefinition = definitions[name]
    return { name, help, labelNames: labels, aggregator: aggregator ?? 'sum' } as const
  }
  const counter = (name: NameOf<'counter'>) => {
    const tallied = tallyCounter(described(name))
    registry.registerMetric(tallied.metric)
    return tallied
  }
  const histogram = (name: NameOf<'histogram'>) => {
    const tallied = tallyHistogram(described(name), secondsBuckets)
    registry.registerMetric(tallied.metric)
    return tallied
  }
  const gauge = (name: NameOf<'gauge'>, collect?: (this: Gauge) => void) =>
    new Gauge({ ...described(name), registers: [registry], ...(collect && { collect }) })

  const requests = counter('fhir_gateway_requests_total')
  const permits = counter('fhir_gateway_permits_total')
  const restorations = counter('fhir_gateway_restorations_total')
  const refusals = counter('fhir_gateway_refusals_total')
  const reports = counter('fhir_gateway_reported_total')
  const unknownOutcomes = counter('fhir_gateway_unknown_outcomes_total')
  const faults = counter('fhir_gateway_faults_total')
  const durations = histogram('fhir_gateway_request_duration_seconds')
  const upstreamDurations = histogram('fhir_gateway_upstream_request_duration_seconds')
  const upstreamErrors = counter('fhir_gateway_upstream_errors_total')
  const lookups = counter('fhir_gateway_stored_version_lookups_total')
  const evictions = counter('fhir_gateway_stored_version_evictions_total')
  const decisionRecords = counter('fhir_gateway_decision_records_total')
  // An alert on the first one that is lost needs the 0 before it.
  for (const result of ['written', 'lost']) decisionRecords.start(result)
  const auditEvents = counter('fhir_gateway_audit_events_total')
  for (const result of ['delivered', 'failed', 'set-aside']) auditEvents.start(result)
  const reloads = counter('fhir_gateway_reloads_total')
  for (const result of ['applied', 'refused']) reloads.start(result)
  const loadedAt = gauge('fhir_gateway_last_reload_success_timestamp_seconds')
  loadedAt.setToCurrentTime()
  const lastReload = gauge('fhir_gateway_last_reload_successful')
  lastReload.set(1)
  gauge('fhir_gateway_requests_in_flight', function () {
    this.set(measured.inFlight())
  })
  gauge('fhir_gateway_decision_queue_bytes', function () {
    this.set(measured.decisionQueueBytes?.() ?? 0)
  })
  gauge('fhir_gateway_upstream_ready', function () {
    this.reset()
    for (const { path: base, ready } of measured.upstreams()) this.set({ base }, ready ? 1 : 0)
  })
  gauge('fhir_gateway_upstream_breaker_open', function () {
    this.reset()
    for (const { base, state } of measured.breakers()) this.set({ base }, state === 'closed' ? 0 : 1)
  })
  gauge('fhir_gateway_stored_versions', function () {
    this.reset()
    for (const { base, entries } of measured.storedVersions()) this.set({ base }, entries)
  })
  gauge('fhir_gateway_stored_version_bytes', function () {
    this.reset()
    for (const { base, bytes } of measured.storedVersions()) this.set({ base }, bytes)
  })
  gauge('fhir_gateway_certificate_expiry_timestamp_seconds', function () {
    this.reset()
    for (const { use, expires } of measured.certificates()) this.set({ use }, expires / 1000)
  })
  gauge('fhir_gateway_policy_info', function () {
    this.reset()
    for (const { path: base, policy } of measured.config().bases) {
      this.set({ base, policy: policy.name, digest: policy.digest }, 1)
    }
  })

  /** The types that a policy names are few; a client chooses among all that FHIR defines. */
  const labelOfType = ({ base, type }: RequestRecord) => {
    if (type === undefined) return 'none'
    const policy = measured.config().bases.find(({ path }) => path === base)?.policy
    return policy?.resources.has(type) && !policy.others.has(type) ? type : 'other'
  }

  return {
    registry,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    reloaded(result) {
      reloads.count(result)
      lastReload.set(result === 'applied' ? 1 : 0)
      if (result === 'applied') loadedAt.setToCurrentTime()
    },
    upstream({ base, kind, milliseconds, failure }) {
      upstreamDurations.observe(milliseconds / 1000, base, kind)
      if (failure) upstreamErrors.count(base, kind, failure)
    },
    decisions(result, records) {
      for (let counted = 0; counted < records; counted++) decisionRecords.count(result)
    },
    auditEvent(result) {
      auditEvents.count(result)
    },
    cache(base, event) {
      if (event === 'evicted') evictions.count(base)
      else lookups.count(base, event)
    },
    record(record) {
      const { base = 'none', interaction = 'none', decision, status, permittedAs, restoredBy, refusedBy } = record
      const type = labelOfType(record)
      requests.count(base, interaction, type, decision, status)
      durations.observe(record.milliseconds / 1000, base, interaction)
      for (const name of once(permittedAs)) permits.count(base, interaction, type, name)
      for (const rule of once(restoredBy)) restorations.count(base, interaction, type, rule)
      for (const rule of once(refusedBy)) refusals.count(base, interaction, type, rule)
      for (const rule of once(record.reported)) reports.count(base, interaction, type, rule)
      if (record.outcomeUnknown) unknownOutcomes.count()
      if (decision === 'failed' && status === 500) faults.count()
    },
  }
}

/** A batch names a rule for each of its entries. */
const once = (names: readonly string[] = none) => (names.length > 1 ? new Set(names) : names)

const none: readonly string[] = []
