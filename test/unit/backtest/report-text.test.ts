import { describe, expect, it } from 'vitest'
import {
  countStep,
  countVersion,
  countWrite,
  emptyReport,
  totalsOf,
  type Report,
} from '../../../src/backtest/report.ts'
import { spaced, writeReport } from '../../../src/backtest/report-text.ts'
import type { Refusal } from '../../../src/policy/refusal.ts'
import type { PastVerdict } from '../../../src/backtest/judge-pair.ts'
import { plain } from '../../../src/cli/colour.ts'

const reporting = { examples: 2, showContent: false }

const stored = (id: string, version: string, at?: string) => ({
  type: 'Flag',
  id,
  version,
  at,
  state: 'stored' as const,
})

const refusal = (expression: string, what: string, rule = 'Flag.update'): PastVerdict => ({
  kind: 'refused',
  refusals: [
    { cause: 'change-not-permitted', rule, expression, diagnostics: `${expression} ${what}. Leave it as it was.` },
  ],
  reported: [],
  differences: () => [{ expression, before: '"a"', after: '"b"' }],
})

const permitted = (name: string, reported: Refusal[] = []): PastVerdict => ({
  kind: 'permitted',
  as: [name],
  reported,
  differences: () => [],
})

function filled(showContent = false): Report {
  const report = emptyReport()
  const told = { ...reporting, showContent }
  const update = (id: string, at: string, verdict: PastVerdict) =>
    countWrite(
      report,
      { kind: 'write', interaction: 'update', before: stored(id, '1'), after: stored(id, '2', at) },
      verdict,
      told,
    )
  for (let i = 0; i < 1200; i++) countStep(report, 'Flag', { kind: 'history' })
  for (let i = 0; i < 1194; i++) update(`p${i}`, '2025-01-01T00:00:00Z', permitted('removal'))
  update('a', '2026-02-03T10:00:00Z', refusal('Flag.identifier[0].period', 'differs from the stored version'))
  update('b', '2024-02-03T10:00:00Z', refusal('Flag.identifier[3].period', 'differs from the stored version'))
  update('c', '2025-02-03T10:00:00Z', refusal('Flag.identifier[1].period', 'differs from the stored version'))
  update('d', '2025-02-03T10:00:00Z', refusal("Flag.extension('http://a. b')", 'is missing', 'Flag.update.removal'))
  const deleted = { ...stored('a', '3'), state: 'deleted' as const }
  countWrite(
    report,
    { kind: 'write', interaction: 'delete', before: stored('a', '2'), after: deleted },
    { kind: 'closed' },
    told,
  )
  return report
}

describe('the report of a backtest', () => {
  it('tells what is permitted as what, what is refused for which cause, and what it comes to', () => {
    expect(writeReport(filled(), true, plain)).toBe(`Flag  1 199 writes in 1 200 histories
  update                                                             1 198
    permitted as removal                                             1 194
    refused: Flag.identifier.period differs from the stored version      3   first seen 2024-02-03, last 2026-02-03
      Flag/a, version 1 → 2
      Flag/b, version 1 → 2
    refused: Flag.extension('http://a. b') is missing                    1   seen 2025-02-03
      Flag/d, version 1 → 2
  delete                                                                 1
    refused: the policy does not open it                                 1

Switching this policy on would have refused 5 of 1 199 past writes (0.4 %).
1 of them is of a kind that the policy does not open.
`)
    expect(totalsOf(filled())).toEqual({ writes: 1199, refused: 5, closed: 1, reported: 0 })
  })

  it('shows content only where it was asked for', () => {
    expect(JSON.stringify(filled())).not.toContain('differences')
    expect(writeReport(filled(true), true, plain)).toContain('        Flag.identifier[0].period: "a" → "b"\n')
  })

  it('tells apart what rules in report mode would refuse', () => {
    const report = emptyReport()
    const cause = {
      cause: 'change-not-permitted',
      rule: 'r',
      expression: 'Flag.x',
      diagnostics: 'Flag.x was added. No.',
    } as const
    const [before, after] = [stored('a', '1'), stored('a', '2')]
    const step = { kind: 'write', interaction: 'update', before, after } as const
    countWrite(report, step, permitted('removal, reported', [cause]), reporting)
    const both: PastVerdict = {
      kind: 'refused',
      refusals: [{ ...cause, rule: 's' }],
      reported: [cause],
      differences: () => [],
    }
    countWrite(report, step, both, { ...reporting, examples: 0 })
    expect(writeReport(report, true, plain)).toBe(`Flag  2 writes in 0 histories
  update                            2
    permitted as removal, reported  1
    refused: Flag.x was added       1
    reported: Flag.x was added      2
      Flag/a, version 1 → 2

Switching this policy on would have refused 1 of 2 past writes (50.0 %).
It would have reported 1 more (50.0 %), which its rules in report mode would refuse when they are enforced.
`)
    expect(totalsOf(report)).toEqual({ writes: 2, refused: 1, closed: 0, reported: 1 })
  })

  it('tells what was not judged', () => {
    const report = emptyReport()
    countStep(report, 'Flag', { kind: 'gap', missing: 3 })
    countStep(report, 'Flag', { kind: 'no-beginning' })
    countVersion(report, { ...stored('x', '2'), state: 'unreadable' }, [], reporting)
    countStep(report, 'Flag', { kind: 'unreadable-write' })
    report.nameless = 2
    report.namelessAt.push('f.ndjson:7')
    expect(writeReport(report, false, plain).split('\n').slice(1)).toEqual([
      '  1 gap in histories, 3 versions missing: what stands at both ends is not compared.',
      '  1 history without the first version.',
      '  1 version cannot be read (Flag/x version 2): 1 write not judged.',
      '',
      '2 entries left out (f.ndjson:7): nothing says which version of which resource it is.',
      '',
      'There was no write to judge so far.',
      '',
    ])
  })

  it('gives a long cause a line of its own', () => {
    const report = emptyReport()
    const after = stored('1', '2')
    const long = refusal(`Flag.extension('https://${'x'.repeat(80)}')`, 'was added')
    countWrite(report, { kind: 'write', interaction: 'update', before: stored('1', '1'), after }, long, reporting)
    const lines = writeReport(report, true, plain).split('\n')
    expect(lines[1]).toBe('  update  1')
    expect(lines[2]).toMatch(/^ {4}refused: .*x'\) was added$/)
    expect(lines[3]).toBe('          1')
  })

  it('gathers causes beyond a bound', () => {
    const report = emptyReport()
    for (let i = 0; i < 2000; i++) {
      const after = stored(`${i}`, '2')
      countWrite(
        report,
        { kind: 'write', interaction: 'update', before: stored(`${i}`, '1'), after },
        refusal(`Flag.x${i}`, 'was added'),
        reporting,
      )
    }
    const { refusals } = report.types['Flag']!.writes.update!
    expect(refusals).toHaveLength(501)
    expect(refusals.at(-1)).toMatchObject({ what: 'further causes', count: 1500 })
  })

  it('counts a change whatever its name is', () => {
    const report = emptyReport()
    countWrite(
      report,
      { kind: 'write', interaction: 'update', before: stored('1', '1'), after: stored('1', '2') },
      permitted('constructor'),
      reporting,
    )
    expect(report.types['Flag']!.writes.update!.permittedAs).toEqual({ constructor: 1 })
  })

  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1 000'],
    [1234567, '1 234 567'],
  ])('writes %i as %s', (count, text) => {
    expect(spaced(count)).toBe(text)
  })
})
