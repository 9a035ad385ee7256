import { dataOf, isElementNode, type Collection } from './package-values.ts'

/** The farthest that a local time is from UTC, in milliseconds. */
const farthest = 14 * 3_600_000

/**
 * Whether what a comparison of two collections comes to may depend on the time zone of this machine: a date is a day of some
 * zone, and the package takes its own. Then nothing can be told; the same change gets the same verdict everywhere.
 */
export function dependsOnZone(left: Collection, right: Collection): boolean {
  const [a, b] = [left.flatMap(pointOf), right.flatMap(pointOf)]
  if ([...a, ...b].some(({ kind }) => kind === 'local')) return true
  return a.some((one) => b.some((other) => isNear(one, other)))
}

interface Point {
  /** `instant`: with a time zone; `period`: a day, a month or a year; `local`: a time without a zone. */
  readonly kind: 'instant' | 'period' | 'local'
  /** Where it begins and ends in UTC, in milliseconds; NaN for what is no date. */
  readonly from: number
  readonly to: number
}

/** Whether an instant lies so near to where a period begins or ends that it may be on either side. */
function isNear(a: Point, b: Point): boolean {
  if (a.kind === b.kind) return false
  const [{ from: at }, { from, to }] = a.kind === 'instant' ? [a, b] : [b, a]
  return !(Math.abs(at - from) > farthest && Math.abs(at - to) > farthest)
}

const dateText = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(.*))?)?)?T?$/s

function pointOf(item: unknown): Point[] {
  const text = textOf(item)
  const [, year, month, day, time] = (text === undefined ? undefined : dateText.exec(text)) ?? []
  if (text === undefined || year === undefined) return []
  if (time) {
    const at = Date.parse(text)
    return [{ kind: /(?:Z|[+-]\d\d:\d\d)$/.test(time) ? 'instant' : 'local', from: at, to: at }]
  }
  const utc = (years: number, months: number, days: number) =>
    Date.UTC(Number(year) + years, Number(month ?? 1) - 1 + months, Number(day ?? 1) + days)
  const to = day !== undefined ? utc(0, 0, 1) : month !== undefined ? utc(0, 1, 0) : utc(1, 0, 0)
  return [{ kind: 'period', from: utc(0, 0, 0), to }]
}

/** The text of an element that is a date, or of a value of the package that is one. */
function textOf(item: unknown): string | undefined {
  const data = dataOf(item)
  if (isElementNode(item) && typeof data === 'string') return isDateType(item.fhirNodeDataType) ? data : undefined
  if (typeof data !== 'object' || data === null || 'unit' in data || 'decimalPlaces' in data) return undefined
  return 'asStr' in data && typeof data.asStr === 'string' ? data.asStr : undefined
}

export const isDateType = (type: string | null) => type === 'date' || type === 'dateTime' || type === 'instant'

/** Whether an item is a date, of an element or of the package. */
export const isDate = (item: unknown) => pointOf(item).length > 0
