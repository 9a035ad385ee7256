import { describe, expect, it } from 'vitest'
import { compareWithRecord, recorded } from './record.ts'

const record = { taken: 'once', machine: 'a', cpuRatios: { get: 1, put: 2 } }

describe('the record of a benchmark', () => {
  it.each([
    [0.79, 'worse'],
    [0.81, 'same'],
    [1.19, 'same'],
    [1.21, 'better'],
  ])('against 1 on record, %d is %s', (measured, verdict) => {
    expect(compareWithRecord(record, { get: measured })).toEqual([{ name: 'get', recorded: 1, measured, verdict }])
  })

  it('says nothing of a case that only one of them has', () => {
    expect(compareWithRecord(record, { patch: 0.1 })).toEqual([])
  })

  it('finds what could not be measured worse', () => {
    expect(compareWithRecord(record, { get: NaN })[0]!.verdict).toBe('worse')
  })

  it('keeps the cases that were not measured again', () => {
    const made = { taken: 'again', machine: 'a' }
    expect(recorded(record, made, { put: 1.23456 })).toEqual({ ...made, cpuRatios: { get: 1, put: 1.235 } })
  })

  it('begins anew on another machine', () => {
    const made = { taken: 'again', machine: 'b' }
    expect(recorded(record, made, { put: 2 })).toEqual({ ...made, cpuRatios: { put: 2 } })
  })
})
