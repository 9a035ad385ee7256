import { describe, expect, it } from 'vitest'
import { wantsColour } from '../../../src/cli/colour.ts'

describe('colour', () => {
  it.each([
    [true, {}, true],
    [true, { NO_COLOR: '' }, true],
    [true, { NO_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, {}, false],
    [undefined, {}, false],
  ])('with a terminal: %s, and %j: %s', (isTTY, env, wanted) => {
    expect(wantsColour(isTTY === undefined ? {} : { isTTY }, env)).toBe(wanted)
  })
})
