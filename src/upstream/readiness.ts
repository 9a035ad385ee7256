import type { Capability } from './capability.ts'

/** Whether one base can be served, and if not, why: a sentence that does not name the upstream. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string }

/** Before the first answer. */
export const notAskedYet = { ready: false, reason: 'The upstream has not answered /metadata yet.' } as const

export interface ReadinessWatch {
  now(): Readiness
  stop(): void
}

/** Time between two probes of an upstream that is ready, in milliseconds. */
const readyIntervalMs = 5_000

/** Times between probes of one that is not: doubling from the first to the last, in milliseconds. */
const firstRetryMs = 250
const lastRetryMs = 8_000

const reasons = {
  unreachable: 'The upstream cannot be reached.',
  'no-credentials': 'There are no credentials to be had for the upstream.',
  'too-slow': 'The upstream did not answer /metadata in time.',
  unusable: 'The upstream answered /metadata without a CapabilityStatement that names its FHIR version.',
} as const

/**
 * Asks an upstream for its CapabilityStatement, again and again, beginning at once.
 * @param fhirVersion the version that it must have; its patch number does not count
 * @param onChange called with every change of the answer, the first one included
 * @param before what holds until the first answer
 */
export function watchReadiness(
  fhirVersion: string,
  read: (stop: AbortSignal) => Promise<Capability>,
  onChange: (readiness: Readiness) => void,
  before: Readiness = notAskedYet,
): ReadinessWatch {
  let current = before
  let asked = false
  let retryMs = firstRetryMs
  let timer: NodeJS.Timeout | undefined
  const stopping = new AbortController()

  const probe = async () => {
    const readiness = judge(await read(stopping.signal), fhirVersion)
    if (stopping.signal.aborted) return
    const changed = !asked || readiness.ready !== current.ready || reasonOf(readiness) !== reasonOf(current)
    current = readiness
    asked = true
    if (readiness.ready) retryMs = firstRetryMs
    timer = setTimeout(probe, readiness.ready ? readyIntervalMs : retryMs)
    if (!readiness.ready) retryMs = Math.min(retryMs * 2, lastRetryMs)
    if (changed) onChange(readiness)
  }
  void probe()

  return {
    now: () => current,
    stop() {
      stopping.abort()
      clearTimeout(timer)
    },
  }
}

const reasonOf = (readiness: Readiness) => (readiness.ready ? undefined : readiness.reason)

function judge(capability: Capability, expected: string): Readiness {
  if (capability.outcome !== 'answered') return { ready: false, reason: reasons[capability.outcome] }
  const { fhirVersion } = capability
  if (majorMinor(fhirVersion) === majorMinor(expected)) return { ready: true }
  return {
    ready: false,
    reason: `The upstream speaks FHIR ${fhirVersion}, and the policy is written for FHIR ${expected}.`,
  }
}

const majorMinor = (version: string) => version.split('.', 2).join('.')
