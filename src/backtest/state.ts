import { z } from 'zod'
import type { HistoriesState } from './histories.ts'
import type { Report } from './report.ts'

/**
 * Where a backtest stands, so that it can go on after an interruption. It names resources, and holds nothing of them but what
 * the examples are to show.
 */
export interface BacktestState {
  /** What the backtest is of: whatever would make the numbers those of another one. */
  readonly of: BacktestSubject
  readonly finished: boolean
  readonly position: Position
  readonly histories: HistoriesState
  readonly report: Report
}

/** The policy's digest, where the histories come from, and how they are judged. */
export type BacktestSubject = Readonly<Record<string, string>>

/** What comes next: which of the histories that were asked for, and in it the next page. */
export interface Position {
  readonly target: number
  /** Path and query of the next page; undefined for the first. */
  readonly next?: string | undefined
  /** Versions of this target that were told. */
  readonly told: number
}

const count = z.int().min(0)
const text = z.string()
const example = z.strictObject({
  id: text,
  before: text.optional(),
  after: text.optional(),
  differences: z
    .array(z.strictObject({ expression: text, before: text.optional(), after: text.optional() }))
    .optional(),
})
const refusalGroup = z.strictObject({
  rule: text.optional(),
  expression: text.optional(),
  what: text,
  count,
  first: text.optional(),
  last: text.optional(),
  examples: z.array(example),
})
const writes = z.strictObject({
  count,
  closed: count,
  refused: count,
  permittedAs: z.record(text, count),
  refusals: z.array(refusalGroup),
  reported: count,
  reports: z.array(refusalGroup),
})
const type = z.strictObject({
  histories: count,
  versions: count,
  writes: z.strictObject({ create: writes.optional(), update: writes.optional(), delete: writes.optional() }),
  gaps: count,
  missingVersions: count,
  noBeginning: count,
  unreadable: count,
  unreadableExamples: z.array(example),
  unjudged: count,
  seenAgain: count,
})
const version = z.strictObject({
  type: text,
  id: text,
  version: text.optional(),
  at: text.optional(),
  state: z.enum(['stored', 'deleted', 'unreadable']),
})
const schema = z.strictObject({
  format: z.literal(1),
  of: z.record(text, text),
  finished: z.boolean(),
  position: z.strictObject({ target: count, next: text.optional(), told: count }),
  histories: z.strictObject({ open: z.array(version), closed: z.array(text) }),
  report: z.strictObject({ types: z.record(text, type), nameless: count, namelessAt: z.array(text) }),
})

export function writeState(state: BacktestState): string {
  return JSON.stringify({ format: 1, ...state })
}

/** Undefined for a text that is no state. */
export function readState(json: string): BacktestState | undefined {
  let data: unknown
  try {
    data = JSON.parse(json)
  } catch {
    return undefined
  }
  const read = schema.safeParse(data)
  if (!read.success) return undefined
  const { format: _format, ...state } = read.data
  return state as BacktestState
}

/** In what a state is of something else than what is asked for now; undefined when it is of the same. */
export function otherSubject(state: BacktestSubject, asked: BacktestSubject): string | undefined {
  return [...new Set([...Object.keys(state), ...Object.keys(asked)])].find((name) => state[name] !== asked[name])
}
