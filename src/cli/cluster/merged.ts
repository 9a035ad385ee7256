/** What the admin port says of several workers: as if they were one process. */
import { isDeepStrictEqual } from 'node:util'
import { AggregatorRegistry } from 'prom-client'
import type { BreakerState } from '../../upstream/breaker.ts'
import { notAskedYet, type Readiness } from '../../upstream/readiness.ts'
import type { MetricsAsJson, WorkerState } from './messages.ts'

/** The state of one worker, by its number. */
export interface Told {
  readonly worker: number
  readonly state: WorkerState
}

/**
 * Ready when at least one worker is, and no other has found an upstream wanting. One that has taken another's place and has
 * not asked yet says nothing against the others.
 */
export function mergedReadiness(workers: readonly Told[], draining: boolean): WorkerState['readiness'] {
  const told = workers.map(({ state }) => state.readiness)
  const asked = told.filter(({ bases }) => !bases.some(hasNotAsked))
  const counting = asked.length > 0 ? asked : told
  const [first] = counting
  const bases = (first?.bases ?? []).map(({ path }) => {
    const ofPath = counting.flatMap((one) => one.bases.filter((base) => base.path === path))
    const { breaker: _, ...found } = ofPath.find((base) => !base.ready) ?? { path, ready: true as const }
    // Each worker finds out by itself: one that leaves the upstream alone is worth a look.
    const breaker = breakerStates.find((state) => ofPath.some((base) => base.breaker === state))
    return { ...found, ...(breaker && { breaker }) }
  })
  if (draining) return { ready: false, reason: 'The gateway is draining.', bases }
  if (!first) return { ready: false, reason: 'No worker serves.', bases }
  return { ready: bases.every(({ ready }) => ready), bases }
}

/** The worst first. */
const breakerStates: readonly BreakerState[] = ['open', 'half-open', 'closed']

/** By the sentence: what comes from another process is never the same object. */
const hasNotAsked = (readiness: Readiness) => !readiness.ready && readiness.reason === notAskedYet.reason

/** What is in force, when all workers say the same; else what each of them says. */
export function mergedPolicies(workers: readonly Told[]): object {
  const [first, ...others] = workers.map(({ state }) => state.policies)
  if (!first) return { bases: [] }
  const inForce = ({ bases }: WorkerState['policies']) => bases.map(({ path, digest }) => ({ path, digest }))
  return others.every((other) => isDeepStrictEqual(inForce(other), inForce(first)))
    ? first
    : { workers: workers.map(({ worker, state }) => ({ worker, ...state.policies })) }
}

/** Sums the metrics of several processes, each as its kind wants it. */
export const mergedMetrics = (told: readonly MetricsAsJson[]) => AggregatorRegistry.aggregate([...told])

/**
 * What remains of the metrics of a worker that has ended: what it had counted when it was asked last. Without that, a sum
 * would go down, and Prometheus would take that for a restart and count everything again.
 */
export async function remaining(before: MetricsAsJson, ended: MetricsAsJson): Promise<MetricsAsJson> {
  const counted = ended.filter(({ type }) => ['counter', 'histogram'].includes(String(type)))
  return mergedMetrics([before, counted]).getMetricsAsJSON()
}
