import { describe, expect, it } from 'vitest'
import { createLog } from '../../../src/audit/log.ts'
import { requestLog } from '../../../src/audit/request-log.ts'
import type { RequestRecord } from '../../../src/audit/request-record.ts'

const record: RequestRecord = {
  requestId: '4f9c0f0e-0000-4000-8000-000000000000',
  base: '/fhir',
  interaction: 'update',
  type: 'Flag',
  id: '9000000009.b1fe6cc0',
  decision: 'permitted',
  permittedAs: ['removal'],
  status: 200,
  upstreamStatus: 200,
  milliseconds: 12.345,
}

function written(changes: Partial<RequestRecord>): { text: string; line: Record<string, unknown> } {
  let text = ''
  const log = createLog('info', { write: (line) => void (text += line) })
  requestLog(log, (type, id) => `hash of ${type} and ${id.length}`)({ ...record, ...changes })
  return { text, line: JSON.parse(text) as Record<string, unknown> }
}

describe('the line of a request', () => {
  it('says what was asked, what was decided and how it went', () => {
    const { time, ...line } = written({}).line
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect(line).toEqual({
      level: 'info',
      requestId: record.requestId,
      base: '/fhir',
      interaction: 'update',
      type: 'Flag',
      idHash: 'hash of Flag and 19',
      decision: 'permitted',
      permittedAs: ['removal'],
      status: 200,
      upstreamStatus: 200,
      ms: 12.3,
      msg: 'request',
    })
  })

  it('is one line and never holds the id', () => {
    const { text } = written({})
    expect(text.trimEnd()).not.toContain('\n')
    expect(text).not.toContain('9000000009')
  })

  it.each<[string, Partial<RequestRecord>]>([
    ['info', { decision: 'refused', status: 403, refusedBy: ['Flag.update.removal'] }],
    ['warn', { decision: 'failed', status: 502 }],
    ['warn', { decision: 'failed', status: 504 }],
    ['error', { decision: 'failed', status: 500 }],
    ['error', { decision: 'failed', status: 502, upstreamStatus: 201 }],
    ['error', { decision: 'failed', status: 504, outcomeUnknown: true }],
  ])('is at level %s for %j', (level, changes) => {
    expect(written(changes).line.level).toBe(level)
  })

  it('tells the class and code of an error and of its cause, and no message', () => {
    const cause = Object.assign(new RangeError('secret one'), { code: 'ERR_X' })
    const error = Object.assign(new TypeError('secret two', { cause }), { code: 'E secret three' })
    const { text, line } = written({ decision: 'failed', status: 500, error })
    expect(text).not.toContain('secret')
    expect(line.error).toMatchObject({ name: 'TypeError', cause: { name: 'RangeError', code: 'ERR_X' } })
  })

  it('tells where a fault without a code came through, even when its message looks like a stack trace', () => {
    const error = new Error('first\n    at secret (place)')
    const { text, line } = written({ decision: 'failed', status: 500, error })
    expect(text).not.toContain('secret')
    expect((line.error as { at: string[] }).at[0]).toContain('request-log.test.ts')
  })

  it.each([['a thrown secret'], [{ secret: 1 }], [null]])('tells only the type of what is no error: %j', (error) => {
    const { text, line } = written({ decision: 'failed', status: 500, error })
    expect(text).not.toContain('secret')
    expect(line.error).toEqual({ name: typeof error })
  })
})
