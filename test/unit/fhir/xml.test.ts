import { describe, expect, test } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { type Resource, childrenOf, textOf } from '../../../src/fhir/element.ts'
import { parseJson } from '../../../src/fhir/json.ts'
import { parseXml, writeXml } from '../../../src/fhir/xml.ts'

const stu3 = definitionsOf('STU3')
const fhir = 'http://hl7.org/fhir'
const xhtml = 'http://www.w3.org/1999/xhtml'

function flag(content: string): string {
  return `<Flag xmlns="${fhir}">${content}</Flag>`
}

function read(text: string): Resource {
  const resource = parseXml(text, stu3)
  if (!resource.ok) throw new Error(JSON.stringify(resource.faults))
  return resource.value
}

function faultsOf(text: string): string[] {
  const resource = parseXml(text, stu3)
  return resource.ok ? [] : resource.faults.map(({ expression, sentence }) => `${expression ?? ''}: ${sentence}`)
}

function json(text: string): Resource {
  const resource = parseJson(text, stu3)
  if (!resource.ok) throw new Error(JSON.stringify(resource.faults))
  return resource.value
}

describe('a text that is refused as a whole', () => {
  const body = flag('<status value="active"/>')
  test.each([
    ['', 'well-formed'],
    [' ', 'well-formed'],
    ['{}', 'well-formed'],
    [`\ufeff${body}`, 'character'],
    [`${body}\u0000`, 'character'],
    [body.replace('active', '\ud800'), 'character'],
    [body.replace('active', '&#xd800;'), 'well-formed'],
    [body.replace('active', '&#0;'), 'well-formed'],
    [body.replace('active', '&#x1f;'), 'well-formed'],
    [body.replace('active', '&nbsp;'), 'well-formed'],
    [body.replace('active', '&constructor;'), 'well-formed'],
    [body.replace('active', '&__proto__;'), 'well-formed'],
    [body.replace('active', '&toString;'), 'well-formed'],
    [body.replace('active', 'a & b'), 'well-formed'],
    [body.replace('active', 'a < b'), 'well-formed'],
    [body.replace('"active"', 'active'), 'well-formed'],
    [body.replace('value', 'value="a" value'), 'well-formed'],
    [body.slice(0, -1), 'well-formed'],
    [body + body, 'well-formed'],
    [`${body}text`, 'well-formed'],
    [body.replace('<Flag', '<f:Flag'), 'well-formed'],
    [`<!DOCTYPE Flag>${body}`, 'DOCTYPE'],
    [`<!DOCTYPE Flag [<!ENTITY a "b">]>${body}`, 'DOCTYPE'],
    [`<!DOCTYPE Flag SYSTEM "file:///etc/passwd">${body}`, 'DOCTYPE'],
    [`<?xml-stylesheet href="a"?>${body}`, 'processing instruction'],
    [`${body}<?php a?>`, 'processing instruction'],
    [flag('<?a b?>'), 'processing instruction'],
    [`<?xml version="1.1"?>${body}`, 'XML 1.0'],
    [`<?xml version="1.0" encoding="ISO-8859-1"?>${body}`, 'UTF-8'],
    [` <?xml version="1.0"?>${body}`, ''],
    [`<Flag>${body}</Flag>`, 'namespace'],
    ['<Flag/>', 'namespace'],
    [`<Flag xmlns="${fhir}/"/>`, 'namespace'],
    [`<Flags xmlns="${fhir}"/>`, 'does not exist'],
    [`<Resource xmlns="${fhir}"/>`, 'does not exist'],
    [`<constructor xmlns="${fhir}"/>`, 'does not exist'],
  ])('%j', (text, words) => {
    expect(faultsOf(text)).toEqual([expect.stringContaining(words)])
  })
})

test.each([`text${flag('')}`, `<![CDATA[a]]>${flag('')}`, `${flag('')}<![CDATA[]]>`])('%s is refused', (text) => {
  expect(faultsOf(text).length).toBeGreaterThan(0)
})

test('entities that would grow are never expanded', () => {
  const entities = Array.from({ length: 9 }, (_, i) => `<!ENTITY a${i + 1} "${`&a${i};`.repeat(10)}">`).join('')
  const text = `<!DOCTYPE Flag [<!ENTITY a0 "lol">${entities}]>${flag('<status value="&a9;"/>')}`
  expect(faultsOf(text)).toEqual([expect.stringContaining('DOCTYPE')])
})

test.each([
  ['<status/>', 'Flag.status', 'value or content'],
  ['<status></status>', 'Flag.status', 'value or content'],
  ['<code></code>', 'Flag.code', 'value or content'],
  ['<status value=""/>', 'Flag.status', 'empty'],
  ['<status id=""/>', 'Flag.status', 'empty'],
  ['<status value="a"/><status value="b"/>', 'Flag.status', 'does not repeat'],
  [
    '<extension url="u"><valueCode value="a"/><valueString value="b"/></extension>',
    'Flag.extension[0].value',
    'two types',
  ],
  ['<status value="a"/><code><text value="a"/></code><status value="b"/>', 'Flag.status', 'does not repeat'],
  [
    '<identifier><value value="a"/></identifier><status value="a"/><identifier><value value="b"/></identifier>',
    'Flag.identifier',
    'stand together',
  ],
  ['<foo value="a"/><status value="a"/><foo value="b"/>', 'Flag.foo', 'stand together'],
  ['text', 'Flag', 'Text'],
  ['\u00a0', 'Flag', 'Text'],
  ['<status value="a">b</status>', 'Flag.status', 'Text'],
  ['<![CDATA[ ]]>', 'Flag', 'CDATA'],
  ['<status><![CDATA[active]]></status>', 'Flag.status', 'CDATA'],
  ['<status value="a" colour="b"/>', 'Flag.status', 'attribute'],
  ['<status value="a" url="b"/>', 'Flag.status', 'attribute'],
  ['<status value="a" xml:lang="en"/>', 'Flag.status', 'attribute'],
  ['<status value="a" xmlns:x="urn:x" x:value="b"/>', 'Flag.status', 'attribute'],
  ['<status value="a" xmlns:x="urn:x" x:colour="b"/>', 'Flag.status', 'attribute'],
  [`<status value="a" xmlns:f="${fhir}" f:value="b"/>`, 'Flag.status', 'attribute'],
  ['<code value="a"/>', 'Flag.code', 'attribute'],
  ['<status xmlns="urn:x" value="a"/>', 'Flag', 'namespace'],
  ['<x:status xmlns:x="urn:x" value="a"/>', 'Flag', 'namespace'],
  ['<status xmlns="" value="a"/>', 'Flag', 'namespace'],
  ['<a-b value="a"/>', 'Flag', 'name'],
  ['<code><id value="a"/></code>', 'Flag.code', 'attribute'],
  ['<foo><id value="a"/></foo>', 'Flag.foo', 'attribute'],
  ['<extension><url value="u"/></extension>', 'Flag.extension[0]', 'attribute'],
  ['<extension url=""/>', 'Flag.extension[0]', 'empty'],
  ['<extension url="u"><valueBoolean value="True"/></extension>', 'Flag.extension[0].value', 'boolean'],
  ['<extension url="u"><valueBoolean value="1"/></extension>', 'Flag.extension[0].value', 'boolean'],
  ['<extension url="u"><valueBoolean value=" true"/></extension>', 'Flag.extension[0].value', 'boolean'],
  ['<extension url="u"><valueInteger value="1.0"/></extension>', 'Flag.extension[0].value', 'integer'],
  ['<extension url="u"><valueInteger value="01"/></extension>', 'Flag.extension[0].value', 'integer'],
  ['<extension url="u"><valueDecimal value="+1"/></extension>', 'Flag.extension[0].value', 'decimal'],
  ['<extension url="u"><valueDecimal value=".5"/></extension>', 'Flag.extension[0].value', 'decimal'],
  ['<extension url="u"><valueDecimal value="NaN"/></extension>', 'Flag.extension[0].value', 'decimal'],
  ['<extension url="u"><valueDecimal value="0x1"/></extension>', 'Flag.extension[0].value', 'decimal'],
  ['<id value="a b"/>', 'Flag.id', 'FHIR id'],
  ['<contained/>', 'Flag.contained[0]', 'hold a resource'],
  ['<contained value="a"/>', 'Flag.contained[0]', ''],
  ['<contained><Flags/></contained>', 'Flag.contained[0]', ''],
  [
    '<contained><Flag><id value="a"/></Flag><Flag><id value="b"/></Flag></contained>',
    'Flag.contained[0]',
    'one resource',
  ],
  ['<contained><Flag/></contained>', 'Flag.contained[0]', 'needs an id'],
  ['<contained><Flag id="a"><id value="a"/></Flag></contained>', 'Flag.contained[0]', 'no attributes'],
  ['<contained><Flag><id value="#a"/></Flag></contained>', 'Flag.contained[0].id', 'FHIR id'],
  [
    '<contained><Flag><id value="a"/></Flag></contained><contained><List><id value="a"/></List></contained>',
    'Flag.contained[1]',
    'the same id',
  ],
  [
    '<contained><Flag><id value="a"/><contained><Flag><id value="b"/></Flag></contained></Flag></contained>',
    'Flag.contained[0]',
    'may not contain',
  ],
])('%s is refused at %s', (content, expression, words) => {
  const faults = faultsOf(flag(content))
  expect(faults[0]).toMatch(new RegExp(`^${expression.replace(/[[\].]/g, String.raw`\$&`)}: .*${words}`))
})

test('all faults are named at once', () => {
  const faults = faultsOf(flag('<status value=""/><code/><subject>a</subject><foreign xmlns="urn:x"><a/></foreign>'))
  expect(faults.map((fault) => fault.slice(0, fault.indexOf(':')))).toEqual([
    'Flag.status',
    'Flag.code',
    'Flag.subject',
    'Flag.subject',
    'Flag',
  ])
})

test('a fault never holds content', () => {
  expect(faultsOf(flag('<status value="secret">secret</status><a-secret/>')).join()).not.toContain('secret')
  expect(faultsOf('<secret>').join()).not.toContain('secret')
  expect(faultsOf(flag('<secret:a/>')).join()).not.toContain('secret')
})

test('comments, white space, prefixes and the XML declaration say nothing', () => {
  const plain = read(flag('<status value="active"/>'))
  const other = read(`<?xml version="1.0" encoding="utf-8" standalone="yes"?>
    <!-- a --><f:Flag xmlns:f="${fhir}">
      <f:status  value = 'act&#105;ve' ><!-- b --></f:status>
    </f:Flag><!-- c -->`)
  expect(other).toEqual(plain)
})

test('white space in a value is read as XML says', () => {
  const text = flag('<status value="a\n\tb &#10;&#9;&#13;\u00a0c"/>')
  expect(textOf(read(text), 'status')).toBe('a  b \n\t\r\u00a0c')
})

test('kinds come from the definitions', () => {
  const extension = (name: string, value: string) => `<extension url="u"><${name} value="${value}"/></extension>`
  const items = childrenOf(
    read(
      flag(
        extension('valueDecimal', '1.00') +
          extension('valueInteger', '-0') +
          extension('valueBoolean', 'false') +
          extension('valueString', '1'),
      ),
    ),
    'extension',
  )
  expect(items.map((item) => [...item.children.values()][1]!.items[0]!.value)).toEqual([
    { kind: 'number', text: '1.00' },
    { kind: 'number', text: '-0' },
    { kind: 'boolean', text: 'false' },
    { kind: 'string', text: '1' },
  ])
})

test('an element that FHIR does not define is kept as strings, as a list when there are several', () => {
  const resource = read(
    flag(
      '<foo value="1"/><bar id="x"><extension url="u"><baz value="a"/></extension><baz value="true"/></bar><foo2 value="a"/><foo2 value="b"/>',
    ),
  )
  expect(resource.children.get('foo')).toMatchObject({
    list: false,
    items: [{ type: undefined, value: { kind: 'string' } }],
  })
  expect(resource.children.get('foo2')).toMatchObject({ list: true })
  const [bar] = childrenOf(resource, 'bar')
  expect([...bar!.children.keys()]).toEqual(['id', 'extension', 'baz'])
  expect(textOf(childrenOf(bar!, 'extension')[0]!, 'url')).toBe('u')
})

test('many attributes and many namespaces are read in linear time', () => {
  const attributes = Array.from({ length: 50_000 }, (_, i) => ` a${i}="b"`).join('')
  expect(faultsOf(flag(`<status${attributes}/>`))).toHaveLength(101)
  const namespaces = Array.from({ length: 20_000 }, (_, i) => ` xmlns:a${i}="urn:b"`).join('')
  expect(faultsOf(flag(`<status${namespaces} value="a"/>`))).toEqual([])
})

describe('nesting', () => {
  const nested = (depth: number) => flag(`${'<extension url="u">'.repeat(depth)}${'</extension>'.repeat(depth)}`)

  test('is allowed up to the bound, as in JSON', () => {
    expect(parseXml(nested(8), stu3, { nesting: 10 })).toMatchObject({ ok: true })
    expect(parseXml(nested(10), stu3, { nesting: 10 })).toMatchObject({ ok: false })
  })

  test.each(['<extension url="u">', '<a xmlns="urn:x">', '<text><div xmlns="http://www.w3.org/1999/xhtml">'])(
    'a MiB of %s is refused without harm',
    (tag) => {
      expect(faultsOf(flag(tag.repeat(2 ** 20 / tag.length))).length).toBeGreaterThan(0)
    },
  )
})

describe('a narrative', () => {
  const narrative = (div: string) => flag(`<text><status value="empty"/>${div}</text>`)
  const divOf = (text: string) => childrenOf(childrenOf(read(text), 'text')[0]!, 'div')[0]!.value

  test.each([
    [`<div xmlns="${xhtml}">a</div>`, `<div xmlns="${xhtml}">a</div>`],
    [`<div xmlns="${xhtml}"/>`, `<div xmlns="${xhtml}"></div>`],
    [
      `<div  xmlns='${xhtml}'\n class = 'a"b'>a<!-- c --><br></br><p/></div>`,
      `<div xmlns="${xhtml}" class="a&quot;b">a<br/><p></p></div>`,
    ],
    [
      `<h:div xmlns:h="${xhtml}"><h:p>a &amp; &#60; &gt;</h:p></h:div>`,
      `<div xmlns="${xhtml}"><p>a &amp; &lt; &gt;</p></div>`,
    ],
    [`<div xmlns="${xhtml}"><![CDATA[<b> & ]]></div>`, `<div xmlns="${xhtml}">&lt;b&gt; &amp; </div>`],
    [
      `<div xmlns="${xhtml}" xml:lang="en" lang="en">é\n\t😀&#13;</div>`,
      `<div xmlns="${xhtml}" xml:lang="en" lang="en">é\n\t😀&#13;</div>`,
    ],
    [
      `<div xmlns="${xhtml}"><a href="x?a=1&amp;b=2" title="a&#10;b">c</a></div>`,
      `<div xmlns="${xhtml}"><a href="x?a=1&amp;b=2" title="a&#10;b">c</a></div>`,
    ],
  ])('%s is rebuilt', (div, text) => {
    expect(divOf(narrative(div))).toEqual({ kind: 'string', text })
    expect(divOf(narrative(text))).toEqual({ kind: 'string', text })
  })

  test.each([
    '<div>a</div>',
    '<div value="a"/>',
    `<div xmlns="${fhir}" value="a"/>`,
    `<p xmlns="${xhtml}">a</p>`,
    `<div xmlns="${xhtml}"><p xmlns="${fhir}"/></div>`,
    `<div xmlns="${xhtml}"><svg xmlns="http://www.w3.org/2000/svg"/></div>`,
    `<div xmlns="${xhtml}" xmlns:x="urn:x" x:a="b"/>`,
    `<div xmlns="${xhtml}"><p xmlns:x="urn:x" x:a="b"/></div>`,
    `<div xmlns="${xhtml}"/><div xmlns="${xhtml}"/>`,
    `<div xmlns="${xhtml}">&nbsp;</div>`,
    `<div xmlns="${xhtml}"><?a b?></div>`,
  ])('%s is refused', (div) => {
    expect(faultsOf(narrative(div)).length).toBeGreaterThan(0)
  })

  test('of many empty elements is rebuilt in linear time', () => {
    const breaks = '<br/>'.repeat(200_000)
    expect(divOf(narrative(`<div xmlns="${xhtml}">${breaks}</div>`))?.text).toHaveLength(
      breaks.length + xhtml.length + 20,
    )
  })

  test('a div elsewhere is an element of a foreign namespace', () => {
    expect(faultsOf(flag(`<div xmlns="${xhtml}">a</div>`))).toEqual([expect.stringContaining('namespace')])
  })

  test.each([
    'a',
    '<p>a</p>',
    `<div>a</div>`,
    `<div xmlns="${xhtml}">`,
    `<div xmlns="${xhtml}"/><a/>`,
    `<div xmlns="${xhtml}">&nbsp;</div>`,
    `<!DOCTYPE div><div xmlns="${xhtml}"/>`,
  ])('the text %s is not written as XML', (div) => {
    const resource = json(JSON.stringify({ resourceType: 'Flag', text: { status: 'empty', div } }))
    expect(() => writeXml(resource)).toThrow('narrative')
  })

  test('a div written in JSON is rebuilt for XML', () => {
    const resource = json(
      JSON.stringify({ resourceType: 'Flag', text: { div: `<div xmlns='${xhtml}'><br></br></div>` } }),
    )
    expect(writeXml(resource)).toBe(flag(`<text><div xmlns="${xhtml}"><br/></div></text>`))
  })
})

describe('what is read is written back', () => {
  test.each([
    `<Flag xmlns="${fhir}"/>`,
    flag('<id value="a"/><status id="x" value="a&#9;&#10;&#13;&lt;&gt;&amp;&quot;\'é😀"/>'),
    flag('<status id="x"><extension url="u"><valueDecimal value="1.00"/></extension></status>'),
    flag('<contained><Provenance><id value="p"/></Provenance></contained><extension id="x" url="u"/>'),
    flag('<foo value="a"><extension url="u"/></foo>'),
  ])('%s', (text) => {
    expect(writeXml(read(text))).toBe(text)
  })

  test.each([
    '{"resourceType":"Flag","extension":[{"url":"u","_url":{"id":"x"}}]}',
    '{"resourceType":"Flag","code":{"_id":{"extension":[{"url":"u"}]}}}',
    '{"resourceType":"Flag","foo":{"id":["a","b"]}}',
    '{"resourceType":"Flag","foo":{"id":{"a":"b"}}}',
  ])('%s has no XML', (text) => {
    expect(() => writeXml(json(text))).toThrow('attribute')
  })
})
