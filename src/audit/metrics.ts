import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { GatewayConfig } from '../config/config.ts'
import type { RecordRequest } from './request-record.ts'

/** The gateway's metrics in Prometheus' text format. No label holds anything that a client chose. */
export interface Metrics {
  readonly record: RecordRequest
  /** Counts an attempt to take another config. */
  reloaded(result: 'applied' | 'refused'): void
  readonly contentType: string
  text(): Promise<string>
}

/** What is told of a gateway as it is at the moment. */
export interface Measured {
  /** The number of requests that are being answered. */
  inFlight(): number
  /** What is served. */
  config(): Pick<GatewayConfig, 'bases'>
}

export function createMetrics(measured: Measured): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const requests = new Counter({
    name: 'fhir_gateway_requests_total',
    help: 'Requests answered, by FHIR interaction, decision and HTTP status.',
    labelNames: ['base', 'interaction', 'decision', 'status'] as const,
    registers,
  })
  const permits = new Counter({
    name: 'fhir_gateway_permits_total',
    help: 'Permitted writes, by the name of the change as which the policy permits them.',
    labelNames: ['base', 'interaction', 'permitted_as'] as const,
    registers,
  })
  const restorations = new Counter({
    name: 'fhir_gateway_restorations_total',
    help: 'Permitted writes of which something was put back to what is stored, by the rule that had it put back.',
    labelNames: ['base', 'interaction', 'restored_by'] as const,
    registers,
  })
  const refusals = new Counter({
    name: 'fhir_gateway_refusals_total',
    help: 'Refused requests, by the rule or cause that refused them.',
    labelNames: ['base', 'interaction', 'refused_by'] as const,
    registers,
  })
  const reports = new Counter({
    name: 'fhir_gateway_reported_total',
    help: 'Requests that went on although a rule in report mode would have refused them, by that rule or cause.',
    labelNames: ['base', 'interaction', 'reported_by'] as const,
    registers,
  })
  const unknownOutcomes = new Counter({
    name: 'fhir_gateway_unknown_outcomes_total',
    help: 'Writes that were sent to the upstream and whose outcome is not known.',
    registers,
  })
  const durations = new Histogram({
    name: 'fhir_gateway_request_duration_seconds',
    help: 'Time to answer a request, by FHIR interaction.',
    labelNames: ['interaction'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  const reloads = new Counter({
    name: 'fhir_gateway_reloads_total',
    help: 'Attempts to take a changed config or policy, by result.',
    labelNames: ['result'] as const,
    registers,
  })
  for (const result of ['applied', 'refused'] as const) reloads.inc({ result }, 0)
  const loadedAt = new Gauge({
    name: 'fhir_gateway_last_reload_success_timestamp_seconds',
    help: 'When the config and the policies in force were loaded.',
    registers,
  })
  loadedAt.setToCurrentTime()
  const lastReload = new Gauge({
    name: 'fhir_gateway_last_reload_successful',
    help: 'Whether what was read last is in force: 0 when it was refused and an older policy serves.',
    registers,
  })
  lastReload.set(1)
  const gauges = [
    new Gauge({
      name: 'fhir_gateway_requests_in_flight',
      help: 'Requests that are being answered.',
      registers: [],
      collect() {
        this.set(measured.inFlight())
      },
    }),
    new Gauge({
      name: 'fhir_gateway_policy_info',
      help: 'The policy in force on each base, by name and SHA-256 digest.',
      labelNames: ['base', 'policy', 'digest'] as const,
      registers: [],
      collect() {
        this.reset()
        for (const { path: base, policy } of measured.config().bases) {
          this.set({ base, policy: policy.name, digest: policy.digest }, 1)
        }
      },
    }),
  ]
  for (const gauge of gauges) registry.registerMetric(gauge)

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    reloaded(result) {
      reloads.inc({ result })
      lastReload.set(result === 'applied' ? 1 : 0)
      if (result === 'applied') loadedAt.setToCurrentTime()
    },
    record({
      base = 'none',
      interaction = 'none',
      decision,
      status,
      permittedAs,
      restoredBy,
      refusedBy,
      reported,
      ...record
    }) {
      requests.inc({ base, interaction, decision, status })
      durations.observe({ interaction }, record.milliseconds / 1000)
      for (const permitted_as of new Set(permittedAs)) permits.inc({ base, interaction, permitted_as })
      for (const restored_by of new Set(restoredBy)) restorations.inc({ base, interaction, restored_by })
      for (const refused_by of new Set(refusedBy)) refusals.inc({ base, interaction, refused_by })
      for (const reported_by of new Set(reported)) reports.inc({ base, interaction, reported_by })
      if (record.outcomeUnknown) unknownOutcomes.inc()
    },
  }
}
