import { describe, expect, it } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { writeJson } from '../../../src/fhir/json.ts'
import { type PlainObject, resourceOf } from '../../../src/sandbox/lenient.ts'
import { Store } from '../../../src/sandbox/store.ts'

const definitions = definitionsOf('STU3')
const flag = (content: PlainObject = {}) =>
  resourceOf({ resourceType: 'Flag', status: 'active', ...content }, definitions)!
const newStore = () => new Store(definitions, () => new Date('2026-11-23T10:00:00.000Z'))

function stored(store: Store, id = 'a'): Record<string, unknown> {
  return JSON.parse(writeJson(store.current('Flag', id)!.resource!)) as Record<string, unknown>
}

describe('The versions that a store keeps', () => {
  it('begin at 1 for an unknown id, whatever If-Match says', () => {
    expect(newStore().update(flag(), 'a', 9)).toMatchObject({ kind: 'created', version: { version: 1 } })
  })

  it('are counted up by a change', () => {
    const store = newStore()
    store.update(flag(), 'a')
    expect(store.update(flag({ status: 'inactive' }), 'a', 1)).toMatchObject({
      kind: 'updated',
      version: { version: 2 },
    })
    expect(store.history('Flag', 'a').map(({ version }) => version)).toEqual([1, 2])
  })

  it('stay when nothing changes', () => {
    const store = newStore()
    store.update(flag(), 'a')
    expect(store.update(flag({ meta: { versionId: '9' } }), 'a')).toMatchObject({
      kind: 'updated',
      version: { version: 1 },
    })
  })

  it('stay when If-Match names another one', () => {
    const store = newStore()
    store.update(flag(), 'a')
    expect(store.update(flag({ status: 'inactive' }), 'a', 2)).toEqual({ kind: 'not-current' })
    expect(stored(store)['status']).toBe('active')
  })

  it('go on after the version of a deletion', () => {
    const store = newStore()
    store.update(flag({ meta: { tag: [{ code: 't' }] } }), 'a')
    expect(store.delete('Flag', 'a')).toMatchObject({ version: 2 })
    expect(store.delete('Flag', 'a')).toBeUndefined()
    expect(store.update(flag(), 'a', 1)).toEqual({ kind: 'not-current' })
    expect(store.update(flag(), 'a', 2)).toMatchObject({ kind: 'created', version: { version: 3 } })
    expect(stored(store)['meta']).toMatchObject({ versionId: '3', tag: [{ code: 't' }] })
  })

  it('get ids that nobody has taken', () => {
    const store = newStore()
    store.update(flag(), '1')
    expect(store.create(flag({ id: 'mine' })).id).toBe('2')
    expect(store.create(flag()).id).toBe('3')
  })

  it('leave deleted resources out of what is there', () => {
    const store = newStore()
    store.update(flag(), 'a')
    store.update(flag(), 'b')
    store.delete('Flag', 'a')
    expect(store.all('Flag').map(({ id }) => id)).toEqual(['b'])
    expect(store.all('List')).toEqual([])
  })
})

describe('What a store keeps of a body', () => {
  it('has the id, the version and the time of the server', () => {
    const store = newStore()
    store.update(flag({ id: 'other', meta: { versionId: '9', lastUpdated: '2020-01-01T00:00:00Z' } }), 'a')
    expect(stored(store)).toMatchObject({
      id: 'a',
      meta: { versionId: '1', lastUpdated: '2026-11-23T10:00:00.000+00:00' },
    })
  })

  it('keeps tags and security labels of the version before, and replaces profiles', () => {
    const store = newStore()
    const label = (code: string) => ({ system: 's', code })
    store.update(flag({ meta: { profile: ['http://p1'], tag: [label('t1')], security: [label('x')] } }), 'a')
    store.update(flag({ meta: { profile: ['http://p2'], tag: [label('t2'), label('t1')] } }), 'a')
    expect(stored(store)['meta']).toMatchObject({
      profile: ['http://p2'],
      tag: [label('t1'), label('t2')],
      security: [label('x')],
    })
    store.update(flag(), 'a')
    expect(stored(store)['meta']).not.toHaveProperty('profile')
  })

  it('tidies contained resources: no #, no version, no second of the same id', () => {
    const store = newStore()
    const basic = (id: string, text: string, meta = {}) => ({ resourceType: 'Basic', id, meta, code: { text } })
    const meta = { versionId: '7', lastUpdated: '2020-01-01T00:00:00Z', profile: ['http://p'] }
    store.update(flag({ contained: [basic('#b', 'first', meta), basic('b', 'second'), basic('c', 'third')] }), 'a')
    expect(stored(store)['contained']).toEqual([
      { resourceType: 'Basic', id: 'b', meta: { profile: ['http://p'] }, code: { text: 'first' } },
      { resourceType: 'Basic', id: 'c', code: { text: 'third' } },
    ])
  })

  it('has references without versions', () => {
    const store = newStore()
    store.update(flag({ subject: { reference: 'Patient/1/_history/3' } }), 'a')
    expect(stored(store)['subject']).toEqual({ reference: 'Patient/1' })
  })

  it('begins in the order that XML needs', () => {
    const store = newStore()
    store.update(flag({ extension: [{ extension: [{ url: 'b', valueString: 'c' }], url: 'a' }], language: 'en' }), 'a')
    const text = writeJson(store.current('Flag', 'a')!.resource!)
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      'resourceType',
      'id',
      'meta',
      'language',
      'extension',
      'status',
    ])
    expect(text).toContain('{"url":"a","extension":[')
  })
})
