import { expect, test } from 'vitest'
import { remembering } from '../../../src/fhir/remembering.ts'

test('a value is made once for a text, also when it is undefined, and forgotten rather than kept for thousands', () => {
  const made: string[] = []
  const firstDigit = remembering((text) => {
    made.push(text)
    return /\d/.exec(text)?.[0]
  })
  expect([firstDigit('a1'), firstDigit('b'), firstDigit('a1'), firstDigit('b')]).toEqual([
    '1',
    undefined,
    '1',
    undefined,
  ])
  expect(made).toEqual(['a1', 'b'])
  for (let i = 0; i < 1000; i++) expect(firstDigit(`x${i}`)).toBe(String(i)[0])
  expect(firstDigit('a1')).toBe('1')
  expect(made.filter((text) => text === 'a1')).toHaveLength(2)
})

test('a long text is not kept', () => {
  let made = 0
  const length = remembering((text) => {
    made++
    return text.length
  })
  expect([length('x'.repeat(1000)), length('x'.repeat(1000)), made]).toEqual([1000, 1000, 2])
})
