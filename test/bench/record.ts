import { median } from './statistics.ts'

/**
 * What runs are held against: for each case the CPU time that http-proxy needs for a request, divided by the gateway's.
 * Unlike requests per second it hardly changes with what else the machine does.
 */
export interface BenchRecord extends Conditions {
  /** Where and when it was made. */
  readonly taken: string
  readonly cpuRatios: Readonly<Record<string, number>>
}

/** What a run must have in common with a record to be held against it. */
export interface Conditions {
  readonly machine: string
  readonly generator: string
  /** Microseconds of http-proxy's own CPU time for a request, case by case: two machines of one name may differ by much. */
  readonly proxyMicroseconds: Readonly<Record<string, number>>
}

/** How much slower or faster http-proxy may be than on record: beyond that it is another kind of machine. */
const alikeWithin = 1.5

/** The record that was made under the same conditions; undefined: there is none yet. */
export function recordFor(records: readonly BenchRecord[], made: Conditions): BenchRecord | undefined {
  return records.find(({ machine, generator, proxyMicroseconds }) => {
    if (machine !== made.machine || generator !== made.generator) return false
    const factors = Object.entries(made.proxyMicroseconds).flatMap(([name, measured]) => {
      const recorded = proxyMicroseconds[name]
      return recorded === undefined ? [] : [measured / recorded]
    })
    const factor = median(factors)
    return factor <= alikeWithin && factor >= 1 / alikeWithin
  })
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

/** The records with what was measured put in; the cases that were not measured again stay. */
export function recorded(
  records: readonly BenchRecord[],
  made: Conditions & { readonly taken: string },
  cpuRatios: Readonly<Record<string, number>>,
): BenchRecord[] {
  const before = recordFor(records, made)
  const record = {
    taken: made.taken,
    machine: made.machine,
    generator: made.generator,
    proxyMicroseconds: { ...before?.proxyMicroseconds, ...rounded(made.proxyMicroseconds, 0) },
    cpuRatios: { ...before?.cpuRatios, ...rounded(cpuRatios, 3) },
  }
  return [...records.filter((one) => one !== before), record]
}

function rounded(values: Readonly<Record<string, number>>, digits: number): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value.toFixed(digits))]))
}
