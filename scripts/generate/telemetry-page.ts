import { Registry, collectDefaultMetrics } from 'prom-client'
import { definitions, labels, type MetricDefinition } from '../../src/audit/metric-definitions.ts'
import { requestFields } from '../../src/audit/request-log.ts'
import { spanNames, traceAttributes } from '../../src/audit/trace-attributes.ts'
import { mostCombinations } from '../../src/audit/tally.ts'
import { fill, table } from './fill.ts'

/** docs/telemetry.md: every metric, every field of the log. */
export function telemetryPage(template: string): string {
  const node = nodeMetrics()
  return fill(template, {
    metrics: () =>
      table(
        ['metric', 'kind', 'labels', '', 'of several processes'],
        Object.entries<MetricDefinition>(definitions).map(([name, { kind, help, labels, aggregator = 'sum' }]) => [
          code(name),
          kind,
          labels.map(code).join(', '),
          help,
          aggregator,
        ]),
      ),
    labels: () => meanings('label', labels),
    'node-metrics': () =>
      table(
        ['metric', '', 'of several processes'],
        node.map(({ name, help, aggregator }) => [code(name), help, aggregator]),
      ),
    spans: () => meanings('span', spanNames),
    attributes: () =>
      table(
        ['attribute', 'on the spans', ''],
        Object.entries(traceAttributes).map(([name, { spans, meaning }]) => [code(name), spans.join(', '), meaning]),
      ),
    'request-fields': () => meanings('field', requestFields),
  }).replaceAll('{{most-combinations}}', mostCombinations.toLocaleString('en'))
}

const code = (text: string) => `\`${text}\``

const meanings = (head: string, of: Readonly<Record<string, string>>) =>
  table(
    [head, ''],
    Object.entries(of).map(([name, meaning]) => [code(name), meaning]),
  )

/** Those that are the same on every system: which ones there are of the process depends on it. */
function nodeMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry.getMetricsAsArray().filter(({ name }) => name.startsWith('nodejs_'))
}
