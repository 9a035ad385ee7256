import { describe, expect, it } from 'vitest'
import { notModified, readIfMatch } from '../../../src/sandbox/precondition.ts'

describe('If-Match is read as laxly as HAPI reads it', () => {
  it.each([
    ['W/"2"', 2],
    ['"2"', 2],
    ['2', 2],
    [' W/"2" ', 2],
    ['W/"03"', 3],
    ['W/"+3"', 3],
    ['W/"-1"', -1],
    [undefined, 'none'],
    ['', 'none'],
    ['""', 'none'],
    ['W/""', 'none'],
    ['*', 'unreadable'],
    ['W/"abc"', 'unreadable'],
    ['W/"1", W/"2"', 'unreadable'],
    ['w/"1"', 'unreadable'],
    ['W/1', 'unreadable'],
    ['"', 'unreadable'],
    ['W/"', 'unreadable'],
    ["W/'1'", 'unreadable'],
  ])('%s is %s', (field, read) => {
    expect(readIfMatch(field)).toBe(read)
  })
})

describe('A conditional read', () => {
  const version = { type: 'Flag', id: '1', version: 2, lastUpdated: new Date('2026-03-02T09:30:00.700Z') }

  it.each([
    ['nothing is asked', undefined, undefined, false],
    ['If-None-Match names the version', 'W/"2"', undefined, true],
    ['If-None-Match names another', 'W/"1"', undefined, false],
    ['one of several is named', 'W/"1", W/"2"', undefined, true],
    ['it was modified before the time, to the second', undefined, 'Mon, 02 Mar 2026 09:30:00 GMT', true],
    ['it was modified after the time', undefined, 'Mon, 02 Mar 2026 09:29:59 GMT', false],
    ['the time is not a time', undefined, 'yesterday', false],
    ['If-None-Match outranks the time', 'W/"1"', 'Mon, 02 Mar 2027 09:30:00 GMT', false],
  ])('when %s (%s, %s): not modified is %s', (_, ifNoneMatch, ifModifiedSince, expected) => {
    expect(notModified(version, ifNoneMatch, ifModifiedSince)).toBe(expected)
  })
})
