import { describe, expect, test } from 'vitest'
import { writeXml } from '../../../../src/fhir/xml.ts'
import { applyXmlPatch } from '../../../../src/fhir/patch/xml-patch.ts'
import { bounds, outcomeOf, r4, resourceOf } from './read.ts'

const xhtml = 'http://www.w3.org/1999/xhtml'
const stored = {
  resourceType: 'Flag',
  id: 'a',
  meta: { versionId: '3', lastUpdated: '2026-01-01T00:00:00Z', tag: [{ code: 'x' }] },
  text: { status: 'generated', div: `<div xmlns="${xhtml}">a<b>c</b></div>` },
  contained: [{ resourceType: 'Patient', id: 'p', active: true }],
  extension: [
    { url: 'urn:a', valueDecimal: 1 },
    { url: 'urn:b', valueString: 's' },
  ],
  status: 'active',
  code: { coding: [{ code: 'c', display: 'd' }, { code: 'e' }], text: 't' },
  subject: { reference: '#p' },
}

const diff = (operations: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<diff xmlns:f="http://hl7.org/fhir" xmlns:h="${xhtml}">\n${operations}\n</diff>`
const change = (changes: object) => ({ ...stored, ...changes })

function apply(text: string) {
  return applyXmlPatch(resourceOf(stored), text, r4, bounds)
}

test.each<[string, string, object]>([
  ['no operation changes nothing', '', stored],
  ['a value is replaced', '<replace sel="f:Flag/f:status/@value">inactive</replace>', change({ status: 'inactive' })],
  [
    'a path may begin at the document',
    '<replace sel="/f:Flag/f:status/@value">inactive</replace>',
    change({ status: 'inactive' }),
  ],
  [
    'a step may have a position among the elements of its name',
    '<replace sel="f:Flag/f:code/f:coding[2]/f:code/@value">&lt;x&#9;</replace>',
    change({ code: { ...stored.code, coding: [stored.code.coding[0], { code: '<x\t' }] } }),
  ],
  [
    'an element is added after the last',
    '<add sel="f:Flag/f:code/f:coding[2]"><f:display value="n"/></add>',
    change({ code: { ...stored.code, coding: [stored.code.coding[0], { code: 'e', display: 'n' }] } }),
  ],
  [
    'elements are added before the first',
    '<add sel="f:Flag/f:code" pos="prepend"> <!-- two --> <coding xmlns="http://hl7.org/fhir"><code value="1"/></coding><f:coding><f:code value="2"/></f:coding> </add>',
    change({ code: { ...stored.code, coding: [{ code: '1' }, { code: '2' }, ...stored.code.coding] } }),
  ],
  [
    'an element is added before another',
    '<add sel="f:Flag/f:code/f:coding[2]" pos="before"><f:coding><f:code value="n"/></f:coding></add>',
    change({ code: { ...stored.code, coding: [stored.code.coding[0], { code: 'n' }, stored.code.coding[1]] } }),
  ],
  [
    'an element is added after another, also after one that belongs to the server',
    '<add sel="f:Flag/f:meta/f:lastUpdated" pos="after"><f:profile value="p"/></add>',
    change({ meta: { versionId: '3', lastUpdated: '2026-01-01T00:00:00Z', profile: ['p'], tag: [{ code: 'x' }] } }),
  ],
  [
    'an attribute is added',
    '<add sel="f:Flag/f:code" type="@id">i</add>',
    change({ code: { coding: stored.code.coding, text: 't', id: 'i' } }),
  ],
  [
    'the url of an extension is an attribute',
    '<replace sel="f:Flag/f:extension[2]/@url">urn:c</replace>',
    change({ extension: [stored.extension[0], { url: 'urn:c', valueString: 's' }] }),
  ],
  [
    'an element is replaced',
    '<replace sel="f:Flag/f:extension[1]/f:valueDecimal"><f:valueDecimal value="1.00"/></replace>',
    change({ extension: [{ url: 'urn:a', valueDecimal: '<1.00>' }, stored.extension[1]] }),
  ],
  [
    'an element is removed',
    '<remove sel="f:Flag/f:code/f:coding[1]"/>',
    change({ code: { coding: [{ code: 'e' }], text: 't' } }),
  ],
  [
    'a resource inside is a step of its own',
    '<replace sel="f:Flag/f:contained/f:Patient/f:active/@value">false</replace>',
    change({ contained: [{ resourceType: 'Patient', id: 'p', active: false }] }),
  ],
  [
    'a narrative is replaced whole',
    `<replace sel="f:Flag/f:text/h:div"><div xmlns="${xhtml}">n<br/>&amp;<![CDATA[<]]></div></replace>`,
    change({ text: { status: 'generated', div: `<div xmlns="${xhtml}">n<br/>&amp;&lt;</div>` } }),
  ],
  [
    'meta may be replaced when the server-owned parts stay',
    '<replace sel="f:Flag/f:meta"><f:meta><f:versionId value="3"/><f:lastUpdated value="2026-01-01T00:00:00Z"/></f:meta></replace>',
    change({ meta: { versionId: '3', lastUpdated: '2026-01-01T00:00:00Z' } }),
  ],
  [
    'later operations see what earlier ones did',
    '<remove sel="f:Flag/f:code/f:coding[1]"/><replace sel="f:Flag/f:code/f:coding/f:code/@value">n</replace>',
    change({ code: { coding: [{ code: 'n' }], text: 't' } }),
  ],
])('%s', (_, operations, after) => {
  const result = apply(diff(operations))
  expect(outcomeOf(result)).toBe('applied')
  const json = JSON.stringify(after).replaceAll(/"<([\d.]+)>"/g, '$1')
  expect(result.ok && writeXml(result.resource)).toBe(writeXml(resourceOf(json)))
})

test('the default namespace holds for steps without a prefix', () => {
  const result = apply('<diff xmlns="http://hl7.org/fhir"><replace sel="Flag/status/@value">inactive</replace></diff>')
  expect(outcomeOf(result)).toBe('applied')
  const own = apply(
    '<diff><replace sel="x:Flag/x:status/@value" xmlns:x="http://hl7.org/fhir">inactive</replace></diff>',
  )
  expect(outcomeOf(own)).toBe('applied')
})

describe('what is no XML Patch is malformed', () => {
  const remove = '<remove sel="f:Flag/f:subject"/>'
  test.each([
    ['', 'not well-formed'],
    ['{}', 'not well-formed'],
    ['<diff>', 'not well-formed'],
    ['<Flag xmlns="http://hl7.org/fhir"/>', 'that is a diff'],
    ['<diff xmlns="urn:x"/>', 'that is a diff'],
    ['<diff a="b"/>', 'no attributes'],
    ['<!DOCTYPE diff><diff/>', 'DOCTYPE'],
    ['<!DOCTYPE diff [<!ENTITY e SYSTEM "file:///etc/passwd">]><diff/>', 'DOCTYPE'],
    ['<diff><?php x?></diff>', 'processing instruction'],
    ['\ufeff<diff/>', 'character'],
    [diff('&e;'), 'not well-formed'],
    [diff('&constructor;'), 'not well-formed'],
    [diff('text'), 'no text'],
    [diff('<upsert sel="f:Flag"/>'), 'add, replace or remove'],
    [diff('<constructor sel="f:Flag"/>'), 'add, replace or remove'],
    [diff('<f:remove sel="f:Flag"/>'), 'add, replace or remove'],
    [diff('<remove/>'), 'needs a sel'],
    [diff('<remove sel=""/>'), 'needs a sel'],
    [diff('<remove f:sel="f:Flag"/>'), 'may only have'],
    [diff('<remove sel="f:Flag" ws="both"/>'), 'may only have'],
    [diff('<replace sel="f:Flag" pos="after"/>'), 'may only have'],
    [diff('<remove sel="f:Flag" sel="f:Flag/f:code"/>'), 'not well-formed'],
    [diff('<remove sel="f:Flag/f:code">x</remove>'), 'no content'],
    [diff('<add sel="f:Flag"/>'), 'needs elements'],
    [diff('<add sel="f:Flag" pos="inside"><f:code/></add>'), 'pos must be'],
    [diff('<add sel="f:Flag" type="@id"><f:code/></add>'), 'add with type'],
    [diff('<add sel="f:Flag" type="@id" pos="after">a</add>'), 'add with type'],
    [diff('<add sel="f:Flag">x<f:code/></add>'), 'beside each other'],
    [diff('<add sel="f:Flag"><f:code>x</f:code></add>'), 'Text may only'],
    [diff('<add sel="f:Flag"><code/></add>'), 'foreign namespace'],
    [diff('<add sel="f:Flag"><x:code xmlns:x="urn:x"/></add>'), 'foreign namespace'],
    [diff('<add sel="f:Flag"><f:code f:value="a"/></add>'), 'foreign namespace'],
    [diff('<add sel="f:Flag"><h:p/></add>'), 'one div'],
    [diff('<add sel="f:Flag"><h:div><script xmlns="urn:x"/></h:div></add>'), 'only hold elements of XHTML'],
    [
      diff(`<add sel="f:Flag">${'<f:extension>'.repeat(200)}${'</f:extension>'.repeat(200)}</add>`),
      'nested too deeply',
    ],
    [diff(remove.repeat(1001)), 'too many operations'],
  ])('%s', (text, reason) => {
    const outcome = outcomeOf(apply(text))
    expect(outcome).toMatch(/^malformed: /)
    expect(outcome).toContain(reason)
  })

  test('what is wrong with the operations is said at once', () => {
    expect(outcomeOf(apply(diff('<remove/><add sel="f:Flag"/>')))).toMatch(/\[0\].*\[1\]/)
  })
})

describe('what cannot be applied is not applicable', () => {
  const own = 'belong to the server'
  const form = 'must be made of child steps'
  const nothing = 'no element'
  const remove = (selector: string) => `<remove sel="${selector}"/>`
  test.each([
    [remove('f:Flag/f:period'), nothing],
    [remove('f:Patient'), nothing],
    [remove('f:Flag/f:code/f:coding[3]'), nothing],
    [remove('f:Flag/f:text/f:div'), nothing],
    [remove('f:Flag/f:text/h:div/h:b'), nothing],
    [remove('f:Flag/f:code/f:coding'), 'more than one'],
    [remove('f:Flag/f:code/f:coding/f:code'), 'more than one'],
    [remove('f:Flag/f:code/@value'), 'no attribute'],
    [remove('f:Flag/f:code/f:coding[0]'), form],
    [remove('f:Flag/f:code/f:coding[01]'), form],
    [remove('f:Flag/f:code/f:coding[last()]'), form],
    [remove("f:Flag/f:extension[@url='urn:a']"), form],
    [remove('f:Flag/*'), form],
    [remove('//f:status'), form],
    [remove('f:Flag//f:code'), form],
    [remove('/'), form],
    [remove('f:Flag/'), form],
    [remove('f:Flag/..'), form],
    [remove('f:Flag/f:code/text()'), form],
    [remove('f:Flag/comment()'), form],
    [remove("id('a')"), form],
    [remove('f:Flag/@foo'), form],
    [remove('f:Flag/f:status/@f:value'), form],
    [remove('f:Flag | f:Flag/f:code'), form],
    [remove('child::f:Flag'), form],
    [remove('@value'), 'no attribute'],
    [remove('Flag/status'), 'namespace'],
    [remove('x:Flag/x:status'), 'namespace'],
    [remove('f:Flag'), 'itself'],
    [remove('f:Flag/f:id'), own],
    [remove('f:Flag/f:id/@value'), own],
    [remove('f:Flag/f:meta'), own],
    [remove('f:Flag/f:meta/f:versionId'), own],
    [remove('f:Flag/f:meta/f:lastUpdated/@value'), own],
    [remove(`f:Flag${'/f:extension'.repeat(2000)}`), 'too many steps'],
    ['<replace sel="f:Flag/f:id/@value">a</replace>', own],
    ['<replace sel="f:Flag/f:meta"><f:meta/></replace>', own],
    ['<replace sel="f:Flag"><f:Patient/></replace>', own],
    ['<add sel="f:Flag/f:id" pos="after"><f:id value="b"/></add>', own],
    ['<add sel="f:Flag/f:id" pos="before"><f:id value="a"/></add>', own],
    ['<add sel="f:Flag"><f:id value="a"/></add>', own],
    ['<add sel="f:Flag/f:meta"><f:versionId value="4"/></add>', own],
    ['<add sel="f:Flag"><f:meta><f:versionId value="4"/></f:meta></add>', own],
    ['<add sel="f:Flag/f:id" type="@id">a</add>', own],
    ['<add sel="f:Flag" pos="after"><f:Flag/></add>', 'itself'],
    ['<add sel="f:Flag/f:status" type="@value">a</add>', 'there already'],
    ['<add sel="f:Flag/f:code" type="namespace::x">urn:x</add>', 'Only @value'],
    ['<add sel="f:Flag/f:code" type="@xmlns">urn:x</add>', 'Only @value'],
    ['<add sel="f:Flag/f:status/@value"><f:code/></add>', 'to an attribute'],
    ['<add sel="f:Flag/f:text/h:div"><f:code/></add>', 'whole'],
    ['<add sel="f:Flag/f:text/h:div" type="@id">a</add>', 'whole'],
    ['<replace sel="f:Flag/f:code"/>', 'by one element'],
    ['<replace sel="f:Flag/f:code">text</replace>', 'by one element'],
    ['<replace sel="f:Flag/f:code"><f:code/><f:code/></replace>', 'by one element'],
    ['<replace sel="f:Flag/f:status/@value"><f:code/></replace>', 'by a text'],
    ['<replace sel="f:Flag/f:code/@id">a</replace>', 'no attribute'],
  ])('%s', (operation, reason) => {
    const outcome = outcomeOf(apply(diff(`<remove sel="f:Flag/f:subject"/>${operation}`)))
    expect(outcome).toMatch(/^not-applicable: : Operation \[1\] of the patch: /)
    expect(outcome).toContain(reason)
  })

  test.each([
    ['<add sel="f:Flag/f:code"><f:coding><f:code value="n"/></f:coding></add>', 'Flag.code.coding: After'],
    ['<add sel="f:Flag"><f:status value="inactive"/></add>', 'Flag.status: After the patch: '],
    ['<replace sel="f:Flag/f:code"><f:status value="inactive"/></replace>', 'Flag.status: After the patch: '],
    ['<replace sel="f:Flag/f:status/@value"/>', 'Flag.status: After'],
    ['<add sel="f:Flag" type="@id">a</add>', 'no attributes'],
    ['<remove sel="f:Flag/f:contained/f:Patient"/>', 'must hold a resource'],
    ['<remove sel="f:Flag/f:contained/f:Patient/f:id"/>', 'needs an id'],
    ['<remove sel="f:Flag/f:extension[1]/f:valueDecimal/@value"/>', 'must have a value or content'],
  ])('what makes the result no resource: %s', (operation, reason) => {
    const outcome = outcomeOf(apply(diff(operation)))
    expect(outcome).toMatch(/^not-applicable: /)
    expect(outcome).toContain(reason)
  })

  test('a stored resource that XML cannot say', () => {
    const inJson = resourceOf({ resourceType: 'Flag', text: { status: 'generated', div: 'no xhtml' } })
    expect(outcomeOf(applyXmlPatch(inJson, diff(''), r4, bounds))).toContain('cannot be written as XML')
  })

  test('what grows deeper with every operation', () => {
    const selector = (i: number) => `f:Flag${'/f:extension'.repeat(i)}`
    const operations = Array.from({ length: 600 }, (_, i) => `<add sel="${selector(i + 1)}"><f:extension/></add>`)
    const first = '<remove sel="f:Flag/f:extension[1]"/>'
    expect(outcomeOf(apply(diff(first + operations.join(''))))).toContain('too many steps')
  })
})
