import { describe, expect, test } from 'vitest'
import { entityTagOf, readIfMatch, versionOfEntityTag } from '../../../src/fhir/entity-tag.ts'

describe('If-Match', () => {
  test.each([
    ['W/"3"', '3'],
    ['"3"', '3'],
    ['W/"03"', '03'],
    ['  W/"3"\t', '3'],
    ['W/"b1fe6cc0-7bf5-453c-a396-1ae97cfad72a"', 'b1fe6cc0-7bf5-453c-a396-1ae97cfad72a'],
  ])('%s names a version, which is an opaque text', (line, version) => {
    expect(readIfMatch([line])).toEqual({ kind: 'version', version })
  })

  test.each([[[]], [['']], [['  ']], [['', '']]])('%j is missing', (lines) => {
    expect(readIfMatch(lines).kind).toBe('missing')
  })

  test.each([
    [['*']],
    [['""']],
    [['W/""']],
    [['w/"1"']],
    [['W/1']],
    [['3']],
    [['W/"1", W/"2"']],
    [['W/"1"', 'W/"1"']],
    [['W/"1"', '']],
    [['W/"a b"']],
    [['W/"+3"']],
    [['W/"a_b"']],
    [['"1" x']],
    [['W/"1"\u00a0']],
    [['\u00a0']],
    [[`W/"${'1'.repeat(65)}"`]],
  ])('%j is malformed', (lines) => {
    const read = readIfMatch(lines)
    expect(read).toMatchObject({ kind: 'malformed', sentence: expect.stringContaining('If-Match: W/"<version id>"') })
  })
})

test('an entity tag is written weak and read back', () => {
  expect(versionOfEntityTag(entityTagOf('a-1.2'))).toBe('a-1.2')
  expect(entityTagOf('3')).toBe('W/"3"')
})
