import { pino } from 'pino'
import { expect, it } from 'vitest'
import { createDecisions } from '../../../../src/audit/decisions/decisions.ts'
import { sampleRecord } from './sample.ts'

it('a target is closed when it has been given all records, not while one is on its way', async () => {
  const events: string[] = []
  let write = () => {}
  const target = {
    write: () =>
      new Promise<void>((resolve) => {
        write = () => {
          events.push('written')
          resolve()
        }
      }),
    close: async () => void events.push('closed'),
  }
  const terms = { required: false, callerHeaderFields: [] }
  const decisions = createDecisions(target, terms, pino({ enabled: false }), () => {})
  const written = decisions.write([sampleRecord()])
  const closed = decisions.close()
  write()
  await Promise.all([written, closed])
  expect(events).toEqual(['written', 'closed'])
})
