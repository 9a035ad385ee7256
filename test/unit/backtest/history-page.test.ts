import { describe, expect, it } from 'vitest'
import { readHistoryPage, readVersion } from '../../../src/backtest/history-page.ts'

const page = (entry: string, more = '') => `{"resourceType":"Bundle","type":"history"${more},"entry":[${entry}]}`

const only = (entry: string) => readHistoryPage(page(entry))!.versions[0]

describe('a page of a history', () => {
  it('tells versions, how many there are, and where it goes on', () => {
    const text = page(
      '{"fullUrl":"http://s/fhir/Flag/1","resource":{"resourceType":"Flag","id":"1","meta":{"versionId":"2","lastUpdated":"2026-01-02T00:00:00Z"},"status":"active"},"request":{"method":"PUT","url":"Flag/1/_history/2"}}',
      ',"total":7,"link":[{"relation":"self","url":"a"},{"relation":"next","url":"b"}]',
    )
    expect(readHistoryPage(text)).toEqual({
      versions: [
        {
          type: 'Flag',
          id: '1',
          version: '2',
          at: '2026-01-02T00:00:00Z',
          state: 'stored',
          text: expect.stringMatching(/^\{"resourceType":"Flag".*"active"\}$/),
        },
      ],
      nameless: 0,
      total: 7,
      next: 'b',
    })
  })

  it('keeps a resource as it was written, digit for digit', () => {
    const resource = '{ "resourceType":"Observation","id":"1","valueQuantity":{"value":1.00} }'
    expect(only(`{"resource":${resource}}`)!.text).toBe(resource)
  })

  it.each([
    ['by the URL of the request', '{"request":{"method":"DELETE","url":"Flag/1/_history/3"}}', '3', undefined],
    [
      'by the response',
      '{"fullUrl":"http://s/fhir/Flag/1","request":{"method":"DELETE","url":"Flag/1"},"response":{"etag":"W/\\"3\\"","lastModified":"2026-01-01T00:00:00Z"}}',
      '3',
      '2026-01-01T00:00:00Z',
    ],
    [
      'with what was deleted',
      '{"resource":{"resourceType":"Flag","id":"1"},"request":{"method":"DELETE","url":"Flag/1"}}',
      undefined,
      undefined,
    ],
  ])('tells a delete %s', (_how, entry, version, at) => {
    expect(only(entry)).toEqual({ type: 'Flag', id: '1', version, at, state: 'deleted', text: undefined })
  })

  it('tells of a resource that cannot be sliced by the URL of its request', () => {
    const entry =
      '{"resource":{"resourceType":"Flag","resourceType":"Flag"},"request":{"method":"PUT","url":"Flag/1/_history/3"}}'
    expect(only(entry)).toMatchObject({ type: 'Flag', id: '1', version: '3' })
  })

  it('tells that an entry without a resource is none that can be read', () => {
    expect(only('{"request":{"method":"PUT","url":"Flag/1/_history/3"}}')).toMatchObject({ state: 'unreadable' })
  })

  it('counts entries that name no resource', () => {
    expect(readHistoryPage(page('{"resource":{"resourceType":"Flag"}},{},1'))).toMatchObject({
      versions: [],
      nameless: 3,
    })
  })

  it.each([
    'no JSON',
    '{}',
    '{"resourceType":"OperationOutcome"}',
    '{"resourceType":"Bundle","type":"searchset","entry":[]}',
    '{"resourceType":"Bundle","type":"history","entry":{}}',
    '{"resourceType":"Bundle","type":"history","link":[{"relation":"next"}]}',
    '{"resourceType":"Bundle","type":"history","entry":[{]}',
  ])('is not %s', (text) => {
    expect(readHistoryPage(text)).toBeUndefined()
  })

  it('is one without entries', () => {
    expect(readHistoryPage('{"resourceType":"Bundle","type":"history"}')).toMatchObject({
      versions: [],
      next: undefined,
    })
  })
})

describe('a version on a line', () => {
  it('says what it is', () => {
    const text = '{"resourceType":"Flag","id":"1","meta":{"versionId":"x.1"}}'
    expect(readVersion(text)).toEqual({ type: 'Flag', id: '1', version: 'x.1', at: undefined, state: 'stored', text })
  })

  it.each([
    '',
    '[]',
    '{"resourceType":"Flag"}',
    '{"resourceType":"flag/","id":"1"}',
    '{"resourceType":"Flag","id":"a b"}',
  ])('is not %j', (text) => {
    expect(readVersion(text)).toBeUndefined()
  })
})
