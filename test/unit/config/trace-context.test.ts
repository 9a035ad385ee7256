import { describe, expect, it } from 'vitest'
import { isTracestate, readTraceparent, writeTraceparent } from '../../../src/config/trace-context.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

describe('a traceparent', () => {
  it.each([
    [`00-${traceId}-${spanId}-01`, 1],
    [`00-${traceId}-${spanId}-00`, 0],
    [`00-${traceId}-${spanId}-ff`, 255],
    [`01-${traceId}-${spanId}-01`, 1],
    [`cc-${traceId}-${spanId}-01-what-the-future-holds`, 1],
  ])('is read: %s', (text, flags) => {
    expect(readTraceparent(text)).toEqual({ traceId, spanId, flags })
  })

  it('is written in version 00', () => {
    expect(writeTraceparent({ traceId, spanId, flags: 1 })).toBe(`00-${traceId}-${spanId}-01`)
  })

  it.each([
    [undefined],
    [''],
    ['x'],
    [`00-${traceId}-${spanId}`],
    [`00-${traceId}-${spanId}-1`],
    [`00-${traceId}-${spanId}-01-`],
    [`00-${traceId}-${spanId}-01-more`],
    [`00-${traceId}-${spanId}-01 `],
    [` 00-${traceId}-${spanId}-01`],
    [`ff-${traceId}-${spanId}-01`],
    [`00-${'0'.repeat(32)}-${spanId}-01`],
    [`00-${traceId}-${'0'.repeat(16)}-01`],
    [`00-${traceId.toUpperCase()}-${spanId}-01`],
    [`00-${traceId}-${spanId}-0G`],
    [`00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
    [`cc-${traceId}-${spanId}-01more`],
    [`cc-${traceId}-${spanId}-01-${'x'.repeat(200)}`],
    [`cc-${traceId}-${spanId}-01-\n`],
  ])('is none: %j', (text) => {
    expect(readTraceparent(text)).toBeUndefined()
  })
})

describe('a tracestate', () => {
  it.each([
    ['a=1'],
    ['congo=t61rcWkgMzE,rojo=00f067aa0ba902b7'],
    ['a=1 , \tb=2'],
    ['a=1,,b=2'],
    ['tenant@system=x y'],
    ['1tenant@s=x'],
    ['a-b_c*d/e=!+-~'],
    [Array.from({ length: 32 }, (_, index) => `k${index}=v`).join(',')],
  ])('is well-formed: %s', (text) => {
    expect(isTracestate(text)).toBe(true)
  })

  it.each([
    [''],
    [','],
    ['a'],
    ['a='],
    ['=a'],
    ['A=1'],
    ['1=1'],
    ['a=b=c'],
    ['a=1,a=2'],
    ['a=ä'],
    ['a=1\n'],
    ['a b=1'],
    [Array.from({ length: 33 }, (_, index) => `k${index}=v`).join(',')],
    [`a=${'x'.repeat(257)}`],
    [`a=${'x'.repeat(250)},b=${'x'.repeat(250)},c=${'x'.repeat(20)}`],
  ])('is none: %j', (text) => {
    expect(isTracestate(text)).toBe(false)
  })
})
