import { describe, expect, it } from 'vitest'
import { emptyReport } from '../../../src/backtest/report.ts'
import { otherSubject, readState, writeState, type BacktestState } from '../../../src/backtest/state.ts'

const state: BacktestState = {
  of: { policy: 'abc', upstream: 'http://127.0.0.1/fhir' },
  finished: false,
  position: { target: 1, next: '/fhir?x', told: 7 },
  histories: {
    open: [{ type: 'Flag', id: '1', version: '2', at: undefined, state: 'deleted' }],
    closed: ['Flag/2'],
  },
  report: { ...emptyReport(), nameless: 2 },
}

describe('the state of a backtest', () => {
  it('is read as it was written', () => {
    expect(readState(writeState(state))).toEqual(state)
  })

  it.each([
    '',
    '{}',
    '[]',
    writeState(state).slice(0, -1),
    writeState(state).replace('"format":1', '"format":2'),
    writeState(state).replace('"told":7', '"told":-7'),
  ])('is not %s', (text) => {
    expect(readState(text)).toBeUndefined()
  })

  it('says in what it is of another backtest', () => {
    expect(otherSubject(state.of, { ...state.of })).toBeUndefined()
    expect(otherSubject(state.of, { ...state.of, policy: 'abd' })).toBe('policy')
    expect(otherSubject(state.of, { policy: 'abc', files: 'a' })).toBe('upstream')
  })
})
