import { describe, expect, test } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { writtenText } from '../../../src/fhir/read-element.ts'
import type { FhirRelease } from '../../../src/fhir/version.ts'
import { readXmlStraight } from '../../../src/fhir/xml-straight.ts'
import { readXmlThoroughly, writeXml } from '../../../src/fhir/xml.ts'

const bounds = { nesting: 10, elements: 12 }
/** Plain, as the thorough reader makes it. */
const straight = (text: string, release: FhirRelease = 'STU3') =>
  structuredClone(readXmlStraight(text, definitionsOf(release), bounds))
const thorough = (text: string, release: FhirRelease = 'STU3') => {
  const read = readXmlThoroughly(text, definitionsOf(release), bounds)
  return read.ok ? read.value : undefined
}
const fhir = 'xmlns="http://hl7.org/fhir"'
const xhtml = 'xmlns="http://www.w3.org/1999/xhtml"'
const flag = (content: string) => `<Flag ${fhir}>${content}</Flag>`
const narrative = (div: string) => flag(`<text><status value="generated"/>${div}</text><status value="active"/>`)

// Beside the fuzzer of bodies, which finds no text that only one of the two readers takes; that it is quick is seen only here.
describe('a text with nothing rare in it is read straight, to the tree that the thorough reader makes', () => {
  test.each([
    ['nothing', `<Flag ${fhir}/>`],
    ['nothing, in two tags', flag('')],
    [
      'values, lists, elements',
      flag('<id value="1"/><code><coding><code value="a"/></coding><text value="c"/></code>'),
    ],
    [
      'a declaration, and white space of every kind',
      `<?xml version="1.0" encoding="UTF-8"?>\r\n${flag('\n\t<code>\r\n <text value="a" />\n</code> ')}\n`,
    ],
    ['the entities that XML has', flag('<code><text value="&lt;A&amp;E&gt; &quot;&apos;"/></code>')],
    ['other alphabets', flag('<code><text value="Ελληνικά 漢字 \u{1f600}"/></code>')],
    [
      'a choice, and what is an attribute',
      flag(
        '<extension url="a"><valueBoolean value="true"/></extension><extension id="1" url="b"><valueDecimal value="1.00"/></extension>',
      ),
    ],
    [
      'an extension of a value',
      flag('<status value="active"><extension url="a"><valueCode value="b"/></extension></status>'),
    ],
    ['an id of a value, and no value', flag('<status id="a"/><period id="p"/>')],
    ['a value in two tags', flag('<status value="active"></status>')],
    [
      'contained resources',
      flag(
        `<contained><Condition><id value="c"/></Condition></contained><contained> <Condition ${fhir}><id value="d"/></Condition> </contained>`,
      ),
    ],
    ['a narrative', narrative(`<div ${xhtml}><p class="a">A &amp; B<br/></p></div>`)],
    [
      'a narrative that is written in another way',
      narrative(`<div ${xhtml} ><p title='"'>A<![CDATA[ & ]]>B<br></br></p></div>\n`),
    ],
    ['a narrative with a comment', narrative(`<div ${xhtml}><!-- </div> --></div><!-- a -->`)],
  ])('%s', (_what, text) => {
    const read = straight(text)
    expect(read).toBeDefined()
    expect(read).toStrictEqual(thorough(text))
    expect(writeXml(readXmlStraight(text, definitionsOf('STU3'), bounds)!)).toBe(writeXml(thorough(text)!))
  })
})

describe('what is rare is left to the thorough reader, which takes it', () => {
  const status = (written: string) => flag(`<status ${written}/>`)
  test.each([
    ['a comment', flag('<!-- a --><status value="active"/>')],
    ['a reference by number', status('value="&#97;"')],
    ['a value in single quotes', status("value='active'")],
    ['the end of a tag in a value', flag('<code><text value="a>b"/></code>')],
    ['a line feed in a value', flag('<code><text value="a\nb"/></code>')],
    ['a tab in a value', flag('<code><text value="a\tb"/></code>')],
    ['white space in a tag', flag('<status  value="active"/>')],
    ['white space in an end tag', flag('<status value="active"></status >')],
    ['white space around an equals sign', status('value = "active"')],
    ['a prefix', `<f:Flag xmlns:f="http://hl7.org/fhir"><f:status value="active"/></f:Flag>`],
    ['a further namespace', `<Flag ${fhir} xmlns:a="b"><status value="active"/></Flag>`],
    ['the namespace again', flag(`<status ${fhir} value="active"/>`)],
    ['an element that FHIR does not define', flag('<colour value="red"/>')],
    ['another declaration', `<?xml version='1.0'?>${status('value="active"')}`],
    ['a narrative whose element has its end elsewhere', narrative(`<div ${xhtml}><!-- </text> --></div>`)],
  ])('%s', (_what, text) => {
    expect(straight(text)).toBeUndefined()
    expect(thorough(text)).toBeDefined()
  })
})

describe('what is wrong is not read straight', () => {
  const deep = (levels: number) =>
    flag(`${'<extension url="a">'.repeat(levels)}<valueCode value="a"/>${'</extension>'.repeat(levels)}`)
  test.each([
    ['nothing', ''],
    ['no end', `<Flag ${fhir}>`],
    ['another end', `<Flag ${fhir}></Flog>`],
    ['an end that is too long', `<Flag ${fhir}></Flags>`],
    ['more text', `${flag('')}a`],
    ['a second resource', flag('') + flag('')],
    ['white space before the declaration', ` <?xml version="1.0" encoding="UTF-8"?>${flag('')}`],
    ['no namespace', '<Flag><status value="active"/></Flag>'],
    ['another namespace', '<Flag xmlns="http://hl7.org/fhir2"/>'],
    ['an attribute of a resource', `<Flag ${fhir} id="1"/>`],
    ['an unknown resource', `<Sign ${fhir}/>`],
    ['text between elements', flag('a')],
    ['text in an element', flag('<code>a</code>')],
    ['text beside a value', flag('<status value="active">a</status>')],
    [
      'an element of a kind that comes again later',
      flag('<identifier id="a"/><status value="a"/><identifier id="b"/>'),
    ],
    ['two where one may be', flag('<status value="a"/><status value="b"/>')],
    ['two types of one choice', flag('<extension url="a"><valueCode value="a"/><valueString value="a"/></extension>')],
    ['an empty value', flag('<status value=""/>')],
    ['an empty id', flag('<identifier id=""/>')],
    ['an empty element', flag('<code/>')],
    ['an empty element in two tags', flag('<code> </code>')],
    ['a value of what has none', flag('<code value="a"/>')],
    ['an attribute twice', flag('<status value="a" value="a"/>')],
    ['an id twice', flag('<identifier id="a" id="a"/>')],
    ['two attributes without white space between them', flag('<status id="a"value="a"/>')],
    ['an attribute that FHIR does not have', flag('<status colour="a" value="a"/>')],
    ['an id of an element as an element', flag('<identifier><id value="a"/></identifier>')],
    ['a url of an extension as an element', flag('<extension><url value="a"/></extension>')],
    ['a url of what is no extension', flag('<identifier url="a"/>')],
    ['an attribute around a resource', flag('<contained id="a"><Flag><id value="a"/></Flag></contained>')],
    ['no resource where one is', flag('<contained></contained>')],
    ['an empty tag where a resource is', flag('<contained/>')],
    [
      'two resources where one is',
      flag('<contained><Flag><id value="a"/></Flag><Flag><id value="b"/></Flag></contained>'),
    ],
    ['a boolean that is none', flag('<extension url="a"><valueBoolean value="TRUE"/></extension>')],
    ['a number that is no integer', flag('<extension url="a"><valueInteger value="1.0"/></extension>')],
    ['a control character', flag('<code><text value="a\u0001"/></code>')],
    ['half a pair', flag('<code><text value="\ud83d"/></code>')],
    ['a noncharacter', flag('<code><text value="\uffff"/></code>')],
    ['a tag in a value', flag('<code><text value="a<b"/></code>')],
    ['an entity that XML does not have', flag('<code><text value="&nbsp;"/></code>')],
    ['an entity of the name of a property', flag('<code><text value="&constructor;"/></code>')],
    ['an ampersand alone', flag('<code><text value="a & b"/></code>')],
    ['a value without an end', flag('<code><text value="a/></code>')],
    ['a contained resource without an id', flag('<contained><Flag/></contained>')],
    ['an id that is none', flag('<id value="a b"/>')],
    ['a narrative of another namespace', narrative('<div><p>a</p></div>')],
    ['a narrative that is no div', narrative(`<p ${xhtml}>a</p>`)],
    ['a narrative that is no XML', narrative(`<div ${xhtml}><p>a</div>`)],
    ['a narrative without an end', narrative(`<div ${xhtml}>`)],
    ['two narratives', narrative(`<div ${xhtml}/><div ${xhtml}/>`)],
    ['text after a narrative', narrative(`<div ${xhtml}/>a`)],
    ['a document type in a narrative', narrative(`<div ${xhtml}><!DOCTYPE a></div>`)],
    ['more levels than may be', deep(10)],
    ['more elements than may be', flag('<identifier><value value="a"/></identifier>'.repeat(7))],
    ['more tags than may be', narrative(`<div ${xhtml}>${'<br/>'.repeat(24)}</div>`)],
    ['a byte order mark', `\ufeff${flag('')}`],
  ])('%s', (_what, text) => {
    expect(thorough(text)).toBeUndefined()
    expect(straight(text)).toBeUndefined()
  })

  test('the bounds are the same for both', () => {
    for (let count = 1; count < 30; count++) {
      expect(straight(deep(count))).toStrictEqual(thorough(deep(count)))
      const many = flag(`<category>${'<coding><code value="a"/></coding>'.repeat(count)}</category>`)
      expect(straight(many)).toStrictEqual(thorough(many))
      const tags = narrative(`<div ${xhtml}>${'<br/>'.repeat(count)}</div>`)
      expect(straight(tags)).toStrictEqual(thorough(tags))
    }
  })

  test('a narrative is nested no deeper than the thorough reader would have it', () => {
    for (let levels = 1; levels < 20; levels++) {
      const text = narrative(`<div ${xhtml}>${'<b>'.repeat(levels)}${'</b>'.repeat(levels)}</div>`)
      expect([undefined, thorough(text)]).toContainEqual(straight(text))
    }
  })
})

describe('what is written of an element whose text is known is what is written of one whose text is not', () => {
  test.each([
    ['as it is written', flag('<id value="1"/><code><coding><code value="a"/></coding><text value="é漢"/></code>')],
    ['with white space', flag('<code> <text value="a"/></code>')],
    ['with white space in a tag', flag('<code><text value="a" /></code>')],
    ['with entities', flag('<code><text value="&lt;&apos;"/></code><subject><display value="&lt;"/></subject>')],
    ['with an id behind a value', flag('<code><text value="a" id="1"/></code>')],
    ['with an id before a value', flag('<code id="0"><text id="1" value="a"/></code>')],
    ['in two tags', flag('<code><text value="a"></text></code>')],
    ['with a resource inside', flag('<contained><Flag><id value="a"/></Flag></contained>')],
    [
      'with a resource inside that names the namespace',
      flag(`<contained><Flag ${fhir}><id value="a"/></Flag></contained>`),
    ],
    ['with a narrative', narrative(`<div ${xhtml}><p>a</p></div>`)],
    ['with a narrative that is written in another way', narrative(`<div ${xhtml}><p >a</p></div>`)],
  ])('%s', (_what, text) => {
    const read = readXmlStraight(text, definitionsOf('STU3'), bounds)!
    expect(writeXml(read)).toBe(writeXml(structuredClone(read)))
  })

  test('is not put together again where nothing can be written in another way', () => {
    const text = flag('<code><coding><code value="a"/></coding></code><subject> <reference value="a"/></subject>')
    const { children } = readXmlStraight(text, definitionsOf('STU3'), bounds)!
    const item = (name: string) => children.get(name)!.items[0]!
    expect(writtenText(item('code'), 'xml')).toBe('<code><coding><code value="a"/></coding></code>')
    expect(writtenText(item('code'), 'json')).toBeUndefined()
    expect(writtenText(item('subject'), 'xml')).toBeUndefined()
    expect(writtenText({ ...item('code') }, 'xml')).toBeUndefined()
  })

  test('has the name under which it stands', () => {
    const { children, ...resource } = readXmlStraight(
      flag('<code><text value="a"/></code>'),
      definitionsOf('STU3'),
      bounds,
    )!
    const renamed = new Map([['category', children.get('code')!]])
    expect(writeXml({ ...resource, children: renamed })).toBe(flag('<category><text value="a"/></category>'))
  })
})

test('what is taken over from another resource counts its tags, too', () => {
  const stu3 = definitionsOf('STU3')
  const text = narrative(`<div ${xhtml}>${'<br/>'.repeat(12)}</div>`)
  const needed = [...Array(20).keys()].find((elements) => readXmlStraight(text, stu3, { nesting: 10, elements }))!
  expect(needed).toBeGreaterThan(5)
  const like = readXmlStraight(text, stu3, { nesting: 10 })
  expect(readXmlStraight(text, stu3, { nesting: 10, elements: needed }, like)).toBeDefined()
  expect(readXmlStraight(text, stu3, { nesting: 10, elements: needed - 1 }, like)).toBeUndefined()
})
