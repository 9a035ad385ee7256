import { parser } from '@prometheus-io/lezer-promql'
import { Registry, collectDefaultMetrics } from 'prom-client'
import { definitions, type MetricDefinition } from '../../../src/audit/metric-definitions.ts'

/** What a query asks of which metrics. */
export interface Query {
  /** Where Prometheus' own grammar finds no sense. */
  readonly errors: readonly string[]
  readonly metrics: readonly string[]
  /** Labels that it asks of metrics which do not have them. */
  readonly unknown: readonly string[]
  /** The values that it asks of labels: `refused_by="gone"`. */
  readonly values: readonly string[]
  /** The labels that a result has. */
  readonly labels: ReadonlySet<string>
}

/** Prometheus gives these to all that it scrapes. */
const ofTheScrape = ['job', 'instance']

export function readQuery(text: string): Query {
  const tree = parser.parse(text)
  const slice = ({ from, to }: { readonly from: number; readonly to: number }) => text.slice(from, to)
  const errors: string[] = []
  const unknown: string[] = []
  const values: string[] = []
  const metrics: { readonly name: string; readonly at: number }[] = []
  const groupings: { readonly from: number; readonly to: number; readonly labels: readonly string[] }[] = []
  tree.iterate({
    enter({ type, node }) {
      if (type.isError) errors.push(`${text.slice(0, node.from)}⚠${text.slice(node.from)}`)
      if (type.name === 'VectorSelector') {
        const name = slice(node.getChild('Identifier')!)
        metrics.push({ name, at: node.from })
        const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []
        for (const matcher of matchers) {
          const label = slice(matcher.getChild('LabelName')!)
          if (!labelsOf(name)?.includes(label)) unknown.push(`${name}{${label}}`)
          const asked = slice(matcher.getChild('StringLiteral')!).slice(1, -1)
          if (!asked.startsWith('$')) values.push(...asked.split('|').map((value) => `${label}="${value}"`))
        }
      }
      if (type.name === 'AggregateExpr' || type.name === 'BinaryExpr') {
        const modifier = node.getChild('AggregateModifier') ?? node.getChild('MatchingModifierClause')
        const grouping = modifier?.getChild('GroupingLabels')
        const labels = grouping?.getChildren('LabelName').map(slice) ?? []
        groupings.push({ from: node.from, to: node.to, labels })
      }
    },
  })
  for (const { from, to, labels } of groupings) {
    for (const { name, at } of metrics) {
      if (at < from || at > to) continue
      for (const label of labels) if (!labelsOf(name)?.includes(label)) unknown.push(`${name} by ${label}`)
    }
  }
  const grouped = groupings.flatMap(({ labels }) => labels)
  const first = labelsOf(metrics[0]?.name ?? '') ?? []
  return {
    errors,
    metrics: metrics.map(({ name }) => name),
    unknown,
    values,
    labels: new Set(/^(?:sum|min|max|count|histogram_quantile)\b/.test(text.trim()) ? grouped : first),
  }
}

/** The labels of a metric, or of a series of a histogram; undefined where there is no such metric. */
export function labelsOf(name: string): readonly string[] | undefined {
  const own = (definitions as Readonly<Record<string, MetricDefinition>>)[name]
  if (own) return own.kind === 'histogram' ? undefined : [...own.labels, ...ofTheScrape]
  const [, histogram, series] = /^(.*)_(bucket|sum|count)$/.exec(name) ?? []
  const of = histogram && (definitions as Readonly<Record<string, MetricDefinition>>)[histogram]
  if (of)
    return of.kind === 'histogram' ? [...of.labels, ...ofTheScrape, ...(series === 'bucket' ? ['le'] : [])] : undefined
  return ofTheProcess.has(name) ? ofTheScrape : undefined
}

const registry = new Registry()
collectDefaultMetrics({ register: registry })

/** Those without labels. Some there are on Linux only, where the gateway is deployed. */
const ofTheProcess: ReadonlySet<string> = new Set([
  ...registry.getMetricsAsArray().map(({ name }) => name),
  'process_resident_memory_bytes',
])
