import { describe, expect, test } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { childrenOf, idOf } from '../../../src/fhir/element.ts'
import { parseJson, writeJson } from '../../../src/fhir/json.ts'

const stu3 = definitionsOf('STU3')
const r4 = definitionsOf('R4')

function read(text: string) {
  const resource = parseJson(text, stu3)
  if (!resource.ok) throw new Error(JSON.stringify(resource.faults))
  return resource.value
}

/** The faults of a Flag with these members, as `expression: sentence`. */
function faultsOf(members: string): string[] {
  return faultsOfText(`{"resourceType":"Flag",${members}}`)
}

function faultsOfText(text: string): string[] {
  const resource = parseJson(text, stu3)
  return resource.ok ? [] : resource.faults.map(({ expression, sentence }) => `${expression ?? ''}: ${sentence}`)
}

describe('what is no resource', () => {
  test.each([
    '{}',
    '[]',
    '""',
    'null',
    'true',
    '1',
    '[{"resourceType":"Flag"}]',
    '{"resourceType":null}',
    '{"resourceType":["Flag"]}',
    '{"resourceType":""}',
    '{"resourceType":"flag"}',
    '{"resourceType":"Resource"}',
    '{"resourceType":"DomainResource"}',
    '{"resourceType":"Coding"}',
    '{"resourceType":"constructor"}',
    '{"resourceType":"__proto__"}',
    '{"_resourceType":"Flag"}',
    '{"ResourceType":"Flag"}',
  ])('%s is refused', (text) => {
    expect(faultsOfText(text)).toHaveLength(1)
  })
})

test.each([
  ['"code":{}', 'Flag.code', 'empty'],
  ['"category":[]', 'Flag.category', 'does not repeat'],
  ['"identifier":[]', 'Flag.identifier', 'empty'],
  ['"identifier":[{}]', 'Flag.identifier[0]', 'empty'],
  ['"identifier":[null]', 'Flag.identifier[0]', 'null'],
  ['"identifier":[[{"value":"a"}]]', 'Flag.identifier[0]', 'list'],
  ['"status":""', 'Flag.status', 'empty'],
  ['"status":null', 'Flag.status', 'null'],
  ['"status":null,"_status":{"id":"a"}', 'Flag.status', 'null'],
  ['"status":"active","_status":null', 'Flag.status', 'null'],
  ['"status":"active","_status":{}', 'Flag.status', 'not empty'],
  ['"status":"active","_status":"a"', 'Flag.status', 'object'],
  ['"status":"active","_status":[{"id":"a"}]', 'Flag.status', 'does not repeat'],
  ['"_status":{}', 'Flag.status', 'not empty'],
  ['"_status":[]', 'Flag.status', 'does not repeat'],
  ['"status":["active"]', 'Flag.status', 'does not repeat'],
  ['"status":true', 'Flag.status', 'JSON string'],
  ['"status":1', 'Flag.status', 'JSON string'],
  ['"status":{"value":"active"}', 'Flag.status', 'JSON string'],
  ['"code":"a"', 'Flag.code', 'object'],
  ['"code":{"text":"a"},"_code":{"id":"a"}', 'Flag.code', 'begins with _'],
  ['"code":[{"text":"a"}]', 'Flag.code', 'does not repeat'],
  ['"code":{"coding":{"code":"a"}}', 'Flag.code.coding', 'repeats'],
  ['"code":{"coding":[{"userSelected":"true"}]}', 'Flag.code.coding[0].userSelected', 'JSON boolean'],
  ['"meta":{"profile":"a"}', 'Flag.meta.profile', 'repeats'],
  ['"meta":{"profile":[null]}', 'Flag.meta.profile[0]', 'null'],
  ['"meta":{"profile":["a",null]}', 'Flag.meta.profile[1]', 'null'],
  ['"meta":{"profile":["a"],"_profile":[null]}', 'Flag.meta.profile', 'nulls'],
  ['"meta":{"_profile":[null]}', 'Flag.meta.profile', 'nulls'],
  ['"meta":{"profile":["a","b"],"_profile":[{"id":"a"}]}', 'Flag.meta.profile', 'same number'],
  ['"meta":{"profile":["a"],"_profile":[]}', 'Flag.meta.profile', 'same number'],
  ['"meta":{"profile":["a"],"_profile":{"id":"a"}}', 'Flag.meta.profile', 'repeats'],
  ['"meta":{"profile":[1]}', 'Flag.meta.profile[0]', 'JSON string'],
  ['"_resourceType":{"id":"a"}', 'Flag', 'resourceType'],
  ['"code":{"resourceType":"Flag","text":"a"}', 'Flag.code', 'resourceType'],
  ['"code":{"_resourceType":{"id":"a"},"text":"a"}', 'Flag.code', 'resourceType'],
  ['"foo":{"resourceType":"Flag"}', 'Flag.foo', 'resourceType'],
  ['"foo":{}', 'Flag.foo', 'empty'],
  ['"foo":[]', 'Flag.foo', 'empty'],
  ['"foo":""', 'Flag.foo', 'empty'],
  ['"foo":null', 'Flag.foo', 'null'],
  ['"foo":[null]', 'Flag.foo[0]', 'needs a value'],
  ['"foo":[["a"]]', 'Flag.foo[0]', 'list'],
  ['"_foo":{"id":"a"}', 'Flag.foo', 'needs a value'],
  ['"foo":{"a":"b"},"_foo":{"id":"a"}', 'Flag.foo', 'begins with _'],
  ['"":"a"', 'Flag', 'name'],
  ['"_":{"id":"a"}', 'Flag', 'name'],
  ['"__proto__":{"a":"b"}', 'Flag', 'name'],
  ['"a b":"c"', 'Flag', 'name'],
  ['"Flag<":"c"', 'Flag', 'name'],
  [`"${'a'.repeat(65)}":"c"`, 'Flag', 'name'],
  ['"text":{"status":"empty","div":"<div/>","_div":{"id":"a"}}', 'Flag.text.div', 'narrative'],
  ['"extension":[{"url":"u","valueInteger":1.0}]', 'Flag.extension[0].value', 'integer'],
  ['"extension":[{"url":"u","valueInteger":"1"}]', 'Flag.extension[0].value', 'JSON number'],
  ['"extension":[{"url":"u","valueDecimal":"1"}]', 'Flag.extension[0].value', 'JSON number'],
  ['"extension":{"url":"u"}', 'Flag.extension', 'repeats'],
  ['"extension":[{"url":"u","valueCode":"a","valueString":"b"}]', 'Flag.extension[0].value', 'two types'],
  ['"extension":[{"url":"u","valueCode":"a","_valueString":{"id":"b"}}]', 'Flag.extension[0].value', 'two types'],
  ['"id":"a b"', 'Flag.id', 'FHIR id'],
  ['"id":"#a"', 'Flag.id', 'FHIR id'],
  [`"id":"${'a'.repeat(65)}"`, 'Flag.id', 'FHIR id'],
  ['"contained":{"resourceType":"Flag","id":"a"}', 'Flag.contained', 'repeats'],
  ['"contained":["a"]', 'Flag.contained[0]', 'object'],
  ['"contained":[{"id":"a"}]', 'Flag.contained[0]', 'resourceType'],
  ['"contained":[{"resourceType":"Flags","id":"a"}]', 'Flag.contained[0]', 'does not exist'],
  ['"contained":[{"resourceType":"Flag"}]', 'Flag.contained[0]', 'needs an id'],
  ['"contained":[{"resourceType":"Flag","_id":{"id":"a"}}]', 'Flag.contained[0]', 'needs an id'],
  ['"contained":[{"resourceType":"Flag","id":"#a"}]', 'Flag.contained[0].id', 'FHIR id'],
  [
    '"contained":[{"resourceType":"Flag","id":"a"},{"resourceType":"List","id":"a"}]',
    'Flag.contained[1]',
    'the same id',
  ],
  [
    '"contained":[{"resourceType":"Flag","id":"a","contained":[{"resourceType":"Flag","id":"b"}]}]',
    'Flag.contained[0]',
    'may not contain',
  ],
])('{%s} is refused at %s', (members, expression, words) => {
  expect(faultsOf(members)).toEqual([expect.stringContaining(`${expression}: `)])
  expect(faultsOf(members)).toEqual([expect.stringContaining(words)])
})

test('all faults are named at once', () => {
  const faults = faultsOf('"status":["a"],"code":{},"contained":[{"resourceType":"Flag"},{"id":"b"}],"id":"a b"')
  expect(faults.map((fault) => fault.slice(0, fault.indexOf(':'))).sort()).toEqual([
    'Flag.code',
    'Flag.contained[0]',
    'Flag.contained[1]',
    'Flag.id',
    'Flag.status',
  ])
})

test('the list of faults is bounded', () => {
  const faults = faultsOf(`"identifier":[${Array.from({ length: 5000 }, () => '{}').join(',')}]`)
  expect(faults).toHaveLength(101)
})

test('a fault never holds content', () => {
  expect(faultsOf('"status":["secret"],"id":"secret secret","secret secret":1').join()).not.toContain('secret')
})

test('elements have the types and definitions of their FHIR version', () => {
  const list = read('{"resourceType":"List","entry":[{"item":{"reference":"#a"}}],"_status":{"id":"x"}}')
  const [entry] = childrenOf(list, 'entry')
  expect(list).toMatchObject({ type: 'List', definition: 'List', resource: true })
  expect(entry).toMatchObject({ type: 'BackboneElement', definition: 'List.entry', resource: false })
  expect(childrenOf(entry!, 'item')[0]).toMatchObject({ type: 'Reference', definition: 'Reference' })
  expect(list.children.get('entry')?.list).toBe(true)
  expect(list.children.get('status')).toMatchObject({ list: false, items: [{ type: 'code', value: undefined }] })
})

test('an element that FHIR does not define is kept with its subtree', () => {
  const flag = read('{"resourceType":"Flag","foo":{"bar":[1.0,true,"a",{"code":{"id":"x"}}]},"fhir_comments":["c"]}')
  const [foo] = childrenOf(flag, 'foo')
  expect(foo).toMatchObject({ type: undefined, definition: undefined })
  expect(foo!.children.get('bar')?.list).toBe(true)
  expect(childrenOf(foo!, 'bar').map((item) => item.value)).toEqual([
    { kind: 'number', text: '1.0' },
    { kind: 'boolean', text: 'true' },
    { kind: 'string', text: 'a' },
    undefined,
  ])
  expect(flag.children.has('fhir_comments')).toBe(true)
})

test('what another FHIR version defines differently is read by the version in hand', () => {
  const category = '{"resourceType":"Flag","category":[{"text":"a"}]}'
  expect(parseJson(category, stu3).ok).toBe(false)
  expect(parseJson(category, r4).ok).toBe(true)
})

test('a code that FHIR calls resourceType is an ordinary element', () => {
  const text = '{"resourceType":"ExampleScenario","instance":[{"resourceId":"a","resourceType":"Flag"}]}'
  expect(parseJson(text, r4)).toMatchObject({ ok: true })
})

test('the same contained id may occur in two entries of a bundle', () => {
  const entry = '{"resource":{"resourceType":"Flag","contained":[{"resourceType":"Provenance","id":"p"}]}}'
  expect(idOf(read(`{"resourceType":"Bundle","id":"b","entry":[${entry},${entry}]}`))).toBe('b')
})

describe('nesting', () => {
  const nested = (depth: number) =>
    `{"resourceType":"Flag","extension":[${'{"url":"u","extension":['.repeat(depth)}{"url":"u"}${']}'.repeat(depth)}]}`

  test('is allowed up to the bound', () => {
    expect(parseJson(nested(7), stu3, { nesting: 10 })).toMatchObject({ ok: true })
    expect(parseJson(nested(8), stu3, { nesting: 10 })).toMatchObject({ ok: false })
  })

  test('a MiB of it is refused without harm', () => {
    expect(parseJson(nested(45_000), stu3)).toMatchObject({ ok: false })
  })
})

describe('what is read is written back', () => {
  test.each([
    '{"resourceType":"Flag"}',
    '{"resourceType":"Flag","id":"a.B-1","status":"active","_status":{"id":"x","extension":[{"url":"u"}]}}',
    '{"resourceType":"Flag","_status":{"extension":[{"url":"u","valueBoolean":false}]}}',
    '{"resourceType":"Flag","code":{"coding":[{"userSelected":true,"display":"\\"<é😀\\n\\\\"}]}}',
    '{"resourceType":"Flag","meta":{"profile":["a","b"],"_profile":[null,{"id":"x"}]}}',
    '{"resourceType":"Flag","meta":{"profile":[null,"b"],"_profile":[{"id":"x"},null]}}',
    '{"resourceType":"Flag","meta":{"profile":[null],"_profile":[{"id":"x"}]}}',
    '{"resourceType":"Flag","extension":[{"url":"u","_url":{"id":"x"}}]}',
    '{"resourceType":"Flag","contained":[{"resourceType":"Provenance","id":"p"}]}',
    '{"resourceType":"Flag","foo":["a",{"b":1}],"_foo":[{"id":"x"},null]}',
    '{"resourceType":"Flag","constructor":"a","toString":{"hasOwnProperty":[1]}}',
    ...['1.00', '1e400', '12345678901234567890', '-0', '1.10E-2'].map(
      (number) => `{"resourceType":"Flag","extension":[{"url":"u","valueDecimal":${number}}]}`,
    ),
  ])('%s', (text) => {
    expect(writeJson(read(text))).toBe(text)
  })

  test('extensions of a list without values are written beside nulls', () => {
    expect(writeJson(read('{"resourceType":"Flag","meta":{"_profile":[{"id":"x"}]}}'))).toBe(
      '{"resourceType":"Flag","meta":{"profile":[null],"_profile":[{"id":"x"}]}}',
    )
  })

  test('a tree with several items where no list is, is a fault of ours', () => {
    const flag = read('{"resourceType":"Flag","status":"active"}')
    const [status] = childrenOf(flag, 'status')
    const children = new Map([['status', { list: false, items: [status!, status!] }]])
    expect(() => writeJson({ ...flag, children })).toThrow('one item')
  })
})
