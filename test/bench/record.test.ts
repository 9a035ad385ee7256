import { describe, expect, it } from 'vitest'
import { compareWithRecord, recordFor, recorded } from './record.ts'

const conditions = { machine: 'a', generator: 'wrk', proxyMicroseconds: { get: 40, put: 50 } }
const record = { taken: 'once', ...conditions, cpuRatios: { get: 1, put: 2 } }

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

  it('is found where http-proxy takes about as long as on record', () => {
    expect(recordFor([record], { ...conditions, proxyMicroseconds: { get: 55, list: 900 } })).toBe(record)
  })

  it.each([
    ['another machine', { machine: 'b' }],
    ['another load generator', { generator: 'autocannon' }],
    ['a machine that is faster', { proxyMicroseconds: { get: 20, put: 25 } }],
    ['a machine that is slower', { proxyMicroseconds: { get: 80 } }],
    ['none of its cases', { proxyMicroseconds: { list: 40 } }],
  ])('is not found for %s', (_what, other) => {
    expect(recordFor([record], { ...conditions, ...other })).toBeUndefined()
  })

  it('keeps the cases that were not measured again', () => {
    const made = { ...conditions, taken: 'again', proxyMicroseconds: { put: 51.4 } }
    expect(recorded([record], made, { put: 1.23456 })).toEqual([
      { ...made, proxyMicroseconds: { get: 40, put: 51 }, cpuRatios: { get: 1, put: 1.235 } },
    ])
  })

  it('stands beside that of another kind of machine', () => {
    const made = { ...conditions, taken: 'again', proxyMicroseconds: { get: 400 } }
    expect(recorded([record], made, { get: 0.9 })).toEqual([record, { ...made, cpuRatios: { get: 0.9 } }])
  })
})
