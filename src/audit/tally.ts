import { Counter, Histogram, type CounterConfiguration, type HistogramConfiguration, type Metric } from 'prom-client'

/**
 * What is counted for every request. prom-client writes the labels out for each increment: so the record of a request took
 * 2 µs, and takes 0.2 µs when they are found in nested maps, and prom-client is told the sums when it is asked for them.
 */

type LabelValue = string | number

/**
 * The most combinations of label values of one metric. No label holds what a client chose, so only an odd config or very
 * many reloads come near it; what is beyond counts as `other`.
 */
export const mostCombinations = 2000

/** Something for each combination of label values. */
interface ByLabels<Held> {
  at(values: readonly LabelValue[]): Held
  all(): readonly { readonly labels: Record<string, LabelValue>; readonly held: Held }[]
}

interface Level<Held> {
  readonly below: Map<LabelValue, Level<Held>>
  held?: Held
}

function byLabels<Held>(names: readonly string[], create: () => Held): ByLabels<Held> {
  const root: Level<Held> = { below: new Map() }
  const all: { readonly labels: Record<string, LabelValue>; readonly held: Held }[] = []
  const find = (values: readonly LabelValue[]) => {
    let level: Level<Held> | undefined = root
    for (const value of values) {
      level = level.below.get(value)
      if (!level) return undefined
    }
    return level.held
  }
  const add = (values: readonly LabelValue[]) => {
    let level = root
    for (const value of values) {
      const known = level.below.get(value)
      const next: Level<Held> = known ?? { below: new Map() }
      if (!known) level.below.set(value, next)
      level = next
    }
    level.held = create()
    all.push({ labels: Object.fromEntries(names.map((name, index) => [name, values[index]!])), held: level.held })
    return level.held
  }
  return {
    at(values) {
      const held = find(values)
      if (held !== undefined) return held
      if (all.length < mostCombinations) return add(values)
      const others = names.map(() => 'other')
      return find(others) ?? add(others)
    },
    all: () => all,
  }
}

export interface TalliedCounter {
  readonly metric: Counter
  /** Adds one to the count of these label values, in the order of the metric's labels. */
  count(...values: readonly LabelValue[]): void
  /** Has it told although it is 0. */
  start(...values: readonly LabelValue[]): void
}

export function tallyCounter(configuration: CounterConfiguration<string>): TalliedCounter {
  const counts = byLabels(configuration.labelNames ?? [], () => ({ value: 0 }))
  // Without labels it is told from the start, as prom-client does.
  if (!configuration.labelNames?.length) counts.at([])
  return {
    metric: new Counter({
      ...configuration,
      registers: [],
      collect() {
        this.reset()
        for (const { labels, held } of counts.all()) this.inc(labels, held.value)
      },
    }),
    count(...values) {
      counts.at(values).value++
    },
    start(...values) {
      counts.at(values)
    },
  }
}

export interface TalliedHistogram {
  readonly metric: Metric
  /** Adds a value to those of these label values, in the order of the metric's labels. */
  observe(value: number, ...values: readonly LabelValue[]): void
}

/** @param bounds the upper bounds of the buckets, the smallest first */
export function tallyHistogram(
  configuration: Omit<HistogramConfiguration<string>, 'buckets'>,
  bounds: readonly number[],
): TalliedHistogram {
  const { name } = configuration
  const observations = byLabels(configuration.labelNames ?? [], () => ({
    count: 0,
    sum: 0,
    /** How many lie within each bound and beyond the one before it. */
    within: bounds.map(() => 0),
  }))
  const empty = new Histogram({ ...configuration, buckets: [...bounds], registers: [] })
  const valuesOf = ({ labels, held }: ReturnType<typeof observations.all>[number]) => {
    let within = 0
    const buckets = bounds.map((le, index) => ({ le, value: (within += held.within[index]!) }))
    return [
      ...[...buckets, { le: '+Inf', value: held.count }].map(({ le, value }) => ({
        metricName: `${name}_bucket`,
        labels: { le, ...labels },
        value,
      })),
      { metricName: `${name}_sum`, labels, value: held.sum },
      { metricName: `${name}_count`, labels, value: held.count },
    ]
  }
  // All that a registry asks of a metric, and what tells of it: a Histogram cannot be given sums.
  const metric = {
    ...configuration,
    get: async () => ({ ...(await empty.get()), values: observations.all().flatMap(valuesOf) }),
  }
  return {
    metric: metric as unknown as Metric,
    observe(value, ...values) {
      const held = observations.at(values)
      held.count++
      held.sum += value
      for (let index = 0; index < bounds.length; index++) {
        if (value > bounds[index]!) continue
        held.within[index]!++
        return
      }
    },
  }
}
