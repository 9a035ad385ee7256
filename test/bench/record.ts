/**
 * The record that a run is held against: for each case the CPU time that http-proxy needs for a request, divided by the
 * gateway's. Unlike requests per second it hardly changes with what else the machine does.
 */
export interface BenchRecord {
  /** Where and when it was made. */
  readonly taken: string
  /** What another run must have been made on to be held against it. */
  readonly machine: string
  readonly cpuRatios: Readonly<Record<string, number>>
}

/** A ratio may be this share below the one on record, or above it, before it counts as another one. */
export const tolerance = 0.2

export interface Compared {
  readonly name: string
  readonly recorded: number
  readonly measured: number
  readonly verdict: 'worse' | 'same' | 'better'
}

/** Compares the cases that both have. */
export function compareWithRecord(record: BenchRecord, cpuRatios: Readonly<Record<string, number>>): Compared[] {
  return Object.entries(cpuRatios).flatMap(([name, measured]) => {
    const recorded = record.cpuRatios[name]
    if (recorded === undefined) return []
    // What could not be measured (NaN) is worse.
    const holds = measured >= recorded * (1 - tolerance)
    const verdict = !holds ? 'worse' : measured > recorded * (1 + tolerance) ? 'better' : 'same'
    return [{ name, recorded, measured, verdict }] as const
  })
}

/** The record with the cases that were measured put in; the others stay, if they were measured on the same machine. */
export function recorded(
  before: BenchRecord | undefined,
  made: Pick<BenchRecord, 'taken' | 'machine'>,
  cpuRatios: Readonly<Record<string, number>>,
): BenchRecord {
  const rounded = Object.entries(cpuRatios).map(([name, ratio]) => [name, Math.round(ratio * 1000) / 1000] as const)
  const others = before?.machine === made.machine ? before.cpuRatios : {}
  return { ...made, cpuRatios: { ...others, ...Object.fromEntries(rounded) } }
}
