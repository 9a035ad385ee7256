import { describe, expect, it } from 'vitest'
import { parseDuration, parseSize } from '../../../src/config/units.ts'

describe('a duration', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['5 m', 300_000],
    ['1h', 3_600_000],
  ])('%s is %d milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })

  it.each([
    '',
    '30',
    '0s',
    '-1s',
    '1.5s',
    '30S',
    '1d',
    's',
    '30  s',
    ' 30s',
    '30s ',
    '1s30ms',
    '600h',
    '999999999h',
    '1constructor',
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })
})

describe('a size', () => {
  it.each([
    ['512 B', 512],
    ['64KiB', 65_536],
    ['1 MiB', 1_048_576],
    ['2 GiB', 2_147_483_648],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it.each(['', '1024', '0 B', '1 MB', '1 mib', '-1 KiB', '0x10 B', '1e3 B'])('%j is none', (text) => {
    expect(parseSize(text)).toBeUndefined()
  })
})
