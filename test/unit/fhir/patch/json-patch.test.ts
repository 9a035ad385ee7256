import { describe, expect, test } from 'vitest'
import { writeJson } from '../../../../src/fhir/json.ts'
import { applyJsonPatch } from '../../../../src/fhir/patch/json-patch.ts'
import { bounds, outcomeOf, r4, resourceOf } from './read.ts'

const stored = {
  resourceType: 'Observation',
  id: 'a',
  meta: { versionId: '3', lastUpdated: '2026-01-01T00:00:00Z', profile: ['p'] },
  contained: [{ resourceType: 'Patient', id: 'p', active: true }],
  identifier: [{ value: 'first' }, { value: 'second' }],
  status: 'final',
  code: { coding: [{ code: 'c', display: 'd' }], text: 't' },
  subject: { reference: '#p' },
}

function apply(operations: unknown, resource: unknown = stored, within = bounds) {
  const text = typeof operations === 'string' ? operations : JSON.stringify(operations)
  return applyJsonPatch(resourceOf(resource), text, r4, within)
}

function patched(operations: unknown, resource: unknown = stored): string {
  const result = apply(operations, resource)
  if (!result.ok) throw new Error(outcomeOf(result))
  return writeJson(result.resource)
}

test.each<[string, object[], object]>([
  ['no operation changes nothing', [], stored],
  ['a value is replaced', [{ op: 'replace', path: '/status', value: 'amended' }], { ...stored, status: 'amended' }],
  [
    'an added item stands before what stood there',
    [{ op: 'add', path: '/identifier/1', value: { value: 'x' } }],
    { ...stored, identifier: [{ value: 'first' }, { value: 'x' }, { value: 'second' }] },
  ],
  [
    'an item is added after the last by - and by the length',
    [
      { op: 'add', path: '/identifier/-', value: { value: 'x' } },
      { op: 'add', path: '/identifier/3', value: { value: 'y' } },
    ],
    { ...stored, identifier: [...stored.identifier, { value: 'x' }, { value: 'y' }] },
  ],
  [
    'what is added over a name replaces it',
    [{ op: 'add', path: '/code/text', value: 'n' }],
    { ...stored, code: { ...stored.code, text: 'n' } },
  ],
  [
    'an item is moved within its list, counted after it was taken out',
    [{ op: 'move', from: '/identifier/0', path: '/identifier/1' }],
    { ...stored, identifier: [{ value: 'second' }, { value: 'first' }] },
  ],
  ['a value moved to where it is stays', [{ op: 'move', from: '/code/text', path: '/code/text' }], stored],
  [
    'a value is copied',
    [{ op: 'copy', from: '/code/text', path: '/code/coding/0/display' }],
    { ...stored, code: { coding: [{ code: 'c', display: 't' }], text: 't' } },
  ],
  [
    'meta may be replaced when the server-owned parts stay',
    [{ op: 'replace', path: '/meta', value: { ...stored.meta, profile: ['q'] } }],
    { ...stored, meta: { ...stored.meta, profile: ['q'] } },
  ],
  [
    'the whole document may be replaced when the server-owned parts stay',
    [{ op: 'replace', path: '', value: { ...stored, status: 'amended' } }],
    { ...stored, status: 'amended' },
  ],
  [
    'what belongs to the server may be tested and copied from',
    [
      { op: 'test', path: '/id', value: 'a' },
      { op: 'test', path: '/meta/versionId', value: '3' },
      { op: 'copy', from: '/id', path: '/code/text' },
    ],
    { ...stored, code: { ...stored.code, text: 'a' } },
  ],
  [
    'a contained resource has an id and a meta of its own',
    [
      { op: 'replace', path: '/contained/0/id', value: 'q' },
      { op: 'replace', path: '/subject/reference', value: '#q' },
    ],
    { ...stored, contained: [{ resourceType: 'Patient', id: 'q', active: true }], subject: { reference: '#q' } },
  ],
  [
    'members that RFC 6902 does not know are ignored',
    [{ op: 'remove', path: '/subject', value: 1, note: 'x' }],
    Object.fromEntries(Object.entries(stored).filter(([name]) => name !== 'subject')),
  ],
  [
    'a tilde and a slash in a name are written ~0 and ~1, so that ~01 is ~1',
    [{ op: 'test', path: '/code', value: stored.code }],
    stored,
  ],
  [
    'the part of a primitive beside its value has a name of its own',
    [{ op: 'add', path: '/_status', value: { id: 'x' } }],
    { ...stored, _status: { id: 'x' } },
  ],
])('%s', (_, operations, after) => {
  expect(JSON.parse(patched(operations))).toEqual(after)
})

test('numbers keep their digits, whether they were stored or sent', () => {
  const numbers = `{"resourceType":"Observation","status":"final","code":{"text":"c"},"valueQuantity":{"value":1.00},"component":[{"code":{"text":"x"},"valueQuantity":{"value":1e400}}]}`
  const operations = `[{"op":"add","path":"/component/0/valueQuantity/value","value":0.10E-7}]`
  expect(patched(operations, numbers)).toBe(numbers.replace('1e400', '0.10E-7'))
})

describe('a test compares', () => {
  const quantity = (value: string) =>
    `{"resourceType":"Observation","status":"final","code":{"text":"c"},"valueQuantity":{"value":${value}}}`
  test.each([
    ['1.00', '1'],
    ['100', '1e2'],
    ['100', '1.0E+2'],
    ['0.001', '1e-3'],
    ['0', '-0.0'],
    ['0e5', '0'],
    ['-1.50', '-15e-1'],
    ['12345678901234567890', '12345678901234567890.0'],
    ['1e400', '10e399'],
  ])('%s and %s as the same number', (left, right) => {
    const operations = `[{"op":"test","path":"/valueQuantity/value","value":${right}}]`
    expect(patched(operations, quantity(left))).toBe(quantity(left))
  })

  test.each([
    ['1', '-1'],
    ['1', '10'],
    ['1', '"1"'],
    ['1', 'true'],
    ['0', 'null'],
    ['12345678901234567890', '12345678901234567891'],
    ['1e400', '1e401'],
    ['0', '1e-400'],
    ['1e99999999999999999999', '1e99999999999999999998'],
  ])('%s and %s as different', (left, right) => {
    const operations = `[{"op":"test","path":"/valueQuantity/value","value":${right}}]`
    expect(outcomeOf(apply(operations, quantity(left)))).toContain('Operation [0] of the patch: The test fails.')
  })

  test('objects without the order of their names, lists with the order of their items', () => {
    const coding = { op: 'test', path: '/code/coding/0', value: { display: 'd', code: 'c' } }
    expect(outcomeOf(apply([coding]))).toBe('applied')
    const identifiers = { op: 'test', path: '/identifier', value: [{ value: 'second' }, { value: 'first' }] }
    expect(outcomeOf(apply([identifiers]))).toContain('The test fails.')
    const more = { op: 'test', path: '/code/coding/0', value: { display: 'd' } }
    expect(outcomeOf(apply([more]))).toContain('The test fails.')
  })
})

describe('what is no JSON Patch is malformed', () => {
  test.each([
    ['', 'ends too early'],
    ['{}', 'list of operations'],
    ['null', 'list of operations'],
    ['[1]', 'Operation [0] of the patch: An operation is an object.'],
    ['[{}]', 'path must be'],
    ['[{"op":"add","path":"/status"}]', 'needs a value'],
    ['[{"op":"test","path":"/status"}]', 'needs a value'],
    ['[{"op":"replace","path":"/status"}]', 'needs a value'],
    ['[{"op":"move","path":"/status"}]', 'from must be'],
    ['[{"op":"copy","path":"/status","from":"status"}]', 'from must be'],
    ['[{"op":"remove","path":"status"}]', 'path must be'],
    ['[{"op":"remove","path":"/a~2"}]', 'path must be'],
    ['[{"op":"remove","path":"/a~"}]', 'path must be'],
    ['[{"op":"remove","path":["status"]}]', 'path must be'],
    ['[{"op":"remove","path":null}]', 'path must be'],
    ['[{"op":"Remove","path":"/status"}]', 'op must be'],
    ['[{"op":"constructor","path":"/status"}]', 'op must be'],
    ['[{"op":["remove"],"path":"/status"}]', 'op must be'],
    ['[{"path":"/status"}]', 'op must be'],
    ['[{"op":"remove","op":"test","path":"/status"}]', 'twice'],
    ['[{"op":"add","path":"/code","value":{"text":"a","text":"b"}}]', 'twice'],
    ['[{"op":"remove","path":"/subject"}] []', 'followed by more'],
    ['[{"op":"remove","path":"/subject"},]', 'not JSON'],
    ["[{'op':'remove','path':'/subject'}]", 'not JSON'],
    [`[{"op":"add","path":"/x","value":${'['.repeat(200)}${']'.repeat(200)}}]`, 'nested too deeply'],
    [
      JSON.stringify(Array.from({ length: 1001 }, () => ({ op: 'test', path: '/id', value: 'a' }))),
      'too many operations',
    ],
  ])('%s', (text, reason) => {
    const outcome = outcomeOf(apply(text))
    expect(outcome).toMatch(/^malformed: /)
    expect(outcome).toContain(reason)
  })

  test('everything wrong with the operations is said at once, before any is applied', () => {
    const result = apply([
      { op: 'test', path: '/status', value: 'other' },
      { op: 'x', path: '' },
      { op: 'add', path: '/a' },
    ])
    expect(outcomeOf(result)).toMatch(/^malformed: .*\[1\].*\[2\]/)
  })
})

describe('what cannot be applied is not applicable', () => {
  const own = 'belong to the server'
  const nowhere = 'path does not exist'
  test.each<[object, string]>([
    [{ op: 'remove', path: '/note' }, nowhere],
    [{ op: 'replace', path: '/note', value: [] }, nowhere],
    [{ op: 'test', path: '/note', value: null }, nowhere],
    [{ op: 'add', path: '/note/0/text', value: 'a' }, nowhere],
    [{ op: 'add', path: '/status/0', value: 'a' }, nowhere],
    [{ op: 'copy', from: '/note', path: '/code/text' }, nowhere],
    [{ op: 'move', from: '/note', path: '/code/text' }, nowhere],
    [{ op: 'remove', path: '/' }, nowhere],
    [{ op: 'remove', path: '/status/' }, nowhere],
    [{ op: 'remove', path: '/identifier/2' }, nowhere],
    [{ op: 'add', path: '/identifier/3', value: {} }, 'fewer items'],
    [{ op: 'add', path: '/identifier/00', value: {} }, 'leading zeros'],
    [{ op: 'add', path: '/identifier/01', value: {} }, 'leading zeros'],
    [{ op: 'add', path: '/identifier/+1', value: {} }, 'leading zeros'],
    [{ op: 'add', path: '/identifier/1e0', value: {} }, 'leading zeros'],
    [{ op: 'add', path: '/identifier/-1', value: {} }, 'leading zeros'],
    [{ op: 'add', path: '/identifier/ 1', value: {} }, 'leading zeros'],
    [{ op: 'add', path: '/identifier/', value: {} }, 'leading zeros'],
    [{ op: 'add', path: '/identifier/length', value: {} }, 'leading zeros'],
    [{ op: 'remove', path: '/identifier/length' }, 'leading zeros'],
    [{ op: 'remove', path: '/identifier/99999999999999999999' }, 'leading zeros'],
    [{ op: 'remove', path: '/identifier/-' }, 'only add'],
    [{ op: 'replace', path: '/identifier/-', value: {} }, 'only add'],
    [{ op: 'test', path: '/identifier/-', value: {} }, 'only add'],
    [{ op: 'add', path: '/identifier/-/value', value: 'a' }, 'only add'],
    [{ op: 'move', from: '/identifier/-', path: '/identifier/0' }, 'only add'],
    [{ op: 'test', path: '/__proto__', value: {} }, nowhere],
    [{ op: 'add', path: '/__proto__/status', value: 'a' }, nowhere],
    [{ op: 'add', path: '/constructor/prototype/status', value: 'a' }, nowhere],
    [{ op: 'remove', path: '/code/toString' }, nowhere],
    [{ op: 'copy', from: '/identifier/__proto__', path: '/code/text' }, 'leading zeros'],
    [{ op: 'move', from: '/code', path: '/code/coding/0' }, 'into itself'],
    [{ op: 'move', from: '', path: '/contained/0' }, 'into itself'],
    [{ op: 'remove', path: '' }, 'cannot be removed'],
    [{ op: 'replace', path: '/id', value: 'a' }, own],
    [{ op: 'replace', path: '/id', value: 'b' }, own],
    [{ op: 'remove', path: '/id' }, own],
    [{ op: 'add', path: '/id/x', value: 'b' }, own],
    [{ op: 'move', from: '/id', path: '/code/text' }, own],
    [{ op: 'copy', from: '/code/text', path: '/id' }, own],
    [{ op: 'add', path: '/resourceType', value: 'Patient' }, own],
    [{ op: 'replace', path: '/meta/versionId', value: '4' }, own],
    [{ op: 'remove', path: '/meta/lastUpdated' }, own],
    [{ op: 'remove', path: '/meta' }, own],
    [{ op: 'replace', path: '/meta', value: { profile: ['q'] } }, own],
    [{ op: 'replace', path: '/meta', value: { ...stored.meta, versionId: '4' } }, own],
    [{ op: 'copy', from: '/code', path: '/meta' }, own],
    [{ op: 'move', from: '/meta', path: '/extension' }, own],
    [{ op: 'replace', path: '', value: { ...stored, id: 'b' } }, own],
    [{ op: 'add', path: '', value: [] }, own],
    [{ op: 'copy', from: '/contained/0', path: '' }, own],
    [{ op: 'move', from: '/contained/0', path: '' }, own],
  ])('%j', (operation, reason) => {
    const outcome = outcomeOf(apply([{ op: 'test', path: '', value: stored }, operation]))
    expect(outcome).toMatch(/^not-applicable: : Operation \[1\] of the patch: /)
    expect(outcome).toContain(reason)
  })

  test.each<[object, string]>([
    [{ op: 'add', path: '/__proto__', value: { status: 'a' } }, 'Observation: After the patch: '],
    [{ op: 'add', path: '/status', value: null }, 'Observation.status: After the patch: '],
    [{ op: 'add', path: '/status', value: ['final'] }, 'Observation.status: '],
    [{ op: 'add', path: '/code', value: {} }, 'Observation.code: '],
    [{ op: 'add', path: '/identifier', value: [] }, 'Observation.identifier: '],
    [{ op: 'remove', path: '/contained/0/id' }, 'Observation.contained[0]: '],
    [{ op: 'replace', path: '/contained/0/resourceType', value: 'x' }, 'Observation.contained[0]: '],
    [{ op: 'copy', from: '', path: '/contained/-' }, 'contained resource may not contain'],
  ])('what makes the result no resource: %j', (operation, reason) => {
    const outcome = outcomeOf(apply([operation]))
    expect(outcome).toMatch(/^not-applicable: /)
    expect(outcome).toContain(reason)
  })

  test('neither an id nor a version is made where there was none', () => {
    const bare = { resourceType: 'Observation', status: 'final', code: { text: 't' } }
    expect(outcomeOf(apply([{ op: 'add', path: '/id', value: 'a' }], bare))).toContain(own)
    expect(outcomeOf(apply([{ op: 'add', path: '/meta', value: { versionId: '1' } }], bare))).toContain(own)
  })

  test('a name called __proto__ is a name: no prototype is touched', () => {
    apply('[{"op":"add","path":"/__proto__","value":{"polluted":true}},{"op":"add","path":"/__proto__/x","value":1}]')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('what is refused says nothing of the record', () => {
    const outcome = outcomeOf(apply([{ op: 'replace', path: '/secret', value: 'secret' }]))
    expect(outcome).not.toContain('secret')
  })
})

describe('copies that double the resource are stopped', () => {
  test('in length', () => {
    const double = { op: 'copy', from: '/identifier', path: '/identifier/0/extension' }
    const wide = Array.from({ length: 100 }, (_, i) => ({ op: 'copy', from: '/code', path: `/code/c${i}` }))
    expect(outcomeOf(apply(wide))).toContain('too long')
    expect(outcomeOf(apply(Array.from({ length: 100 }, () => double)))).toMatch(/too (?:long|deep)/)
  })

  test('in depth', () => {
    const deeper = { op: 'copy', from: '/code', path: '/code/coding/0/extension' }
    expect(outcomeOf(apply(Array.from({ length: 100 }, () => deeper)))).toContain('nested too deeply')
  })

  test('and so are changes of an object with more names than FHIR has', () => {
    const value = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`n${i}`, 1]))
    const operations = [
      { op: 'add', path: '/x', value },
      { op: 'remove', path: '/x/n1' },
    ]
    expect(outcomeOf(apply(operations))).toContain('Operation [1] of the patch: It leads into an object with too many')
  })

  test('but what replaces something does not count on top of it', () => {
    const small = { ...bounds, characters: 2000 }
    const again = Array.from({ length: 1000 }, () => ({ op: 'add', path: '/code/text', value: 'x'.repeat(100) }))
    expect(outcomeOf(apply(again, stored, small))).toBe('applied')
  })

  test('and a result that is too long is refused', () => {
    const small = { ...bounds, characters: 1000 }
    const long = { op: 'add', path: '/code/text', value: 'x'.repeat(1000) }
    expect(outcomeOf(apply([long], stored, small))).toContain('too long')
  })
})
