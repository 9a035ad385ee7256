import type { MetricObjectWithValues, MetricValue } from 'prom-client'
import type { FhirRelease } from '../../fhir/version.ts'
import type { Settled } from '../../config/reload.ts'
import type { AdminSources } from '../../http/admin.ts'
import type { PoliciesInForce } from '../policies.ts'

/** What stands in the metrics of one process, as prom-client gives and sums it. */
export type MetricsAsJson = readonly MetricObjectWithValues<MetricValue<string>>[]

/** What the primary process tells a worker. */
export type ToWorker =
  | {
      readonly kind: 'start'
      /** The one that runs in the primary, where it stands in for an upstream. */
      readonly sandbox: { readonly url: string; readonly release: FhirRelease } | undefined
      /** What is so in all of them until they end, whatever gateway.yaml says when one is replaced. */
      readonly settled: Settled
      /** The same in all workers, so that their lines compare. */
      readonly logHashKey: string
    }
  | { readonly kind: 'reload' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'tell-metrics'; readonly question: number }

/** What a worker tells the primary process. */
export type ToPrimary =
  /** It can be told something: what is sent before may be lost. */
  | { readonly kind: 'here' }
  | { readonly kind: 'listening'; readonly port: number }
  /** It cannot serve: why, for a person. */
  | { readonly kind: 'cannot'; readonly mistake: string }
  /** Told again and again: a worker that says nothing any more hangs. */
  | ({ readonly kind: 'state' } & WorkerState)
  | { readonly kind: 'metrics'; readonly question: number; readonly metrics: MetricsAsJson }

/** What the admin port of a process of its own would say. */
export interface WorkerState {
  readonly readiness: ReturnType<AdminSources['readiness']>
  readonly policies: ReturnType<PoliciesInForce['now']>
}

/** How often a worker tells its state, in milliseconds. */
export const stateEveryMs = 250
