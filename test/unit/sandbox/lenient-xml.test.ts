import { describe, expect, it } from 'vitest'
import { definitionsOf } from '../../../src/fhir/definitions.ts'
import { writeJson } from '../../../src/fhir/json.ts'
import { resourceOf } from '../../../src/sandbox/lenient.ts'
import { readXmlAsPlain } from '../../../src/sandbox/lenient-xml.ts'

const definitions = definitionsOf('STU3')

function written(content: string): string | undefined {
  const resource = resourceOf(readXmlAsPlain(`<Flag xmlns="http://hl7.org/fhir">${content}</Flag>`), definitions)
  return resource && writeJson(resource)
}

describe('A body in XML is read as laxly as HAPI reads it', () => {
  it.each([
    ['the first of an element that does not repeat counts', '<status value="a"/><status value="b"/>', '"status":"a"'],
    [
      'items of one name need not stand together',
      '<identifier><value value="1"/></identifier><status value="a"/><identifier><value value="2"/></identifier>',
      '"identifier":[{"value":"1"},{"value":"2"}],"status":"a"',
    ],
    ['an element that FHIR does not define vanishes', '<foo value="1"><bar/></foo><status value="a"/>', '"status":"a"'],
    ['empty elements and empty values vanish', '<code/><language value=""/><status value="a"/>', '"status":"a"'],
    [
      'ids and urls are attributes',
      '<extension id="e" url="u"><valueString value="s"/></extension>',
      '"extension":[{"id":"e","url":"u","valueString":"s"}]',
    ],
    [
      'a decimal keeps its digits',
      '<extension url="u"><valueDecimal value="1.00"/></extension>',
      '"extension":[{"url":"u","valueDecimal":1.00}]',
    ],
    [
      'what stands inside a primitive is kept',
      '<status value="a"><extension url="u"><valueBoolean value="true"/></extension></status>',
      '"status":"a","_status":{"extension":[{"url":"u","valueBoolean":true}]}',
    ],
    ['a primitive may have content alone', '<status id="s"/>', '"_status":{"id":"s"}'],
    [
      'a contained resource is one',
      '<contained><Basic><id value="#b"/><code><text value="t"/></code></Basic></contained>',
      '"contained":[{"resourceType":"Basic","id":"#b","code":{"text":"t"}}]',
    ],
    [
      'a narrative is text',
      '<text><status value="additional"/><div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b></div></text>',
      '"text":{"status":"additional","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">a <b>b</b></div>"}',
    ],
  ])('%s', (_, sent, stored) => {
    expect(written(sent)).toBe(`{"resourceType":"Flag",${stored}}`)
  })

  it.each([
    ['what is not well-formed', '<Flag xmlns="http://hl7.org/fhir">'],
    ['a DOCTYPE', '<!DOCTYPE Flag><Flag xmlns="http://hl7.org/fhir"/>'],
    ['another namespace', '<Flag xmlns="urn:x"/>'],
    ['no namespace', '<Flag/>'],
    [
      'a narrative of something else',
      '<Flag xmlns="http://hl7.org/fhir"><text><p xmlns="http://www.w3.org/1999/xhtml"/></text></Flag>',
    ],
  ])('but not %s', (_, text) => {
    expect(() => readXmlAsPlain(text)).toThrow(SyntaxError)
  })
})
