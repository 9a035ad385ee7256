import { describe, expect, it } from 'vitest'
import { writeJsonText } from '../../../src/fhir/patch/json-value.ts'
import { readSource } from '../../../src/policy/source.ts'

describe('a YAML source', () => {
  it.each([
    ['a: 4.10', '{"a":4.10}'],
    ['a: 1e400', '{"a":1e400}'],
    ['a: 12345678901234567890', '{"a":12345678901234567890}'],
    ['a: [0x1F, +1, .5, -0.0]', '{"a":[31,1,0.5,-0.0]}'],
    ['a: [.inf, .nan]', '{"a":[".inf",".nan"]}'],
    ["a: ['4.10', 2026-03-02, true, null, ~]", '{"a":["4.10","2026-03-02",true,null,null]}'],
    ['1: one', '{"1":"one"}'],
    [
      'x: &x { a: 1.0, b: 2 }\ny: { <<: *x, b: 3.50 }\nz: *x',
      '{"x":{"a":1.0,"b":2},"y":{"a":1.0,"b":3.50},"z":{"a":1.0,"b":2}}',
    ],
  ])('%j is the JSON %s', (text, json) => {
    expect(writeJsonText(readSource('f.yaml', text).json([]))).toBe(json)
  })

  it('gives a part of itself as JSON, and null for what is not there', () => {
    const source = readSource('f.yaml', 'a: [{ b: 1.0 }]')
    expect(writeJsonText(source.json(['a', 0, 'b']))).toBe('1.0')
    expect(source.json(['a', 1, 'b'])).toBe(null)
  })

  it.each([
    ['what stands there itself', 'x: &x { a: 1 }\ny: { <<: *x, a: 2 }', ['y', 'a'], '2:17'],
    ['what is merged in', 'x: &x { a: 1 }\ny: { <<: *x }', ['y', 'a'], '1:12'],
    ['what is merged in by a list', 'w: &w { b: 1 }\nx: &x { a: 1 }\ny: { <<: [*w, *x] }', ['y', 'a'], '2:12'],
    ['what is merged in twice over', 'w: &w { a: 1 }\nx: &x { <<: *w }\ny: { <<: *x }', ['y', 'a'], '1:12'],
  ])('points at %s', (_, text, path, place) => {
    const { line, column } = readSource('f.yaml', text).diagnose(path, 'm')
    expect(`${line}:${column}`).toBe(place)
  })
})
