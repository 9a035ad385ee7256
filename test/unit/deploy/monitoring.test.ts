import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { definitions, labels } from '../../../src/audit/metric-definitions.ts'
import { interactionCodes } from '../../../src/fhir/interaction.ts'
import { causes } from '../../../src/policy/refusal.ts'
import { labelsOf, readQuery } from './promql.ts'

const read = (path: string) => readFileSync(path, 'utf8')

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string }
}

const rules = parse(read('deploy/prometheus/fhir-policy-gateway.yaml')) as {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Alert[] }[]
}
const alerts = rules.groups.flatMap((group) => group.rules)

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number }
  readonly datasource?: { readonly uid: string }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

const dashboard = JSON.parse(read('deploy/grafana/fhir-policy-gateway.json')) as {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] }
  readonly annotations: { readonly list: readonly { readonly expr: string }[] }
}
const targets = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })))
const plain = (expr: string) => expr.replaceAll(/\$__\w+/g, '5m')

/** The queries as Prometheus gets them. */
const queries: readonly (readonly [string, string])[] = [
  ...alerts.map(({ alert, expr }) => [`the alert ${alert}`, expr] as const),
  ...targets.map(({ title, expr }) => [`the panel ${title}`, plain(expr)] as const),
  ...dashboard.annotations.list.map(({ expr }) => ['the annotation', plain(expr)] as const),
]

describe('the queries of dashboard and alerts', () => {
  it.each(queries)('%s asks of metrics that there are, by labels that they have', (_what, expr) => {
    const { errors, metrics, unknown, values } = readQuery(expr)
    expect(errors).toEqual([])
    expect(metrics.filter((name) => !labelsOf(name))).toEqual([])
    expect(unknown).toEqual([])
    expect(metrics.length).toBeGreaterThan(0)
    expect(values.filter((value) => !knownValues.has(value))).toEqual([])
  })

  it.each([
    ['sum(rate(fhir_gateway_requests_total[5m])', 'errors'],
    ['sum by (typ) (fhir_gateway_requests_total)', 'unknown'],
    ['fhir_gateway_requests_total{method="GET"}', 'unknown'],
    ['fhir_gateway_requests_in_flight{base="/fhir"}', 'unknown'],
  ] as const)('are found out where they are mistaken: %s', (expr, where) => {
    expect(readQuery(expr)[where]).not.toEqual([])
  })

  it.each([
    'fhir_gateway_requests',
    'fhir_gateway_request_duration_seconds',
    'fhir_gateway_requests_total_count',
    'up',
  ])('are found out where there is no such series: %s', (name) => {
    expect(labelsOf(name)).toBeUndefined()
  })
})

/** Those that the meaning of a label lists, FHIR's interactions, the causes, and of statuses what the queries need. */
const knownValues: ReadonlySet<string> = new Set([
  ...Object.entries(labels).flatMap(([label, meaning]) =>
    [...meaning.matchAll(/`([a-z-]+)`/g)].map(([, value]) => `${label}="${value}"`),
  ),
  ...interactionCodes.map((code) => `interaction="${code}"`),
  ...Object.keys(causes).map((cause) => `refused_by="${cause}"`),
  'status="5.."',
])

describe('the alerts', () => {
  it('have names of their own', () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length)
  })

  it.each(alerts)('$alert says what it is about, how urgent it is and where its runbook is', (alert) => {
    const { summary, description, runbook } = alert.annotations
    expect(Object.keys(alert).every((key) => ['alert', 'expr', 'for', 'labels', 'annotations'].includes(key))).toBe(
      true,
    )
    expect(alert.for ?? '0s').toMatch(/^\d+[smh]$/)
    expect(Object.keys(alert.labels)).toEqual(['severity'])
    expect(['critical', 'warning']).toContain(alert.labels.severity)
    for (const text of [summary, description]) expect(text).toMatch(/\.$/)
    const { labels: told } = readQuery(alert.expr)
    const placeholders = [...`${summary} ${description}`.matchAll(/\{\{ (.*?) \}\}/g)].map(([, inside]) => inside!)
    const known = [...told].map((label) => `$labels.${label}`)
    const strange = placeholders.filter(
      (inside) => !known.includes(inside) && !/^\$value(?: \| humanize(?:1024|Duration|Percentage)?)?$/.test(inside),
    )
    expect(strange).toEqual([])
    expect(runbook).toBe(`docs/operations.md#${alert.alert.toLowerCase()}`)
  })

  it('have an entry each in the runbook, with what to look at and what to do, and there is none without an alert', () => {
    const runbook = read('docs/operations.md').split(/^## Runbook$/m)[1]!
    const entries = runbook.split(/^### /m).slice(1)
    expect(entries.map((entry) => entry.split('\n', 1)[0])).toEqual(alerts.map(({ alert }) => alert))
    for (const entry of entries) {
      expect(entry).toContain('- **Look at** ')
      expect(entry).toContain('- **Do**: ')
    }
  })
})

describe('the dashboard', () => {
  it('shows every metric of the gateway’s own', () => {
    const shown = new Set(
      queries.filter(([what]) => !what.startsWith('the alert')).flatMap(([, expr]) => readQuery(expr).metrics),
    )
    const missing = Object.keys(definitions).filter((name) => !shown.has(name) && !shown.has(`${name}_bucket`))
    expect(missing).toEqual([])
  })

  it.each(targets)(
    'names in the legend of “$title” what the query tells apart: $legendFormat',
    ({ expr, legendFormat }) => {
      const { labels } = readQuery(plain(expr))
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(labels).toContain(label)
    },
  )

  it('uses the variables that it has', () => {
    const names = dashboard.templating.list.map(({ name }) => name)
    const used = JSON.stringify(dashboard.panels).matchAll(/\$\{?(\w+)/g)
    expect(new Set([...used].map(([, name]) => name!).filter((name) => !name.startsWith('__')))).toEqual(new Set(names))
    const asked = dashboard.templating.list.flatMap(({ definition }) => definition ?? [])
    expect(asked).toHaveLength(2)
    for (const definition of asked) {
      const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? []
      expect(labelsOf(metric!)).toContain(label)
    }
  })

  it('has its panels beside and below each other, each under a number of its own', () => {
    const { panels } = dashboard
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24)
    const others = panels.filter(({ type, datasource }) => type !== 'row' && datasource?.uid !== '${datasource}')
    expect(others).toEqual([])
  })
})
